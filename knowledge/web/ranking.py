"""Which passages of the pages are about the question: by meaning where an embedder is there, by words else."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from knowledge.lexical.words import words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Candidate", "Embed", "nearness", "rank", "site_of"]

Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Texts -> one vector of length 1 a text, float32 [n, width]."""

_MOST_EMBEDDED = 96
"""Passages that are embedded; of more, those with the most words of the question."""
_OF_WORDS = 0.2
"""Share of the score that the words have beside the meaning: names and numbers are weak in small embedders."""
_SAME_MEANING = 0.95
_SAME_WORDS = 0.8
_FLOOR = 0.4
"""What scores below this share of the best has not been asked for."""


@dataclass(frozen=True)
class Candidate:
    """A passage that may be an answer.

    Attributes:
        text: of the passage.
        url: of its page.
        heading: what it is, where it is no text of the page itself.
    """

    text: str
    url: str
    heading: str = ""


def rank(
    query: str,
    candidates: Sequence[Candidate],
    *,
    limit: int,
    per_site: int = 2,
    embed: Embed | None = None,
) -> list[tuple[float, Candidate]]:
    """The best passages with their scores 0..1, best first; of equals the one that comes first.

    Args:
        query: the question.
        candidates: in the order in which the search found their pages.
        limit: how many at most.
        per_site: how many of one site at most, so that no single one has the word.
        embed: makes meaning comparable; None compares words.
    """
    lexical = nearness(query, [one.text for one in candidates])
    order = sorted(range(len(candidates)), key=lambda at: -lexical[at])[:_MOST_EMBEDDED]
    order.sort()
    kept = [candidates[at] for at in order]
    scores = [lexical[at] for at in order]
    vectors = None
    if embed is not None and kept:
        vectors = embed([query, *[one.text for one in kept]])
        meaning = vectors[1:] @ vectors[0]
        scores = [
            (1 - _OF_WORDS) * max(0.0, float(near)) + _OF_WORDS * of_words
            for near, of_words in zip(meaning, scores, strict=True)
        ]
    floor = _FLOOR * max(scores, default=0.0)
    chosen: list[int] = []
    sites: Counter[str] = Counter()
    words = [frozenset(words_of(one.text)) for one in kept]
    for at in sorted(range(len(kept)), key=lambda at: -scores[at]):
        if len(chosen) == limit or scores[at] < floor:
            break
        site = site_of(kept[at].url)
        twice = any(
            _overlap(words[at], words[other]) >= _SAME_WORDS
            or (vectors is not None and float(vectors[1 + at] @ vectors[1 + other]) >= _SAME_MEANING)
            for other in chosen
        )
        if not twice and sites[site] < per_site:
            chosen.append(at)
            sites[site] += 1
    return [(min(1.0, scores[at]), kept[at]) for at in chosen]


def nearness(query: str, texts: Sequence[str]) -> list[float]:
    """How much of the question's words each text holds, 0..1; rare words count for more (by document frequency)."""
    wanted = set(words_of(query))
    held = [set(words_of(text)) & wanted for text in texts]
    seen = Counter(word for words in held for word in words)
    weight = {word: math.log(1 + len(texts) / (0.5 + seen[word])) for word in wanted}
    whole = sum(weight[word] for word in sorted(wanted)) or 1.0
    return [min(1.0, sum(weight[word] for word in sorted(words)) / whole) for words in held]


def site_of(url: str) -> str:
    """The host of an address, without `www.`."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)
