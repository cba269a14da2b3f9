"""Edits of who is there: add and remove. Nobody is hidden by a newcomer, nobody left looking at nobody."""

from __future__ import annotations

import re

from agent.intent import Edit, Performance
from agent.planners.offline.blocking import MOST_TIPPING, Mark, free_mark, marks_for, reblock, widest_needed
from agent.planners.offline.changes import Changes, has
from agent.planners.offline.edits_acting import told_by_poses
from agent.planners.offline.names_told import name_in_text
from agent.planners.offline.phrasing import about
from agent.planners.offline.plan import Scene
from agent.planners.offline.staging import MOVING, grounded, resting_face
from configs.characters import load_characters
from tools.storyboard import CastMember, Emotion, Facing, Placement, Shot

__all__ = ["add_character", "enter", "put_in_shot", "recast", "remove_character"]

MAX_CAST = 16


# -- adding -----------------------------------------------------------------------------------------------------------


def enter(changes: Changes, edit: Edit) -> CastMember | None:
    """The character an edit brings in, put into the cast; None, with a problem told, when there is none."""
    who = _whom(edit)
    introduced = edit.member if edit.member and who in (None, edit.member.id) else None
    member = introduced or (changes.member(who) or changes.briefed(who) if who else None)
    if member is None and who:
        sheet = load_characters().get(who)
        name = sheet.name if sheet else who.replace("_", " ").title()
        member = CastMember(id=who, name=name, known=sheet is not None)
    if member is None:
        changes.problem("unclear_who")
        return None
    present = changes.member(member.id)
    if present is not None:
        return present
    if len(changes.cast) >= MAX_CAST:
        changes.problem("cast_full", limit=MAX_CAST)
        return None
    changes.cast.append(member)
    return member


def _whom(edit: Edit) -> str | None:
    if edit.character:
        return edit.character
    if edit.performance:
        return edit.performance.character
    return edit.line.character if edit.line else None


def add_character(changes: Changes, edit: Edit) -> None:
    """One more in every shot, or in the one named; a close-up of one stays a close-up of one."""
    targets = changes.targets(edit)
    if not targets:
        return
    known_before = {member.id for member in changes.cast}
    member = enter(changes, edit)
    if member is None:
        return
    open_shots = [at for at in targets if not has(changes.shots[at], member.id)]
    if not open_shots:
        changes.problem("already_in_scene", name=changes.name(member.id))
        return
    roomy = [at for at in open_shots if edit.shot is not None or _takes_one_more(changes.shots[at])]
    added = [at for at in roomy or open_shots[:1] if put_in_shot(changes, at, member.id, edit.performance)]
    if not added:
        changes.cast = [m for m in changes.cast if m.id in known_before]
        return
    for at in open_shots:
        shot = changes.shots[at]
        if at not in added and shot.placements and len(shot.placements) < changes.direction.coverage.stage_limit:
            framing = changes.direction.phrases.framings[shot.framing].of(changes.tongue)
            names = changes.names([p.character for p in shot.placements])
            changes.assume("stays_single", shot=at + 1, framing=framing, names=names)
    if not member.known and member.id not in known_before:
        changes.assume("new_face", name=changes.name(member.id))


def _takes_one_more(shot: Shot) -> bool:
    """Whether a shot is one that a newcomer belongs in: not a close-up of someone, not a title card."""
    if not shot.placements:
        return not shot.text_overlay and shot.framing != "detail"
    return shot.framing not in ("close", "detail")


