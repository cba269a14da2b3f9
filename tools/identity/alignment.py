"""A face turned upright and cut out as ArcFace was trained on it: 112 x 112, its five points on those of the template.

Source: Deng et al. 2019, "ArcFace" (arXiv 1801.07698); the template is the one its authors publish; the transform is
the least-squares similarity of Umeyama 1991 (IEEE PAMI 13-4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

__all__ = ["SIDE", "TEMPLATE", "cut_out", "similarity"]

SIDE = 112
TEMPLATE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))
"""Eyes, nose and corners of the mouth in pixels of the cut-out."""

Points = Sequence[Sequence[float]]


def similarity(points: Points, onto: Points = TEMPLATE) -> np.ndarray:
    """The turn, scale and shift (2 x 3) that bring `points` nearest to `onto`; it never mirrors.

    Raises:
        ValueError: the points are all one.
    """
    import numpy as np

    source, target = np.asarray(points, np.float64), np.asarray(onto, np.float64)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred, wanted = source - source_mean, target - target_mean
    variance = float((centred**2).sum())
    if not np.isfinite(variance) or variance < 1e-9:
        raise ValueError("the points of a face lie in one place")
    # In the plane a turn with a scale is one complex number: its least-squares fit is a quotient of sums.
    across = float((centred * wanted).sum())
    around = float((centred[:, 0] * wanted[:, 1] - centred[:, 1] * wanted[:, 0]).sum())
    turn = np.array([[across, -around], [around, across]]) / variance
    return np.concatenate([turn, (target_mean - turn @ source_mean)[:, None]], axis=1)


def cut_out(picture: np.ndarray, points: Points) -> np.ndarray:
    """A face as 112 x 112 x 3 uint8; what lies outside the picture is black.

    Args:
        picture: height x width x 3 uint8.
        points: its five points, in pixels.
    """
    import cv2
    import numpy as np

    matrix = similarity(points)
    cut: np.ndarray = cv2.warpAffine(np.ascontiguousarray(picture), matrix, (SIDE, SIDE), borderValue=0.0)
    return cut
