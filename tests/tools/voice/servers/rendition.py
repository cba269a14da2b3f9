"""What the servers say: the line in espeak-ng, so that there are words to be found in it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from configs.voices import Prosody, load_voices
from tools.sound import FloatArray, resample
from tools.voice.espeak import record_line

__all__ = ["rendition"]


@lru_cache(maxsize=256)
def rendition(text: str, rate: int, *, pitch: float = 220.0, speed: float = 1.0, lively: float = 1.0) -> FloatArray:
    """The text said: `(n,)` at `rate` Hz, with 50 ms of near silence around; not to be written into.

    Args:
        pitch: Hz. speed: times the voice's own. lively: how far the melody goes.
    """
    book = load_voices()
    voice = book.voices["man"].model_copy(update={"pitch": min(450.0, max(50.0, pitch))})
    spoken = record_line(text, voice, Prosody(range=min(3.0, max(0.1, lively))), "en", rate=speed)
    sound = resample(spoken.samples, spoken.rate, rate)
    quiet = np.zeros(rate // 20, dtype=np.float32)
    sound = np.concatenate([quiet, 0.6 * sound / np.max(np.abs(sound)), quiet]).astype(np.float32)
    sound.setflags(write=False)
    return sound
