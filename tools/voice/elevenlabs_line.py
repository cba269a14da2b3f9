"""What is asked of ElevenLabs for one line, and what it answers: sound, and the times of the characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.timeline import SpokenWord

__all__ = ["Answer", "LineRequest", "characters_of"]

_SLACK_S = 0.5
"""By how much times may lie beyond the end of the sound."""


@dataclass(frozen=True)
class LineRequest:
    """What is asked for; speeds and the like as the service takes them."""

    voice_id: str
    text: str
    model: str
    output: str
    stability: float
    similarity: float
    style: float
    speaker_boost: bool
    speed: float
    seed: int

    def levers(self) -> dict[str, Any]:
        """All but text and seed, which are told apart from it anyway."""
        return {name: value for name, value in asdict(self).items() if name not in ("text", "seed")}


@dataclass(frozen=True)
class Answer:
    """What was said: `(n,)` of 16 bit at `rate` Hz, and the start and end of each character in seconds."""

    samples: npt.NDArray[np.int16]
    rate: int
    text: str
    characters: tuple[tuple[str, float, float], ...] = field(default=())

    def words(self, words: Sequence[str]) -> list[SpokenWord] | None:
        """The times of words, from those of their characters; None where the service told none that can be right."""
        if "".join(character for character, _, _ in self.characters) != self.text:
            return None
        timed: list[SpokenWord] = []
        at = 0
        for word in words:
            at = self.text.find(word, at)
            if at < 0:
                return None
            sounds = [
                (start, end) for character, start, end in self.characters[at : at + len(word)] if character.isalnum()
            ]
            if not sounds:
                return None
            timed.append(SpokenWord(text=word, start=sounds[0][0], end=max(end for _, end in sounds)))
            at += len(word)
        return timed


def characters_of(alignment: Any, seconds: float) -> tuple[tuple[str, float, float], ...]:
    """Characters with their times; none where they are not as they should be."""
    names = ("characters", "character_start_times_seconds", "character_end_times_seconds")
    lists = [getattr(alignment, name, None) for name in names]
    if not all(isinstance(one, list) for one in lists) or len({len(one) for one in lists if one is not None}) != 1:
        return ()
    found: list[tuple[str, float, float]] = []
    last = 0.0
    for character, start, end in zip(*lists, strict=True):
        if not isinstance(character, str) or not all(isinstance(at, int | float) for at in (start, end)):
            return ()
        if not (math.isfinite(start) and math.isfinite(end) and last - 1e-6 <= start <= end <= seconds + _SLACK_S):
            return ()
        last = float(start)
        found.append((character, float(start), float(end)))
    return tuple(found)
