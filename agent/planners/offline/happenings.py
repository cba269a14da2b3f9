"""Whether words tell that something happens, or only who is where and when; and whether one comes for another."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.planners.offline.lexicon import LEXICON_FOLDER, Lexicon
from agent.planners.offline.text import tokenise
from configs.yaml_file import load_yaml_model

__all__ = ["Happening", "happening", "recasts"]

Happening = Literal["nothing", "leisure", "something"]
"""`leisure`: they play, have fun, meet: what exactly is open."""

_TONGUES = ("en", "it", "de", "es", "fr")


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    en: list[str]
    it: list[str]
    de: list[str]
    es: list[str]
    fr: list[str]


class _PlainWords(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    function: _Words
    making: _Words
    feelings: _Words
    leisure: _Words
    looking: _Words
    recasting: _Words
    scenery_lexicons: list[str]
    speech_lexicons: list[str]


def _keys(texts: Iterable[str]) -> set[str]:
    return {token.key.strip("'") for text in texts for token in tokenise(text) if token.is_word}


def _all(words: _Words) -> list[str]:
    return [word for tongue in _TONGUES for word in getattr(words, tongue)]


@cache
def _words_of(lexicons: tuple[str, ...]) -> frozenset[str]:
    """Every word of these lexicons."""
    read = [load_yaml_model(LEXICON_FOLDER / f"{name}.yaml", Lexicon) for name in lexicons]
    return frozenset(
        _keys(phrase for lexicon in read for entry in lexicon.entries.values() for _, phrase in entry.phrases())
    )


@cache
def _own() -> _PlainWords:
    return load_yaml_model(Path(__file__).with_name("direction") / "plain_words.yaml", _PlainWords)


@cache
def _plain() -> tuple[frozenset[str], frozenset[str]]:
    """Words that tell no action, and words of leisure."""
    own = _own()
    return (
        (_words_of(tuple(own.scenery_lexicons)) - _keys(_all(own.looking)))
        | _keys([*_all(own.function), *_all(own.making), *_all(own.feelings)]),
        frozenset(_keys(_all(own.leisure))),
    )


def happening(action: str, names: Iterable[str], speaks: bool) -> Happening:
    """What the words of a scene tell.

    Args:
        action: the words.
        names: of whoever is in the cast; they tell no action.
        speaks: somebody says a line, so that `says` and `whispers` are about that.
    """
    if not action:
        return "nothing"
    plain, leisure = _plain()
    words = _keys([action]) - plain - _keys(names)
    if speaks and words:
        words -= _words_of(tuple(_own().speech_lexicons))
    if not words:
        return "nothing"
    return "leisure" if words <= leisure else "something"


def recasts(text: str) -> bool:
    """Whether a request asks for one person in another one's stead."""
    return bool(_keys([text]) & _keys(_all(_own().recasting)))
