"""Words into subtitles: which go together, and where a subtitle breaks into two lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["MAX_LINES", "TimedText", "break_lines", "group_words"]

MAX_LINES = 2
MIN_S, LONG_S = 1.0, 6.0
_SENTENCE_END = (".", "!", "?", "…")
_CLAUSE_END = (",", ";", ":", "—", "–")
_CLOSING = "\"'”’»)]"


@dataclass(frozen=True)
class TimedText:
    """A word with its times in seconds."""

    text: str
    start: float
    end: float


def _break_cost(word: str) -> float:
    """What it costs to break after this word: nothing after a sentence, a lot after `the`."""
    bare = word.rstrip(_CLOSING)
    if bare.endswith(_SENTENCE_END):
        return 0.0
    if bare.endswith(_CLAUSE_END):
        return 1.0
    # Without knowing the language: articles, prepositions and conjunctions are short.
    return 4.5 if len(bare) <= 3 else 3.0


def break_lines(words: Sequence[str], max_chars: int) -> list[str]:
    """One line if it fits, else two of about the same length, broken where the sense breaks.

    More than two only where two cannot hold the words; `group_words` never gives such a group.
    """
    whole = " ".join(words)
    if len(whole) <= max_chars or len(words) == 1:
        return [whole]
    best: tuple[float, list[str]] | None = None
    for cut in range(1, len(words)):
        first, second = " ".join(words[:cut]), " ".join(words[cut:])
        if len(first) <= max_chars and len(second) <= max_chars:
            cost = abs(len(first) - len(second)) / max_chars * 4 + _break_cost(words[cut - 1])
            if best is None or cost < best[0]:
                best = (cost, [first, second])
    if best is not None:
        return best[1]
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= max_chars:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _pieces(words: Sequence[TimedText], max_chars: int) -> list[TimedText]:
    """Words no longer than a line: longer ones are cut into full lines, their time shared out."""
    pieces: list[TimedText] = []
    for word in words:
        count = -(-len(word.text) // max_chars)
        for index in range(count):
            span = word.end - word.start
            pieces.append(
                TimedText(
                    text=word.text[index * max_chars : (index + 1) * max_chars],
                    start=word.start + span * index / count,
                    end=word.start + span * (index + 1) / count,
                )
            )
    return pieces


def _fits(words: Sequence[TimedText], max_chars: int) -> bool:
    """Whether the words go into two lines."""
    lines, used = 1, -1
    for word in words:
        if used + 1 + len(word.text) <= max_chars:
            used += 1 + len(word.text)
        else:
            lines, used = lines + 1, len(word.text)
    return lines <= MAX_LINES


def _cost(words: Sequence[TimedText], follows: TimedText | None, max_chars: int, speed: float) -> float:
    letters = sum(len(word.text) + 1 for word in words) - 1
    shown = (follows.start if follows else words[-1].end + 0.5) - words[0].start
    cost = 2.0 + max(0.0, letters / max(shown, 0.1) - speed) * 0.15
    cost += max(0.0, MIN_S - shown) * 6 + max(0.0, shown - LONG_S) * 2
    cost += 0.3 if letters > max_chars else 0.0
    # A long silence inside a subtitle gives away what is only said after it.
    cost += sum(
        3.0 * (later.start - earlier.end) for earlier, later in pairwise(words) if later.start - earlier.end > 0.6
    )
    if follows is not None:
        cost += _break_cost(words[-1].text) - min(1.0, max(0.0, follows.start - words[-1].end) * 2)
    return cost


def group_words(words: Sequence[TimedText], max_chars: int, speed: float) -> list[list[TimedText]]:
    """The cheapest way to cut a line of dialogue into subtitles (dynamic programming over the cuts).

    Args:
        words: of one line, in order.
        max_chars: characters a line of text may have; there are at most two.
        speed: characters a second that can be read.
    """
    pieces = _pieces(words, max_chars)
    best = [0.0] * (len(pieces) + 1)
    cut = [0] * (len(pieces) + 1)
    for start in range(len(pieces) - 1, -1, -1):
        best[start] = float("inf")
        for stop in range(start + 1, len(pieces) + 1):
            if not _fits(pieces[start:stop], max_chars):
                break
            follows = pieces[stop] if stop < len(pieces) else None
            cost = _cost(pieces[start:stop], follows, max_chars, speed) + best[stop]
            if cost < best[start]:
                best[start], cut[start] = cost, stop
    groups: list[list[TimedText]] = []
    at = 0
    while at < len(pieces):
        groups.append(pieces[at : cut[at]])
        at = cut[at]
    return groups
