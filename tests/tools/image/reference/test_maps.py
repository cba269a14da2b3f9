"""A photograph becomes the map that a ControlNet reads; a map is left alone; a folder that is none is named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.checkpoints.build import built
from evals.checkpoints.depth import make_depth_anything
from evals.checkpoints.pose import make_person_detector, make_vitpose
from tools.errors import BadOutput, InvalidInput, MissingPrerequisite
from tools.image.reference.depth import DepthAnythingWeights
from tools.image.reference.loading import SeerWeights
from tools.image.reference.maps import edges_of, is_map, map_of, seers_of
from tools.image.reference.pose import PersonDetectorWeights, VitPoseWeights
from tools.layout.passes import openpose_map
from tools.layout.png import write_png
from tools.model import Placing
from tools.storyboard import ControlImage, Shot

pytest.importorskip("transformers")

WEIGHTS: dict[str, tuple[Any, type[SeerWeights]]] = {
    "person_detector": (make_person_detector, PersonDetectorWeights),
    "vitpose": (make_vitpose, VitPoseWeights),
    "depth_anything": (make_depth_anything, DepthAnythingWeights),
}


@pytest.fixture(scope="module")
def seers() -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    found = {}
    for name, (make, kind) in WEIGHTS.items():
        source = str(built(make))
        weights = kind()
        weights.check(source)
        found[name] = weights.load(source, Placing())
        assert set(weights.modules()) == {"model"}
    return found


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    coarse = np.random.default_rng(1).integers(0, 255, (9, 16, 3))
    return np.kron(coarse, np.ones((20, 20, 1))).astype(np.uint8)


def test_people_are_found_and_drawn_as_openpose_draws_them(seers: dict[str, Any], photo: np.ndarray) -> None:
    boxes = seers["person_detector"].people(photo)
    assert boxes
    assert all(x >= -1 and y >= -1 and x + w <= 321 and y + h <= 181 for x, y, w, h in boxes)
    drawn = map_of("openpose", photo, seers.__getitem__)
    assert drawn.shape == photo.shape
    assert drawn.any()
    assert is_map("openpose", drawn)
    assert np.array_equal(drawn, map_of("openpose", photo, seers.__getitem__))
    assert not np.array_equal(drawn, map_of("openpose", photo[:, ::-1].copy(), seers.__getitem__))


def test_joints_lie_about_their_box_and_move_with_it(seers: dict[str, Any], photo: np.ndarray) -> None:
    one, other = (
        seers["vitpose"].joints(photo, [box])[0] for box in ((40.0, 20.0, 60.0, 80.0), (200.0, 60.0, 60.0, 80.0))
    )
    for points, left in ((one, 40.0), (other, 200.0)):
        # The box is widened by a quarter, and to the aspect of what the model sees.
        assert all(left - 30 < x < left + 90 for x, _, _ in points)
    assert one != other


def test_nobody_in_the_picture_is_told(photo: np.ndarray) -> None:
    found = {}
    for name, source in (
        ("person_detector", built(make_person_detector, label="dog")),
        ("vitpose", built(make_vitpose)),
    ):
        found[name] = WEIGHTS[name][1]().load(str(source), Placing())
    # A detector that has no class of that name is read by COCO's order, in which people come first.
    found["person_detector"].model.config.id2label = {0: "dog", 1: "person"}
    with pytest.raises(InvalidInput, match="nobody was found"):
        map_of("openpose", photo, found.__getitem__)


def test_depth_fills_the_range_and_follows_the_picture(seers: dict[str, Any], photo: np.ndarray) -> None:
    depth = map_of("depth", photo, seers.__getitem__)
    assert depth.shape == photo.shape
    assert (depth.min(), depth.max()) == (0, 255)
    assert is_map("depth", depth)
    assert np.abs(depth.astype(int) - map_of("depth", photo[::-1].copy(), seers.__getitem__)).mean() > 2.0


def test_near_is_white(seers: dict[str, Any], photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model tells inverse depth: what it says is largest is nearest."""
    import torch

    near_left = torch.linspace(5.0, 1.0, 56).expand(1, 56, 56)
    monkeypatch.setattr(
        seers["depth_anything"].model, "forward", lambda **_: type("O", (), {"predicted_depth": near_left})
    )
    depth = map_of("depth", photo, seers.__getitem__)[..., 0]
    assert depth[90, 2] > 250 > 5 > depth[90, -2]


@pytest.mark.parametrize("kind", ["openpose", "depth"])
def test_values_that_are_no_numbers_are_refused(kind: str, photo: np.ndarray) -> None:
    import torch

    found = {name: weights().load(str(built(make)), Placing()) for name, (make, weights) in WEIGHTS.items()}
    broken = found["vitpose" if kind == "openpose" else "depth_anything"].model
    with torch.no_grad():
        for weight in broken.parameters():
            weight.fill_(float("nan"))
    with pytest.raises(BadOutput, match="NaN"):
        map_of(kind, photo, found.__getitem__)


