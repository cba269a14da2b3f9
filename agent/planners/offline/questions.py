"""Recognising a question: topics are known by phrases in `direction/answers.yaml`, the longest one found wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.planners.offline.direction import ByTongue, Tongue, fill
from agent.planners.offline.lexicon import expand
from agent.planners.offline.text import tokenise
from agent.planners.offline.wordlists import words
from configs.yaml_file import load_yaml_model

__all__ = ["Answers", "Topic", "find_topic", "load_answers", "shot_number", "words_of"]

MOST_BETWEEN = 5
"""How many words `...` in a phrase stands for at most."""
_GAP = "..."


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PhrasesByTongue(_Model):
    """The phrases a topic is asked with."""

    en: list[str] = Field(min_length=1)
    it: list[str] = Field(min_length=1)


class Topic(_Model):
    """One kind of question.

    Attributes:
        says: the answer, where it is always the same.
        about_storyboard, about_cast: what it is answered from otherwise.
    """

    kind: Literal["question", "smalltalk"] = "question"
    asks: PhrasesByTongue
    says: ByTongue | None = None
    about_storyboard: bool = False
    about_cast: bool = False

    @model_validator(mode="after")
    def _patterns_are_whole(self) -> Topic:
        for pattern in [*self.asks.en, *self.asks.it]:
            expand(pattern.replace(_GAP, ""))
        return self


class ShotWords(_Model):
    """Words for shots and for their numbers."""

    en: list[str]
    it: list[str]


class Ordinals(_Model):
    """Number words by language; -1 is the last."""

    en: dict[str, int]
    it: dict[str, int]


class Answers(_Model):
    """The whole file."""

    topics: dict[str, Topic]
    known_as: dict[str, str] = Field(description="the reader's topics, as topics of this file")
    out_of_scope: str = Field(description="the reader's topic for what no studio can answer")
    replies: dict[str, ByTongue]
    ordinals: Ordinals
    shot_words: ShotWords
    clothes: dict[str, ByTongue]
    sheet_words: dict[str, str] = Field(description="words of the character sheets, English to Italian")
    pose_words: dict[str, str] = Field(description="poses in Italian")

    @model_validator(mode="after")
    def _topics_exist(self) -> Answers:
        missing = set(self.known_as.values()) - set(self.topics)
        if missing:
            raise ValueError(f"known_as names no topic: {', '.join(sorted(missing))}")
        return self

    def say(self, reply: str, tongue: Tongue, /, **values: object) -> str:
        """A reply by its name, with its values filled in."""
        return fill(self.replies[reply].of(tongue), tongue, values)


@cache
def load_answers() -> Answers:
    """Read `direction/answers.yaml`.

    Raises:
        YamlProblem: it breaks the schema; names file and line.
    """
    return load_yaml_model(Path(__file__).with_name("direction") / "answers.yaml", Answers)


def words_of(text: str) -> list[str]:
    """The folded words and numbers of a text, marks dropped, elisions as words."""
    return [token.key.strip("'") for token in tokenise(text) if not token.is_mark and token.key.strip("'")]


@cache
def _index() -> Mapping[str, tuple[tuple[tuple[str, ...], ...], ...]]:
    """By topic: each phrase as its parts (between the gaps), each part as words."""
    index: dict[str, tuple[tuple[tuple[str, ...], ...], ...]] = {}
    for name, topic in load_answers().topics.items():
        patterns = [*topic.asks.en, *topic.asks.it]
        phrases = [
            tuple(tuple(words_of(part)) for part in form.split(_GAP) if part.strip())
            for pattern in patterns
            for form in expand(pattern)
        ]
        index[name] = tuple(dict.fromkeys(phrase for phrase in phrases if phrase and all(phrase)))
    return index


def find_topic(text: str) -> str | None:
    """The topic of a question, or None. Small talk counts only when it is about all that is said."""
    said = words_of(text)
    best: tuple[int, str] | None = None
    for name, phrases in _index().items():
        small = load_answers().topics[name].kind == "smalltalk"
        for phrase in phrases:
            size = sum(len(part) for part in phrase)
            if small and len(said) > size + 3:
                continue
            if (best is None or size > best[0]) and _found(said, phrase):
                best = (size, name)
    return best[1] if best else None


def _found(said: Sequence[str], parts: Sequence[Sequence[str]], start: int = 0, within: int | None = None) -> bool:
    """Whether the parts stand in `said` in order, no more than `MOST_BETWEEN` words between two of them."""
    if not parts:
        return True
    head, size = list(parts[0]), len(parts[0])
    last = len(said) - size if within is None else min(len(said) - size, start + within)
    return any(
        list(said[at : at + size]) == head and _found(said, parts[1:], at + size, MOST_BETWEEN)
        for at in range(start, last + 1)
    )


def shot_number(text: str) -> int | None:
    """The number of a shot that a question names: `shot 2`, `the third shot`, `l'ultima inquadratura`; -1 the last."""
    answers, said = load_answers(), words_of(text)
    nouns = {*answers.shot_words.en, *answers.shot_words.it}
    ordinals = {**answers.ordinals.it, **answers.ordinals.en}
    for at, word in enumerate(said):
        if word not in nouns:
            continue
        after = said[at + 1] if at + 1 < len(said) else ""
        before = said[at - 1] if at else ""
        if after.isdigit() and len(after) <= 4:
            return int(after)
        for neighbour in (before, after):
            if neighbour in ordinals:
                return ordinals[neighbour]
        if before in words("ordinal_endings") and at > 1 and said[at - 2].isdigit():
            return int(said[at - 2][:4])
    return None
