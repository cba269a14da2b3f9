"""Sounds that come and go: birds, gulls, bells, thunder, bubbles, a clock.

Each call is a short mono array with a peak of about 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tools.music.textures import band
from tools.sound import SAMPLE_RATE, FloatArray

__all__ = ["CALLS", "CallName", "call", "is_regular"]

CallName = Literal[
    "songbird", "gull", "bell", "thunder", "bubbles", "clock", "halyard", "owl", "creak", "foghorn", "splash",
    "dog", "pan",
]  # fmt: skip
CALLS: tuple[str, ...] = get_args(CallName)
Wave = npt.NDArray[np.float64]


def _at(seconds: float) -> Wave:
    return np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def _glide(hz: Wave) -> Wave:
    """Phase in cycles of a tone whose frequency is given sample by sample."""
    phase: Wave = np.cumsum(hz) / SAMPLE_RATE
    return phase


def _place(parts: list[tuple[float, Wave]]) -> Wave:
    """Sounds laid at their times (seconds)."""
    length = max(int(at * SAMPLE_RATE) + len(part) for at, part in parts)
    out = np.zeros(length)
    for at, part in parts:
        start = int(at * SAMPLE_RATE)
        out[start : start + len(part)] += part
    return out


def _songbird(rng: np.random.Generator) -> Wave:
    """A phrase of three to seven notes; whistles, sweeps and trills of one bird."""
    base = rng.uniform(2600, 4600)
    parts, at = [], 0.0
    for _ in range(int(rng.integers(3, 8))):
        length = float(rng.uniform(0.05, 0.16))
        t = _at(length)
        sweep = rng.uniform(-0.35, 0.45)
        hz = base * rng.uniform(0.85, 1.2) * (1 + sweep * t / length)
        if rng.random() < 0.3:
            hz = hz * (1 + 0.06 * np.sin(2 * np.pi * 32 * t))
        parts.append((at, np.sin(2 * np.pi * _glide(hz)) * np.sin(np.pi * t / length) ** 1.3 * rng.uniform(0.5, 1)))
        at += length + float(rng.uniform(0.03, 0.12))
    return _place(parts)


def _gull(rng: np.random.Generator) -> Wave:
    """A laughing cry: each call rises, breaks and falls, the row of them sinking."""
    base = rng.uniform(760, 980)
    parts, at = [], 0.0
    for number in range(int(rng.integers(2, 6))):
        length = float(rng.uniform(0.28, 0.5))
        t = _at(length)
        x = t / length
        hz = base * (0.96**number) * (0.8 + 0.75 * np.sin(np.pi * np.clip(x * 1.15, 0, 1)) ** 0.8)
        phase = _glide(hz)
        voice = sum(np.sin(2 * np.pi * k * phase + k) / k**0.9 for k in range(1, 7))
        rough = 1 + 0.25 * np.sin(2 * np.pi * 62 * t)
        parts.append((at, np.asarray(voice) * rough * np.sin(np.pi * x) ** 0.7 * (0.92**number)))
        at += length + float(rng.uniform(0.06, 0.16))
    return _place(parts)


def _bell(rng: np.random.Generator) -> Wave:
    """A church bell by its partials (hum, prime, tierce, quint, nominal), struck two to four times."""
    base = rng.uniform(330, 420)
    parts = []
    for number in range(int(rng.integers(2, 5))):
        t = _at(4.5)
        ring = sum(
            level * np.sin(2 * np.pi * base * ratio * t + ratio) * np.exp(-t / decay)
            for ratio, level, decay in ((0.5, 0.6, 2.2), (1, 0.8, 1.5), (1.2, 0.6, 1.1), (1.5, 0.3, 0.8), (2, 0.7, 0.9),
                                        (2.7, 0.2, 0.4), (4.1, 0.12, 0.2))
        )  # fmt: skip
        parts.append((number * 1.7, np.asarray(ring) * np.minimum(t / 0.006, 1)))
    return _place(parts)


def _thunder(rng: np.random.Generator) -> Wave:
    t = _at(float(rng.uniform(4.0, 6.5)))
    rolls = sum(
        rng.uniform(0.4, 1) * np.exp(-(((t - at) / rng.uniform(0.25, 0.7)) ** 2))
        for at in rng.uniform(0.4, t[-1] * 0.75, size=6)
    )
    noise = rng.standard_normal(len(t)).astype(np.float32)
    rumble: Wave = np.asarray(band(noise, 28, 150) * 3 + band(noise, 150, 500) * 0.5, dtype=np.float64)
    return rumble * np.asarray(rolls, dtype=np.float64)


def _bubbles(rng: np.random.Generator) -> Wave:
    """A string of bubbles: each rings as it shrinks its way up (Minnaert's note, rising)."""
    parts, at = [], 0.0
    for _ in range(int(rng.integers(4, 14))):
        t = _at(0.12)
        hz = rng.uniform(320, 1100) * (1 + 2.2 * t)
        parts.append(
            (at, np.sin(2 * np.pi * _glide(hz)) * np.exp(-t / 0.028) * np.minimum(t / 0.004, 1) * rng.uniform(0.3, 1))
        )
        at += float(rng.exponential(0.09)) + 0.02
    return _place(parts)


def _knock(hz: tuple[float, ...], decay: float, seconds: float, rng: np.random.Generator) -> Wave:
    t = _at(seconds)
    tone = sum(np.sin(2 * np.pi * f * rng.uniform(0.98, 1.02) * t) * np.exp(-t / decay) for f in hz)
    return np.asarray(tone) * np.minimum(t / 0.0008, 1)


def _clock(rng: np.random.Generator) -> Wave:
    """Tick, tock: half a second apart."""
    return _place([(0.0, _knock((2350, 3900), 0.006, 0.08, rng)), (0.5, 0.8 * _knock((1900, 3300), 0.007, 0.08, rng))])


def _halyard(rng: np.random.Generator) -> Wave:
    """A rope's shackle against a mast, a few times in a gust."""
    parts, at = [], 0.0
    for _ in range(int(rng.integers(1, 5))):
        parts.append((at, rng.uniform(0.4, 1) * _knock((1480, 2630, 4170, 5900), 0.09, 0.5, rng)))
        at += float(rng.uniform(0.18, 0.6))
    return _place(parts)


def _owl(rng: np.random.Generator) -> Wave:
    parts = []
    for at, length in ((0.0, 0.35), (0.9, 0.16), (1.12, 0.16), (1.36, 0.75)):
        t = _at(length)
        hz = 370 * (1 + 0.05 * np.sin(np.pi * t / length)) * rng.uniform(0.99, 1.01)
        phase = _glide(hz)
        parts.append((at, (np.sin(2 * np.pi * phase) + 0.15 * np.sin(4 * np.pi * phase)) * np.sin(np.pi * t / length)))
    return _place(parts)


def _creak(rng: np.random.Generator) -> Wave:
    """Wood under load: a slow row of clicks that speeds up, rung by the plank."""
    length = float(rng.uniform(0.6, 1.2))
    t = _at(length)
    phase = _glide(rng.uniform(28, 45) * (1 + 0.8 * t / length))
    clicks = (np.diff(np.floor(phase), prepend=0.0) > 0).astype(np.float32) * 30
    ring = np.asarray(band(clicks, 380, 760, 1) + 0.6 * band(clicks, 1100, 1900, 1), dtype=np.float64)
    return ring * np.sin(np.pi * t / length)


def _foghorn(rng: np.random.Generator) -> Wave:
    t = _at(3.2)
    hz = 118 * rng.uniform(0.97, 1.03)
    voice = sum(np.sin(2 * np.pi * hz * k * t) / k**1.2 for k in range(1, 8))
    return np.asarray(voice) * np.minimum(t / 0.4, 1) * np.clip((3.2 - t) / 0.9, 0, 1)


def _splash(rng: np.random.Generator) -> Wave:
    t = _at(0.9)
    noise = rng.standard_normal(len(t)).astype(np.float32)
    return np.asarray(band(noise, 500, 4500, 1), dtype=np.float64) * np.exp(-t / 0.16) * np.minimum(t / 0.02, 1)


def _dog(rng: np.random.Generator) -> Wave:
    parts, at = [], 0.0
    for _ in range(int(rng.integers(1, 4))):
        t = _at(0.17)
        phase = _glide(430 * rng.uniform(0.92, 1.08) * (1.25 - 0.5 * t / 0.17))
        voice = sum(np.sin(2 * np.pi * k * phase) / k**0.7 for k in range(1, 9))
        parts.append((at, np.asarray(voice) * np.sin(np.pi * t / 0.17) ** 0.6))
        at += float(rng.uniform(0.28, 0.5))
    return _place(parts)


def _pan(rng: np.random.Generator) -> Wave:
    """A spoon against a pan, somewhere in the next room."""
    return _place([(0.0, _knock((930, 2140, 3480), 0.12, 0.6, rng)), (0.23, 0.5 * _knock((930, 2140), 0.1, 0.5, rng))])


_MAKERS: dict[str, Callable[[np.random.Generator], Wave]] = {
    "songbird": _songbird,
    "gull": _gull,
    "bell": _bell,
    "thunder": _thunder,
    "bubbles": _bubbles,
    "clock": _clock,
    "halyard": _halyard,
    "owl": _owl,
    "creak": _creak,
    "foghorn": _foghorn,
    "splash": _splash,
    "dog": _dog,
    "pan": _pan,
}


def is_regular(name: str) -> bool:
    """Whether it comes at even times (a clock) and not at random."""
    return name == "clock"


def call(name: str, rng: np.random.Generator) -> FloatArray:
    """One call, mono `(n,)`, peak 1, no step at either end."""
    wave = _MAKERS[name](rng)
    edge = min(240, len(wave) // 4)
    wave[:edge] *= np.linspace(0, 1, edge)
    wave[len(wave) - edge :] *= np.linspace(1, 0, edge)
    return (wave / max(float(np.max(np.abs(wave))), 1e-9)).astype(np.float32)
