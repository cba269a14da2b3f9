"""ControlNet: as diffusers applies it, from the layout's maps or a person's picture, one or several."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.checkpoints.build import built
from tests.tools.image.sdxl.conftest import Studio, asked, difference, state_of
from tests.tools.image.sdxl.test_pictures import stock
from tools.errors import InvalidInput, MissingPrerequisite


@pytest.fixture(scope="module")
def net() -> Path:
    from evals.checkpoints.sdxl import make_controlnet

    return built(make_controlnet)


@pytest.fixture(scope="module")
def other_net() -> Path:
    from evals.checkpoints.sdxl import make_controlnet

    return built(make_controlnet, seed=33)


def with_net(net: Path, kind: str = "depth", **more: Any) -> dict[str, Any]:
    return {"controls": [{"kind": kind, "model": str(net), **more}]}


def test_the_layouts_map_conditions_the_picture_as_diffusers_would(studio: Studio, net: Path) -> None:
    import torch
    from diffusers import ControlNetModel

    from tools.image.sdxl.pictures import map_tensor
    from tools.layout.png import read_png

    args = asked(rendering=with_net(net, strength=0.7, end=0.6) | {"steps": 3})
    ours = studio.draw(args)
    image = map_tensor(read_png(studio.out / "depth.png"), "cpu", torch.float32)
    theirs = stock(
        studio.pipeline, args, 7, "StableDiffusionXLControlNetPipeline", image=image,
        controlnet=ControlNetModel.from_pretrained(net, local_files_only=True),
        controlnet_conditioning_scale=0.7, control_guidance_end=0.6,
    )  # fmt: skip
    assert np.abs(ours - theirs).max() <= 1
    assert studio.output is not None
    assert studio.output.controls == {"depth": "0.7, 0 to 0.6"}


def test_map_strength_and_span_each_change_the_picture(studio: Studio, net: Path, plain_picture: np.ndarray) -> None:
    full = studio.draw(asked(rendering=with_net(net, strength=1.0)))
    assert difference(full, plain_picture) > 1
    assert difference(studio.draw(asked(rendering=with_net(net, strength=0.4))), full) > 0.5
    assert difference(studio.draw(asked(rendering=with_net(net, strength=1.0, end=0.5))), full) > 0.5
    assert difference(studio.draw(asked(rendering=with_net(net, "openpose", strength=1.0))), full) > 0.5
    assert np.array_equal(studio.draw(asked(rendering=with_net(net, strength=0.0))), plain_picture)


def test_several_at_once_differ_from_each_alone(studio: Studio, net: Path, other_net: Path) -> None:
    one, two = with_net(net)["controls"], with_net(other_net, "canny")["controls"]
    both = studio.draw(asked(rendering={"controls": one + two}))
    assert difference(both, studio.draw(asked(rendering={"controls": one}))) > 0.5
    assert difference(both, studio.draw(asked(rendering={"controls": two}))) > 0.5


def test_registered_defaults_condition_every_shot(studio: Studio, net: Path, plain_picture: np.ndarray) -> None:
    studio.config("controlnets", {"controlnets": {"depth": {"source": str(net), "strength": 1.0, "by_default": True}}})
    explicit = studio.draw(asked(rendering=with_net(net, strength=1.0)))
    assert np.array_equal(studio.draw(asked()), explicit)
    assert studio.output is not None
    assert not any("ControlNet" in note for note in studio.output.notes)
    assert np.array_equal(studio.draw(asked(rendering={"controls": []})), plain_picture)


def test_a_persons_picture_takes_the_place_of_the_layouts_map(studio: Studio, net: Path, tmp_path: Path) -> None:
    from tools.layout.png import write_png

    photo = np.zeros((64, 64, 3), dtype=np.uint8)
    photo[16:48, 16:48] = (200, 120, 40)
    file = tmp_path / "photo.png"
    write_png(file, photo)
    given = {"control": [{"kind": "canny", "image": str(file)}]}
    theirs = studio.draw(asked(rendering=with_net(net, "canny"), **given))
    assert difference(theirs, studio.draw(asked(rendering=with_net(net, "canny")))) > 0.5
    studio.draw(asked(rendering={"controls": []}, **given))
    assert studio.output is not None
    assert any(str(file) in note and "not used" in note for note in studio.output.notes)


@pytest.mark.parametrize("kind", ["openpose", "depth", "normal"])
def test_a_photograph_becomes_a_map_by_its_models(studio: Studio, net: Path, tmp_path: Path, kind: str) -> None:
    from evals.checkpoints.depth import make_depth_anything
    from evals.checkpoints.pose import make_person_detector, make_vitpose
    from tools.image.reference.depth import DepthAnythingWeights
    from tools.image.reference.pose import PersonDetectorWeights, VitPoseWeights
    from tools.layout.png import write_png
    from tools.model import Placing

    files = []
    for seed in (1, 2):
        coarse = np.random.default_rng(seed).integers(0, 255, (8, 8, 3))
        files.append(tmp_path / f"photo{seed}.png")
        write_png(files[-1], np.kron(coarse, np.ones((12, 12, 1))).astype(np.uint8))
    calls = [asked(rendering=with_net(net, kind), control=[{"kind": kind, "image": str(file)}]) for file in files]
    command = "studio models pull " + ("person_detector" if kind == "openpose" else "depth_anything")
    with pytest.raises(MissingPrerequisite, match=command):
        studio.draw(calls[0])
    for weights, make in (
        (PersonDetectorWeights, make_person_detector), (VitPoseWeights, make_vitpose),
        (DepthAnythingWeights, make_depth_anything),
    ):  # fmt: skip
        studio.models[weights.name] = weights().load(str(built(make)), Placing())
    first, second = (studio.draw(call) for call in calls)
    assert difference(first, second) > 0.05
    assert difference(first, studio.draw(asked(rendering={"controls": []}))) > 0.5
    assert np.array_equal(studio.draw(calls[0]), first)


def test_the_planner_is_told_which_models_a_photograph_needs(tmp_path: Path) -> None:
    from tools.image.sdxl.companions import wants
    from tools.layout.png import write_png

    file = tmp_path / "photo.png"
    write_png(file, np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    here = ["controlnet_openpose", "vitpose", "person_detector", "depth_anything"]
    call = asked(control=[{"kind": "openpose", "image": str(file)}])
    assert wants(call, here) == ["controlnet_openpose", "person_detector", "vitpose"]
    assert wants(asked(), here) == ["controlnet_openpose"]
    assert wants(call, here[1:]) == [], "no ControlNet reads the map"


def test_a_file_alone_takes_its_topology_from_the_model(studio: Studio, net: Path, tmp_path: Path) -> None:
    import shutil

    file = tmp_path / "alone" / "OpenPoseXL2.safetensors"
    file.parent.mkdir()
    shutil.copy(net / "diffusion_pytorch_model.safetensors", file)
    folder = studio.draw(asked(rendering=with_net(net)))
    assert np.array_equal(studio.draw(asked(rendering=with_net(file))), folder)


def _no_config(folder: Path) -> None:
    (folder / "config.json").write_text('{"_class_name": "UNet2DConditionModel"}')


def _pickled(folder: Path) -> None:
    weights = folder / "diffusion_pytorch_model.safetensors"
    weights.rename(folder / "diffusion_pytorch_model.bin")


def _cut(folder: Path) -> None:
    weights = folder / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def _empty(folder: Path) -> None:
    (folder / "diffusion_pytorch_model.safetensors").write_bytes(b"")


@pytest.mark.parametrize("harm", [_no_config, _pickled, _cut, _empty])
def test_what_cannot_be_read_is_named_and_nothing_stays(
    studio: Studio, net: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    import shutil

    folder = tmp_path / "broken-net"
    shutil.copytree(net, folder)
    harm(folder)
    before = state_of(studio.pipeline)
    with pytest.raises(InvalidInput, match="broken-net"):
        studio.draw(asked(rendering=with_net(folder)))
    assert state_of(studio.pipeline) == before


def test_one_that_is_not_here_is_said_with_what_gets_it(studio: Studio) -> None:
    with pytest.raises(MissingPrerequisite, match="studio models pull controlnet_depth"):
        studio.draw(asked(rendering={"controls": [{"kind": "depth"}]}))
    with pytest.raises(MissingPrerequisite, match="studio models pull controlnet_union"):
        studio.draw(asked(rendering={"controls": [{"kind": "normal"}]}))
