"""Lists of shots in one sentence: `three images: Luca happy, Luca sad`, `a wide, a medium and a close shot of Luca`."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from agent.planners.offline.lexicon import Match
from agent.planners.offline.page import Page
from agent.planners.offline.text import fold, tokenise
from configs.yaml_file import load_yaml_model

__all__ = ["Listed", "framing_row", "is_each", "listed_items", "shots_counted", "shots_wanted", "timed_clauses"]

FURTHEST_COLON = 24
"""Tokens between the count and the colon of a list."""


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    joining: list[str] = Field(alias="and")
    articles: list[str]
    ordering: list[str]
    each: list[str]


@dataclass(frozen=True, slots=True)
class Listed:
    """Where a list begins (what stands before holds for all of it), and the token spans of its items."""

    start: int
    items: tuple[tuple[int, int], ...]


@cache
def _words() -> _Words:
    return load_yaml_model(Path(__file__).with_name("direction") / "listing.yaml", _Words)


@cache
def _keys(kind: str) -> frozenset[str]:
    return frozenset(fold(word) for word in getattr(_words(), kind))


@cache
def _each() -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(token.key for token in tokenise(phrase)) for phrase in _words().each)


def is_each(page: Page, start: int, end: int) -> bool:
    """Whether a length between two tokens is that of every shot: `4 seconds each`."""
    near = [page.key(at) for at in range(max(0, start - 2), end + 3)]
    return any(tuple(near[at : at + len(p)]) == p for p in _each() for at in range(len(near) - len(p) + 1))


def shots_counted(page: Page, at: int) -> int | None:
    """How many shots or pictures the words at token `at` count: the 3 of `3 shots`, `three different images`."""
    noun = page.at(at, "thing", "output")
    if noun is None or noun.id not in ("shot", "scene", "image", "video", "variation", "story"):
        return None
    for back in range(noun.start - 1, max(-1, noun.start - 4), -1):
        token, number = page.tokens[back], page.at(back, "number")
        if token.text.isdecimal() and len(token.text) < 5:
            return int(token.text)
        if number is not None and number.entry.value and number.entry.value == int(number.entry.value):
            return int(number.entry.value)
        if token.is_mark:
            return None
    return None


def shots_wanted(page: Page) -> int | None:
    """How many shots the film is to have (`a chase in 6 shots`), where they are not listed."""
    if listed_items(page) is not None:
        return None
    nouns = [m for m in page.of("thing") if m.id == "shot"]
    counts = [shots_counted(page, m.start) for m in nouns]
    return next((count for count in counts if count and 1 < count <= 60), None)


def timed_clauses(page: Page) -> list[int]:
    """`in the morning Luca leaves, at noon he eats, ...`: where each clause with a time of its own begins."""
    starts: list[int] = []
    for match in page.of("time"):
        head = match.start
        while head > 0 and (page.at(head - 1, "joiner") or page.key(head - 1) in _keys("articles") | _keys("joining")):
            head -= 1
        opens = page.starts_sentence(head) or page.key(head - 1) == ","
        if opens and page.of("cast", "person", "group", "pronoun", "pose", start=match.end, end=match.end + 6):
            starts.append(head)
    return starts if len(starts) > 1 else []


def listed_items(page: Page) -> Listed | None:
    """The items behind `three images: ...` when there are as many as were counted; None when there is no such list."""
    for noun in page.of("thing", "output"):
        count = shots_counted(page, noun.start)
        if not count or not 2 <= count <= 20:
            continue
        colon = next((at for at in range(noun.end, min(len(page.tokens), noun.end + FURTHEST_COLON))
                      if page.key(at) in (":", "-", "—") or page.breaks_between(noun.end, at)), None)  # fmt: skip
        if colon is None or page.key(colon) not in (":", "-", "—"):
            continue
        items = _items(page, colon + 1, count)
        if items:
            return Listed(colon, items)
    return None


def _items(page: Page, start: int, count: int) -> tuple[tuple[int, int], ...]:
    """The spans of `count` items behind a colon, parted by semicolons, commas, and one `and`."""
    end = len(page.tokens)
    for marks in (frozenset({";"}), frozenset({","}), frozenset({",", "."})):
        cuts = [at for at in range(start, end) if page.key(at) in marks]
        ands = [at for at in range(start, end) if page.key(at) in _keys("joining")]
        spans = _spans(page, start, end, cuts)
        if len(spans) == count:
            return spans
        final = [at for at in ands if not cuts or at > cuts[-1]]
        for extra in (final[-1:], ands):
            spans = _spans(page, start, end, sorted({*cuts, *extra}))
            if len(spans) == count:
                return spans
    return ()


def _spans(page: Page, start: int, end: int, cuts: list[int]) -> tuple[tuple[int, int], ...]:
    borders = [start, *(cut + 1 for cut in cuts), end]
    spans: list[tuple[int, int]] = []
    for first, stop in itertools.pairwise(borders):
        while first < stop and page.key(first) in _keys("joining"):
            first += 1
        last = stop - 1 if stop != end else stop
        if any(page.tokens[at].is_word for at in range(first, last)):
            spans.append((first, last))
    return tuple(spans)


def framing_row(page: Page) -> list[Match]:
    """The framings of `a wide, a medium and a close shot of Luca`: several that share one noun; else nothing."""
    row: list[Match] = []
    for match in page.of("framing"):
        if row and not _joined(page, row[-1].end, match.start):
            if len(row) > 1 and _shares_noun(page, row[-1]):
                return row
            row = []
        row.append(match)
    return row if len(row) > 1 and _shares_noun(page, row[-1]) else []


def _joined(page: Page, start: int, end: int) -> bool:
    """Whether only commas, `and` and articles (and the noun itself) stand between two framings."""
    little = _keys("joining") | _keys("articles") | _keys("ordering") | {",", "/", "+", "-"}
    return start < end <= start + 4 and all(
        page.key(at) in little or (noun is not None and noun.id == "shot")
        for at in range(start, end)
        for noun in [page.at(at, "thing")]
    )


def _shares_noun(page: Page, last: Match) -> bool:
    """What the row shows comes behind its last framing: `... and a close shot of Luca on the harbour`."""
    at = last.end
    noun = page.at(at, "thing")
    if noun is not None and noun.id == "shot":
        at = noun.end
    joiner = page.key(at)
    told = page.of("cast", "person", "group", "place", "pose", start=at)
    return (
        bool(told) and not page.tokens[at].is_mark and joiner not in _keys("joining")
        if at < len(page.tokens)
        else False
    )
