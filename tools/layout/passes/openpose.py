"""OpenPose-18 skeletons as controlnet_aux draws them, so that models trained on its maps read ours.

Source: the drawing of `controlnet_aux/open_pose/util.py` (draw_bodypose): 17 limbs as filled ellipses of semi-axis 4 at
512 pixels in colours around the hue circle, darkened by 0.6, then 18 discs of radius 4 in full colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import skia

from tools.layout.paint import canvas_on, pixels

__all__ = ["LIMBS", "POINT_COLORS", "openpose_map"]

LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10),
    (1, 11), (11, 12), (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""Pairs of keypoints (COCO order, counted from 0) that a limb joins."""

POINT_COLORS = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0), (0, 255, 85),
    (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255),
    (255, 0, 170), (255, 0, 85),
)  # fmt: skip
"""Red, green, blue of each keypoint; limb n has the colour of point n, times 0.6."""

LIMB_SHADE = 0.6
REFERENCE_SIDE = 512
STICK = 4.0


def _argb(color: tuple[int, int, int], shade: float = 1.0) -> int:
    r, g, b = (int(part * shade) for part in color)
    return 0xFF000000 | r << 16 | g << 8 | b


def openpose_map(
    people: Sequence[Sequence[tuple[float, float, float]]], size: tuple[int, int], radius: float = 0.0
) -> np.ndarray:
    """Skeletons on black.

    Args:
        people: for each person 18 keypoints, x, y in pixels and 1 where visible; far ones first.
        size: width and height in pixels; sticks grow with the shorter side.
        radius: of sticks and points in pixels; 0 is as controlnet_aux draws them.

    Returns:
        height x width x 3 uint8, red green blue.
    """
    array = pixels(*size)
    canvas = canvas_on(array)
    canvas.clear(0xFF000000)
    radius = radius or max(2.0, STICK * min(size) / REFERENCE_SIDE)
    for points in people:
        for (a, b), color in zip(LIMBS, POINT_COLORS, strict=False):
            if points[a][2] and points[b][2]:
                _limb(canvas, points[a], points[b], radius, _argb(color, LIMB_SHADE))
    for points in people:
        for (x, y, visible), color in zip(points, POINT_COLORS, strict=True):
            if visible:
                canvas.drawCircle(x, y, radius, skia.Paint(Color=_argb(color), AntiAlias=False))
    return np.ascontiguousarray(array[..., 2::-1])


def _limb(
    canvas: skia.Canvas, a: tuple[float, float, float], b: tuple[float, float, float], radius: float, color: int
) -> None:
    length = math.hypot(b[0] - a[0], b[1] - a[1])
    canvas.save()
    canvas.translate((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    canvas.rotate(math.degrees(math.atan2(b[1] - a[1], b[0] - a[0])))
    canvas.drawOval(
        skia.Rect.MakeLTRB(-length / 2, -radius, length / 2, radius), skia.Paint(Color=color, AntiAlias=False)
    )
    canvas.restore()
