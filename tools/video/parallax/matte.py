"""Where a character ends: a mask, exact or only about right, turned into a soft edge that follows the picture.

The guided filter (He, Sun, Tang, "Guided Image Filtering", ECCV 2010) with the colours of the picture as its guide.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

__all__ = ["feathered", "matte"]

EPS = 1e-4
"""How much two colours (0..1, squared) must differ to count as an edge."""


def _mean(values: np.ndarray, radius: int) -> np.ndarray:
    mean: np.ndarray = ndimage.uniform_filter(
        values, (2 * radius + 1, 2 * radius + 1, 0)[: values.ndim], mode="nearest"
    )
    return mean


def matte(picture: np.ndarray, mask: np.ndarray, radius: int) -> np.ndarray:
    """How much of each pixel is the character: height x width float32, 0..1.

    Args:
        picture: height x width x 3 uint8.
        mask: height x width bool.
        radius: pixels around the mask's edge within which the true edge lies.
    """
    inside, outside = ndimage.distance_transform_edt(mask), ndimage.distance_transform_edt(~mask)
    guide, given = picture.astype(np.float32) / 255, mask.astype(np.float32)
    mean_i, mean_p = _mean(guide, radius), _mean(given, radius)
    covariance = _mean(guide * given[..., None], radius) - mean_i * mean_p[..., None]
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    second = [_mean(guide[..., i] * guide[..., j], radius) - mean_i[..., i] * mean_i[..., j] for i, j in pairs]
    slope = _solved(second, covariance)
    offset = mean_p - (slope * mean_i).sum(axis=2)
    soft = (_mean(slope, radius) * guide).sum(axis=2) + _mean(offset, radius)
    # The filter leaves a veil of a few per cent on both sides: stretched away.
    soft = np.clip((soft - 0.15) / 0.7, 0.0, 1.0)
    # Deep inside and far outside the mask is right; the picture decides only between.
    certain = np.clip((inside - radius * 0.5) / max(1.0, radius * 0.5), 0.0, 1.0)
    away = np.clip((outside - radius * 0.5) / max(1.0, radius * 0.5), 0.0, 1.0)
    alpha: np.ndarray = (soft * (1 - certain) + certain) * (1 - away)
    return alpha.astype(np.float32)


def feathered(mask: np.ndarray, margin: float, feather: float) -> np.ndarray:
    """The mask and `margin` pixels around it, faded out over `feather` more: height x width float32, 0..1.

    For masks that the picture follows only roughly: what the model painted beyond them is kept.
    """
    part = np.clip((ndimage.distance_transform_edt(~mask) - margin) / max(feather, 1e-3), 0.0, 1.0)
    alpha: np.ndarray = (1 - part * part * (3 - 2 * part)).astype(np.float32)
    return alpha


def _solved(second: list[np.ndarray], right: np.ndarray) -> np.ndarray:
    """(covariance + EPS) x = right, for every pixel: 3 x 3, symmetric, by its adjugate."""
    xx, xy, xz, yy, yz, zz = second
    xx, yy, zz = xx + EPS, yy + EPS, zz + EPS
    a, b, c = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    d, e, f = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    whole = np.maximum(xx * a + xy * b + xz * c, EPS**3)
    r, g, b2 = right[..., 0], right[..., 1], right[..., 2]
    solved = np.stack([a * r + b * g + c * b2, b * r + d * g + e * b2, c * r + e * g + f * b2], axis=2)
    slope: np.ndarray = solved / whole[..., None]
    return slope
