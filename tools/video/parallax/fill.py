"""What lies behind the people of a still, made up from what is beside them."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

__all__ = ["fill", "reach"]

FLAT = 0.4
"""How far it is looked up and down, as a part of how far to the sides: sets are made of horizons, floors and walls."""
ENOUGH = 0.08
"""A blur that finds this share of known pixels around is trusted alone; with less, the next wider one helps."""


def reach(mask: np.ndarray, pixels: float) -> np.ndarray:
    """The mask grown by so many pixels: height x width bool."""
    if pixels < 0.5 or not mask.any():
        return mask
    grown: np.ndarray = ndimage.distance_transform_edt(~mask) <= pixels
    return grown


def _blurred(values: np.ndarray, sigma: float) -> np.ndarray:
    """Three running means come near to a Gaussian and cost the same however wide they are."""
    for axis, width in ((1, sigma), (0, sigma * FLAT)):
        size = max(1, 2 * round(width * 0.95) + 1)
        if size > 1:
            for _ in range(3):
                values = ndimage.uniform_filter1d(values, size, axis=axis, mode="nearest")
    return values


def fill(picture: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Continue what is known into what is not.

    Wider and wider means of the known pixels alone (normalised convolution, Knutsson and Westin 1993), the narrowest
    that finds enough of them taken; so what is close to an edge looks like what is beside it.

    Args:
        picture: height x width x channels, float32.
        known: height x width bool.

    Returns:
        As `picture`; where it is known, the same.
    """
    if known.all():
        return picture
    filled, missing = picture.copy(), ~known
    if not known.any():
        return filled
    rows, columns = np.nonzero(missing.any(axis=1))[0], np.nonzero(missing.any(axis=0))[0]
    # So wide that the middle of the hole finds something, with as much around it as that looks at.
    widest = float(ndimage.distance_transform_edt(missing).max()) * 1.5 + 2
    pad = round(widest * 3)
    y0, y1 = max(0, rows[0] - pad), min(known.shape[0], rows[-1] + 1 + pad)
    x0, x1 = max(0, columns[0] - pad), min(known.shape[1], columns[-1] + 1 + pad)
    part, seen = picture[y0:y1, x0:x1].astype(np.float32), known[y0:y1, x0:x1].astype(np.float32)
    weighted = np.concatenate([part * seen[..., None], seen[..., None]], axis=2)
    result = np.zeros_like(part)
    left = np.ones(seen.shape, dtype=np.float32)
    sigma = 1.5
    while True:
        blurred = _blurred(weighted, sigma)
        share = blurred[..., -1]
        last = sigma >= widest * 4
        trust = left * np.clip(share / (1e-6 if last else ENOUGH), 0.0, 1.0)
        result += blurred[..., : part.shape[2]] / np.maximum(share, 1e-7)[..., None] * trust[..., None]
        left = left - trust
        if last or float(left[seen == 0].max(initial=0.0)) < 1e-3:
            break
        sigma *= 1.8
    hole = missing[y0:y1, x0:x1]
    filled[y0:y1, x0:x1][hole] = (result / np.maximum(1 - left, 1e-6)[..., None])[hole]
    return filled
