"""Reads what a person wants for good out of what they say: whole sentences only, and only of words that are known.

What is read here is what the person typed; a pasted script, a quoted line, a page or a document is none of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import load_yaml_model

__all__ = ["Said", "load_wording", "read_wishes"]

Tongue = Literal["en", "it"]
TONGUES: tuple[Tongue, ...] = ("en", "it")
LONGEST_MESSAGE = 400
MOST_LINES = 3
"""What is longer is a script or a text of somebody else's, pasted: nothing in it is taken for a wish for good."""
LONGEST_NAME = 40
_BETWEEN = re.compile(
    r",|\s+(?:and|but|e|ma)\s+(?=(?:always|never|from now on|sempre|mai|d['’]ora in poi)\b)", re.IGNORECASE
)
"""Between two wishes, or between a request and a wish, of one sentence."""
_NOT_NAMES = {
    "a",
    "an",
    "the",
    "not",
    "when",
    "if",
    "later",
    "back",
    "maybe",
    "crazy",
    "it",
    "quando",
    "se",
    "un",
    "una",
}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Model):
    """One value of a kind: the ways to say it, and how it is told."""

    read: dict[Tongue, list[str]]
    say: dict[Tongue, str]


class Kind(_Model):
    """What can be wished for."""

    topic: dict[Tongue, list[str]] = Field(default_factory=dict)
    values: dict[str, Value]


class Wording(_Model):
    """knowledge/preferences.yaml."""

    always: dict[Tongue, list[str]]
    never: dict[Tongue, list[str]]
    name: dict[Tongue, list[str]]
    filling: dict[Tongue, list[str]]
    kinds: dict[str, Kind]
    say: dict[str, dict[Tongue, str]]

    @model_validator(mode="after")
    def _said_once(self) -> Wording:
        for tongue in TONGUES:
            seen: dict[str, str] = {}
            for kind, value, phrase in self.phrases(tongue):
                if phrase in seen and seen[phrase] != f"{kind} {value}":
                    raise ValueError(f"{phrase!r} means both {seen[phrase]} and {kind} {value}")
                seen[phrase] = f"{kind} {value}"
        return self

    def phrases(self, tongue: Tongue) -> list[tuple[str, str, str]]:
        """(kind, value, phrase), the longest phrase first."""
        found = [
            (kind, value, phrase)
            for kind, entry in self.kinds.items()
            for value, words in entry.values.items()
            for phrase in words.read[tongue]
        ]
        return sorted(found, key=lambda one: (-len(one[2]), one[2]))


@dataclass(frozen=True)
class Said:
    """What a message says for good.

    Attributes:
        wishes: by kind (or `name`), the value.
        words: by kind, the sentence it was read from.
        rest: the message without those sentences; empty where it says nothing else.
        language: of the last of those sentences.
    """

    wishes: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    rest: str = ""
    language: Tongue = "en"


@cache
def load_wording() -> Wording:
    """The words of knowledge/preferences.yaml."""
    return load_yaml_model(Path(__file__).with_name("preferences.yaml"), Wording)


def read_wishes(text: str) -> Said:
    """What a message says for good; nothing where it is long, or where any word of the sentence is not understood."""
    if len(text) > LONGEST_MESSAGE or len(text.strip().splitlines()) > MOST_LINES:
        return Said(rest=text)
    wording = load_wording()
    wishes: dict[str, str] = {}
    words: dict[str, str] = {}
    rest = ""
    for sentence in re.findall(r"[^.!?;\n]+[.!?;\n]*|[.!?;\n]+", _whole_numbers(_without_quotes(text))):
        found, kept = _read_sentence(sentence, wording)
        if "name" in found and "\n" in text.strip():
            found, kept = {}, sentence  # A line of a script, perhaps.
        wishes |= found
        words |= dict.fromkeys(found, " ".join(sentence.split()))
        rest += kept
    if not wishes:
        return Said(rest=text)
    if "\0" in rest:
        # Something stands in quotation marks: the sentence that holds it is left as it was.
        return Said(rest=text)
    said = " ".join(words.values())
    return Said(wishes, words, rest.strip(" ,;\n"), "it" if _is_italian(said, wording) else "en")


