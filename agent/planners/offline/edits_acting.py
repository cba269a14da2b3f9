"""Edits of how people act: change places, poses, faces, directions."""

from __future__ import annotations

from agent.intent import Edit, Performance
from agent.planners.offline.changes import Changes, has
from agent.planners.offline.phrasing import about, join_names
from agent.planners.offline.scenes import told_feeling
from agent.planners.offline.staging import MOVING, grounded
from agent.planners.offline.wordlists import words
from tools.storyboard import Emotion, Placement, Shot

__all__ = ["set_performance", "swap", "told_by_poses"]

EVERYONE = "*"
"""Who a performance may be of instead of one character."""
PLAYED_BY_THE_BODY: frozenset[Emotion] = frozenset({"scared", "excited"})
"""Feelings whose poses (shivering, cheering, jumping) would belie another face."""


def swap(changes: Changes, edit: Edit) -> None:
    """Two characters change places; each keeps what it does."""
    pair = _pair(changes, edit)
    if pair is None:
        changes.problem("swap_needs_two")
        return
    targets, done = changes.targets(edit), False
    for at in targets:
        shot = changes.shots[at]
        spots = {p.character: p for p in shot.placements if p.character in pair}
        if len(spots) < 2:
            continue
        a, b = spots[pair[0]], spots[pair[1]]
        at_mark = {a.character: b, b.character: a}
        placements = [
            p.model_copy(
                update={
                    "x": at_mark[p.character].x,
                    "depth": at_mark[p.character].depth,
                    "facing": at_mark[p.character].facing,
                }
            )
            if p.character in at_mark
            else p
            for p in shot.placements
        ]
        changes.replace(at, placements=placements)
        done = True
    if targets and not done:
        changes.problem("swap_needs_two")


def _pair(changes: Changes, edit: Edit) -> tuple[str, str] | None:
    """Who changes places: those that are named, else the only two, else the outermost two of a shot."""
    named = [edit.character, edit.performance.character if edit.performance else None]
    named += [edit.member.id if edit.member else None]
    named += [edit.line.character if edit.line else None]
    who = list(dict.fromkeys(name for name in named if name))
    cast = [member.id for member in changes.cast]
    if len(who) >= 2:
        return (who[0], who[1]) if set(who[:2]) <= set(cast) else None
    if len(who) == 1 and who[0] not in cast:
        return None
    shots = changes.shots if edit.shot is None else [changes.shots[at] for at in changes.targets(edit)]
    for shot in shots:
        row = [p.character for p in sorted(shot.placements, key=lambda p: p.x)]
        if len(row) >= 2 and not who:
            return row[0], row[-1]
        if len(row) >= 2 and who[0] in row:
            return who[0], next(name for name in row if name != who[0])
    return None


def set_performance(changes: Changes, edit: Edit) -> None:
    """Another pose, face or direction; lines said with the old feeling are said with the new one."""
    wanted = edit.performance
    if wanted is None:
        changes.problem("unclear_edit", op="performance")
        return
    everyone = wanted.character == EVERYONE or not wanted.character or wanted.character in words("everyone")
    if not everyone and not any(has(shot, wanted.character) for shot in changes.shots):
        changes.problem("not_in_scene", name=changes.name(wanted.character))
        return
    targets = changes.targets(edit)
    for at in targets:
        shot = changes.shots[at]
        if not everyone and not has(shot, wanted.character):
            if edit.shot is not None:
                changes.problem("not_in_shot", name=changes.name(wanted.character), shot=at + 1)
            continue
        felt = told_feeling(edit.text or "", changes.direction)
        played = wanted if wanted.expression or not felt else wanted.model_copy(update={"expression": felt})
        _perform(changes, at, played, everyone, edit.text or "")


