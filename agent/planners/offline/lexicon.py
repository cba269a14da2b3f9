"""Lexicons: the words of each subject, read from `lexicons/*.yaml` and looked up as phrases.

A word may carry endings: `corr(e|ono|endo)` stands for corre, corrono and correndo; `wave(|s)` for wave and waves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.intent import OutputKind
from agent.planners.offline.text import Token, tokenise
from configs.yaml_file import load_yaml_model
from tools.storyboard import Aspect, Camera, Delivery, Emotion, Facing, Framing, Look, Mood, TimeOfDay, Weather

__all__ = ["LEXICON_FOLDER", "Entry", "Lexicon", "Match", "PhraseIndex", "expand", "load_lexicons"]

LEXICON_FOLDER = Path(__file__).parent / "lexicons"
LANGUAGES: tuple[Literal["en", "it", "de", "es", "fr", "any"], ...] = ("en", "it", "de", "es", "fr", "any")

_CLOSED: dict[str, Any] = {
    "time": TimeOfDay,
    "weather": Weather,
    "emotion": Emotion,
    "framing": Framing,
    "camera": Camera,
    "mood": Mood,
    "delivery": Delivery,
    "facing": Facing,
    "aspect": Aspect,
    "output": OutputKind,
}
"""Subjects whose ids are fixed by the storyboard; any other id in their file is an error."""
_GROUP = re.compile(r"\(([^()]*)\)")


class Entry(BaseModel):
    """The words that mean one id, by language; `any` is for signs and words that are the same everywhere.

    Attributes:
        instead: for a place: id of the drawn place that stands in while this one is not drawn.
        unlike: for a place: no drawn one is really like it; `instead` is only where it is set for now.
        weak: counts only when nothing else of the subject is named (`Portorosso` beside `beach`).
        capital: counts only when written with a capital (names that are ordinary words too).
        value: for numbers and for factors.
        look: for nouns and adjectives of persons: fields of `Look` that they set.
        careful: those of the words that count only beside a noun of the studio (`close shot`, not `close the door`).
        goes_with: a subject-specific hint: the mood of an emotion, the group of a verb.
    """

    model_config = ConfigDict(extra="forbid")

    en: list[str] = Field(default_factory=list)
    it: list[str] = Field(default_factory=list)
    de: list[str] = Field(default_factory=list)
    es: list[str] = Field(default_factory=list)
    fr: list[str] = Field(default_factory=list)
    any: list[str] = Field(default_factory=list)
    instead: str | None = None
    unlike: bool = False
    weak: bool = False
    capital: bool = False
    value: float | None = None
    look: dict[str, Any] = Field(default_factory=dict)
    goes_with: str | None = None
    careful: list[str] = Field(default_factory=list)

    @field_validator(*LANGUAGES, mode="before")
    @classmethod
    def _words_are_quoted(cls, words: Any) -> Any:
        if isinstance(words, list) and any(not isinstance(word, str) for word in words):
            raise ValueError("put yes, no, on, off and numbers in quotes: without them YAML reads no word")
        return words

    @model_validator(mode="after")
    def _look_is_a_look(self) -> Entry:
        Look.model_validate(self.look)
        return self

    def phrases(self) -> Iterator[tuple[str, str]]:
        """(language, phrase) of every form."""
        for language in LANGUAGES:
            for pattern in getattr(self, language):
                for phrase in expand(pattern):
                    yield language, phrase


class Lexicon(BaseModel):
    """One file of `lexicons/`: the entries of one subject."""

    model_config = ConfigDict(extra="forbid")

    about: str = Field(min_length=1, description="one sentence for whoever edits the file")
    subject: str = Field(pattern=r"^[a-z_]+$")
    entries: dict[str, Entry]

    @model_validator(mode="after")
    def _ids_are_known(self) -> Lexicon:
        closed = _CLOSED.get(self.subject)
        if closed is not None:
            unknown = sorted(set(self.entries) - set(get_args(closed)))
            if unknown:
                raise ValueError(f"{unknown[0]!r} is no {self.subject}; there are: {', '.join(get_args(closed))}")
        return self


def expand(pattern: str) -> list[str]:
    """Every form of a pattern with endings: `wave(|s)` -> wave, waves.

    Raises:
        ValueError: a bracket is not closed.
    """
    forms = [""]
    rest = pattern
    while match := _GROUP.search(rest):
        head, endings = rest[: match.start()], match.group(1).split("|")
        forms = [form + head + ending for form in forms for ending in endings]
        rest = rest[match.end() :]
    if "(" in rest or ")" in rest:
        raise ValueError(f"{pattern!r} has a bracket that is not closed")
    return [" ".join((form + rest).split()) for form in forms]


def load_lexicons(folder: Path = LEXICON_FOLDER) -> dict[str, Lexicon]:
    """Every lexicon of a folder by subject.

    Raises:
        YamlProblem: a file is malformed or breaks the schema; names the file and the line.
    """
    lexicons: dict[str, Lexicon] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.stem == "sentences":  # What the reader says, not what it reads: see say.py.
            continue
        lexicon = load_yaml_model(path, Lexicon)
        if lexicon.subject in lexicons:
            lexicons[lexicon.subject].entries.update(lexicon.entries)
        else:
            lexicons[lexicon.subject] = lexicon
    return lexicons


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase of a lexicon found in a message: tokens `start` to `end` (exclusive) mean `subject` = `id`."""

    subject: str
    id: str
    start: int
    end: int
    entry: Entry = field(compare=False, repr=False)


