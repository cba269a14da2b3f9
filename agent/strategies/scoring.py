"""How good a storyboard is before anything is drawn: stated criteria, each 0..1, measured on the storyboard alone.

    facts     what the user fixed is in it: who, where, when, framing, lines, number of shots        0.40
    variety   neighbouring shots differ in framing, and not all are the same                          0.15
    pacing    the length that was asked for; no shot shorter than 1.5 s or longer than 10 s            0.15
    lines     every line fits into its shot at speaking pace, and none is longer than 20 words        0.15
    staging   people stand apart, and no frame holds more of them than it shows well                  0.15

Lines at 2.7 words a second; people closer than `APART` of the frame's width at one depth hide one another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from agent.intent import Beat, Intent
from agent.strategies.risks import MOST_IN_FRAME, WORDS_PER_SECOND
from tools.storyboard import Shot, Storyboard

__all__ = ["WEIGHTS", "Score", "score_board"]

WEIGHTS = {"facts": 0.40, "variety": 0.15, "pacing": 0.15, "lines": 0.15, "staging": 0.15}
APART = 0.14
SHORTEST_S, LONGEST_S = 1.5, 10.0
LONGEST_LINE = 20
ROOM_S = 0.4
"""Beside what is said, a shot wants a little time."""


@dataclass(frozen=True)
class Score:
    """The criteria by name, and together."""

    parts: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Weighted, 0..1."""
        return round(sum(WEIGHTS[name] * value for name, value in self.parts.items()), 4)

    def told(self) -> str:
        """`0.91 (facts 1.00, variety 0.67, ...)`."""
        return f"{self.total:.2f} ({', '.join(f'{name} {value:.2f}' for name, value in self.parts.items())})"


def score_board(board: Storyboard, intent: Intent) -> Score:
    """Measure a storyboard against the request that it was written for."""
    return Score(
        {
            "facts": _mean(_facts(board, intent)),
            "variety": _variety(board.shots),
            "pacing": _pacing(board, intent),
            "lines": _mean(_lines(board.shots)),
            "staging": _mean(_staging(board.shots)),
        }
    )


def _mean(found: Iterable[float]) -> float:
    values = list(found)
    return sum(values) / len(values) if values else 1.0


def _facts(board: Storyboard, intent: Intent) -> Iterable[float]:
    there = {one.character for shot in board.shots for one in shot.placements}
    there |= {line.character for shot in board.shots for line in shot.dialogue}
    yield from (float(name in there) for name in intent.characters)
    if intent.brief is None:
        return
    for beat in intent.brief.beats:
        yield from _of_beat(beat, board.shots)
    if intent.brief.shot_count:
        yield float(len(board.shots) == intent.brief.shot_count)
    if intent.brief.aspect:
        yield float(board.aspect == intent.brief.aspect)
    said = {line.text for shot in board.shots for line in shot.dialogue}
    wanted = [line.text for beat in intent.brief.beats for line in beat.dialogue]
    yield from (float(text in said) for text in wanted)
    if wanted:
        yield 1.0 if len(said) <= len(wanted) else len(wanted) / len(said)


def _of_beat(beat: Beat, shots: list[Shot]) -> Iterable[float]:
    for name in ("location", "time_of_day", "weather", "framing", "camera"):
        value = getattr(beat, name)
        if value is not None:
            yield float(any(getattr(shot, name) == value for shot in shots))
    if beat.text_overlay:
        yield float(any(shot.text_overlay == beat.text_overlay for shot in shots))


def _variety(shots: list[Shot]) -> float:
    if len(shots) < 2:
        return 1.0
    cuts = _mean(float(one.framing != other.framing) for one, other in pairwise(shots))
    kinds = len({shot.framing for shot in shots}) / min(3, len(shots))
    moving = min(1.0, len({shot.camera for shot in shots}) / 2)
    return 0.5 * cuts + 0.35 * min(1.0, kinds) + 0.15 * moving


def _pacing(board: Storyboard, intent: Intent) -> float:
    asked = intent.brief.duration_s if intent.brief else None
    fits = 1.0
    if asked:
        fits = max(0.0, 1.0 - abs(board.duration_s - asked) / asked)
    sane = _mean(float(SHORTEST_S <= shot.duration_s <= LONGEST_S) for shot in board.shots)
    return 0.6 * fits + 0.4 * sane


def _lines(shots: list[Shot]) -> Iterable[float]:
    for shot in shots:
        if not shot.dialogue:
            continue
        words = [len(line.text.split()) for line in shot.dialogue]
        needed = sum(words) / WORDS_PER_SECOND + ROOM_S
        yield min(1.0, shot.duration_s / needed)
        yield from (min(1.0, LONGEST_LINE / max(1, count)) for count in words)


def _staging(shots: list[Shot]) -> Iterable[float]:
    for shot in shots:
        if not shot.placements:
            continue
        yield min(1.0, MOST_IN_FRAME[shot.framing] / len(shot.placements))
        seen = sorted(shot.placements, key=lambda one: one.x)
        for one, other in pairwise(seen):
            if abs(one.depth - other.depth) < 0.25:
                yield min(1.0, (other.x - one.x) / APART)
