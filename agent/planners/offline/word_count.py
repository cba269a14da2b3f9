"""How many words a script should have: `a script of 300 words`, `200 parole di dialogo`, `a 120-word script`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.planners.offline.page import Page
from agent.planners.offline.wordlists import holds, pattern

__all__ = ["LEAST_WORDS", "MOST_WORDS", "read_word_count", "word_count_tokens"]

LEAST_WORDS, MOST_WORDS = 10, 20_000
"""Fewer are a line, and what somebody does (`says three words`); more are no film."""
_NUMBER = r"\d{1,2}[.,'’]\d{3}|\d{2,5}"
_COUNT = (
    rf"(?<![\w.,:])(?:(?:{{roughly}})\s+)?(?P<least>{_NUMBER})(?:\s?[-–]\s?(?P<most>{_NUMBER}))?"
    r"[\s-]+(?:{spoken}\s+)?(?:{counted_words})(?!\w)"
)


def read_word_count(page: Page) -> int | None:
    """Spoken words that are wanted, the middle of a range; None where no script is, or none of a stated length."""
    for match in _counts(page):
        return _number(match)
    return None


def word_count_tokens(page: Page) -> set[int]:
    """The tokens that say so: they speak of the script, not of what is to be seen."""
    spans = [match.span() for match in _counts(page)]
    return {at for at, token in enumerate(page.tokens) if any(start <= token.start < end for start, end in spans)}


def _counts(page: Page) -> Iterator[re.Match[str]]:
    keys = [token.key for token in page.tokens]
    spoken = any(match.id in ("script", "voice") for match in page.of("output")) or holds(keys, "spoken_texts")
    for match in pattern(_COUNT).finditer(page.masked) if spoken else ():
        if LEAST_WORDS <= _number(match) <= MOST_WORDS:
            yield match


def _number(match: re.Match[str]) -> int:
    least, most = (int(re.sub(r"\D", "", match[name] or match["least"])) for name in ("least", "most"))
    return (least + most) // 2
