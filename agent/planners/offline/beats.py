"""Cut a request into its beats: numbered shots, `first ... then ...`, framings in a row, a new place or time."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from agent.planners.offline.cast import Mention
from agent.planners.offline.headings import find_headings
from agent.planners.offline.in_turn import in_turn
from agent.planners.offline.lexicon import Match
from agent.planners.offline.listing import framing_row, listed_items, timed_clauses
from agent.planners.offline.page import Page
from agent.planners.offline.passing import passing_times
from agent.planners.offline.scenery import careful_ok
from agent.planners.offline.wordlists import pattern, starts_with
from agent.planners.offline.wordlists import words as word_list
from tools.storyboard import Framing, TimeOfDay

__all__ = ["MAX_BEATS", "Cut", "cut_beats"]

MAX_BEATS = 60
_NUMBERED = (
    r"(?:(?<=\s)|(?<=^)|(?<=[(\[*#.,;]))(?:{numbered_nouns})\s?(?:n\.?|nr\.?|no\.?|n°|#|{number_nouns})?\s?"
    r"(\d{1,2}|{number_words})\s?[\])*]{0,3}\s?(?:[:.\-–—=)]|(?=\n)|(?=\())"
)
_LISTED = re.compile(r"(?:(?<=\n)|(?<=^)|(?<=[ :;,]))[(\[]?(\d{1,2})[.)\]:](?=\s|[^\W\d])")
_BULLET = re.compile(r"(?:(?<=\n)|(?<=^))[ \t]*[-*•–][ \t]+")


@dataclass(frozen=True, slots=True)
class Cut:
    """Tokens `start` to `end` of one beat.

    Attributes:
        explicit: the request lists its shots.
        framing, time: the framing and the hour, where several beats share the same words.
    """

    start: int
    end: int
    explicit: bool
    framing: Framing | None = None
    time: TimeOfDay | None = None


def cut_beats(page: Page, mentions: Sequence[Mention]) -> tuple[int, list[Cut]]:
    """The beats of a page, and where the first begins: what stands before it holds for all of them."""
    marked = _marked(page)
    if marked:
        marked = marked[:MAX_BEATS]
        ends = [mark for mark, _ in marked[1:]] + [len(page.tokens)]
        return marked[0][0], [Cut(s, e, True) for (_, s), e in zip(marked, ends, strict=True) if s < e]
    if heads := [start for start, _ in find_headings(page)]:
        ends = [*heads[1:], len(page.tokens)]
        return heads[0], [Cut(start, end, False) for start, end in zip(heads, ends, strict=True)][:MAX_BEATS]
    if listed := listed_items(page):
        return listed.start, [Cut(start, end, True) for start, end in listed.items]
    if row := framing_row(page):
        return 0, [Cut(0, len(page.tokens), True, cast(Framing, match.id)) for match in row]
    if len(timed := timed_clauses(page)) > 1 and not page.of("framing"):
        ends = [*timed[1:], len(page.tokens)]
        return timed[0], [Cut(start, end, False) for start, end in zip(timed, ends, strict=True)]
    explicit = True
    starts = _ordinal_shots(page)
    if not starts and (starts := _framings(page)):
        later = [at for at in _told(page, mentions) if at > starts[0] and all(abs(at - start) > 2 for start in starts)]
        starts = sorted([*starts, *later])
    if not starts:
        starts, explicit = _told(page, mentions), False
    if not starts and (times := passing_times(page)):
        return 0, [Cut(0, len(page.tokens), False, time=time) for time in times]
    if not starts:
        return 0, [Cut(0, len(page.tokens), False)]
    starts = starts[:MAX_BEATS]
    ends = [*starts[1:], len(page.tokens)]
    return starts[0], [Cut(start, end, explicit) for start, end in zip(starts, ends, strict=True) if start < end]


def _token_at(page: Page, offset: int) -> int:
    """The first token at or behind an offset of the text."""
    low, high = 0, len(page.tokens)
    while low < high:
        middle = (low + high) // 2
        if page.tokens[middle].start < offset:
            low = middle + 1
        else:
            high = middle
    return low


def _marked(page: Page) -> list[tuple[int, int]]:
    """`shot 1: ... shot 2: ...`, `1. ... 2. ...`, bullets: tokens where each mark and what it marks begin."""
    marks = [match.span() for match in pattern(_NUMBERED).finditer(page.masked)]
    if not marks:
        for match in _LISTED.finditer(page.masked):  # Only a row that counts up from 1 is a list.
            if int(match.group(1)) == len(marks) + 1:
                marks.append(match.span())
        marks = marks if len(marks) > 1 else []
    if not marks:
        marks = [match.span() for match in _BULLET.finditer(page.masked)]
        marks = marks if len(marks) > 1 else []
    rows = [(_token_at(page, start), _token_at(page, end)) for start, end in marks]
    return [(mark, start) for mark, start in rows if start < len(page.tokens)]


def _ordinal_shots(page: Page) -> list[int]:
    """`In the first shot ..., in the second shot ...`; at least two."""
    starts: list[int] = []
    for ordinal in page.of("ordinal"):
        thing = page.at(ordinal.end, "thing")
        left_out = page.key(ordinal.end) in (",", ":") and page.at(ordinal.start - 2, "joiner", "thing") is not None
        left_out = left_out or (page.key(ordinal.end) == "," and page.starts_sentence(ordinal.start - 2))
        if left_out or (thing and thing.id in ("shot", "scene")):
            at = ordinal.start
            while at > 0 and page.key(at - 1) in word_list("before_ordinal"):
                at -= 1
            starts.append(at)
    return starts if len(starts) > 1 else []


def _framings(page: Page) -> list[int]:
    """`a wide shot of the beach, then a close-up of Luca`: each framing opens a shot; at least two."""
    starts: list[int] = []
    for match in page.of("framing"):
        if not careful_ok(page, match, 0) and not _in_row(page, match):
            continue
        at = match.start
        while at > 0 and page.key(at - 1) in word_list("before_framing"):
            at -= 1
        if not starts or at > starts[-1] + (0 if _in_row(page, match) else 1):
            starts.append(at)
    return starts if len(starts) > 1 else []


def _in_row(page: Page, match: Match) -> bool:
    """`3 shots of Luca: wide, medium, close`: bare words stand for framings where several follow one another."""
    marks = word_list("framing_row")
    before, behind = match.start - 1, match.end
    while page.key(before) in marks:
        before -= 1
    while page.key(behind) in marks:
        behind += 1
    opens = page.key(match.start - 1) == ":" and behind > match.end and page.at(behind, "framing") is not None
    return opens or (before < match.start - 1 and page.at(before, "framing") is not None)


def _told(page: Page, mentions: Sequence[Mention]) -> list[int]:
    """Beats of a story told in sentences: a `then`, or a new place or time, begins the next."""
    starts = [0]
    borders = [(m.start, True) for m in page.of("joiner") if m.id == "then"]
    borders += [(at, True) for at in range(1, len(page.tokens)) if _closes(page, at)]
    borders += [
        (at, False) for at in range(1, len(page.tokens)) if page.starts_sentence(at) and page.key(at - 1) != ":"
    ]
    rows = sorted(set(borders))
    firsts = [at for at, _ in rows]
    for at, then in rows:
        begin, after = at, next(iter(firsts[(k := bisect_right(firsts, at)) : k + 1]), len(page.tokens))
        if then and page.key(at - 1) in word_list("and_words"):
            begin = at - 1
        if begin <= starts[-1]:
            continue
        head, tail = _content(page, starts[-1], begin), _content(page, at, after)
        moved = _moves(page, starts[0], begin, at, after)
        if (then and head and tail and not _is_wish(page, at)) or (not then and head and moved):
            starts.append(begin)
    starts = sorted({*starts, *(at for at in in_turn(page, mentions) if all(abs(at - start) > 2 for start in starts))})
    return starts if len(starts) > 1 else []


def _closes(page: Page, at: int) -> bool:
    """`...; at the end they hug`: the last part of a story begins."""
    opens = page.key(at - 1) in {",", ";", "."} | word_list("and_words")
    return opens and bool(starts_with([token.key for token in page.tokens[at : at + 4]], "closing_words"))


def _content(page: Page, start: int, end: int) -> bool:
    """Whether something that can be shown or said stands there."""
    quoted = any(start <= quote.token < end for quote in page.quotes)
    return quoted or bool(
        page.of(
            *(
                "pose",
                "emotion",
                "place",
                "elsewhere",
                "time",
                "weather",
                "framing",
                "cast",
                "person",
                "group",
                "camera",
            ),
            start=start,
            end=end,
        )
    )


def _is_wish(page: Page, at: int) -> bool:
    """`then add music` asks for an output, not for a shot."""
    match = page.at(at + 1, "request")
    return match is not None and bool(page.of("output", start=at, end=at + 6))


def _moves(page: Page, first: int, begin: int, start: int, end: int) -> bool:
    """Whether a sentence goes to another place or time than the ones before it."""
    for subject in ("place", "time"):
        before = {m.id for m in page.of(subject, start=first, end=begin) if not m.entry.weak}
        after = [m.id for m in page.of(subject, start=start, end=end) if not m.entry.weak]
        if before and after and after[0] not in before:
            return True
    return False
