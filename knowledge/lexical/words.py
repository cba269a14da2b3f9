"""A text as the words it is found by: small letters, no accents, no endings, in English and in Italian at once.

The endings are those of two light stemmers, applied one after the other whatever the language, so that a request and a
passage are always folded alike: plural and -ing, -ed, -ly of English (after D. Harman, How effective is suffixing?,
JASIS 42, 1991), the vowels that Italian words end in (after J. Savoy, Light stemming approaches for ... Italian, 2006).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from configs.yaml_file import load_yaml_model

__all__ = ["fold_word", "is_italian", "words_of"]

_WORD = re.compile(r"[^\W_]+")
MAX_CHARS = 64
"""A longer run of letters is no word; only its beginning counts."""


class _StopWords(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    english: list[str]
    italian: list[str]


@cache
def _stop_words() -> frozenset[str]:
    listed = load_yaml_model(Path(__file__).with_name("stop_words.yaml"), _StopWords)
    return frozenset(listed.english) | frozenset(listed.italian)


@cache
def _small_words() -> tuple[frozenset[str], frozenset[str]]:
    """Those of Italian alone, and those of English alone."""
    listed = load_yaml_model(Path(__file__).with_name("stop_words.yaml"), _StopWords)
    english, italian = frozenset(listed.english), frozenset(listed.italian)
    return italian - english, english - italian


def is_italian(text: str) -> bool:
    """Whether a text has more small words of Italian than of English; False where it has none of either."""
    italian, english = _small_words()
    words = _WORD.findall(_plain(text))
    return sum(word in italian for word in words) > sum(word in english for word in words)


def words_of(text: str) -> list[str]:
    """The words a text is found by, in order, each as often as it stands there."""
    stop = _stop_words()
    words = (word for word in _WORD.findall(_plain(text)) if word not in stop)
    return [fold_word(word) for word in words if len(word) > 1 or not word.isascii()]


def _plain(text: str) -> str:
    """In small letters without accents, as stop_words.yaml is written."""
    # The long s, ligatures and full-width letters are letters, too; accents are dropped with the combining marks.
    flat = unicodedata.normalize("NFKD", text).casefold()
    return flat if flat.isascii() else "".join(letter for letter in flat if not unicodedata.combining(letter))


def fold_word(word: str) -> str:
    """A word without its ending; `word` in small letters and without accents. The same word is always folded alike."""
    word = word[:MAX_CHARS]
    if len(word) <= 3 or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "i"
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ingly", "ing", "edly", "ed", "ly"):
        stem = word[: -len(ending)]
        if word.endswith(ending) and len(stem) >= 3 and set(stem) & set("aeiouy"):
            word = stem[:-1] if stem[-1] == stem[-2] and stem[-1] not in "lsz" else stem
            break
    return _without_last_vowel(word[:-1] + "i" if word.endswith("y") else word)


def _without_last_vowel(word: str) -> str:
    """`spiaggia` and `spiagge`, `bosco` and `boschi`, `scene` and `scen(es)` become one."""
    if len(word) > 4 and word[-1] in "aeio":
        word = word[:-1]
        if len(word) > 4 and word[-1] in "ih":
            word = word[:-1]
    return word
