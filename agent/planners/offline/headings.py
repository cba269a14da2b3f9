"""Screenplay headings: `INT. KITCHEN - NIGHT` opens a scene, and is no part of what happens in it."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from configs.yaml_file import load_yaml_model

if TYPE_CHECKING:  # The page asks where headings open.
    from agent.planners.offline.page import Page

__all__ = ["find_headings", "heading_at"]

MOST_TOKENS = 14
"""A longer line that begins like a heading is a sentence."""


class _Headings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    openings: list[str] = Field(min_length=1)


@cache
def _opening() -> re.Pattern[str]:
    words = load_yaml_model(Path(__file__).with_name("direction") / "headings.yaml", _Headings).openings
    longest_first = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    # Capitals open a heading in the middle of a line too.
    return re.compile(rf"(?:(?<=\n)|(?<=^)|(?<= ))[ \t]*(?:\d+[.)]?[ \t]+)?(?:{longest_first})[.:\s][ \t]*(?=\S)")


def heading_at(text: str, begin: int, stop: int) -> int:
    """Where the first heading opens in a stretch of text; `stop` when none does."""
    found = _opening().search(text, begin, stop)
    return found.start() if found else stop


def find_headings(page: Page) -> list[tuple[int, int]]:
    """Token spans (start, end) of the headings of a page, in order."""
    spans: list[tuple[int, int]] = []
    for match in _opening().finditer(page.masked):
        stop = page.masked.find("\n", match.end())
        stop = len(page.masked) if stop < 0 else stop
        stop = _heading_end(page.masked, match.end(), stop)
        first, last = (bisect_left(page.tokens, at, key=lambda token: token.start) for at in (match.start(), stop))
        inside = range(first, last)
        told = inside and page.of("place", "elsewhere", "time", start=inside[0], end=inside[-1] + 1)
        if told and len(inside) <= MOST_TOKENS and not (spans and inside[0] < spans[-1][1]):
            spans.append((inside[0], inside[-1] + 1))
    return spans


def _heading_end(masked: str, begin: int, stop: int) -> int:
    """Where a heading ends: with its sentence, or where its capitals do (`INT. KITCHEN - DAY Luca cooks`)."""
    full = re.search(r"[.!?](?=\s|$)", masked[begin:stop])
    stop = begin + full.end() if full else stop
    written = [(word.group(), begin + word.start()) for word in re.finditer(r"[^\W\d_][\w'’]*", masked[begin:stop])]
    if not written or not written[0][0].isupper():
        return stop
    return next((at for word, at in written if not word.isupper()), stop)
