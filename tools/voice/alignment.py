"""When each word of a known line is said in a recording of it, by whatever voice; needs no weights.

The embedded synthesiser says the line, too, and tells when it says what. Its recording and the other one are compared
from frame to frame (mel cepstra) and warped onto one another (dynamic time warping): the times of its words and
sounds become the other's. Where it does not speak the language, or is not installed, the words share the time in which
somebody speaks by their syllables, and the confidence is low.

    alignment = align_line("Where is the boat?", "en", samples, 32_000)
    if alignment.confidence < TRUSTED: ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from configs.voices import EspeakVoice, Prosody, load_voices
from configs.yaml_file import YamlProblem
from tools.errors import InvalidInput, ToolError
from tools.sound import FloatArray
from tools.timeline import MouthCue, SpokenWord
from tools.voice.acoustics import HOP_S, Frames, cepstra, frames_of, listen, runs
from tools.voice.espeak import EspeakSpeech, Recording, record_line
from tools.voice.mouth import mouth_cues
from tools.voice.proportional import share_out
from tools.voice.speakable import SpokenForm, clean_line, spoken_form, time_words, words_of
from tools.voice.warping import pooled, warp

__all__ = ["TRUSTED", "Alignment", "align_line"]

TRUSTED = 0.25
"""From this confidence on the times are those of the words; below it the recording hardly says the line. Measured with
the embedded engine's 23 voices, English and Italian: the right line 0.6 and more (median 1.0, with feelings and at
other speeds, too), 0.5 and more with noise at 10 dB; another line 0.13 in the middle, one in fifteen above this bound,
none above 0.35 (two exclamations of like shape come nearest): it tells a wrong recording mostly, not surely. Recordings
of people came to 0.24 to 0.5 in an earlier version; they were not measured again."""
UNMATCHED = 0.1
"""Confidence of times that only follow the syllables."""
REFERENCE = EspeakVoice(description="says a line to compare with", timbre="modal", pitch=160, formants=1.05)
HEADS = (0.7, 0.78, 0.86, 0.95, 1.05, 1.15, 1.27, 1.4)
"""Sizes of head that the reference is tried with, as factors on its resonances; the one that fits best is taken."""
ROUGH = 160
"""Frames of a comparison that need not tell the time."""
PAUSE_FRAMES = 8
"""Frames of a pause that are compared; the rest of it would only ask for as long a pause in the other recording."""

Sounds = Sequence[tuple[float, float, str]]
"""(start, end, IPA) in seconds; IPA empty for a pause."""


@dataclass(frozen=True)
class Alignment:
    """Times of a line in its recording, in seconds from the recording's first sample.

    Attributes:
        words: one for each word of the line, in order, not overlapping.
        mouth: cues with rising times; the last is `rest`.
        speech_start, speech_end: where the speech begins and ends.
        confidence: 0..1; how sure it is that the line is what is said, and said when `words` tells.
        method: `matched` against the embedded voice, or `proportional` to the syllables.
    """

    words: list[SpokenWord]
    mouth: list[MouthCue]
    speech_start: float
    speech_end: float
    confidence: float
    method: Literal["matched", "proportional"]


def align_line(text: str, language: str, samples: FloatArray, rate: int) -> Alignment:
    """Find the words of a line in a recording of it.

    Args:
        text: the line as it is written.
        language: its code, as `it`; those of `EspeakSpeech.languages` are matched, any other shared out.
        samples: float32 `(n,)`, or `(n, channels)`, full scale 1.0.
        rate: in Hz.

    Raises:
        InvalidInput: nothing in the text can be said.
        BadOutput: the recording is empty, silent, or holds values that are no numbers.
    """
    words = words_of(clean_line(text))
    if not words:
        raise InvalidInput(f"there is nothing to say in {text[:40]!r}: no letters, no digits", where="text")
    frames = frames_of(listen(samples, rate))
    try:
        form, spoken = _reference(words, language)
        reference = frames_of(listen(spoken.samples, spoken.rate))
    except ToolError:
        # Another language, or no synthesiser here: the times are worth less, and the confidence says so.
        return _shared_out(words, frames)
    moment, confidence = _matched(reference, frames)
    pauses = [(a * HOP_S, b * HOP_S) for a, b in runs(~frames.speech)]
    sounds = _placed(spoken.sounds, moment, pauses)
    starts = [
        (form.word_of[position - 1], moment(at)) for position, at in spoken.words if 0 < position <= len(form.word_of)
    ]
    timed = time_words(words, starts, [(start, end) for start, end, ipa in sounds if ipa])
    first, last = frames.bounds
    return Alignment(timed, mouth_cues(sounds), first * HOP_S, last * HOP_S, confidence, "matched")


def _shared_out(words: Sequence[str], frames: Frames) -> Alignment:
    timed, mouth = share_out(words, [(a * HOP_S, b * HOP_S) for a, b in runs(frames.speech)])
    first, last = frames.bounds
    return Alignment(timed, mouth, first * HOP_S, last * HOP_S, UNMATCHED, "proportional")


def _reference(words: Sequence[str], language: str) -> tuple[SpokenForm, Recording]:
    """The line as the embedded voice says it.

    Raises:
        ToolError: it cannot, for whatever reason.
    """
    if language not in EspeakSpeech.languages:
        raise InvalidInput(f"the embedded voice does not speak {language!r}", where="language")
    try:
        book = load_voices()
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem
    said_as = next((entries for code, entries in book.said_as.items() if code == language), {})
    form = spoken_form(words, said_as)
    return form, record_line(form.text, REFERENCE, Prosody(), language)


class _Moments:
    """From a time in the reference to the time in the recording.

    Args:
        told, heard: `(k,)` seconds that belong together, neither ever falling.
    """

    def __init__(self, told: npt.NDArray[np.floating], heard: npt.NDArray[np.floating]) -> None:
        self._told, first = np.unique(told, return_index=True)
        self._heard = np.add.reduceat(heard, first) / np.diff(np.append(first, len(told)))

    def __call__(self, at: float) -> float:
        return float(np.interp(at, self._told, self._heard))


def _matched(reference: Frames, frames: Frames) -> tuple[_Moments, float]:
    """How the reference lies in the recording, and how well."""
    kept, told_at = _compared(frames), _compared(reference)
    features = cepstra(frames)[kept]
    # Both equally long, so that the straight way is the one at an even tempo.
    told_at = told_at[np.round(np.linspace(0, len(told_at) - 1, len(kept))).astype(np.int64)]
    noise = _noise(frames, reference)
    tried = [cepstra(reference, head, noise)[told_at] for head in HEADS]
    costs = [_rough_cost(told, features) for told in tried]
    told = tried[int(np.argmin(costs))]
    # The same sounds in another order: what a line costs that is not the one that is said.
    orders = [told[::-1], *(np.roll(told, len(told) * part // 4, axis=0) for part in (1, 2, 3))]
    wrong = np.mean([_rough_cost(order, features) for order in orders])
    confidence = float(np.clip((1.0 - min(costs) / max(float(wrong), 1e-9)) / 0.4, 0.0, 1.0))
    path = warp(told, features)
    return _Moments(told_at[path.rows] * HOP_S, kept[path.columns] * HOP_S), round(confidence, 3)


def _compared(frames: Frames) -> npt.NDArray[np.int64]:
    """Frames that are compared: the speech, and of each pause in it the first moment."""
    first, last = frames.bounds
    keep = frames.speech.copy()
    for start, end in runs(~frames.speech):
        if first <= start and end <= last:
            keep[start : min(end, start + PAUSE_FRAMES)] = True
    return np.flatnonzero(keep)


def _noise(frames: Frames, reference: Frames) -> npt.NDArray[np.float64]:
    """`(bins,)` power of the recording's noise, at the level of the reference."""
    quiet = frames.power[~frames.speech]
    if len(quiet) < 10:
        level = frames.power.sum(axis=1)
        quiet = frames.power[level <= np.percentile(level, 5)]
    loud = float(np.mean(frames.power[frames.speech]))
    found: npt.NDArray[np.float64] = quiet.mean(axis=0) * float(np.mean(reference.power[reference.speech])) / loud
    return found


def _rough_cost(told: FloatArray, heard: FloatArray) -> float:
    return warp(pooled(told, ROUGH), pooled(heard, ROUGH)).cost


def _placed(sounds: Sounds, moment: _Moments, pauses: Sequence[tuple[float, float]]) -> list[tuple[float, float, str]]:
    """The sounds where they are heard: none lies in a pause or across one."""
    placed: list[tuple[float, float, str]] = []
    edge = 0.0
    for start, end, ipa in sounds:
        if not ipa:
            continue
        begin, stop = max(edge, moment(start)), moment(end)
        for low, high in pauses:
            if high <= begin or low >= stop:
                continue
            # On the side of the pause where most of it lies.
            if low - begin >= stop - high:
                stop = low
            else:
                begin = high
        stop = max(begin, stop)
        if begin > edge:
            placed.append((edge, begin, ""))
        placed.append((begin, stop, ipa))
        edge = stop
    return placed