def _is_italian(text: str, wording: Wording) -> bool:
    plain = f" {_plain(text)} "
    openings = [*wording.always["it"], *wording.never["it"], *wording.name["it"]]
    return any(f" {one} " in plain for one in openings)


def _without_quotes(text: str) -> str:
    """Quoted words are somebody's line: what stands in quotation marks is not looked at."""
    return re.sub(r"“[^”]*”?|«[^»]*»?|„[^“”]*[“”]?|\"[^\"]*\"?", "\0", text)


def _whole_numbers(text: str) -> str:
    return re.sub(r"(?<=\d)\s*:\s*(?=\d)", ":", text)


def _read_sentence(sentence: str, wording: Wording) -> tuple[dict[str, str], str]:
    """What it says for good, and what of it is left to be understood otherwise."""
    if found := _read_clause(sentence, wording):
        return found, ""
    between = list(_BETWEEN.finditer(sentence))
    if not between:
        return {}, sentence
    last = between[-1]
    head, tail = sentence[: last.start()].rstrip(" ,"), sentence[last.end() :]
    found = _read_clause(re.sub(r"^\s*(and|e)\s+", "", tail), wording)
    if not found or "name" in found:
        return {}, sentence
    # `always upright, never music`: what stands before the comma may be a wish, too.
    before, left = _read_sentence(head, wording)
    if any(before.get(kind, value) != value for kind, value in found.items()):
        return {}, sentence  # Day and night at once.
    return before | found, left


def _read_clause(clause: str, wording: Wording) -> dict[str, str]:
    plain = _plain(clause)
    for tongue in TONGUES:
        for opening in sorted(wording.name[tongue], key=len, reverse=True):
            if plain.startswith(opening + " ") and (name := _name(clause, len(opening.split()))):
                return {"name": name}
        openings = [(one, True) for one in wording.always[tongue]] + [(one, False) for one in wording.never[tongue]]
        for opening, wanted in sorted(openings, key=lambda one: -len(one[0])):
            if f"{plain} ".startswith(opening + " "):
                return _values(plain[len(opening) :], tongue, wording, wanted=wanted)
    # `widescreen always`, `senza musica sempre`: the word stands at the end.
    for tongue, closing in (("en", " always"), ("en", " from now on"), ("it", " sempre"), ("it", " d'ora in poi")):
        if plain.endswith(closing):
            return _values(plain.removesuffix(closing), tongue, wording, wanted=True)
    return {}


def _values(rest: str, tongue: Tongue, wording: Wording, *, wanted: bool) -> dict[str, str]:
    """The values in what follows, if there is nothing else in it that says something."""
    left = f" {rest.strip()} "
    found: dict[str, str] = {}
    for kind, value, phrase in wording.phrases(tongue):
        if f" {phrase} " not in left:
            continue
        left = left.replace(f" {phrase} ", " | ", 1)
        if found.setdefault(kind, value) != value:
            return {}  # Day and night at once.
    if set(left.split()) - set(wording.filling[tongue]) - {"|"}:
        return {}
    if wanted:
        return found
    if any(set(wording.kinds[kind].values) != {"yes", "no"} for kind in found):
        return {}
    return {kind: "no" if value == "yes" else "yes" for kind, value in found.items()}


def _plain(clause: str) -> str:
    small = clause.casefold().replace("’", "'")
    return " ".join(re.findall(r"\d+:\d+|[\w']+|\0", small))


def _name(clause: str, skip: int) -> str:
    """One or two words, the first of them with a capital: a name, not `call me when it is done`."""
    words = re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", clause)[skip:]
    if not 1 <= len(words) <= 2 or any(not word[0].isupper() or word.casefold() in _NOT_NAMES for word in words):
        return ""
    name = " ".join(words)
    return name if len(name) <= LONGEST_NAME and "\0" not in clause else ""
