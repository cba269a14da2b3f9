"""Edits of the film as a whole: shots added, removed, moved; its length, rate, title and style."""

from __future__ import annotations

import zlib
from dataclasses import replace
from math import ceil

from agent.intent import Beat, Brief, Edit
from agent.planners.offline.blocking import widest_needed
from agent.planners.offline.changes import Changes
from agent.planners.offline.coverage import MAX_SHOTS, cover_one_shot
from agent.planners.offline.edits_cast import enter
from agent.planners.offline.pacing import GRID, share_out, shortest, total_of
from agent.planners.offline.phrasing import short_name
from agent.planners.offline.plan import Scene
from agent.planners.offline.scenes import settle
from agent.planners.offline.staging import Stager
from tools.storyboard import Shot

__all__ = [
    "add_shot",
    "copy_shot",
    "remove_shot",
    "reorder_shot",
    "set_duration",
    "set_fps",
    "set_style",
    "set_title",
    "split_shot",
]

LEAST_S, MOST_S = 0.5, 1800.0


def set_title(changes: Changes, edit: Edit) -> None:
    """Another title."""
    text = " ".join((edit.text or "").split())[:120]
    if not text:
        changes.problem("unclear_edit", op="title")
        return
    changes.fields["title"] = text


def set_style(changes: Changes, edit: Edit) -> None:
    """Another style."""
    text = " ".join((edit.text or "").split())[:80]
    if not text:
        changes.problem("unclear_edit", op="style")
        return
    changes.fields["style"] = text


def set_fps(changes: Changes, edit: Edit) -> None:
    """Another frame rate."""
    if edit.fps is None:
        changes.problem("unclear_edit", op="fps")
        return
    if not 8 <= edit.fps <= 60:
        changes.problem("fps_out_of_range", fps=changes.fields.get("fps", changes.board.fps))
        return
    changes.fields["fps"] = edit.fps


# -- length -----------------------------------------------------------------------------------------------------------


def set_duration(changes: Changes, edit: Edit) -> None:
    """Another length, of a shot or of the film: shots give and take in proportion, lines stay whole."""
    targets = changes.targets(edit)
    if not targets:
        return
    now = total_of([changes.shots[at] for at in targets])
    if edit.duration_s is not None:
        wanted = round(edit.duration_s, 2)
    elif edit.factor is not None:
        wanted = round(now * edit.factor, 1)
    else:
        changes.problem("unclear_edit", op="length")
        return
    most = min(MOST_S, 120.0 * len(targets))
    if not LEAST_S * len(targets) <= wanted <= most:
        wanted = min(max(wanted, LEAST_S * len(targets)), most)
        changes.problem(
            "length_out_of_range",
            least=LEAST_S * len(targets),
            most=most,
            seconds=wanted,
        )
    shots = [changes.shots[at] for at in targets]
    least = [_shortest(shot, wanted / len(shots)) for shot in shots]
    if sum(least) > wanted + 1e-6:
        # Every tenth counts now: silent shots may be as short as shots get.
        least = [shortest(shot.dialogue, LEAST_S) for shot in shots]
    if sum(least) > wanted + 1e-6:
        changes.problem("speech_limits_length", seconds=round(sum(least), 1))
    for at, seconds in zip(targets, share_out(wanted, [shot.duration_s for shot in shots], least), strict=True):
        if abs(changes.shots[at].duration_s - seconds) > 1e-9:
            changes.replace(at, duration_s=seconds)


def _shortest(shot: Shot, share: float) -> float:
    """How short a shot may get: as its lines allow; a silent one to half of an even share, at most 1.2 s."""
    if shot.dialogue:
        return shortest(shot.dialogue, LEAST_S)
    return max(LEAST_S, int(min(1.2, share * 0.5, shot.duration_s) * GRID) / GRID)


# -- shots ------------------------------------------------------------------------------------------------------------


def remove_shot(changes: Changes, edit: Edit) -> None:
    """Take one shot out."""
    if edit.shot is None:
        changes.problem("unclear_edit", op="shot")
        return
    targets = changes.targets(edit)
    if not targets:
        return
    if len(changes.shots) == 1:
        changes.problem("last_shot_stays")
        return
    del changes.shots[targets[0]]


def split_shot(changes: Changes, edit: Edit) -> None:
    """One shot becomes two of the same picture that share its lines and its length; a title stays on the first."""
    if edit.shot is None and len(changes.shots) > 1:
        changes.problem("split_which", count=len(changes.shots))
        return
    targets = changes.targets(edit)
    if not targets:
        return
    if len(changes.shots) >= MAX_SHOTS:
        changes.problem("storyboard_full", limit=MAX_SHOTS)
        return
    at = targets[0]
    shot = changes.shots[at]
    if shot.duration_s < 2 * LEAST_S:
        changes.problem("too_short_to_split", shot=at + 1)
        return
    half = (len(shot.dialogue) + 1) // 2
    spoken = shot.dialogue[:half], shot.dialogue[half:]
    least = [shortest(lines, LEAST_S) for lines in spoken]
    lengths = share_out(max(shot.duration_s, sum(least)), [1.0, 1.0], least)
    second = shot.model_copy(update={"id": changes.new_id(), "text_overlay": "", "camera": "static"})
    changes.shots.insert(at + 1, second)
    for number, (lines, seconds) in enumerate(zip(spoken, lengths, strict=True), at):
        changes.replace(number, dialogue=lines, duration_s=seconds)
    changes.assume("split", first=at + 1, second=at + 2)


