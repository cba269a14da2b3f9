"""COCO's joints as OpenPose's: nothing is mirrored, the neck lies between the shoulders."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.image.reference.keypoints import COCO, FROM_COCO, NECK, OPENPOSE, openpose_points
from tools.layout.passes.openpose import LIMBS, POINT_COLORS, openpose_map

FACING: dict[str, tuple[float, float]] = {
    "nose": (100, 40), "left eye": (106, 34), "right eye": (94, 34), "left ear": (114, 38), "right ear": (86, 38),
    "left shoulder": (130, 70), "right shoulder": (70, 74), "left elbow": (140, 110), "right elbow": (60, 110),
    "left wrist": (150, 150), "right wrist": (50, 150), "left hip": (118, 150), "right hip": (82, 150),
    "left knee": (120, 200), "right knee": (80, 200), "left ankle": (122, 250), "right ankle": (78, 250),
}  # fmt: skip
"""Of a person who faces the camera: their left is on the right of the picture."""


def points(hidden: tuple[str, ...] = ()) -> dict[str, tuple[float, float, float]]:
    found = openpose_points([FACING[name] for name in COCO], [0.0 if name in hidden else 0.9 for name in COCO])
    return dict(zip(OPENPOSE, found, strict=True))


def test_every_joint_keeps_its_name_and_place() -> None:
    found = points()
    assert {name: found[name][:2] for name in COCO} == FACING
    assert found["neck"] == (100.0, 72.0, 1.0)
    assert sorted(number for number in FROM_COCO if number >= 0) == list(range(17))


def test_left_and_right_are_the_persons_own_as_in_the_layouts_maps() -> None:
    found = points()
    assert found["right wrist"][0] < found["nose"][0] < found["left wrist"][0]
    # What the drawing takes for the right arm and leg is on the picture's left, in OpenPose's colours.
    right_arm = [OPENPOSE.index(name) for name in ("right shoulder", "right elbow", "right wrist")]
    assert right_arm == [2, 3, 4]
    assert LIMBS[2:4] == tuple(pairwise(right_arm))
    drawn = openpose_map([list(found.values())], (200, 300))
    assert tuple(drawn[150, 50]) == POINT_COLORS[4]
    assert tuple(drawn[150, 150]) == POINT_COLORS[7]


def test_what_is_not_seen_is_not_drawn_and_takes_the_neck_with_it() -> None:
    found = points(("left shoulder", "right knee"))
    assert found["left shoulder"][2] == found["neck"][2] == found["right knee"][2] == 0.0
    assert found["right shoulder"][2] == 1.0
    drawn = openpose_map([list(found.values())], (200, 300))
    assert not drawn[200, 80].any()
    assert drawn[200, 120].any()


@given(st.integers(0, 30).filter(lambda count: count != 17))
def test_another_number_of_joints_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="17"):
        openpose_points([(0.0, 0.0)] * count, [1.0] * count)


@given(st.lists(st.tuples(st.floats(-99, 999), st.floats(-99, 999)), min_size=17, max_size=17), st.floats(0, 1))
def test_mirroring_a_picture_swaps_left_and_right_alone(joints: list[tuple[float, float]], score: float) -> None:
    """A mirrored person is another person: the conversion commutes with swapping the sides."""
    swap = {"left": "right", "right": "left"}

    def other(name: str) -> str:
        side, _, rest = name.partition(" ")
        return f"{swap[side]} {rest}" if side in swap else name

    there = dict(zip(OPENPOSE, openpose_points(joints, [score] * 17), strict=True))
    swapped = [joints[COCO.index(other(name))] for name in COCO]
    back = dict(zip(OPENPOSE, openpose_points(swapped, [score] * 17), strict=True))
    for name in OPENPOSE:
        if name != "neck":
            assert back[name] == there[other(name)]
    assert np.allclose(back["neck"], there["neck"])
    assert OPENPOSE[NECK] == "neck"
