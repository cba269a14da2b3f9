"""What the passages say, summed up: sentences that each name their sources, and the sources.

Without a chat model the sentences are taken from the passages as they stand. What a chat model writes is checked
here: a sentence that names no source that exists is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from knowledge.lexical.words import words_of
from knowledge.passage import Passage
from knowledge.web.ranking import Embed, nearness

__all__ = ["Sentence", "Source", "Synthesis", "extract_synthesis", "number_sources", "validated"]

MOST_SENTENCES = 5
MOST_CHARACTERS = 400
_LEAST_CHARACTERS = 30
_END = re.compile(r"(?<=[.!?…])[\"'»”)\]]*\s+(?=[\"'«“(\[]*[A-ZÀ-ÖØ-Þ0-9])|\n+")
_SAME = 0.6


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Model):
    """A page that something was taken from, by its number."""

    number: int = Field(ge=1)
    url: str
    title: str = ""


class Sentence(_Model):
    """A sentence, and the numbers of the sources that say so."""

    text: str
    sources: tuple[int, ...] = Field(min_length=1)


class Synthesis(_Model):
    """Sentences with their sources; `by` is the chat model that wrote them, empty for sentences of the pages."""

    sentences: list[Sentence]
    sources: list[Source]
    by: str = ""


class Stated(Protocol):
    """A sentence as a model gives it."""

    @property
    def text(self) -> str: ...

    @property
    def sources(self) -> Sequence[int]: ...


def number_sources(passages: Sequence[Passage]) -> list[Source]:
    """The pages of the passages, numbered from 1 in the order in which they come."""
    first = {passage.source: passage for passage in reversed(passages)}
    urls = dict.fromkeys(passage.source for passage in passages)
    return [Source(number=at, url=url, title=first[url].title) for at, url in enumerate(urls, start=1)]


def extract_synthesis(query: str, passages: Sequence[Passage], *, embed: Embed | None = None) -> Synthesis:
    """The sentences of the passages that answer best, as they stand, in the order of the passages.

    Args:
        query: the question.
        passages: best first.
        embed: makes meaning comparable; None compares words.
    """
    sources = number_sources(passages)
    number = {source.url: source.number for source in sources}
    found: list[tuple[float, str, int]] = []
    for passage in passages:
        for sentence in _sentences(passage.text):
            found.append((passage.score, sentence, number[passage.source]))
    near = _nearness(query, [text for _, text, _ in found], embed)
    # A sentence of a good passage may lean on the one before it, and name nothing itself.
    scores = [0.7 * close + 0.3 * score for close, (score, _, _) in zip(near, found, strict=True)]
    chosen: list[int] = []
    for at in sorted(range(len(found)), key=lambda at: -scores[at]):
        words = set(words_of(found[at][1]))
        if len(chosen) == MOST_SENTENCES or (chosen and scores[at] < 0.5 * scores[chosen[0]]):
            break
        if all(_share(words, set(words_of(found[other][1]))) < _SAME for other in chosen):
            chosen.append(at)
    sentences = [Sentence(text=found[at][1], sources=(found[at][2],)) for at in sorted(chosen)]
    return _renumbered(sentences, sources)


def validated(stated: Sequence[Stated], passages: Sequence[Passage], *, by: str) -> Synthesis:
    """What a model wrote, as far as it can be kept: sentences that name sources which are there, and only those.

    Args:
        stated: the model's sentences, with numbers of `number_sources(passages)`.
        passages: what it was shown.
        by: its name.
    """
    sources = number_sources(passages)
    known = {source.number for source in sources}
    sentences: list[Sentence] = []
    for one in stated:
        numbers = tuple(sorted({at for at in one.sources if at in known}))
        text = " ".join(one.text.split())[:MOST_CHARACTERS]
        # Numbers in brackets would be taken for ours, and may name sources that do not exist.
        text = re.sub(r"\s*\[[\d,;\s]+\]", "", text).strip()
        if numbers and text and len(numbers) == len(set(one.sources)):
            sentences.append(Sentence(text=text, sources=numbers))
    return _renumbered(sentences[: 2 * MOST_SENTENCES], sources, by=by)


def _renumbered(sentences: Sequence[Sentence], sources: Sequence[Source], *, by: str = "") -> Synthesis:
    """Only the sources that are named, numbered as they come up."""
    used = dict.fromkeys(number for sentence in sentences for number in sentence.sources)
    new = {old: at for at, old in enumerate(used, start=1)}
    kept = [s.model_copy(update={"number": new[s.number]}) for s in sources if s.number in new]
    kept.sort(key=lambda source: source.number)
    told = [Sentence(text=s.text, sources=tuple(sorted(new[at] for at in s.sources))) for s in sentences]
    return Synthesis(sentences=told, sources=kept, by=by)


def _sentences(text: str) -> list[str]:
    pieces = (" ".join(piece.split()) for piece in _END.split(text))
    return [piece for piece in pieces if _LEAST_CHARACTERS <= len(piece) <= MOST_CHARACTERS and piece[-1] in '.!?…"»”)']


def _nearness(query: str, texts: Sequence[str], embed: Embed | None) -> list[float]:
    of_words = nearness(query, texts)
    if embed is None or not texts:
        return of_words
    vectors = embed([query, *texts])
    return [0.8 * max(0.0, float(m)) + 0.2 * w for m, w in zip(vectors[1:] @ vectors[0], of_words, strict=True)]


def _share(one: set[str], other: set[str]) -> float:
    return len(one & other) / (min(len(one), len(other)) or 1)
