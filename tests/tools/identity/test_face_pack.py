"""A pack is read from its folder or refused with its name; the geometry of faces is what the papers say."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.checkpoints.build import built
from evals.checkpoints.faces import make_face_pack, painted_face
from tools.errors import BadOutput, InvalidInput, MissingPrerequisite, ToolError
from tools.identity.alignment import TEMPLATE, cut_out, similarity
from tools.identity.attribution import attribute
from tools.identity.face_pack import FacePack, pack_files
from tools.identity.scrfd import Detected, decode, keep_best
from tools.identity.weights import ArcFaceWeights
from tools.model import Placing


def test_a_missing_folder_is_told_and_nothing_is_asked_of_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object) -> None:
        pytest.fail("it went to the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    for source in ("", str(tmp_path / "nowhere"), str(tmp_path)):
        with pytest.raises(MissingPrerequisite, match="studio models path arcface"):
            FacePack(source)


@pytest.mark.parametrize("part", ["det_10g.onnx", "w600k_r50.onnx"])
@pytest.mark.parametrize("how", ["gone", "empty", "torn", "pickle", "the other one"])
def test_a_broken_part_is_named(pack_folder: Path, tmp_path: Path, part: str, how: str) -> None:
    folder = shutil.copytree(pack_folder, tmp_path / "pack")
    file = folder / part
    other = {"det_10g.onnx": "w600k_r50.onnx", "w600k_r50.onnx": "det_10g.onnx"}[part]
    if how == "gone":
        file.unlink()
    else:
        whole = file.read_bytes()
        file.write_bytes(
            {
                "empty": b"",
                "torn": whole[: len(whole) // 2],
                "pickle": b"\x80\x04\x95" + b"a" * 90,
                "the other one": b"",
            }[how]
        )
    if how == "the other one":
        file.write_bytes((pack_folder / other).read_bytes())
    with pytest.raises(ToolError) as told:
        FacePack(str(folder))
    assert str(folder) in str(told.value)
    assert isinstance(told.value, InvalidInput | MissingPrerequisite)


def test_values_that_are_no_numbers_are_refused() -> None:
    pack = FacePack(str(built(make_face_pack, not_a_number=True)))
    picture = np.full((352, 640, 3), 120, np.uint8)
    painted_face(picture, (144, 176), 1)
    with pytest.raises(BadOutput, match="w600k_r50"):
        pack.faces(picture)


def test_the_scale_of_a_picture_does_not_matter(pack_folder: Path) -> None:
    import cv2

    pack = FacePack(str(pack_folder))
    picture = np.full((352, 640, 3), 120, np.uint8)
    painted_face(picture, (144, 176), 1)
    (small,) = pack.faces(picture)
    (large,) = pack.faces(cv2.resize(picture, (1280, 704), interpolation=cv2.INTER_NEAREST))
    assert np.allclose(np.array(large.found.box) / 2, small.found.box, atol=1.0)
    assert float(large.embedding @ small.embedding) > 0.98


def test_the_pack_is_on_the_device_between_wake_and_sleep(pack_folder: Path) -> None:
    weights = ArcFaceWeights()
    weights.check(str(pack_folder))
    model = weights.load(str(pack_folder), Placing())
    with pytest.raises(ToolError, match="not on the device"):
        _ = model.pack
    assert weights.wake("cpu") > sum(file.stat().st_size for file in pack_files(str(pack_folder)))
    assert model.pack.faces(np.zeros((64, 64, 3), np.uint8)) == []
    weights.sleep()
    with pytest.raises(ToolError, match="not on the device"):
        _ = model.pack


def test_without_cuda_the_command_is_named(pack_folder: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(MissingPrerequisite, match="onnxruntime-gpu"):
        FacePack(str(pack_folder), "cuda:0")


def test_decoding_follows_the_paper() -> None:
    size = (64, 64)
    outputs = []
    for width in (1, 4, 10):
        outputs += [np.zeros((64 // s * (64 // s) * 2, width), np.float32) for s in (8, 16, 32)]
    # Stride 16, row 2, column 1, second anchor: the cell's corner is (16, 32).
    index = (2 * 4 + 1) * 2 + 1
    outputs[1][index] = 0.9
    outputs[4][index] = (1.0, 2.0, 0.5, 0.25)
    outputs[7][index] = np.tile((0.5, -0.5), 5)
    (face,) = decode(outputs, size, 0.5)
    assert face.box == (0.0, 0.0, 48.0, 72.0)
    assert face.points == ((48.0, 48.0),) * 5
    assert face.score == pytest.approx(0.9)
    with pytest.raises(ValueError, match="9"):
        decode(outputs[:6], size, 1.0)
    with pytest.raises(ValueError, match="stride"):
        decode(outputs, (128, 64), 1.0)


def face_at(x: float, y: float, side: float = 10.0, score: float = 0.9) -> Detected:
    return Detected((x, y, x + side, y + side), score, ((x, y),) * 5)


def test_of_overlapping_boxes_the_surest_is_kept() -> None:
    sure, unsure, apart = face_at(0, 0), face_at(1, 1, score=0.6), face_at(50, 50, score=0.55)
    assert keep_best([unsure, apart, sure]) == [sure, apart]


turns = st.floats(-3.1, 3.1)
scales = st.floats(0.2, 5.0)
shifts = st.floats(-200, 200)


@settings(deadline=None, max_examples=60)
@given(turns, scales, shifts, shifts)
def test_any_similarity_is_found_again(turn: float, scale: float, dx: float, dy: float) -> None:
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = np.array(TEMPLATE) @ matrix.T + (dx, dy)
    found = similarity(moved.tolist())
    back = moved @ found[:, :2].T + found[:, 2]
    assert np.allclose(back, TEMPLATE, atol=1e-6)


def test_a_face_on_its_side_is_turned_upright_and_never_mirrored() -> None:
    rng = np.random.default_rng(4)
    upright = np.kron(rng.integers(0, 255, (14, 14, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    lying = np.rot90(upright).copy()
    points = [(y, 111 - x) for x, y in TEMPLATE]
    assert np.abs(cut_out(lying, points).astype(int) - upright).mean() < 2.0
    assert np.abs(cut_out(lying[:, ::-1].copy(), points).astype(int) - upright).mean() > 20.0
    with pytest.raises(ValueError, match="one place"):
        similarity([(3.0, 3.0)] * 5)


def test_two_faces_in_two_masks_are_given_the_way_that_takes_most_in_all() -> None:
    left, right = np.zeros((100, 200), np.uint8), np.zeros((100, 200), np.uint8)
    left[:, :110], right[:, 110:] = 255, 255
    near, far = face_at(60, 10, 40), face_at(100, 10, 40)
    assert attribute([far, near], {"luca": left, "alberto": right}, {}) == {"luca": 1, "alberto": 0}
    # Alone, the one that straddles the edge is whose mask holds more of it.
    assert attribute([far], {"luca": left, "alberto": right}, {}) == {"alberto": 0}
    assert attribute([], {"luca": left}, {}) == {}
    # Where one mask holds both, the one nearer to where the layout drew the face.
    boxes = {"luca": (5.0, 10.0, 45.0, 50.0)}
    assert attribute([near, face_at(5, 10, 40)], {"luca": left}, boxes) == {"luca": 1}