def test_edges_are_opencvs_at_the_given_thresholds(photo: np.ndarray) -> None:
    def no_model(name: str) -> Any:
        pytest.fail(f"{name} is not needed for edges")

    edges = map_of("canny", photo, no_model)
    assert set(np.unique(edges)) == {0, 255}
    assert np.array_equal(edges[..., 0], edges_of(photo, (100, 200)))
    soft = np.clip(photo.astype(int) // 6 + 100, 0, 255).astype(np.uint8)
    few, many = (edges_of(soft, thresholds) for thresholds in ((100, 200), (20, 40)))
    assert many.sum() > few.sum()


def test_a_map_is_left_alone(photo: np.ndarray) -> None:
    def no_model(name: str) -> Any:
        pytest.fail(f"{name} is not needed for a map")

    people = [[(60.0 + 8 * n, 40.0 + 7 * n, 1.0) for n in range(18)]]
    maps = {
        "openpose": openpose_map(people, (320, 180)),
        "depth": np.repeat(np.linspace(0, 255, 320).astype(np.uint8)[None, :, None], 180, 0).repeat(3, 2),
        "canny": np.repeat(edges_of(photo, (100, 200))[..., None], 3, axis=2),
        "normal": np.broadcast_to(np.array((128, 128, 255), np.uint8), (180, 320, 3)).copy(),
        "segmentation": photo,
    }
    for kind, given in maps.items():
        assert map_of(kind, given, no_model) is given, kind
    assert not any(is_map(kind, photo) for kind in ("openpose", "depth", "canny", "line", "normal"))


def test_a_model_that_is_not_at_hand_is_named_with_its_command(photo: np.ndarray) -> None:
    def nothing(name: str) -> Any:
        raise InvalidInput(f"the engine asked for {name}")

    for kind, name in (("openpose", "person_detector"), ("depth", "depth_anything")):
        with pytest.raises(MissingPrerequisite, match=f"studio models pull {name}"):
            map_of(kind, photo, nothing)


def test_only_photographs_ask_for_models(photo: np.ndarray, tmp_path: Path) -> None:
    write_png(tmp_path / "photo.png", photo)
    write_png(tmp_path / "edges.png", np.repeat(edges_of(photo, (100, 200))[..., None], 3, axis=2))
    (tmp_path / "broken.png").write_bytes(b"nothing")

    def asked(kind: str, name: str, kinds: tuple[str, ...] = ("openpose", "depth", "canny")) -> list[str]:
        given = ControlImage.model_validate({"kind": kind, "image": str(tmp_path / name)})
        return seers_of(Shot(id="s1", control=[given]), kinds)

    assert asked("openpose", "photo.png") == ["person_detector", "vitpose"]
    assert asked("depth", "photo.png") == ["depth_anything"]
    assert asked("depth", "photo.png", kinds=("canny",)) == []
    assert asked("depth", "edges.png") == []
    assert asked("canny", "photo.png") == []
    assert asked("openpose", "broken.png") == []


HOW = ["nowhere", "no config", "empty", "torn", "pickled", "code of its own", "another family", "lacking weights"]


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("how", HOW)
def test_a_folder_that_is_no_such_model_is_named(name: str, how: str, tmp_path: Path) -> None:
    make, kind = WEIGHTS[name]
    folder = tmp_path / "model"
    if how != "nowhere":
        shutil.copytree(built(make), folder)
    file = folder / "model.safetensors"
    if how == "no config":
        (folder / "config.json").unlink()
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "torn":
        file.write_bytes(file.read_bytes()[:-1000])
    elif how == "pickled":
        file.write_bytes(b"\x80\x02}q\x00." + b"\0" * 64)
    elif how == "code of its own":
        config = (folder / "config.json").read_text().replace("{", '{"auto_map": {"AutoModel": "evil.Model"},', 1)
        (folder / "config.json").write_text(config)
    elif how == "another family":
        other = make_depth_anything if name != "depth_anything" else make_vitpose
        shutil.copyfile(built(other) / "model.safetensors", file)
    elif how == "lacking weights":
        from safetensors.torch import load_file, save_file

        tensors = load_file(str(file))
        tensors.pop(sorted(tensors)[0])
        save_file(tensors, str(file), metadata={"format": "pt"})
    weights = kind()

    def read() -> None:
        weights.check(str(folder))
        weights.load(str(folder), Placing())

    with pytest.raises((InvalidInput, MissingPrerequisite), match=r"model|studio models pull"):
        read()
    assert weights.modules() == {}
