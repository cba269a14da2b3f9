"""Which face is whose: by the layout's masks, each face to one character and each character to one face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tools.identity.scrfd import Detected

if TYPE_CHECKING:
    import numpy as np

__all__ = ["attribute"]

LEAST_SHARE = 0.25
"""Of a face's box that a character's mask must fill: a face beside every mask is nobody's. A box also holds hair and
ground around the face."""


def attribute(
    faces: Sequence[Detected],
    masks: Mapping[str, np.ndarray],
    boxes: Mapping[str, tuple[float, float, float, float]],
) -> dict[str, int]:
    """By character the number of its face; who has none is left out.

    The assignment takes as much of the faces' boxes in all as can be had; where two are alike, the nearer to where the
    layout drew the face. A character alone in the picture gets the largest face even beside its mask: a model that no
    ControlNet holds may put it elsewhere.

    Args:
        masks: by character, height x width uint8, 255 where the picture shows it.
        boxes: by character, where the layout drew the face, x0, y0, x1, y1 in pixels.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    names = list(masks)
    if not faces or not names:
        return {}
    worth = np.zeros((len(names), len(faces)))
    for row, name in enumerate(names):
        for column, face in enumerate(faces):
            share = _share(face, masks[name])
            near = _overlap(face.box, boxes[name]) if name in boxes else 0.0
            worth[row, column] = share + 0.5 * near if share >= LEAST_SHARE else 0.0
    rows, columns = linear_sum_assignment(worth, maximize=True)
    found = {names[row]: int(column) for row, column in zip(rows, columns, strict=True) if worth[row, column] > 0.0}
    if not found and len(names) == 1:
        found = {names[0]: max(range(len(faces)), key=lambda number: faces[number].area)}
    return found


def _share(face: Detected, mask: np.ndarray) -> float:
    """Part of a face's box that a mask fills."""
    height, width = mask.shape[:2]
    x0, y0 = max(0, round(face.box[0])), max(0, round(face.box[1]))
    x1, y1 = min(width, round(face.box[2])), min(height, round(face.box[3]))
    if x1 <= x0 or y1 <= y0:
        return 0.0
    return float((mask[y0:y1, x0:x1] > 127).sum()) / max(1.0, face.area)


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / max(sum(areas) - width * height, 1e-9)