def _perform(changes: Changes, at: int, wanted: Performance, everyone: bool, told: str) -> None:
    shot = changes.shots[at]
    update = {
        name: value
        for name, value in (("pose", wanted.pose), ("expression", wanted.expression), ("facing", wanted.facing))
        if value is not None
    }
    meant = {p.character for p in shot.placements if everyone or p.character == wanted.character}
    before = {p.character: p.expression for p in shot.placements}
    placements = [
        _unlike(changes, shot, p, wanted).model_copy(update=update) if p.character in meant else p
        for p in shot.placements
    ]
    dialogue = [
        line.model_copy(update={"emotion": wanted.expression})
        if wanted.expression and line.character in meant and line.emotion in ("neutral", before[line.character])
        else line
        for line in shot.dialogue
    ]
    action = _felt(changes, shot, placements, meant, wanted) if wanted.expression else shot.action
    if told and not update and action == shot.action:
        action = told  # No pose shows it: it is told at least.
    elif (action or told) and any(p.pose != q.pose for p, q in zip(shot.placements, placements, strict=True)):
        action = _acted(changes, shot, placements, meant, told)
    changes.replace(at, placements=placements, dialogue=dialogue, action=action)


def _unlike(changes: Changes, shot: Shot, placement: Placement, wanted: Performance) -> Placement:
    """A pose that plays the old feeling (shivering, cheering) ends with it, unless a pose was asked for."""
    face = changes.direction.acting.pose_faces.get(placement.pose)
    if placement.pose in MOVING:  # Who is tired or cross still runs.
        return placement
    ends = wanted.expression and not wanted.pose and face == placement.expression != wanted.expression
    if not ends or face not in PLAYED_BY_THE_BODY:
        return placement
    return placement.model_copy(update={"pose": grounded("stand", shot.location, changes.direction)})


def _felt(changes: Changes, shot: Shot, placements: list[Placement], meant: set[str], wanted: Performance) -> str:
    """The action with the feeling that is played now: of `Luca waves and Giulia beams` sadness makes `looks down`."""
    action, reactions = shot.action, changes.direction.acting.reactions
    for who in meant:
        for tongue in ("en", "it"):
            for feeling, reaction in reactions.items():
                told = reaction.text.of(tongue).format(who=changes.name(who))
                at = action.lower().find(told.lower())
                if at < 0 or wanted.expression in (feeling, reaction.expression):
                    continue
                new = reactions[wanted.expression] if wanted.expression else reaction
                now = new.text.of(tongue).format(who=changes.name(who)) if new.expression == wanted.expression else ""
                if not now and action.strip(". ").lower() != told.lower():
                    now = told_by_poses(changes, [p for p in placements if p.character == who])
                action = (action[:at] + now + action[at + len(told) :]).strip()
    return action


def _acted(changes: Changes, shot: Shot, placements: list[Placement], meant: set[str], told: str) -> str:
    """The action once a pose has changed: as the request tells it, else what the poses say."""
    if told:
        others = [p for p in placements if p.character not in meant and p.pose != "stand"]
        rest = "" if told in shot.action else told_by_poses(changes, others)
        if told.split()[0].lower() in words("all_of_them"):
            rest = ""
        return f"{rest}. {told}" if rest else told
    if not shot.action:
        return ""
    of_all = shot.action.split()[0].lower() in words("all_of_them")  # `They share an umbrella`
    if not of_all and not any(changes.name(who).lower() in shot.action.lower() for who in meant):
        return shot.action
    return told_by_poses(changes, placements)


def told_by_poses(changes: Changes, placements: list[Placement]) -> str:
    """Poses in words: `Luca waves and Alberto sits`."""
    direction, by_pose = changes.direction, dict[str, list[str]]()
    for p in placements:
        if p.pose in direction.acting.poses:
            by_pose.setdefault(p.pose, []).append(changes.name(p.character))
    told = [about(direction.acting.poses[pose], who, direction, changes.tongue) for pose, who in by_pose.items()]
    articled = [who[0][:1].islower() for who in by_pose.values()]
    told = [text[:1].lower() + text[1:] if n and articled[n] else text for n, text in enumerate(told)]
    return join_names(told, direction, changes.tongue)
