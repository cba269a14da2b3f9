"""Word lists of the reader: small closed sets of words (articles, joiners, verbs of naming), kept as data.

`lexicons/lists/*.yaml` hold them by name and language, one file a subject, with the same endings as the lexicons
(`wave(|s)`). Code asks for a list by its name: as a set of folded words (`words`), as phrases of folded words
(`phrases`), or within a pattern of its own (`pattern(r"\\b(?:{naming}) it\\b")`). Nothing is read at import.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from agent.planners.offline.lexicon import LANGUAGES, LEXICON_FOLDER, expand
from agent.planners.offline.text import fold, tokenise
from configs.yaml_file import YamlProblem, load_yaml_model

__all__ = [
    "LISTS_FOLDER",
    "Lists",
    "WordList",
    "holds",
    "load_lists",
    "pattern",
    "phrases",
    "starts_with",
    "word_values",
    "words",
    "words_in",
]

LISTS_FOLDER = LEXICON_FOLDER / "lists"
MOST_WORDS = 12
"""No phrase of a list is longer."""
_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class WordList(BaseModel):
    """One list. Order within a language is kept: in a pattern the first alternative that fits wins.

    Attributes:
        about: what the words have in common, for whoever edits them.
        value: for lists of amounts: what the words multiply by, or how much they mean.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = Field(min_length=1)
    en: tuple[str, ...] = ()
    it: tuple[str, ...] = ()
    de: tuple[str, ...] = ()
    es: tuple[str, ...] = ()
    fr: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    value: float | None = None

    @field_validator(*LANGUAGES, mode="before")
    @classmethod
    def _words_are_quoted(cls, given: Any) -> Any:
        if isinstance(given, list) and any(not isinstance(word, str) for word in given):
            raise ValueError("put yes, no, on, off and numbers in quotes: without them YAML reads no word")
        return given

    @model_validator(mode="after")
    def _forms_are_whole(self) -> WordList:
        if not self.forms():
            raise ValueError("the list holds no word")
        return self

    def forms(self) -> tuple[str, ...]:
        """Every form of every language, as written, each once."""
        written = [form for language in LANGUAGES for word in getattr(self, language) for form in expand(word)]
        return tuple(dict.fromkeys(form for form in written if form))


class Lists(BaseModel):
    """One file of `lexicons/lists/`."""

    model_config = ConfigDict(extra="forbid")

    about: str = Field(min_length=1, description="one sentence for whoever edits the file")
    lists: dict[str, WordList] = Field(min_length=1)

    @field_validator("lists")
    @classmethod
    def _names_are_names(cls, lists: dict[str, WordList]) -> dict[str, WordList]:
        for name in lists:
            if not _SLOT.fullmatch(f"{{{name}}}"):
                raise ValueError(f"{name!r} is no name of a list: small letters, digits and _ only")
        return lists


def load_lists(folder: Path = LISTS_FOLDER) -> dict[str, WordList]:
    """Every list of a folder by its name.

    Raises:
        YamlProblem: a file is malformed or breaks the schema, or a name stands in two files; names file and line.
    """
    found: dict[str, WordList] = {}
    for path in sorted(folder.glob("*.yaml")):
        for name, words_ in load_yaml_model(path, Lists).lists.items():
            if name in found:
                lines = path.read_text(encoding="utf-8").splitlines()
                line = next((n for n, text in enumerate(lines, 1) if text.strip().startswith(f"{name}:")), 1)
                raise YamlProblem(f"the list {name!r} stands in another file too", where=f"{path}:{line}")
            found[name] = words_
    return found


@cache
def _lists() -> Mapping[str, WordList]:
    return load_lists()


@cache
def words(*names: str) -> frozenset[str]:
    """The folded words of these lists, as `Token.key` has them; a phrase of several words stands as one string."""
    return frozenset(" ".join(_keys(form)) for name in names for form in _lists()[name].forms())


@cache
def words_in(language: str, *names: str) -> frozenset[str]:
    """As `words`, of one language alone."""
    forms = (form for name in names for word in getattr(_lists()[name], language) for form in expand(word))
    return frozenset(" ".join(_keys(form)) for form in forms)


@cache
def phrases(*names: str) -> tuple[tuple[str, ...], ...]:
    """The words of these lists as folded tokens, longest first."""
    found = dict.fromkeys(_keys(form) for name in names for form in _lists()[name].forms())
    return tuple(sorted(found, key=len, reverse=True))


def starts_with(keys: Sequence[str], *names: str) -> int:
    """How many of the folded words `keys` begin with make up the longest phrase of these lists; 0: they do not."""
    return next((len(phrase) for phrase in phrases(*names) if tuple(keys[: len(phrase)]) == phrase), 0)


def holds(keys: Sequence[str], *names: str) -> bool:
    """Whether a phrase of these lists stands among folded words."""
    opening = _first_words(*names)
    return any(key in opening and starts_with(keys[at : at + MOST_WORDS], *names) for at, key in enumerate(keys))


@cache
def _first_words(*names: str) -> frozenset[str]:
    return frozenset(phrase[0] for phrase in phrases(*names))


@cache
def word_values(*names: str) -> Mapping[str, float]:
    """Folded words of lists that have a value, with it."""
    return {word: float(_lists()[name].value or 0.0) for name in names for word in words(name)}


@cache
def pattern(template: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    """A regular expression with each `{name}` replaced by the alternation of that list, longest words first.

    Quantifiers in braces (`{0,3}`) stay as they are. Spaces within a phrase match any white space, an apostrophe
    matches the typographic one too.
    """
    return re.compile(_SLOT.sub(lambda slot: _alternation(slot[1]), template), flags)


@cache
def _alternation(name: str) -> str:
    forms = sorted(_lists()[name].forms(), key=len, reverse=True)
    return "|".join(re.escape(form).replace("\\ ", r"\s+").replace("'", "['’]") for form in forms)


def _keys(form: str) -> tuple[str, ...]:
    """The folded words of a form, cut as the reader cuts a message; `'s` and `'n'` are one word."""
    if form.startswith("'"):
        head, _, rest = form.partition(" ")
        return (fold(head), *(token.key for token in tokenise(rest)))
    return tuple(token.key for token in tokenise(form)) or (fold(form),)
