"""Blocking: where people stand in a frame, so that each is seen and all look at one another.

`x` is a fraction of the frame's width; depth 0 is near. A frame holds a number of people by framing and aspect;
whoever does not fit side by side stands a row farther back, between the heads of the row before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from agent.planners.offline.direction import Blocking
from tools.storyboard import Aspect, Facing, Framing, Placement

__all__ = [
    "MOST_TIPPING",
    "Mark",
    "apart",
    "capacity",
    "free_mark",
    "marks_for",
    "reblock",
    "single_mark",
    "widest_needed",
]

_WIDER: dict[Framing, Framing] = {"detail": "close", "close": "medium", "medium": "full", "full": "wide"}
MOST_ROWS = 3
MOST_TIPPING = 0.13
"""How far, as a fraction of the width, the middle of all people may lie from the middle of the frame."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the stage: the tape on the floor."""

    x: float
    depth: float
    facing: Facing


def capacity(framing: Framing, aspect: Aspect, blocking: Blocking) -> int:
    """How many people a frame shows well."""
    return blocking.capacity[aspect][framing]


def widest_needed(framing: Framing, aspect: Aspect, count: int, blocking: Blocking) -> Framing:
    """`framing`, or the next wider one that holds `count` people."""
    while count > capacity(framing, aspect, blocking) and framing in _WIDER:
        framing = _WIDER[framing]
    return framing


def single_mark(facing: Facing, blocking: Blocking) -> Mark:
    """One person: in the middle, with room in the direction of the look."""
    shift = {"right": -blocking.look_room, "left": blocking.look_room}.get(facing, 0.0)
    return Mark(round(0.5 + shift, 3), blocking.near, facing)


def marks_for(count: int, framing: Framing, aspect: Aspect, blocking: Blocking) -> list[Mark]:
    """Marks for `count` people from left to right, facing one another."""
    if count == 1:
        return [single_mark("front", blocking)]
    if count == 2:
        left, right = blocking.pair[aspect]
        # A tall frame leaves little width: one stands a step behind the other.
        step = 0.12 if aspect == "9:16" else 0.0
        return [Mark(left, blocking.near, "right"), Mark(right, round(blocking.near + step, 3), "left")]
    width = blocking.body_width[framing] * blocking.aspect_factor[aspect]
    margin = min(max(blocking.margin, width * 0.5), 0.16)
    spacing = min((1 - 2 * margin) / (count - 1), width * 1.5)
    rows = min(MOST_ROWS, max(1, ceil(width / spacing - 0.05)))
    first = 0.5 - spacing * (count - 1) / 2
    marks = []
    for index in range(count):
        x = round(first + spacing * index, 3)
        depth = round(min(1.0, blocking.near + blocking.row_step * (index % rows)), 3)
        marks.append(Mark(x, depth, _inwards(x)))
    return marks


def _inwards(x: float) -> Facing:
    return "right" if x < 0.45 else "left" if x > 0.55 else "front"


def apart(a: Placement, b: Placement, framing: Framing, aspect: Aspect, blocking: Blocking) -> bool:
    """Whether two people do not hide one another: a head's width apart, or half of one when rows separate them."""
    head = blocking.head_width[framing] * blocking.aspect_factor[aspect]
    rows_apart = abs(a.depth - b.depth) >= blocking.row_step * 0.6
    return abs(a.x - b.x) >= min(head * (0.5 if rows_apart else 1.0), 0.3)


def free_mark(present: Sequence[Placement], framing: Framing, aspect: Aspect, blocking: Blocking) -> Mark | None:
    """A mark for one more person that hides nobody, those present staying where they are; None when there is none.

    Of all free marks the one that balances the picture best is taken; a narrow gap is filled from a row behind. A
    picture that would tip to one side counts as having no free mark: everybody then gets a new one.
    """
    if len(present) + 1 > capacity(framing, aspect, blocking):
        return None
    if not present:
        return single_mark("front", blocking)
    width = blocking.body_width[framing] * blocking.aspect_factor[aspect]
    head = blocking.head_width[framing] * blocking.aspect_factor[aspect]
    margin = min(max(blocking.margin, width * 0.6), 0.3)
    candidates = []
    for step in range(61):
        x = round(margin + (1 - 2 * margin) * step / 60, 3)
        nearest = min(present, key=lambda p: abs(x - p.x))
        gap = abs(x - nearest.x)
        tips = abs((sum(p.x for p in present) + x) / (len(present) + 1) - 0.5)
        if gap < max(width * 0.95, head * 1.15) or tips > MOST_TIPPING:
            continue
        behind = gap < width * 1.25
        depth = min(1.0, nearest.depth + blocking.row_step) if behind else blocking.near
        candidates.append((round(tips, 3), -gap, Mark(x, round(depth, 3), _looking(x, nearest.x, len(present)))))
    free = [
        (tips, gap, mark)
        for tips, gap, mark in candidates
        if all(
            apart(Placement(character="new", x=mark.x, depth=mark.depth), p, framing, aspect, blocking) for p in present
        )
    ]
    return min(free, key=lambda found: found[:2])[2] if free else None


def _looking(x: float, nearest: float, others: int) -> Facing:
    return _towards(x, nearest) if others == 1 else _inwards(x)


def _towards(x: float, other: float) -> Facing:
    return "right" if other > x else "left"


def reblock(
    placements: Sequence[Placement], framing: Framing, aspect: Aspect, blocking: Blocking, turn: bool = False
) -> list[Placement]:
    """The same people in the same order from left to right, on marks that suit the frame.

    Args:
        turn: whether they also turn to face one another; else each keeps the direction of the look.
    """
    ordered = sorted(range(len(placements)), key=lambda i: placements[i].x)
    if len(placements) == 1:
        only = placements[0]
        mark = single_mark(only.facing, blocking)
        return [only.model_copy(update={"x": mark.x, "depth": mark.depth})]
    result = list(placements)
    for rank, mark in zip(ordered, marks_for(len(placements), framing, aspect, blocking), strict=True):
        change: dict[str, object] = {"x": mark.x, "depth": mark.depth}
        if turn:
            change["facing"] = mark.facing
        result[rank] = placements[rank].model_copy(update=change)
    return result
