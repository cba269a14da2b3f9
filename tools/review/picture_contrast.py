"""Does a face stand out from what is beside it? Measured as people see colours: distances in CIE Lab."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tools.review.limits import ImageLimits
from tools.review.stage import Person, face_oval
from tools.review.tool import Check
from tools.review.verdict import above, holds

__all__ = ["check_face_contrast", "check_faces", "lab"]

BESIDE, ABOVE = 0.45, 0.6
"""How far around the box of a face its ground is looked at, parts of its width and of its height: past any hair."""
LEAST_GROUND = 0.1
"""Where less ground than this part of the face's own area shows, a face fills the frame and has nothing to drown in."""
SAMPLES = 48
"""Pixels a side at which face and ground are measured."""
INWARDS = 0.12

Rgb = NDArray[np.uint8]


def lab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """sRGB as CIE L*a*b* under D65 (CIE 15:2004; IEC 61966-2-1); shape (..., 3)."""
    c = rgb / 255.0
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    found: NDArray[np.float64] = np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1
    )
    return found


def check_faces(rgb: Rgb, people: Sequence[Person], limits: ImageLimits) -> Iterator[Check]:
    """`check_face_contrast` of everybody who is there and shows a face."""
    for person in people:
        if person.seen is not None and person.mask is not None and not person.seen.facing_back:
            yield check_face_contrast(rgb, person, limits)


def check_face_contrast(rgb: Rgb, person: Person, limits: ImageLimits) -> Check:
    """The face has another colour than most of what is around the head.

    Args:
        rgb: height x width x 3.
        person: whose `seen` and `mask` are there; the mask has the picture's size.
    """
    name = f"face_contrast.{person.id}"
    assert person.seen is not None
    assert person.mask is not None
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = person.seen.face
    side, over = BESIDE * (x1 - x0), ABOVE * (y1 - y0)
    left, right = max(0, int(x0 - side)), min(width, round(x1 + side))
    top, bottom = max(0, int(y0 - over)), min(height, round(y1))
    if right - left < 3 or bottom - top < 3:
        return holds(name, True, f"{person.name}'s face lies outside the frame")
    step = max(1, min(right - left, bottom - top) // SAMPLES)
    window = np.s_[top:bottom:step, left:right:step]
    own = person.mask[window] > 127
    inner, oval = face_oval(person.seen.face, (width, height))
    face = np.zeros((height, width), dtype=bool)
    face[inner] = oval
    face_here = face[window] & own
    ground = ~own
    if ground.sum() < LEAST_GROUND * max(1, int(face[window].sum())) or not face_here.any():
        return holds(name, True, f"there is nothing but {person.name} where the face is")
    colours = lab(rgb[window])
    skin = np.median(colours[face_here], axis=0)
    found = float(np.median(np.linalg.norm(colours[ground] - skin, axis=1)))
    limit = limits.min_face_contrast
    told = f"{person.name}'s face differs from its ground by {found:.0f} (CIE Lab), at least {limit:g}"
    inwards = INWARDS if person.placement.x < 0.5 else -INWARDS
    return above(name, found, limit, told, fix={f"dx.{person.id}": inwards, "seed": 1})
