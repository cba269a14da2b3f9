"""COCO's 17 joints of a person as OpenPose's 18: the same joints in another order, and a neck between the shoulders.

Sources: COCO's keypoint annotations (Lin et al. 2014, arXiv 1405.0312): nose, then left before right; OpenPose (Cao et
al. 2019, arXiv 1812.08008): right before left. Left and right are the person's own in both.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["COCO", "FROM_COCO", "LEAST_SCORE", "NECK", "OPENPOSE", "openpose_points"]

COCO = (
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder", "left elbow",
    "right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee", "right knee", "left ankle",
    "right ankle",
)  # fmt: skip
OPENPOSE = (
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow", "left wrist",
    "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle", "right eye", "left eye",
    "right ear", "left ear",
)  # fmt: skip
NECK = OPENPOSE.index("neck")
FROM_COCO = tuple(COCO.index(name) if name in COCO else -1 for name in OPENPOSE)
"""By OpenPose joint the number of COCO's; -1 for the neck."""
LEAST_SCORE = 0.3
"""Of a joint that counts as seen, as OpenPose's and ViTPose's own demonstrations have it."""

Point = tuple[float, float, float]


def openpose_points(
    joints: Sequence[Sequence[float]], scores: Sequence[float], least: float = LEAST_SCORE
) -> list[Point]:
    """A person's joints as OpenPose's: x, y in pixels, and 1 where seen, 0 where not.

    Args:
        joints: 17 x 2, in COCO's order.
        scores: 17, how sure the model is of each.
        least: score of a joint that counts as seen.

    Raises:
        ValueError: there are not 17.
    """
    if len(joints) != len(COCO) or len(scores) != len(COCO):
        raise ValueError(f"{len(joints)} joints with {len(scores)} scores; COCO has {len(COCO)}")
    known: list[Point] = [
        (float(x), float(y), 1.0 if score >= least else 0.0) for (x, y), score in zip(joints, scores, strict=True)
    ]
    left, right = known[COCO.index("left shoulder")], known[COCO.index("right shoulder")]
    neck = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2, min(left[2], right[2]))
    return [neck if number < 0 else known[number] for number in FROM_COCO]
