"""SCRFD, the face detector of ArcFace packs: its nine outputs decoded into boxes, scores and five points.

Source: Guo et al. 2021, "Sample and Computation Redistribution for Efficient Face Detection" (arXiv 2105.04714): at the
strides 8, 16 and 32 two anchors a cell; a box and its points are distances from the cell's corner, in strides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["STRIDES", "Detected", "decode", "keep_best"]

STRIDES = (8, 16, 32)
ANCHORS = 2
LEAST_SCORE = 0.5
MOST_OVERLAP = 0.4
MOST_FACES = 64


@dataclass(frozen=True)
class Detected:
    """A face as the detector found it.

    Attributes:
        box: x0, y0, x1, y1 in pixels.
        score: how sure the detector is, 0..1.
        points: eyes, nose, corners of the mouth, 5 x 2 in pixels; left is left in the picture.
    """

    box: tuple[float, float, float, float]
    score: float
    points: tuple[tuple[float, float], ...]

    @property
    def area(self) -> float:
        """Of the box, in pixels."""
        return max(0.0, self.box[2] - self.box[0]) * max(0.0, self.box[3] - self.box[1])


def decode(outputs: Sequence[np.ndarray], size: tuple[int, int], scale: float) -> list[Detected]:
    """The detector's outputs as faces of the picture, the surest first.

    Args:
        outputs: scores, boxes and points, three strides each, in that order; rows are cells times anchors.
        size: width and height of what went into the network.
        scale: pixels of the network for one of the picture.

    Raises:
        ValueError: they do not have the form of SCRFD's outputs.
    """
    import numpy as np

    if len(outputs) != 9:
        raise ValueError(f"{len(outputs)} outputs where a face detector with five points has 9")
    found: list[Detected] = []
    for level, stride in enumerate(STRIDES):
        columns, rows = size[0] // stride, size[1] // stride
        scores = np.asarray(outputs[level], np.float32).reshape(-1)
        boxes = np.asarray(outputs[level + 3], np.float32).reshape(-1, 4) * stride
        points = np.asarray(outputs[level + 6], np.float32).reshape(-1, 10) * stride
        if not scores.size == len(boxes) == len(points) == columns * rows * ANCHORS:
            raise ValueError(f"stride {stride}: {scores.size} scores, {len(boxes)} boxes, {len(points)} sets of points")
        for index in np.flatnonzero(scores >= LEAST_SCORE):
            cell = int(index) // ANCHORS
            x, y = (cell % columns) * stride, (cell // columns) * stride
            left, up, right, down = (float(value) for value in boxes[index])
            five = tuple(((x + float(dx)) / scale, (y + float(dy)) / scale) for dx, dy in points[index].reshape(5, 2))
            box = ((x - left) / scale, (y - up) / scale, (x + right) / scale, (y + down) / scale)
            found.append(Detected(box, float(scores[index]), five))
    return keep_best(found)


def keep_best(found: Sequence[Detected]) -> list[Detected]:
    """Of those that overlap the surest alone (non-maximum suppression); at most 64."""
    kept: list[Detected] = []
    for face in sorted(found, key=lambda one: (-one.score, one.box)):
        if len(kept) == MOST_FACES:
            break
        if all(_overlap(face, other) <= MOST_OVERLAP for other in kept):
            kept.append(face)
    return kept


def _overlap(one: Detected, other: Detected) -> float:
    """Intersection over union."""
    width = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    height = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / max(one.area + other.area - shared, 1e-9)
