"""Chance that is the same in every run: all from sha256 of a character's id."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["noise", "pick", "seed_of", "unit"]

T = TypeVar("T")
_MASK = (1 << 64) - 1


def seed_of(text: str) -> int:
    """64 bits that stand for `text`."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def unit(seed: int, index: int = 0) -> float:
    """0..1 for each index of a seed (splitmix64), cheap enough for every frame."""
    z = (seed + (index + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) >> 11) / float(1 << 53)


def pick(options: Sequence[T], character_id: str, field: str) -> T:
    """One of the options, always the same for this field of this character."""
    return options[seed_of(f"{character_id}:{field}") % len(options)]


def noise(t: float, seed: int, rate: float) -> float:
    """Smooth wandering in -1..1: random values `rate` times a second, eased between."""
    x = t * rate
    k = math.floor(x)
    f = x - k
    f = f * f * (3 - 2 * f)
    a, b = unit(seed, k) * 2 - 1, unit(seed, k + 1) * 2 - 1
    return a + (b - a) * f
