"""Who is in the picture: each named character is there, in frame, with a face that nothing covers.

Measured on the masks, which say what the picture shows, and on the boxes and keypoints that came with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.image.tool import OnStage
from tools.review.limits import StageLimits
from tools.review.tool import Check
from tools.review.verdict import Levers, above, below, holds, share
from tools.storyboard import Framing, Placement

__all__ = ["Person", "check_order", "check_person", "check_stage", "face_oval", "overshoot"]

Gray = NDArray[np.uint8]
Box = tuple[float, float, float, float]
MARGIN = 0.02
"""Fraction of the frame that a correction goes past the limit, so that the next attempt does not land on it."""
INWARDS = 0.12
"""Fraction of the width: about a head in a wide shot."""
FACE_OVAL = 0.85
"""Size of the oval in which a face is looked for, relative to its box: corners of the box show what lies behind."""


@dataclass(frozen=True)
class Person:
    """One character as the storyboard placed it and as the picture shows it.

    `mask` is 255 where the picture shows the character, in the picture's size; None where it could not be read.
    """

    id: str
    name: str
    placement: Placement
    height: float
    seen: OnStage | None
    mask: Gray | None


def check_stage(people: list[Person], framing: Framing, size: tuple[int, int], limits: StageLimits) -> Iterator[Check]:
    """Every check of every character, and of how they stand to each other."""
    # A full shot of a crowd is as wide as the crowd is.
    framing = "wide" if framing == "full" and len(people) >= limits.crowd else framing
    for person in people:
        yield from check_person(person, people, framing, size, limits)
    if len(people) > 1:
        yield check_order(people, limits)


def check_person(
    person: Person, everyone: list[Person], framing: Framing, size: tuple[int, int], limits: StageLimits
) -> Iterator[Check]:
    """The checks of one character. One who is missing fails `on_stage` and has no others."""
    if person.seen is None or person.mask is None:
        yield holds(f"on_stage.{person.id}", False, f"{person.name} is not in the picture", fix={"seed": 1})
        return
    if framing != "detail":
        yield _on_stage(person, person.seen, person.mask, framing, size, limits)
        yield _in_frame(person, person.seen, framing, size, limits)
        yield _face_in_frame(person, person.seen, size, limits)
        yield _face_clear(person, person.seen, person.mask, everyone, size, limits)
    yield _visible(person, person.seen, limits)
    yield _not_hidden(person, person.seen, everyone, size, limits)
    yield _keypoints(person, person.seen, person.mask, size, limits)


def overshoot(box: Box, size: tuple[int, int]) -> Box:
    """How far a box reaches past the left, top, right and bottom edge, in fractions of the frame; 0 where inside."""
    width, height = size
    return (
        max(0.0, -box[0]) / width,
        max(0.0, -box[1]) / height,
        max(0.0, box[2] - width) / width,
        max(0.0, box[3] - height) / height,
    )


def _bring_in(person: Person, box: Box, size: tuple[int, int]) -> Levers:
    """What brings a box into the frame: a smaller picture where it does not fit, else a shift."""
    width, height = size
    fit = min(width / max(1.0, box[2] - box[0]), height / max(1.0, box[3] - box[1]))
    if fit < 1.0 + MARGIN:
        return {"zoom": round(max(0.5, fit * (1 - 2 * MARGIN)), 3)}
    left, top, right, bottom = overshoot(box, size)
    fix: Levers = {}
    if left or right:
        fix[f"dx.{person.id}"] = round(left + MARGIN if left else -(right + MARGIN), 4)
    if top or bottom:
        # The camera goes up to show more at the top; the picture then moves down.
        fix["dy"] = round(top + MARGIN if top else -(bottom + MARGIN), 4)
    return fix


def _inside(box: Box, size: tuple[int, int]) -> float:
    """The part of a box that lies inside the frame."""
    area = max(1e-9, (box[2] - box[0]) * (box[3] - box[1]))
    across = max(0.0, min(box[2], size[0]) - max(box[0], 0.0))
    down = max(0.0, min(box[3], size[1]) - max(box[1], 0.0))
    return across * down / area


def _on_stage(
    person: Person, seen: OnStage, mask: Gray, framing: Framing, size: tuple[int, int], limits: StageLimits
) -> Check:
    found = float((mask > 127).mean())
    scale = person.height * (1 - (1 - limits.back_scale) * person.placement.depth)
    # Portrait frames are narrower than the stage was planned for: a share of the width's square, so to speak.
    limit = limits.min_area[framing] * min(1.0, scale) ** 2
    fix: Levers = {}
    if seen.in_frame < 0.5:
        centre = (seen.body[0] + seen.body[2]) / 2 / size[0]
        fix = {f"dx.{person.id}": round(float(np.clip(0.5 - centre, -0.5, 0.5)), 4)}
    elif found < limit * seen.visible / max(seen.in_frame, 1e-6):
        # Small in itself, and not only because something stands before it.
        fix = {"zoom": round(float(np.clip((limit / max(found, 1e-6)) ** 0.5 * 1.05, 1.05, 1.6)), 3)}
    told = f"{person.name} fills {share(found)} of the picture, in a {framing} shot at least {share(limit)}"
    return above(f"on_stage.{person.id}", found, limit, told, fix=fix)


def _in_frame(person: Person, seen: OnStage, framing: Framing, size: tuple[int, int], limits: StageLimits) -> Check:
    limit = limits.min_in_frame[framing]
    told = f"{share(seen.in_frame)} of {person.name} lies inside the frame, in a {framing} shot at least {share(limit)}"
    box = seen.body
    if framing in ("medium", "close"):
        # The cut at the hips or the shoulders is meant: only the upper part must come in.
        box = (box[0], box[1], box[2], min(box[3], size[1] * 0.98))
    return above(f"in_frame.{person.id}", seen.in_frame, limit, told, fix=_bring_in(person, box, size))


def _face_in_frame(person: Person, seen: OnStage, size: tuple[int, int], limits: StageLimits) -> Check:
    found = _inside(seen.face, size)
    edges = zip(("left", "upper", "right", "lower"), overshoot(seen.face, size), strict=True)
    past = ", ".join(f"{share(part)} of the frame past the {edge} edge" for edge, part in edges if part > 0)
    told = f"{share(found)} of {person.name}'s face lies inside the frame, at least {share(limits.min_face_in_frame)}"
    return above(
        f"face_in_frame.{person.id}",
        found,
        limits.min_face_in_frame,
        f"{told} ({past})" if past and found < limits.min_face_in_frame else told,
        fix=_bring_in(person, seen.face, size),
    )


def _face_clear(
    person: Person, seen: OnStage, mask: Gray, everyone: list[Person], size: tuple[int, int], limits: StageLimits
) -> Check:
    """Whether what the picture shows where the face is, is the character."""
    name = f"face_clear.{person.id}"
    window, oval = face_oval(seen.face, size)
    total = int(oval.sum())
    if not total:
        return holds(
            name, False, f"{person.name}'s face lies outside the frame", fix=_bring_in(person, seen.face, size)
        )
    covered = 1.0 - float((mask[window][oval] > 127).sum()) / total
    others = {
        other.id: float((other.mask[window][oval] > 127).sum()) / total
        for other in everyone
        if other.id != person.id and other.mask is not None
    }
    worst = max(others, key=lambda other: others[other], default="")
    by = next((other for other in everyone if other.id == worst and others[worst] > 0.02), None)
    told = f"{share(covered)} of {person.name}'s face is covered, at most {share(limits.max_face_covered)}"
    if by is None:
        return below(name, covered, limits.max_face_covered, told, fix={f"dx.{person.id}": _inwards(person), "seed": 1})
    return below(
        name, covered, limits.max_face_covered, f"{told} (by {by.name})", fix=_apart(person, by, 1.0, 0.0, size)
    )


def face_oval(box: Box, size: tuple[int, int]) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
    """The window of the picture that the face box covers, and the oval inside it."""
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    right, bottom = max(left, min(size[0], round(box[2]))), max(top, min(size[1], round(box[3])))
    across = (np.arange(left, right) + 0.5 - (box[0] + box[2]) / 2) / max(1e-6, (box[2] - box[0]) / 2 * FACE_OVAL)
    down = (np.arange(top, bottom) + 0.5 - (box[1] + box[3]) / 2) / max(1e-6, (box[3] - box[1]) / 2 * FACE_OVAL)
    return (slice(top, bottom), slice(left, right)), across[None, :] ** 2 + down[:, None] ** 2 <= 1.0


def _visible(person: Person, seen: OnStage, limits: StageLimits) -> Check:
    # `visible` counts what the frame cuts off as well; framing is judged apart.
    found = min(1.0, seen.visible / max(seen.in_frame, 1e-6))
    told = f"{share(found)} of what the frame shows of {person.name} is visible, at least {share(limits.min_visible)}"
    # Who is behind somebody is moved by `not_hidden`; here it is the set that is in the way.
    fix: Levers = {} if sum(seen.hidden_by.values()) > 0.5 * (1 - found) else {f"dx.{person.id}": _inwards(person)}
    return above(f"visible.{person.id}", found, limits.min_visible, told, fix=fix)


def _not_hidden(
    person: Person, seen: OnStage, everyone: list[Person], size: tuple[int, int], limits: StageLimits
) -> Check:
    name = f"not_hidden.{person.id}"
    worst = max(seen.hidden_by, key=lambda other: seen.hidden_by[other], default="")
    found = seen.hidden_by.get(worst, 0.0)
    by = next((other for other in everyone if other.id == worst), None)
    if by is None:
        return holds(name, True, f"nobody stands in front of {person.name}")
    told = f"{by.name} hides {share(found)} of {person.name}, at most {share(limits.max_hidden)}"
    return below(name, found, limits.max_hidden, told, fix=_apart(person, by, found, limits.max_hidden, size))


def _apart(person: Person, other: Person, found: float, limit: float, size: tuple[int, int]) -> Levers:
    """Move two characters apart until the overlap of their boxes has shrunk by as much as the limit asks."""
    if person.seen is None or other.seen is None:
        return {}
    mine, theirs = person.seen.body, other.seen.body
    overlap = max(0.0, min(mine[2], theirs[2]) - max(mine[0], theirs[0])) / size[0]
    # The shoulders overlap less than the boxes: the hidden part falls faster than the overlap does.
    wanted = overlap * (1.0 - 0.6 * limit / max(found, 1e-6)) + MARGIN
    centres = ((mine[0] + mine[2]) / 2, (theirs[0] + theirs[2]) / 2)
    left_first = (person.placement.x, centres[0], person.id) < (other.placement.x, centres[1], other.id)
    left, right = (person, other) if left_first else (other, person)
    left_room, right_room = _room(left, size)[0], _room(right, size)[1]
    half = min(0.25, wanted / 2)
    # Who stands at the edge stays; the other one goes all the way. Where neither can, the picture gets wider.
    to_left, to_right = min(left_room, half), min(right_room, half)
    to_left = min(left_room, to_left + max(0.0, half - to_right))
    to_right = min(right_room, to_right + max(0.0, half - to_left))
    moves = {left.id: round(-to_left, 4), right.id: round(to_right, 4)}
    fix: Levers = {f"dx.{name}": move for name, move in moves.items() if move}
    if to_left + to_right < 2 * half - 0.005:
        fix["zoom"] = 0.85
    return fix


def _room(person: Person, size: tuple[int, int]) -> tuple[float, float]:
    """How far a character can go to the left and to the right before its face touches the edge; below 0 where it is
    past the edge already."""
    if person.seen is None:
        return 0.0, 0.0
    face = person.seen.face
    return face[0] / size[0] - MARGIN, 1.0 - MARGIN - face[2] / size[0]


def _inwards(person: Person) -> float:
    """Out from behind a part of the set: those stand at the sides."""
    return INWARDS if person.placement.x < 0.5 else -INWARDS


def _keypoints(person: Person, seen: OnStage, mask: Gray, size: tuple[int, int], limits: StageLimits) -> Check:
    name = f"keypoints.{person.id}"
    slack = max(1, round(limits.keypoint_slack * size[1] / 720))
    shown = [(x, y) for x, y, visible in seen.keypoints if visible > 0]
    if not shown:
        return holds(name, True, f"no keypoint of {person.name} is visible")
    inside = 0
    for x, y in shown:
        column, row = round(x), round(y)
        near = mask[max(0, row - slack) : max(0, row + slack + 1), max(0, column - slack) : max(0, column + slack + 1)]
        inside += bool((near > 127).any())
    limit = limits.min_keypoints_inside
    told = f"{inside} of {len(shown)} visible keypoints of {person.name} lie on the mask, at least {share(limit)}"
    return above(name, inside / len(shown), limit, told, fix={"seed": 1})


def check_order(people: list[Person], limits: StageLimits) -> Check:
    """From left to right the characters stand as they were placed."""
    seen: Mapping[str, float] = {p.id: (p.seen.body[0] + p.seen.body[2]) / 2 for p in people if p.seen}
    swapped: list[str] = []
    fix: Levers = {}
    pairs = 0
    for left in people:
        for right in people:
            if right.placement.x - left.placement.x < limits.order_gap or not {left.id, right.id} <= seen.keys():
                continue
            pairs += 1
            if seen[left.id] >= seen[right.id]:
                swapped.append(f"{left.name} should stand left of {right.name}")
                fix |= {f"dx.{left.id}": -0.1, f"dx.{right.id}": 0.1}
    detail = "; ".join(swapped) or "from left to right as placed"
    return holds("order", not swapped, detail, score=1 - len(swapped) / max(1, pairs), fix=fix)
