"""How much of a line was heard: the word error rate, after what is only spelling was taken out.

Errors are substitutions, insertions and deletions of words, over the words that were written (NIST; Levenshtein).
Before that, case, punctuation, composed accents and contractions are made alike on both sides. What still differs may
sound the same ("25" and "twenty-five", "their" and "there"): where the embedded voice says both, phonemes decide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tools.errors import ToolError

__all__ = ["WordErrors", "normal_words", "pronounced", "word_errors"]

_CONTRACTIONS: dict[str, dict[str, str]] = {
    "en": {
        "can't": "cannot", "won't": "will not", "shan't": "shall not", "let's": "let us", "gonna": "going to",
        "wanna": "want to", "gotta": "got to", "'cause": "because", "y'all": "you all", "ma'am": "madam",
        "can not": "cannot", "ok": "okay",
    },
    "it": {"po'": "poco"},
    "es": {"pa'": "para"},
}  # fmt: skip
_ENDINGS = (("n't", " not"), ("'re", " are"), ("'ve", " have"), ("'ll", " will"), ("'m", " am"))
"""English; `'s` and `'d` mean several things: they are only split off, on both sides."""
_MOST_ASKED = 6
"""Differing places that are pronounced; where more differ, the line was not heard anyway."""


@dataclass(frozen=True)
class WordErrors:
    """What was heard against what was written.

    Attributes:
        rate: errors over written words; above 1 where much more was heard.
        errors, written: counts of words.
        missed: the first places that differ, as (written, heard).
    """

    rate: float
    errors: int
    written: int
    missed: tuple[tuple[str, str], ...]


def normal_words(text: str, language: str) -> list[str]:
    """The words of a text, made alike: case, punctuation, contractions, elisions.

    >>> normal_words("Don't go, it's 5 o'clock!", "en")
    ['do', 'not', 'go', 'it', 's', '5', 'o', 'clock']
    >>> normal_words("L\u2019acqua \u00e8 l\u00e0.", "it")
    ['l', 'acqua', '\u00e8', 'l\u00e0']
    """
    plain = unicodedata.normalize("NFKC", text).casefold().translate({0x2019: "'", 0x2018: "'", 0x02BC: "'", 0x60: "'"})
    for short, whole in _CONTRACTIONS.get(language, {}).items():
        plain = re.sub(rf"(?<!\w){re.escape(short)}(?!\w)", whole, plain)
    if language == "en":
        for ending, whole in _ENDINGS:
            plain = re.sub(rf"(?<=\w){re.escape(ending)}(?!\w)", whole, plain)
    # 1,000 and 1.000 are one number; 3.5 keeps its point as a word boundary on both sides.
    plain = re.sub(r"(?<=\d)[.,](?=\d{3}(?!\d))", "", plain)
    return re.findall(r"[^\W_]+", plain)


def pronounced(text: str, language: str) -> str:
    """Phonemes (IPA) of a text as the embedded voice says it, without stress and length; empty where it cannot."""
    from configs.voices import EspeakVoice, Prosody
    from tools.voice.espeak import EspeakSpeech, record_line

    if language not in EspeakSpeech.languages or not text:
        return ""
    voice = EspeakVoice(description="tells how words sound", timbre="modal", pitch=120)
    try:
        spoken = record_line(text, voice, Prosody(), language)
    except ToolError:
        return ""
    return "".join(char for _, _, ipa in spoken.sounds for char in ipa if char.isalpha() and char != "\u02d0")


def word_errors(
    written: str, heard: str, language: str, sound_of: Callable[[str, str], str] = pronounced
) -> WordErrors:
    """Compare what was heard with what was written.

    Args:
        written, heard: texts.
        language: of both.
        sound_of: (text, language) -> its phonemes, empty where nobody knows.
    """
    from rapidfuzz.distance import Levenshtein

    wanted, found = normal_words(written, language), normal_words(heard, language)
    errors = 0
    missed: list[tuple[str, str]] = []
    steps = [(s.tag, s.src_start, s.src_end, s.dest_start, s.dest_end) for s in Levenshtein.opcodes(wanted, found)]
    for operation in _places(steps):
        first, second = wanted[operation[0] : operation[1]], found[operation[2] : operation[3]]
        one, other = " ".join(first), " ".join(second)
        if one.replace(" ", "") == other.replace(" ", ""):
            continue
        if first and second and len(missed) < _MOST_ASKED:
            sound = sound_of(one, language)
            if sound and sound == sound_of(other, language):
                continue
        errors += max(len(first), len(second))
        missed.append((one, other))
    return WordErrors(errors / max(1, len(wanted)), errors, len(wanted), tuple(missed))


def _places(opcodes: Iterable[tuple[str, int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Differing places as (from, to, from, to); neighbours are one: "25" and "twenty five" differ by two steps."""
    places: list[tuple[int, int, int, int]] = []
    for tag, a, b, c, d in opcodes:
        if tag == "equal":
            continue
        if places and places[-1][1] == a and places[-1][3] == c:
            places[-1] = (places[-1][0], b, places[-1][2], d)
        else:
            places.append((a, b, c, d))
    return places
