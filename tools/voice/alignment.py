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

from configs.voices import EspeakVoice, Prosody, VoiceBook, load_voices
from configs.yaml_file import YamlProblem
from tools.errors import InvalidInput, ToolError
from tools.sound import FloatArray
from tools.timeline import MouthCue, SpokenWord
from tools.voice.acoustics import HOP_S, RATE, Frames, cepstra, frames_of, listen, runs
from tools.voice.espeak import EspeakSpeech, Recording, record_line
from tools.voice.mouth import mouth_cues
from tools.voice.proportional import share_out
from tools.voice.speakable import SpokenForm, clean_line, spoken_form, time_words, words_of
from tools.voice.warping import warp

__all__ = ["TRUSTED", "Alignment", "align_line"]

TRUSTED = 0.5
"""From this confidence on the times are those of the words; below it the recording hardly says the line."""


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
    timed, mouth = share_out(words, [(a * HOP_S, b * HOP_S) for a, b in runs(frames.speech)])
    first, last = frames.bounds
    return Alignment(timed, mouth, first * HOP_S, last * HOP_S, 0.1, "proportional")
