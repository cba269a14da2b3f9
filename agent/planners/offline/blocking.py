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

__all__ = ["Mark", "apart", "capacity", "free_mark", "marks_for", "reblock", "single_mark", "widest_needed"]

_WIDER: dict[Framing, Framing] = {"detail": "close", "close": "medium", "medium": "full", "full": "wide"}
MOST_ROWS = 3


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
    """A mark for one more person that hides nobody, those present staying where they are; None when there is none."""
    if len(present) + 1 > capacity(framing, aspect, blocking):
        return None
    if not present:
        return single_mark("front", blocking)
    width = blocking.body_width[framing] * blocking.aspect_factor[aspect]
    margin = min(max(blocking.margin, width * 0.4), 0.2)
    steps = [margin + (1 - 2 * margin) * i / 40 for i in range(41)]
    best = max(steps, key=lambda x: (round(min(abs(x - p.x) for p in present), 3), -abs(x - 0.5)))
    gap = min(abs(best - p.x) for p in present)
    nearest = min(present, key=lambda p: abs(best - p.x))
    depth = blocking.near if gap >= width * 0.95 else min(1.0, nearest.depth + blocking.row_step)
    mark = Mark(round(best, 3), round(depth, 3), _inwards(best) if len(present) > 1 else _towards(best, nearest.x))
    trial = Placement(character="new", x=mark.x, depth=mark.depth)
    if gap < width * 0.6 or not all(apart(trial, p, framing, aspect, blocking) for p in present):
        return None
    return mark


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
