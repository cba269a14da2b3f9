"""From a written line to what a voice can say, keeping track of which word each sound belongs to.

Two steps. `clean_line` gives the line as it is shown: no control characters, no emoji, no markup. `spoken_form` gives
what the engine is fed: respelled where the lexicon says so, with for every character the word it came from, so that
times found by position come back to the words as they are written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.timeline import SpokenWord

__all__ = ["SpokenForm", "clean_line", "spoken_form", "time_words", "words_of"]

_TAG = re.compile(r"</?[A-Za-z!?][^<>]{0,400}>")
_KEPT_SYMBOLS = frozenset("°")
_MARKDOWN = str.maketrans({"*": None, "`": None, "~": None, "#": None, "|": " ", "\\": " "})


def clean_line(text: str) -> str:
    """The line without what nobody says: markup, emoji, control and direction characters; spaces made single."""
    plain = _TAG.sub(" ", unicodedata.normalize("NFC", text)).translate(_MARKDOWN)
    kept = []
    for char in plain:
        category = unicodedata.category(char)
        if char.isspace() or category == "Cc":
            kept.append(" ")
        elif category[0] == "C" or char in "\ufe0e\ufe0f\u20e3":
            continue
        elif category in ("So", "Sk") and char not in _KEPT_SYMBOLS:
            kept.append(" ")
        else:
            kept.append(char)
    return " ".join("".join(kept).split())


def _is_sound(token: str) -> bool:
    return any(char.isalnum() for char in token)


def words_of(line: str) -> list[str]:
    """The words of a cleaned line; a dash or dots that stand alone go with the word before (or after, at the start)."""
    words: list[str] = []
    lead = ""
    for token in line.split():
        if _is_sound(token):
            words.append(f"{lead} {token}".strip())
            lead = ""
        elif words:
            words[-1] += f" {token}"
        else:
            lead = f"{lead} {token}".strip()
    return words


@dataclass(frozen=True)
class SpokenForm:
    """What the engine is fed: `text`, and for each of its characters the index of the word it belongs to."""

    text: str
    word_of: tuple[int, ...]


_CORE = re.compile(r"[^\W_]+(?:['’\-.][^\W_]+)*", re.UNICODE)
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}", re.UNICODE | re.IGNORECASE)
_PUNCTUATION = {
    "…": ".", "—": ",", "–": ",", "―": ",", "(": ",", ")": ",", "[": ",", "]": ",", "{": ",", "}": ",",
    "/": " ", "_": " ", "<": " ", ">": " ", '"': " ", "“": " ", "”": " ", "„": " ", "«": " ", "»": " ", "^": " ",
    "’": "'", "‘": "'",
}  # fmt: skip


def _is_shouted(word: str) -> bool:
    """Whether capitals are for loudness: then they are not to be spelled out as letters."""
    letters = [char for char in word if char.isalpha()]
    return len(letters) >= 2 and all(char.isupper() for char in letters)


def _punctuated(part: str) -> str:
    return "".join(_PUNCTUATION.get(char, char) for char in part)


def _said(word: str, lexicon: Mapping[str, str], lower: bool) -> str:
    """One word respelled for the engine."""
    match = _CORE.search(word)
    if match is None:
        return _punctuated(word)
    core = match.group()
    entry = lexicon.get(core.lower().replace("’", "'"))
    # "Nooo", "soooo": a voice knows the word, not the drawing-out. "Shhhh" may be in the lexicon as "shh" or "sh".
    for kept in (2, 1):
        if entry is None:
            entry = lexicon.get(_shortened(core, kept).lower())
    if entry is None:
        core = _shortened(core, 1)
        entry = core.lower() if lower else core
    head, tail = word[: match.start()], word[match.end() :]
    return _punctuated(head) + entry.replace("’", "'") + _punctuated(re.sub(r"[!?]{2,}", _strongest, tail))


def _shortened(word: str, kept: int) -> str:
    """Letters that stand three times or more, `kept` times."""
    return _DRAWN_OUT.sub(lambda run: run.group(1) * kept, word)


def _strongest(run: re.Match[str]) -> str:
    return "?" if "?" in run.group() else "!"


def spoken_form(words: Sequence[str], lexicon: Mapping[str, str]) -> SpokenForm:
    """Respell a line for the engine.

    Args:
        words: as `words_of` gives them.
        lexicon: by lower-case word: a respelling, or espeak phonemes as `[[...]]`.
    """
    shouted = sum(_is_shouted(word) for word in words)
    pieces: list[str] = []
    owner: list[int] = []
    for index, word in enumerate(words):
        letters = sum(char.isalpha() for char in word)
        # One short word in capitals may be initials (`U.S.`, `TV`); several, or a long one, are a raised voice.
        lower = _is_shouted(word) and (shouted > 1 or letters > 3)
        said = " ".join(_said(part, lexicon, lower) for part in word.split()) + " "
        pieces.append(said)
        owner.extend([index] * len(said))
    return SpokenForm("".join(pieces), tuple(owner))


def time_words(
    words: Sequence[str],
    starts: Sequence[tuple[int, float]],
    sounds: Sequence[tuple[float, float]],
) -> list[SpokenWord]:
    """Give each word its times.

    Args:
        words: the words of the line, in order.
        starts: (index of a word, seconds) for every start the engine told; some words have several (numbers), some
            none (`in the` is one sound to an engine): those share the time of the word before by their lengths.
        sounds: (start, end) in seconds of every sound that is not a pause, in order.

    Returns:
        One entry per word, in order, not overlapping; ends where its last sound ends, not after the pause.
    """
    first: dict[int, float] = {}
    for index, at in starts:
        if 0 <= index < len(words):
            first[index] = min(at, first.get(index, at))
    begin = sounds[0][0] if sounds else 0.0
    close = sounds[-1][1] if sounds else 0.0
    anchors = [0, *sorted(index for index in first if index > 0)]
    times = [begin if 0 not in first else min(close, max(begin, first[0]))]
    for anchor in anchors[1:]:
        times.append(min(close, max(times[-1], first[anchor])))

    timed: list[SpokenWord] = []
    for place, (anchor, at) in enumerate(zip(anchors, times, strict=True)):
        last = place + 1 == len(anchors)
        group = words[anchor : len(words) if last else anchors[place + 1]]
        bound = close if last else times[place + 1]
        ends = [end for start, end in sounds if at - 1e-6 <= start < bound - 1e-6]
        begins = [start for start, _ in sounds if at - 1e-6 <= start < bound - 1e-6]
        end = max(at, min(bound, ends[-1])) if ends else bound
        start = max(at, begins[0]) if begins else at
        weights = [1 + sum(char.isalnum() for char in word) for word in group]
        total, gone = sum(weights), 0
        for word, weight in zip(group, weights, strict=True):
            here = start + (end - start) * gone / total
            gone += weight
            timed.append(SpokenWord(text=word, start=here, end=start + (end - start) * gone / total))
    return timed