def put_in_shot(changes: Changes, at: int, who: str, performance: Performance | None = None) -> bool:
    """Place somebody in a shot where nobody is hidden: at a free mark, else with all on new marks, wider if need be."""
    shot, blocking = changes.shots[at], changes.direction.coverage.blocking
    limit = changes.direction.coverage.stage_limit
    if len(shot.placements) >= limit:
        where = changes.direction.phrases.words["numbered_shot"].of(changes.tongue).format(shot=at + 1)
        changes.problem("no_room", name=changes.name(who), where=where, limit=limit)
        return False
    count = len(shot.placements) + 1
    framing = widest_needed(shot.framing, changes.aspect, count, blocking)
    mark = free_mark(shot.placements, framing, changes.aspect, blocking) if framing == shot.framing else None
    newcomer = _newcomer(changes, shot, who, performance)
    if mark is not None:
        facing = (performance.facing if performance else None) or _ahead(newcomer, mark)
        placed = newcomer.model_copy(update={"x": mark.x, "depth": mark.depth, "facing": facing})
        changes.replace(at, placements=[*shot.placements, placed], action=_also(changes, shot, performance))
        return True
    last = marks_for(count, framing, changes.aspect, blocking)[-1]
    facing = (performance.facing if performance else None) or _ahead(newcomer, last)
    everyone = [*shot.placements, newcomer.model_copy(update={"x": 1.0, "facing": facing})]
    placements = reblock(everyone, framing, changes.aspect, blocking)
    changes.replace(at, framing=framing, placements=placements, action=_also(changes, shot, performance))
    return True


def _ahead(newcomer: Placement, mark: Mark) -> Facing:
    """Who moves looks where they go, and that is into the picture."""
    if newcomer.pose in MOVING and mark.facing == "front":
        return "right" if mark.x <= 0.5 else "left"
    return mark.facing


def _also(changes: Changes, shot: Shot, performance: Performance | None) -> str:
    """The action of a shot with what a newcomer does in it."""
    forms = changes.direction.acting.poses.get(performance.pose or "") if performance else None
    if performance is None or forms is None or performance.pose == "talk" or not shot.action:
        return shot.action
    told = about(forms, [changes.name(performance.character)], changes.direction, changes.tongue)
    return f"{shot.action.rstrip('.')}. {told}"[:1000]


def _newcomer(changes: Changes, shot: Shot, who: str, performance: Performance | None) -> Placement:
    """A placement without a mark: the performance asked for, else a face that suits the hour."""
    scene = Scene(shot.location, shot.time_of_day, shot.weather, (), {}, ())
    face: Emotion = resting_face(scene, len(shot.placements), changes.direction)
    pose = grounded("stand", shot.location, changes.direction)
    if performance:
        pose = performance.pose or pose
        face = performance.expression or changes.direction.acting.pose_faces.get(pose, face)
    return Placement(character=who, pose=pose, expression=face)


def recast(changes: Changes, edit: Edit, old: str) -> None:
    """Who comes takes over the marks, the acting and the lines of `old`; what is new about them is played."""
    targets = [at for at in changes.targets(edit) if has(changes.shots[at], old) or _says(changes.shots[at], old)]
    old_name, gone = changes.name(old), changes.member(old)
    told = name_in_text(gone, changes.cast) if gone else re.compile(re.escape(old_name))
    member = enter(changes, edit) if targets else None
    if member is None:
        if not targets:
            changes.problem("not_in_scene", name=old_name)
        return
    new = member.id
    asked = edit.performance.model_dump(include={"pose", "expression", "facing"}) if edit.performance else {}
    update = {"character": new, **{name: value for name, value in asked.items() if value is not None}}
    for at in targets:
        shot = changes.shots[at]
        if has(shot, new):
            _take_out(changes, at, old)
            continue
        changes.replace(
            at,
            placements=[p.model_copy(update=update) if p.character == old else p for p in shot.placements],
            dialogue=[
                line.model_copy(update={"character": new}) if line.character == old else line for line in shot.dialogue
            ],
            action=_capital(told.sub(lambda _: changes.name(new), shot.action)[:1000]),
        )
    if not any(has(shot, old) or _says(shot, old) for shot in changes.shots):
        # The newcomer also takes the place in the cast, and with it the side of the stage.
        changes.cast = [m for m in changes.cast if m.id != new]
        changes.cast = [member if m.id == old else m for m in changes.cast]


# -- removing ---------------------------------------------------------------------------------------------------------


