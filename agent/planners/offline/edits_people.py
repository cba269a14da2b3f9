"""Edits of who is who and where they stand: another name, another side of the picture."""

from __future__ import annotations

from collections.abc import Sequence

from agent.intent import Edit, Side
from agent.planners.offline.changes import Changes, has
from agent.planners.offline.names_told import name_in_text
from agent.planners.offline.staging import MOVING
from tools.storyboard import Facing, Placement

__all__ = ["move_character", "rename_character", "set_look"]

DEPTH_STEP = 0.2
"""How much nearer or further, of the stage's depth 0..1."""
NEAREST, FURTHEST = 0.05, 0.8
ALONE_AT: dict[Side, float] = {"left": 0.3, "right": 0.7, "centre": 0.5}
"""Where one who is alone in the frame stands: the thirds and the middle, as fractions of its width."""


def set_look(changes: Changes, edit: Edit) -> None:
    """Other clothes, hair or colours, in every shot: looks belong to the cast."""
    if edit.member is None or changes.member(edit.character) is None:
        changes.problem("not_in_scene", name=changes.name(edit.character))
        return
    look = edit.member.look
    changes.cast = [m.model_copy(update={"look": look}) if m.id == edit.character else m for m in changes.cast]


def rename_character(changes: Changes, edit: Edit) -> None:
    """Another name: id, look, lines and places stay; action texts and a title that tell the old name follow."""
    name = " ".join((edit.text or "").split())[:80]
    member = changes.member(edit.character)
    if member is None:
        changes.problem("not_in_scene", name=changes.name(edit.character))
        return
    if not name:
        changes.problem("unclear_edit", op="name")
        return
    if any(other.name.lower() == name.lower() and other.id != member.id for other in changes.cast):
        changes.problem("name_taken", name=name)
        return
    old = name_in_text(member, changes.cast)
    changes.cast = [m.model_copy(update={"name": name}) if m.id == member.id else m for m in changes.cast]
    for at, shot in enumerate(changes.shots):
        action = old.sub(lambda _: name, shot.action)[:1000]
        if action != shot.action:
            changes.replace(at, action=action)
    title = str(changes.fields.get("title", changes.board.title))
    if old.search(title):
        changes.fields["title"] = old.sub(lambda _: name, title)[:120]


def move_character(changes: Changes, edit: Edit) -> None:
    """To a side of the picture, past whoever stands there; or nearer to the camera or further away."""
    who, side = edit.character, edit.side
    if who is None or side is None:
        changes.problem("unclear_edit", op="side")
        return
    if not any(has(shot, who) for shot in changes.shots):
        changes.problem("not_in_scene", name=changes.name(who))
        return
    for at in changes.targets(edit):
        shot = changes.shots[at]
        if not has(shot, who):
            if edit.shot is not None:
                changes.problem("not_in_shot", name=changes.name(who), shot=at + 1)
            continue
        moved = _nearer(shot.placements, who, side) if side in ("front", "back") else _aside(shot.placements, who, side)
        if moved != shot.placements:
            changes.replace(at, placements=moved)


def _nearer(placements: Sequence[Placement], who: str, side: Side) -> list[Placement]:
    step = -DEPTH_STEP if side == "front" else DEPTH_STEP
    return [
        p.model_copy(update={"depth": round(min(FURTHEST, max(NEAREST, p.depth + step)), 2)})
        if p.character == who
        else p
        for p in placements
    ]


def _aside(placements: Sequence[Placement], who: str, side: Side) -> list[Placement]:
    """The marks of a shot stay; who stands on which is dealt anew, so that nobody comes to hide another."""
    if len(placements) == 1:
        return [p.model_copy(update={"x": ALONE_AT[side]}) for p in placements]
    row = sorted(placements, key=lambda p: p.x)
    order = [p.character for p in row if p.character != who]
    order.insert({"left": 0, "right": len(order), "centre": (len(order) + 1) // 2}[side], who)
    mark = {name: (p.x, p.depth) for name, p in zip(order, row, strict=True)}
    return [
        p
        if mark[p.character] == (p.x, p.depth)
        else p.model_copy(
            update={
                "x": mark[p.character][0],
                "depth": mark[p.character][1],
                "facing": _inward(p, order.index(p.character), len(order)),
            }
        )
        for p in placements
    ]


def _inward(placement: Placement, place: int, count: int) -> Facing:
    """Who comes to stand at an end of the row and looked to a side looks at the others."""
    if placement.facing not in ("left", "right") or placement.pose in MOVING:
        return placement.facing
    return "right" if place == 0 else "left" if place == count - 1 else placement.facing
