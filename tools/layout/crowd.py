"""Many people in one frame: how wide it must be, who steps back, and where each stands so that every face is seen.

The camera looks at the height of the heads, so that one row cannot look over the other: heads need room side by side.
What the frame cannot give in width, the stage gives in depth, where people are smaller.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

from tools.layout.camera import FACE_MARGIN, Box
from tools.layout.figure import Figure
from tools.storyboard import Framing

__all__ = ["MANY", "crowd_width", "is_crowd", "stage_back", "stand_apart", "widest"]

MANY = 5
"""So many people are a crowd: nobody in it is meant to stand behind somebody else."""
STAGGER = 0.14
"""Every second one of a crowd that steps back stands this much farther back than the others."""
CHEEK = 0.06
"""The part of a face, on the side of a nearer neighbour, that may be hidden: the corner of its box, not of the face."""
STEPS = 20
"""How finely the way back is searched."""


def is_crowd(figures: Sequence[Figure], framing: Framing) -> bool:
    """Whether a shot shows so many that they are staged as a crowd: closer framings show a few of them only."""
    return len(figures) >= MANY and framing in ("wide", "full")


def widest(aspect: float, bounds: Box) -> float:
    """World units that a frame can show in width without showing where the set ends."""
    return min(bounds[2] - bounds[0], (bounds[3] - bounds[1]) * aspect)


def _row(figures: Sequence[Figure]) -> list[Figure]:
    """From left to right; who shares an x stands in the order of the storyboard."""
    return sorted(figures, key=lambda figure: figure.x)


def _gap(a: Figure, b: Figure) -> float:
    """Least distance of two neighbours, `a` the left one, at which who stands nearer hides nothing of the other's face.

    Of two at the same depth the right one is painted over the left one.
    """
    near_left = a.ground > b.ground
    near, far = (a, b) if near_left else (b, a)
    left, right = near.span
    if far.ground + far.face[3] > near.ground + near.face[3]:
        # A face lower than the nearer one's chin (somebody who sits) is hidden by the body, not by the head.
        left, right = near.body[0], near.body[2]
    bare = (far.face[2] - far.face[0]) * CHEEK
    beside = right - (far.face[0] + bare) if near_left else far.face[2] - bare - left
    return max(beside, a.face[2] - b.face[0])


def crowd_width(figures: Sequence[Figure]) -> float:
    """Width of the frame, world units, in which all stand side by side, every face seen and inside the margins."""
    row = _row(figures)
    gaps = sum(_gap(a, b) for a, b in itertools.pairwise(row))
    # At either end the face keeps its margin, and the body stays inside.
    ends = (
        ((-row[0].face[0], FACE_MARGIN), (-row[0].body[0], 0.0)),
        ((row[-1].face[2], FACE_MARGIN), (row[-1].body[2], 0.0)),
    )
    return max((gaps + left + right) / (1 - a - b) for (left, a), (right, b) in itertools.product(*ends))


def stand_apart(figures: Sequence[Figure], xs: Mapping[str, float], left: float, right: float) -> dict[str, float]:
    """World x of everybody: as wished, but far enough apart, between `left` and `right` as far as there is room.

    Args:
        xs: where each would stand, by id.
        left, right: between which all bodies and faces must lie.
    """
    row = _row(figures)
    gaps = [_gap(a, b) for a, b in itertools.pairwise(row)]
    margin = FACE_MARGIN * (right - left)
    low = [max(left - f.body[0], left + margin - f.face[0]) for f in row]
    high = [min(right - f.body[2], right - margin - f.face[2]) for f in row]
    room = high[-1] - low[0] - sum(gaps)
    if room < 0:
        # Not all can be had: hair, hats and hands give way first, then everybody as much as the others.
        least = [(a.face[2] - b.face[0]) * (1 - CHEEK) for a, b in itertools.pairwise(row)]
        part = max(0.0, 1 + room / max(1e-6, sum(gaps) - sum(least)))
        gaps = [face + (gap - face) * part for gap, face in zip(gaps, least, strict=True)]
        fit = min(1.0, max(0.0, high[-1] - low[0]) / sum(gaps))
        gaps = [gap * fit for gap in gaps]
    wished = [xs[f.id] for f in row]
    # Pushed from the left and pushed from the right, each is far enough apart, and so is the middle of the two.
    from_left = [max(wished[0], low[0])]
    for number, gap in enumerate(gaps, start=1):
        from_left.append(max(wished[number], low[number], from_left[-1] + gap))
    from_left = _back_inside(from_left, gaps, high)
    from_right = [min(wished[-1], high[-1])]
    for number in range(len(row) - 2, -1, -1):
        from_right.insert(0, min(wished[number], high[number], from_right[0] - gaps[number]))
    from_right = [-x for x in _back_inside([-x for x in from_right[::-1]], gaps[::-1], [-x for x in low[::-1]])][::-1]
    return {f.id: (a + b) / 2 for f, a, b in zip(row, from_left, from_right, strict=True)}


def _back_inside(places: list[float], gaps: Sequence[float], high: Sequence[float]) -> list[float]:
    """Places in rising order moved down, gaps kept, until none is above its highest."""
    found = list(places)
    found[-1] = min(found[-1], high[-1])
    for number in range(len(found) - 2, -1, -1):
        found[number] = min(found[number], high[number], found[number + 1] - gaps[number])
    return found


def stage_back(
    figures: Sequence[Figure],
    depths: Mapping[str, float],
    room: float,
    floor_y: Callable[[float], float],
    scale_at: Callable[[float], float],
) -> dict[str, float]:
    """The stage depth of everybody: as written where all fit into `room`, else as little farther back as they must go.

    Args:
        depths: as the storyboard has them, 0 near .. 1 far, by id.
        room: world units of the widest frame.
        floor_y, scale_at: of the place.
    """

    def width(found: Mapping[str, float]) -> float:
        return crowd_width(
            [
                figure.at_scale(
                    scale_at(found[figure.id]) / scale_at(depths[figure.id]),
                    figure.ground + floor_y(found[figure.id]) - floor_y(depths[figure.id]),
                )
                for figure in figures
            ]
        )

    if width(depths) <= room:
        return dict(depths)
    # Every second one stands before the others: those whose big hats and raised arms hide least.
    first, second = (_retreat(figures, depths, 1.0, odd) for odd in (0, 1))
    odd = 0 if width(first) <= width(second) else 1
    ways = (_retreat(figures, depths, step / STEPS, odd) for step in range(1, STEPS + 1))
    return next((found for found in ways if width(found) <= room), (first, second)[odd])


def _retreat(figures: Sequence[Figure], depths: Mapping[str, float], part: float, odd: int) -> dict[str, float]:
    """Depths `part` of the way back; every second one, from the one numbered `odd`, stays a step before the others."""
    found = {}
    for number, figure in enumerate(_row(figures)):
        depth = depths[figure.id]
        farthest = max(depth, 1.0 - (STAGGER if number % 2 == odd else 0.0))
        found[figure.id] = round(depth + (farthest - depth) * part, 4)
    return found