def copy_shot(changes: Changes, edit: Edit) -> None:
    """The same shot once more, right behind it; a title stays on the first."""
    targets = changes.targets(edit)
    if edit.shot is None or not targets:
        if edit.shot is None:
            changes.problem("unclear_edit", op="shot")
        return
    if len(changes.shots) >= MAX_SHOTS:
        changes.problem("storyboard_full", limit=MAX_SHOTS)
        return
    shot = changes.shots[targets[0]]
    changes.shots.insert(targets[0] + 1, shot.model_copy(update={"id": changes.new_id(), "text_overlay": ""}))


def reorder_shot(changes: Changes, edit: Edit) -> None:
    """Move a shot to another position (`to`, counted from 1; -1 the last)."""
    if edit.shot is None or edit.to is None:
        changes.problem("unclear_edit", op="order")
        return
    targets = changes.targets(edit)
    if not targets:
        return
    to = len(changes.shots) if edit.to == -1 else edit.to
    if not 1 <= to <= len(changes.shots):
        changes.problem("no_such_shot", shot=to, count=len(changes.shots))
        return
    changes.shots.insert(to - 1, changes.shots.pop(targets[0]))
    changes.renumber()


def add_shot(changes: Changes, edit: Edit) -> None:
    """One more shot that goes on from its neighbour: at `to`, after `shot`, else at the end."""
    if len(changes.shots) >= MAX_SHOTS:
        changes.problem("storyboard_full", limit=MAX_SHOTS)
        return
    beat = edit.beat or Beat()
    position = _position(changes, edit)
    if position is None:
        return
    for who in dict.fromkeys([p.character for p in beat.performances] + [line.character for line in beat.dialogue]):
        if enter(changes, Edit(op="add_character", character=who)) is None:
            return
    neighbour = changes.shots[max(0, position - 1)]
    new = _composed(changes, beat, neighbour, changes.new_id())
    changes.shots.insert(position, new)


def _position(changes: Changes, edit: Edit) -> int | None:
    """Where the new shot goes, counted from 0; None, with a problem told, when there is no such place."""
    count = len(changes.shots)
    if edit.to is not None:
        at = count if edit.to == -1 else edit.to - 1
        if 0 <= at <= count:
            return at
        changes.problem("no_such_shot", shot=edit.to, count=count)
        return None
    if edit.shot is None or edit.shot == -1:
        return count
    after = changes.index(edit.shot)
    if after is None:
        changes.problem("no_such_shot", shot=edit.shot, count=count)
        return None
    return after + 1


def _composed(changes: Changes, beat: Beat, neighbour: Shot, id_: str) -> Shot:
    """A beat as a shot, with what it leaves open taken from its neighbour."""
    direction = changes.direction
    before = Beat(
        location=neighbour.location,
        time_of_day=neighbour.time_of_day,
        weather=neighbour.weather,
        mood=neighbour.music,
    )
    brief = Brief(cast=changes.cast, beats=[before, beat], explicit_shots=True)
    settled = settle(brief, direction)[1]
    scene = _peopled(changes, settled, beat, neighbour)
    plan = cover_one_shot(scene, False, changes.aspect, direction.coverage)[0]
    if scene.people:
        plan_framing = widest_needed(plan.framing, changes.aspect, len(scene.people), direction.coverage.blocking)
    else:
        plan_framing = plan.framing
    names = {member.id: short_name(member) for member in changes.cast}
    stager = Stager(direction, changes.aspect, changes.tongue, names, tuple(names), zlib.crc32(id_.encode()))
    least = shortest(scene.lines, LEAST_S)
    length = max(least, round(scene.duration_s if scene.duration_s else plan.wish, 1))
    music = None if neighbour.music is None and beat.mood is None else scene.mood
    return stager.stage(
        replace(plan, framing=plan_framing), id_, min(120.0, max(LEAST_S, ceil(length * 10) / 10)), music
    )


def _peopled(changes: Changes, scene: Scene, beat: Beat, neighbour: Shot) -> Scene:
    """A new shot that names nobody shows those of the shot before, unless it is of the place alone."""
    limit = changes.direction.coverage.stage_limit
    named = {p.character for p in beat.performances} | {line.character for line in beat.dialogue}
    order = [member.id for member in changes.cast]
    if named:
        people = tuple(who for who in order if who in named)
    elif beat.text_overlay or beat.framing == "detail" or (beat.location and not scene.action):
        people = ()
    else:
        people = tuple(who for who in order if who in {p.character for p in neighbour.placements})
    return replace(scene, people=people[:limit])
