"""Times of words where nothing better is known: each takes its share of the speech by its syllables."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from tools.timeline import MouthCue, SpokenWord, estimate_speech_s
from tools.voice.mouth import mouth_cues, shapes_of

__all__ = ["share_out"]

Spans = Sequence[tuple[float, float]]


def share_out(words: Sequence[str], spans: Spans) -> tuple[list[SpokenWord], list[MouthCue]]:
    """Words and mouth shapes over the time in which somebody speaks.

    Args:
        words: of the line, as `words_of` gives them; at least one.
        spans: (start, end) in seconds of every stretch of speech, in order; at least one.
    """
    weights = [max(0.2, estimate_speech_s(word) - 0.3) for word in words]
    spoken = sum(end - start for start, end in spans)
    scale = spoken / sum(weights)
    timed: list[SpokenWord] = []
    sounds: list[tuple[float, float, str]] = []
    gone = 0.0
    for word, weight in zip(words, weights, strict=True):
        start, end = _at(spans, gone, later=True), _at(spans, gone + weight * scale, later=False)
        end = max(end, start)
        timed.append(SpokenWord(text=word, start=round(start, 4), end=round(end, 4)))
        letters = _letters(word)
        step = (end - start) / max(1, len(letters))
        sounds += [(start + i * step, start + (i + 1) * step, letter) for i, letter in enumerate(letters)]
        gone += weight * scale
    return timed, mouth_cues(_with_pauses(sounds))


def _at(spans: Spans, gone: float, *, later: bool) -> float:
    """The moment at which `gone` seconds of speech are over; at a pause its end (`later`) or its start."""
    for start, end in spans:
        length = end - start
        if gone < length - 1e-6 or (not later and gone <= length + 1e-6):
            return start + max(0.0, gone)
        gone -= length
    return spans[-1][1]


def _letters(word: str) -> list[str]:
    """Letters as if they were phonemes: what the lips do for them is near enough; a vowel for what is not Latin."""
    plain = unicodedata.normalize("NFKD", word.lower())
    letters = [char if shapes_of(char) else "e" for char in plain if char.isalnum()]
    return letters or ["e"]


def _with_pauses(sounds: list[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    told: list[tuple[float, float, str]] = []
    for start, end, ipa in sounds:
        if told and start > told[-1][1] + 1e-6:
            told.append((told[-1][1], start, ""))
        told.append((start, end, ipa))
    return told
