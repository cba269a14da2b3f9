"""Edits of who says a line: lines swapped between two, or given to another. The words stay where they are."""

from __future__ import annotations

from collections.abc import Callable

from agent.intent import Edit
from agent.planners.offline.changes import Changes
from agent.planners.offline.edits_lines import meant_lines
from tools.storyboard import Line, Shot

__all__ = ["give_line", "swap_lines"]


def swap_lines(changes: Changes, edit: Edit) -> None:
    """Two characters say each other's lines; places stay, but a close-up of who spoke shows who speaks now."""
    named = [edit.character, edit.performance.character if edit.performance else None]
    pair = list(dict.fromkeys(who for who in named if who))
    targets = changes.targets(edit)
    speakers = list(dict.fromkeys(line.character for at in targets for line in changes.shots[at].dialogue))
    if len(pair) < 2:
        pair = speakers if len(speakers) == 2 else []
    if not speakers and targets:
        changes.problem("no_lines")
        return
    if len(pair) != 2 or not set(pair) & set(speakers) or any(changes.member(who) is None for who in pair):
        if targets:
            changes.problem("swap_lines_needs_two")
        return
    other = {pair[0]: pair[1], pair[1]: pair[0]}
    for at in targets:
        _respeak(changes, at, lambda _, line: other.get(line.character, line.character))


def give_line(changes: Changes, edit: Edit) -> None:
    """A line that one said is said by another."""
    who = edit.character
    if who is None or changes.member(who) is None:
        changes.problem("not_in_scene", name=changes.name(who))
        return
    spots = meant_lines(changes, edit, None)
    if not spots:
        return
    spot = next((spot for spot in spots if spot.line.character != who), None)
    if spot is None:
        changes.assume("same_already")
        return
    _respeak(changes, spot.shot, lambda at, line: who if at == spot.at else line.character)
    changes.fit(spot.shot)


def _respeak(changes: Changes, at: int, speaker: Callable[[int, Line], str]) -> None:
    """Give the lines of a shot their new speakers; who is not seen there takes the place of who fell silent."""
    shot = changes.shots[at]
    dialogue = [line.model_copy(update={"character": speaker(n, line)}) for n, line in enumerate(shot.dialogue)]
    if dialogue == shot.dialogue:
        return
    changes.replace(at, dialogue=dialogue, **_reframed(changes, at, shot, dialogue))


def _reframed(changes: Changes, at: int, shot: Shot, dialogue: list[Line]) -> dict[str, object]:
    placed = {p.character for p in shot.placements}
    unseen = list(dict.fromkeys(line.character for line in dialogue if line.character not in placed))
    before, now = {line.character for line in shot.dialogue}, {line.character for line in dialogue}
    silent = [p.character for p in shot.placements if p.character in before - now]
    heir = dict(zip(silent, unseen, strict=False))
    if not heir:
        return {}
    for who in heir.values():
        changes.assume("shows_speaker", shot=at + 1, name=changes.name(who))
    action = shot.action
    for old, new in heir.items():
        action = action.replace(changes.name(old), changes.name(new))
    return {
        "placements": [
            p.model_copy(update={"character": heir[p.character]}) if p.character in heir else p for p in shot.placements
        ],
        "action": action,
    }