class PhraseIndex:
    """All phrases of all lexicons in one tree of folded words; the longest phrase at a place wins."""

    def __init__(self, lexicons: Iterable[Lexicon]) -> None:
        self._root = _Node()
        self.words: dict[str, set[str]] = {}
        """Folded word -> subjects it occurs in."""
        self.single: dict[str, dict[str, set[str]]] = {}
        """Subject -> phrases of one word -> languages."""
        for lexicon in lexicons:
            for id_, entry in lexicon.entries.items():
                for language, phrase in entry.phrases():
                    self._add(lexicon.subject, id_, entry, language, phrase)

    def _add(self, subject: str, id_: str, entry: Entry, language: str, phrase: str) -> None:
        node = self._root
        tokens = [token for token in tokenise(phrase) if token.text != "-"]
        for token in tokens:
            node = node.next.setdefault(token.key, _Node())
            self.words.setdefault(token.key, set()).add(subject)
        if len(tokens) == 1:
            self.single.setdefault(subject, {}).setdefault(tokens[0].key, set()).add(language)
        for known in node.meanings:
            if (known.subject, known.id) == (subject, id_):
                known.languages.add(language)
                return
        node.meanings.append(_Meaning(subject, id_, entry, {language}))

    def __contains__(self, key: object) -> bool:
        return key in self.words

    def find(
        self, tokens: Sequence[Token], subjects: frozenset[str], language: str, common: frozenset[str] = frozenset()
    ) -> list[Match]:
        """Matches from left to right, none inside another; several may share a place when a word has more meanings.

        A phrase of another language counts only when no phrase of `language` stands there, and a single word of
        another language only when it is long and none of the `common` words of this one (`come`, `place`, `court`).
        """
        found: list[Match] = []
        at = 0
        while at < len(tokens):
            meanings, end = self._longest(tokens, at, subjects, language, common)
            found += [Match(m.subject, m.id, at, end, m.entry) for m in meanings]
            at = end if meanings else at + 1
        return found

    def _longest(
        self, tokens: Sequence[Token], start: int, subjects: frozenset[str], language: str, common: frozenset[str]
    ) -> tuple[list[_Meaning], int]:
        node, at = self._root, start
        best: list[_Meaning] = []
        end = start
        while at < len(tokens):
            if tokens[at].text == "-" and at > start:  # `close-up` and `close up` are one.
                at += 1
                continue
            following = node.next.get(tokens[at].key)
            if following is None:
                break
            node, at = following, at + 1
            here = [
                meaning
                for meaning in node.meanings
                if meaning.subject in subjects and not (meaning.entry.capital and not tokens[start].text[0].isupper())
            ]
            own = [meaning for meaning in here if language in meaning.languages or "any" in meaning.languages]
            if not own and at - start == 1 and (len(tokens[start].key) < 5 or tokens[start].key in common):
                here = []
            here = own or here
            if here:
                best, end = here, at
        return best, end


@dataclass(slots=True)
class _Meaning:
    subject: str
    id: str
    entry: Entry
    languages: set[str]


@dataclass(slots=True)
class _Node:
    next: dict[str, _Node] = field(default_factory=dict)
    meanings: list[_Meaning] = field(default_factory=list)
