"""What the user fixed, held against a finished storyboard: the last gate, whatever a model wrote.

The offline planner's storyboard of the same request is the measure: what the user fixed holds there.
"""

from __future__ import annotations

from agent.intent import Brief
from agent.planners.base import Composition
from tools.storyboard import Line, Storyboard

__all__ = ["broken_fact"]


def broken_fact(brief: Brief, ground: Composition, made: Composition, *, new_lines: bool) -> str:
    """The first thing that the user fixed and that does not hold any more, in words; empty where all holds.

    Args:
        brief: what the user asked for, as the offline planner read it.
        ground: the offline planner's composition of it.
        made: the composition to judge.
        new_lines: lines may be written.
    """
    before, after = ground.storyboard, made.storyboard
    checks = (
        ("who", [one.id for one in after.cast] == [one.id for one in before.cast]),
        ("who is seen", _seen(before) <= _seen(after)),
        ("the title", not brief.title or after.title == before.title),
        ("the format", (after.aspect, after.fps, after.style) == (before.aspect, before.fps, before.style)),
        ("the length", brief.duration_s is None or after.duration_s <= before.duration_s + 1e-6),
        ("the length", brief.duration_s is None or after.duration_s >= min(brief.duration_s, before.duration_s) - 1e-6),
        ("the number of shots", not brief.explicit_shots or len(after.shots) == len(before.shots)),
        ("the number of shots", not brief.shot_count or _count_holds(brief, before, after)),
        ("the lines", _lines_hold(before, after, new_lines)),
        ("where", _all_in(brief, after, "location") and _words_hold(brief, after)),
        ("when", _all_in(brief, after, "time_of_day")),
        ("the weather", _all_in(brief, after, "weather")),
        ("what is written in the picture", _overlays(before) == _overlays(after)),
        ("what they do", _acts(brief, before) <= _acts(brief, after)),
    )
    for what, holds in checks:
        if not holds:
            return what
    fresh = [problem for problem in made.problems if problem not in ground.problems]
    return fresh[0] if fresh else ""


def _seen(board: Storyboard) -> set[str]:
    return {placement.character for shot in board.shots for placement in shot.placements}


def _spoken(board: Storyboard) -> list[Line]:
    return [line for shot in board.shots for line in shot.dialogue]


def _lines_hold(before: Storyboard, after: Storyboard, new_lines: bool) -> bool:
    """Quoted lines stand word for word, in order, with their speakers; others only where there were none."""
    return _spoken(before) == _spoken(after) or (new_lines and not _spoken(before))


def _count_holds(brief: Brief, before: Storyboard, after: Storyboard) -> bool:
    return len(after.shots) in (brief.shot_count, len(before.shots))


def _all_in(brief: Brief, board: Storyboard, field: str) -> bool:
    """What was said of place, hour or weather: of a request in one piece it holds throughout, else it occurs."""
    said = [value for beat in brief.beats if (value := getattr(beat, field)) is not None]
    found = {getattr(shot, field) for shot in board.shots}
    return found == set(said) if len(brief.beats) == 1 and said else set(said) <= found


def _words_hold(brief: Brief, board: Storyboard) -> bool:
    """A place that nobody draws keeps the name it was given by."""
    if len(brief.beats) != 1 or brief.beats[0].location or not brief.beats[0].location_words:
        return True
    return len({shot.location for shot in board.shots}) == 1


def _overlays(board: Storyboard) -> set[str]:
    return {shot.text_overlay for shot in board.shots if shot.text_overlay}


def _acts(brief: Brief, board: Storyboard) -> set[tuple[str, str, str]]:
    """What each was said to do and to feel, as far as a storyboard shows it."""
    said = {
        (one.character, field, str(value))
        for beat in brief.beats
        for one in beat.performances
        for field in ("pose", "expression", "facing")
        if (value := getattr(one, field)) is not None
    }
    shown = {
        (one.character, field, str(getattr(one, field)))
        for shot in board.shots
        for one in shot.placements
        for field in ("pose", "expression", "facing")
    }
    return said & shown
