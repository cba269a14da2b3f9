"""One ControlNet for every kind of map: as diffusers applies it, each kind at its own input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.checkpoints.build import built
from tests.tools.image.sdxl.conftest import TWO, Studio, asked, difference
from tests.tools.image.sdxl.test_pictures import stock
from tools.errors import InvalidInput
from tools.model import Placing

KINDS = ("openpose", "depth", "canny", "line", "segmentation", "normal")


@pytest.fixture(scope="module")
def union() -> Path:
    from evals.checkpoints.sdxl import make_union

    return built(make_union)


def with_union(union: Path, *kinds: str, **more: Any) -> dict[str, Any]:
    return {"controls": [{"kind": kind, "model": str(union), **more} for kind in kinds]}


def test_two_maps_at_once_condition_the_picture_as_diffusers_would(studio: Studio, union: Path) -> None:
    import torch

    from tools.image.sdxl.nets import load_controlnet
    from tools.image.sdxl.pictures import map_tensor
    from tools.layout.png import read_png

    args = asked(rendering=with_union(union, "depth", "canny", strength=0.7) | {"steps": 3})
    ours = studio.draw(args)
    maps = [map_tensor(read_png(studio.out / f"{kind}.png"), "cpu", torch.float32) for kind in ("depth", "canny")]
    theirs = stock(
        studio.pipeline, args, 7, "StableDiffusionXLControlNetUnionPipeline", control_image=maps,
        controlnet=load_controlnet(union, torch.float32), control_mode=[1, 3], controlnet_conditioning_scale=0.7,
    )  # fmt: skip
    assert np.abs(ours - theirs).max() <= 1


def test_every_kind_of_the_layout_reaches_it_and_each_is_another_input(
    studio: Studio, union: Path, plain_picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.image.sdxl.control import UNION_MODES

    found = {kind: studio.draw(asked(rendering=with_union(union, kind))) for kind in KINDS}
    assert all(difference(picture, plain_picture) > 0.5 for picture in found.values())
    # The very same map, told to be of another kind.
    monkeypatch.setitem(UNION_MODES, "depth", UNION_MODES["normal"])
    assert difference(studio.draw(asked(rendering=with_union(union, "depth"))), found["depth"]) > 0.1
    assert len({UNION_MODES[kind] for kind in ("openpose", "canny", "segmentation")}) == 3


def test_edges_and_lines_go_to_one_input_so_not_both_at_once(studio: Studio, union: Path) -> None:
    with pytest.raises(InvalidInput, match="edges or lines"):
        studio.draw(asked(rendering=with_union(union, "canny", "line")))


def test_a_file_alone_and_one_that_calls_itself_plain_are_read(studio: Studio, union: Path, tmp_path: Path) -> None:
    import shutil

    folder = studio.draw(asked(rendering=with_union(union, "depth")))
    plain = tmp_path / "plain"
    shutil.copytree(union, plain)
    config = plain / "config.json"
    config.write_text(config.read_text().replace("ControlNetUnionModel", "ControlNetModel"))
    assert np.array_equal(studio.draw(asked(rendering=with_union(plain, "depth"))), folder)


def test_its_poses_have_thicker_sticks(larger: Studio, union: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.image.sdxl import conditions
    from tools.layout.png import read_png

    seen: list[np.ndarray] = []
    kept = conditions.map_tensor
    monkeypatch.setattr(conditions, "map_tensor", lambda shown, *more: seen.append(shown) or kept(shown, *more))
    larger.draw(asked(TWO, width=192, height=192, rendering=with_union(union, "openpose")))
    thin = read_png(larger.out / "openpose.png")
    assert seen[0].shape == thin.shape
    thick = seen[0].max(axis=2) > 0
    assert thick.sum() > 1.4 * (thin.max(axis=2) > 0).sum()
    assert (thick & (thin.max(axis=2) > 0)).sum() > 0.97 * (thin.max(axis=2) > 0).sum(), "the same people, thicker"


@pytest.mark.parametrize(("longer", "radius"), [(499, 4), (500, 8), (1024, 12), (2048, 16), (9000, 28)])
def test_sticks_grow_as_the_model_was_trained(longer: int, radius: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.image.sdxl.control import thick_poses

    told: list[float] = []

    def record(_people: object, size: tuple[int, int], radius: float) -> np.ndarray:
        told.append(radius)
        return np.zeros((size[1], size[0], 3), dtype=np.uint8)

    monkeypatch.setattr("tools.layout.passes.openpose_map", record)
    thick_poses([], (64, 64), (longer, 64))
    assert told == [radius]


def test_normals_point_out_of_what_is_near() -> None:
    from tools.image.sdxl.control import normals_of

    depth = np.zeros((128, 128), dtype=np.uint8)
    depth[32:96, 32:96] = 200
    normals = normals_of(depth)
    assert tuple(normals[64, 64]) == tuple(normals[4, 4]) == (128, 128, 255), "flat parts face the camera"
    left, right, top = normals[64, 32], normals[64, 95], normals[32, 64]
    assert left[0] > 160 > 96 > right[0], "red faces the left"
    assert top[1] > 160, "green faces the top"


def test_the_published_topology_is_that_of_a_file_without_a_config() -> None:
    """ControlNets for SDXL have 1,251,014,160 parameters; nothing of that size is allocated."""
    import torch
    from diffusers import ControlNetModel, UNet2DConditionModel

    from tools.image.sdxl.nets import SDXL_UNET

    with torch.device("meta"):
        net = ControlNetModel.from_unet(UNet2DConditionModel(**SDXL_UNET), load_weights_from_unet=False)
    assert sum(one.numel() for one in net.parameters()) == 1_251_014_160


def test_it_is_a_model_of_its_own(union: Path) -> None:
    from tools.image.sdxl.nets import SdxlControlNet

    weights = SdxlControlNet()
    weights.check(str(union))
    net = weights.load(str(union), Placing())
    assert type(net).__name__ == "ControlNetUnionModel"
    assert weights.modules() == {"controlnet": net}
    weights.unload()
    assert not weights.modules()
