"""`revise`: carry out the edits of a request on a storyboard, and nothing else.

What no edit mentions stays equal to what it was, ids included, so that only what depends on the change is made
again. The storyboard that comes in is never touched. An edit that cannot be done is told in `problems` and leaves
everything as it was; the other edits of the request are still carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from agent.intent import Edit, Intent
from agent.planners.base import Composition, PlanRequest
from agent.planners.offline import (
    edits_acting,
    edits_cast,
    edits_lines,
    edits_look,
    edits_people,
    edits_shots,
    edits_speakers,
)
from agent.planners.offline.changes import Changes
from agent.planners.offline.direction import Direction, Tongue, load_direction
from agent.planners.offline.happenings import recasts
from agent.planners.offline.phrasing import join_names, short_name, title_of, tongue_of
from agent.planners.offline.stale_prompts import without_stale_prompts
from agent.planners.offline.text import tokenise
from agent.planners.offline.wordlists import starts_with
from tools.storyboard import Storyboard

__all__ = ["revise"]

_OPERATIONS: Mapping[str, Callable[[Changes, Edit], None]] = MappingProxyType(
    {
        "set_time": edits_look.set_time,
        "set_weather": edits_look.set_weather,
        "set_place": edits_look.set_place,
        "set_framing": edits_look.set_framing,
        "set_camera": edits_look.set_camera,
        "set_aspect": edits_look.set_aspect,
        "set_mood": edits_look.set_mood,
        "mute_music": edits_look.mute_music,
        "set_overlay": edits_look.set_overlay,
        "add_character": edits_cast.add_character,
        "remove_character": edits_cast.remove_character,
        "rename_character": edits_people.rename_character,
        "move_character": edits_people.move_character,
        "set_look": edits_people.set_look,
        "swap": edits_acting.swap,
        "swap_lines": edits_speakers.swap_lines,
        "give_line": edits_speakers.give_line,
        "set_performance": edits_acting.set_performance,
        "add_line": edits_lines.add_line,
        "set_line": edits_lines.set_line,
        "remove_line": edits_lines.remove_line,
        "set_duration": edits_shots.set_duration,
        "add_shot": edits_shots.add_shot,
        "remove_shot": edits_shots.remove_shot,
        "split_shot": edits_shots.split_shot,
        "copy_shot": edits_shots.copy_shot,
        "reorder_shot": edits_shots.reorder_shot,
        "set_fps": edits_shots.set_fps,
        "set_title": edits_shots.set_title,
        "set_style": edits_shots.set_style,
    }
)
"""Undo, redo and set_outputs are the agent's own: they are about its history and its outputs."""


def revise(storyboard: Storyboard, intent: Intent, request: PlanRequest) -> Composition:
    """Carry out every edit of an intent of kind `edit`, in order.

    Shot numbers are those of the storyboard that came in, also after another edit of the same request has removed
    a shot; after one that moved a shot they are those of the new order.
    """
    direction, tongue = load_direction(), tongue_of(intent)
    changes = Changes(storyboard, intent, direction, tongue)
    asked_for = [edit for edit in intent.edits if edit.op in _OPERATIONS]
    carried_out = list(asked_for)
    while carried_out:
        edit = carried_out.pop(0)
        follower = carried_out[0] if carried_out else None
        if follower is not None and (pair := _recasting(edit, follower, storyboard, request.text)):
            carried_out.pop(0)
            edits_cast.recast(changes, *pair)
        else:
            _OPERATIONS[edit.op](changes, edit)
    revised = _retitled(storyboard, changes.result(), changes, direction)
    revised = without_stale_prompts(storyboard, revised, changes)
    already = asked_for and revised == storyboard and not changes.problems
    remarks = [direction.phrases.say("same_already", tongue)] if already else []
    return Composition(revised, changes.assumptions, changes.problems, remarks)


def _recasting(edit: Edit, follower: Edit, board: Storyboard, text: str) -> tuple[Edit, str] | None:
    """`replace Luca with Giulia` arrives as one added and one removed: the edit that adds, and who goes."""
    by_op = {edit.op: edit, follower.op: follower}
    added, removed = by_op.get("add_character"), by_op.get("remove_character")
    if added is None or removed is None or not removed.character or added.shot != removed.shot or not recasts(text):
        return None
    present = {member.id for member in board.cast}
    newcomer = added.member.id if added.member else added.character
    return (added, removed.character) if removed.character in present and newcomer not in present else None


def _retitled(before: Storyboard, after: Storyboard, changes: Changes, direction: Direction) -> Storyboard:
    """A title that only told who, where and when goes along with the change; one that somebody wrote stays."""
    if "title" in changes.fields:
        return after
    for tongue in (changes.tongue, "en", "it"):
        if before.title == _plain_title(before, direction, tongue):
            title = _plain_title(after, direction, tongue)
            return after if title == before.title else after.model_copy(update={"title": title})
        who, now = (join_names([short_name(m) for m in board.cast], direction, tongue) for board in (before, after))
        rest = before.title[len(who) :]
        known = rest in ("", *(f" {when.of(tongue)}" for when in direction.phrases.times_in_title.values()))
        placed = starts_with([token.key for token in tokenise(rest)][:1], "locating") > 0
        moved = before.shots[0].location != after.shots[0].location
        if who and moved and before.title.lower().startswith(who.lower()) and placed:
            return after.model_copy(update={"title": _plain_title(after, direction, tongue)})
        if who and now and who != now and before.title.lower().startswith(who.lower()) and (known or placed):
            title = f"{now}{rest}"  # Where it plays is told in words that only the request knew.
            return after.model_copy(update={"title": (title[:1].upper() + title[1:])[:120]})
    return after


def _plain_title(board: Storyboard, direction: Direction, tongue: Tongue) -> str:
    names = [short_name(member) for member in board.cast]
    overlay = board.shots[0].text_overlay if not names else ""
    return title_of(names, board.shots[0], "", direction, tongue, overlay)