def remove_character(changes: Changes, edit: Edit) -> None:
    """Take somebody out, with their lines; a shot that showed only them goes too, unless it is all there is."""
    who = _whom(edit) or (edit.member.id if edit.member else None)
    if who is None:
        changes.problem("unclear_who")
        return
    targets = changes.targets(edit)
    if not targets:
        return
    there = [at for at in targets if has(changes.shots[at], who) or _says(changes.shots[at], who)]
    if not there:
        if edit.shot is None or changes.member(who) is None:
            if changes.member(who) and edit.shot is None:
                _forget(changes, who)
                changes.cast = [member for member in changes.cast if member.id != who]
                return
            changes.problem("not_in_scene", name=changes.name(who))
            return
        changes.problem("not_in_shot", name=changes.name(who), shot=there or targets[0] + 1)
        return
    name = changes.name(who)
    if any(_says(changes.shots[at], who) for at in there):
        changes.assume("lines_removed_with", name=name)
    alone = [at for at in there if [p.character for p in changes.shots[at].placements] == [who]]
    alone = [at for at in alone if all(line.character == who for line in changes.shots[at].dialogue)]
    others = any(p.character != who for shot in changes.shots for p in shot.placements)
    drop = alone if edit.shot is None and others else []
    for at in there:
        if at not in drop:
            _take_out(changes, at, who)
    for at in sorted(drop, reverse=True):
        changes.assume("shot_removed_with", shot=at + 1, name=name)
        del changes.shots[at]
    if not any(has(shot, who) or _says(shot, who) for shot in changes.shots):
        _forget(changes, who)
        changes.cast = [member for member in changes.cast if member.id != who]
    if not any(shot.placements for shot in changes.shots):
        changes.assume("scene_is_empty")


def _says(shot: Shot, who: str) -> bool:
    return any(line.character == who for line in shot.dialogue)


def _take_out(changes: Changes, at: int, who: str) -> None:
    shot = changes.shots[at]
    left = _turned([p for p in shot.placements if p.character != who], shot.placements)
    blocking = changes.direction.coverage.blocking
    if len(left) > 1 and abs(sum(p.x for p in left) / len(left) - 0.5) > MOST_TIPPING:
        left = reblock(left, shot.framing, changes.aspect, blocking)
    update: dict[str, object] = {
        "placements": left,
        "dialogue": [line for line in shot.dialogue if line.character != who],
    }
    if _tells_of(changes, shot, who):
        update["action"] = _retold(changes, shot, left)
    if not left and shot.placements:
        update["framing"] = "wide"
    changes.replace(at, **update)


def _tells_of(changes: Changes, shot: Shot, who: str) -> bool:
    """Whether the action tells of somebody, by name or by what they are (`the dog`)."""
    member = changes.member(who) or changes.briefed(who)
    return bool(member and shot.action and name_in_text(member, changes.cast).search(shot.action))


def _forget(changes: Changes, who: str) -> None:
    """No shot tells of one who has left, be it one that never showed them."""
    for at, shot in enumerate(changes.shots):
        if _tells_of(changes, shot, who):
            changes.replace(at, action=_retold(changes, shot, list(shot.placements)))


def _turned(left: list[Placement], before: list[Placement]) -> list[Placement]:
    """Who looked at the one that left, and now looks at nobody, turns to those who stay."""

    def looks_at(p: Placement, others: list[Placement]) -> bool:
        return any((o.x > p.x) == (p.facing == "right") for o in others if o.character != p.character)

    turned = []
    for p in left:
        may_turn = p.facing in ("left", "right") and p.pose not in MOVING and len(left) > 1
        if may_turn and looks_at(p, before) and not looks_at(p, left):
            p = p.model_copy(update={"facing": "left" if p.facing == "right" else "right"})
        turned.append(p)
    return turned


def _retold(changes: Changes, shot: Shot, left: list[Placement]) -> str:
    """The action of those who stay: the same business where one can do it alone, else what their poses say."""
    direction = changes.direction
    before = [changes.name(p.character) for p in shot.placements]
    after = [changes.name(p.character) for p in left]
    if not after:
        return ""
    place = direction.place(shot.location)
    for business in [*(place.business if place else []), *direction.anywhere]:
        for tongue in ("en", "it"):
            if about(business.text, before, direction, tongue) == shot.action:
                return about(business.text, after, direction, tongue)
    return told_by_poses(changes, left)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
