"""Verbs and little words of the action text, from `direction/telling.yaml`: their forms, and the present tense."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from agent.planners.offline.text import tokenise
from configs.yaml_file import load_yaml_model

__all__ = [
    "be",
    "grammar",
    "indicative",
    "known_verbs",
    "present",
    "telling_data",
    "third_person",
    "verb_forms",
    "word_set",
]


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    en: list[str] = []
    it: list[str] = []
    de: list[str] = []
    es: list[str] = []
    fr: list[str] = []


class _Number(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    one: str
    many: str


class _Telling(BaseModel):
    """`direction/telling.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verbs: list[str]
    doubled: list[str]
    endings_kept: list[str]
    endings_with_e: list[str]
    third_person: dict[str, str]
    be: dict[str, _Number]
    gerund_endings: _Words
    relatives: _Words
    between: _Words
    have: dict[str, str]
    joins: dict[str, str]
    copulas: _Words
    leading: _Words
    carriers: _Words
    trailing: _Words
    quality: list[str]
    ing_nouns: _Words
    film_looks: _Words
    purposes: _Words
    leads_to_purpose: _Words = Field(alias="for")
    states: _Words
    wishes: list[str]
    meanwhile: _Words


def _keys(written: Collection[str]) -> frozenset[str]:
    return frozenset(token.key for word in written for token in tokenise(word) if token.is_word)


@dataclass(frozen=True)
class _Grammar:
    """The data by language, as sets of folded words."""

    data: _Telling
    gerunds: dict[str, str]
    finite: frozenset[str]
    quality: tuple[tuple[str, ...], ...]


@cache
def telling_data() -> _Telling:
    return load_yaml_model(Path(__file__).with_name("direction") / "telling.yaml", _Telling)


@cache
def word_set(kind: str, language: str) -> frozenset[str]:
    return _keys(getattr(getattr(telling_data(), kind), language))


@cache
def grammar() -> _Grammar:
    data = telling_data()
    doubled = frozenset(data.doubled)
    gerunds = {_gerund(verb, doubled): verb for verb in data.verbs}
    finite = frozenset({*data.verbs, *(_third(verb, data.third_person) for verb in data.verbs)})
    quality = tuple(tuple(token.key for token in tokenise(phrase)) for phrase in data.quality)
    return _Grammar(data, gerunds, finite, quality)


@cache
def verb_forms() -> frozenset[str]:
    """Every English form of the verbs that are known by name; none of them is another word misspelled."""
    known = grammar()
    return known.finite | frozenset(known.gerunds)


def _gerund(verb: str, doubled: frozenset[str]) -> str:
    """`run` -> running, `make` -> making, `lie` -> lying."""
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and verb[-2] not in "eoy":
        return verb[:-1] + "ing"
    return verb + verb[-1] + "ing" if verb in doubled else verb + "ing"


def _third(verb: str, irregular: dict[str, str]) -> str:
    """`run` -> runs, `carry` -> carries, `watch` -> watches."""
    if verb in irregular:
        return irregular[verb]
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "z", "o")) else "s")


def be(language: str, many: bool) -> str:
    forms = telling_data().be[language]
    return forms.many if many else forms.one


def present(gerund: str, many: bool) -> str:
    """`running` -> runs or run."""
    known = grammar()
    base = known.gerunds.get(gerund) or _stem(gerund[:-3])
    return base if many else _third(base, known.data.third_person)


def indicative(told: str, many: bool) -> str | None:
    """`Luca should hug the dog` -> Luca hugs the dog; None where no verb follows the wish."""
    match = re.search(rf"\b(?:{'|'.join(telling_data().wishes)})\s+(\w+)", told)
    if match is None or match[1].lower() not in known_verbs():
        return None
    verb = match[1] if many else _third(match[1], grammar().data.third_person)
    return f"{told[: match.start()]}{verb}{told[match.end() :]}"


def third_person(verb: str) -> str | None:
    """`run` -> runs, for a verb that is known in its plain form."""
    return _third(verb, grammar().data.third_person) if verb in known_verbs() else None


@cache
def known_verbs() -> frozenset[str]:
    """The plain forms of the verbs that are known by name."""
    return frozenset(grammar().data.verbs)


def _stem(stem: str) -> str:
    """The plain form of a verb that is not in the list: `doodl` -> doodle, `hik` -> hike, `jump` -> jump."""
    vowels = "aeiouy"
    if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "lszf":
        return stem[:-1]
    if len(stem) < 3:
        return stem
    before, last = stem[-2], stem[-1]
    if last in "vuzc" or (last == "l" and before not in vowels and before != "l") or (last == "g" and before in "nd"):
        return stem if stem.endswith(tuple(telling_data().endings_kept)) else stem + "e"
    short = before in vowels and stem[-3] not in vowels and last not in "wxy"
    syllables = sum(1 for i, char in enumerate(stem) if char in vowels and (i == 0 or stem[i - 1] not in vowels))
    if short and (syllables == 1 or stem.endswith(tuple(telling_data().endings_with_e))):
        return stem + "e"
    return stem
