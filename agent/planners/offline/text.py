"""Text to tokens: cleaning, folding and cutting a message, with offsets that lead back to what was written."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from configs.yaml_file import load_yaml_model

__all__ = ["MAX_CHARS", "Token", "clean", "fold", "plain", "tokenise"]

MAX_CHARS = 12_000
"""Only this much of a message is read; a longer one is cut, and the reader says so."""

_ELISION_FILE = Path(__file__).parent / "lexicons" / "lists" / "elisions.yaml"
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'"})
_WORD = re.compile(r"\d+(?:[.,]\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*'?|[\u2600-\u27bf\U0001f300-\U0001faff]|[^\w\s]")
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200b\u202f\u3000]+")


class _Elisions(BaseModel):
    """The file of elisions: a word list as those of wordlists.py, read here, for those are cut by this module."""

    model_config = ConfigDict(extra="forbid")

    about: str
    lists: dict[str, dict[str, str | list[str]]]


@cache
def _closed(name: str) -> frozenset[str]:
    lists = load_yaml_model(_ELISION_FILE, _Elisions).lists
    return frozenset(word for words in lists[name].values() if isinstance(words, list) for word in words)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number, an emoji or a mark.

    Attributes:
        text: as written.
        key: folded: lower case, without accents; what lexicons are looked up with.
        start, end: offsets in the cleaned message.
    """

    text: str
    key: str
    start: int
    end: int

    @property
    def is_word(self) -> bool:
        """Letters, not a number or a mark."""
        return self.text[0].isalpha()

    @property
    def is_number(self) -> bool:
        """Digits, with or without a fraction."""
        return self.text[0].isdigit()

    @property
    def is_mark(self) -> bool:
        """Punctuation or another sign."""
        return not (self.text[0].isalnum() or self.text[0] == "'")


def clean(text: str) -> str:
    """The part of a message that is read: at most `MAX_CHARS`, no control characters, composed accents."""
    text = text[: MAX_CHARS * 2].replace("\r\n", "\n").replace("\r", "\n")
    kept = [
        char if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn") else " "
        for char in unicodedata.normalize("NFC", text)
    ]
    return _SPACES.sub(" ", "".join(kept)).strip()[:MAX_CHARS]


def plain(word: str) -> str:
    """Lower case without accents: `Città` -> `citta`."""
    if word.isascii():
        return word.lower()
    folded = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in folded if not unicodedata.combining(char))


def fold(word: str) -> str:
    """The lexicon key of a word; only the Italian verb `è` keeps its accent, for without it it is "and"."""
    low = word.lower()
    return "è" if low in ("è", "e'") else plain(low.translate(_QUOTES))


def tokenise(text: str) -> list[Token]:
    """Cut `text` into tokens; elisions and possessives are cut off, `30s` becomes `30` and `s`."""
    tokens: list[Token] = []
    for match in _WORD.finditer(text.translate(_QUOTES)):
        start, word = match.start(), match.group()
        if "'" not in word or not word[0].isalpha():
            tokens.append(Token(text[start : match.end()], fold(word), start, match.end()))
            continue
        tokens.extend(_split_apostrophes(text, word, start))
    return tokens


def _split_apostrophes(text: str, word: str, start: int) -> list[Token]:
    """Tokens of one word with apostrophes: `Luca's` -> Luca, 's; `all'alba` -> all', alba; `don't` stays."""

    def token(begin: int, end: int) -> Token:
        return Token(text[start + begin : start + end], fold(word[begin:end]), start + begin, start + end)

    tail = word.rstrip("'")
    if tail != word:  # A closing quote, or the possessive of a plural; `e'` is the verb, `po'` a word.
        if word.lower() in _closed("with_apostrophe"):
            return [token(0, len(word))]
        if plain(tail) in _closed("elided"):
            return [token(0, len(tail) + 1)]
        word = tail
        if "'" not in word:
            return [token(0, len(word))]
    found: list[Token] = []
    begin = 0
    while True:
        head, mark, rest = word[begin:].partition("'")
        cut = begin + len(head) + 1
        elided = plain(head) in _closed("elided") and not (head.lower() in ("n", "t", "s") and len(rest) < 2)
        if mark and rest and elided:  # `l'arte`, and `c'e'` with one more behind it.
            found.append(token(begin, cut))
            begin = cut
        elif mark and rest.lower() == "s":
            return [*found, token(begin, begin + len(head)), token(begin + len(head), len(word))]
        else:
            return [*found, token(begin, len(word))]
