"""Sounds that go on: sea, wind, rain, leaves, voices in a square, a room's own silence.

Each is a function of a length and a random generator, and returns stereo `(n, 2)` at an RMS of about 0.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from tools.sound import SAMPLE_RATE, FloatArray

__all__ = ["TEXTURES", "TextureName", "band", "slow", "texture"]

TextureName = Literal[
    "waves", "lapping", "wind", "breeze", "leaves", "rain", "drips", "crickets", "cicadas", "murmur", "traffic",
    "simmer", "room_tone", "depths",
]  # fmt: skip
TEXTURES: tuple[str, ...] = get_args(TextureName)
RMS = 0.1


def band(samples: FloatArray, low: float | None, high: float | None, order: int = 2) -> FloatArray:
    """Band-, high- or low-passed along the first axis."""
    from scipy.signal import butter, sosfilt

    if low and high:
        sos = butter(order, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos")
    else:
        sos = butter(order, low or high, "highpass" if low else "lowpass", fs=SAMPLE_RATE, output="sos")
    out: FloatArray = sosfilt(sos, samples, axis=0).astype(np.float32)
    return out


def slow(count: int, seconds: float, rng: np.random.Generator) -> FloatArray:
    """Noise `(n,)` between 0 and 1 that takes about `seconds` from one value to the next."""
    step = max(1, int(seconds * SAMPLE_RATE))
    points = rng.uniform(0.0, 1.0, count // step + 3).astype(np.float32)
    # Only as fine as needed: a value each 128 samples, then straight lines.
    coarse = np.arange(0, count + 128, 128, dtype=np.float64) / step
    whole = coarse.astype(np.int64)
    part = (coarse - whole).astype(np.float32)
    blend = part * part * (3 - 2 * part)
    values = points[whole] * (1 - blend) + points[whole + 1] * blend
    out: FloatArray = np.interp(np.arange(count), np.arange(len(values)) * 128, values).astype(np.float32)
    return out


def _single(sound: npt.NDArray[Any]) -> FloatArray:
    return sound.astype(np.float32, copy=False)


def _noise(count: int, rng: np.random.Generator) -> FloatArray:
    return rng.standard_normal((count, 2), dtype=np.float32)


def _waves(count: int, rng: np.random.Generator) -> FloatArray:
    """Surf: each wave swells, breaks and runs out in foam, none like the last."""
    seconds = count / SAMPLE_RATE
    grid = np.arange(0, count + 256, 256) / SAMPLE_RATE
    body, crash, foam = (np.zeros((len(grid), 2)) for _ in range(3))
    at = -6.0 + float(rng.uniform(0, 5))
    while at < seconds + 3:
        size, side = float(rng.uniform(0.45, 1.0)), float(rng.uniform(-0.6, 0.6))
        pan = np.array([1 - max(0.0, side), 1 + min(0.0, side)])
        since = grid - at
        swell = np.exp(-((since / 1.7) ** 2))
        breaking = np.where(since < 0, np.exp(-((since / 0.45) ** 2)), np.exp(-np.maximum(since, 0) / 1.1))
        running = np.where(
            since < 0.5, np.exp(-(((since - 0.5) / 0.6) ** 2)), np.exp(-np.maximum(since - 0.5, 0) / 1.9)
        )
        for curve, shape in ((body, swell), (crash, breaking), (foam, running)):
            curve += size * shape[:, None] * pan
        at += float(rng.uniform(4.5, 8.5))
    place = np.arange(count)

    def fine(curve: npt.NDArray[np.float64]) -> FloatArray:
        sides = [np.interp(place, np.arange(len(grid)) * 256, curve[:, side]) for side in (0, 1)]
        return np.stack(sides, axis=1).astype(np.float32)

    noise = _noise(count, rng)
    deep = band(noise, None, 260) * (0.5 + 1.6 * fine(body)) * 3.0
    middle = band(noise, 260, 1700) * (0.07 + fine(crash)) * 1.2
    # Its own noise: bands of one noise would cancel where they meet.
    high = band(_noise(count, rng), 2200, None, 1) * (0.03 + fine(foam)) * 0.26
    return _single(deep + middle + high)


def _lapping(count: int, rng: np.random.Generator) -> FloatArray:
    """Small water against stone and hulls."""
    noise = _noise(count, rng)
    quick = np.stack([slow(count, 0.42, rng), slow(count, 0.47, rng)], axis=1)
    long = np.stack([slow(count, 2.3, rng), slow(count, 2.1, rng)], axis=1)
    gulps = band(noise, 260, 850) * (0.12 + quick**2) * (0.35 + long) * 2.0
    drops = band(_noise(count, rng), 1000, 2400) * quick**3 * long * 0.35
    return _single(band(gulps + drops, None, 3200) + band(noise, None, 200) * (0.3 + 0.4 * long))


def _wind(count: int, rng: np.random.Generator) -> FloatArray:
    """Gusts: two bands that rise on their own, the higher only in the strong ones."""
    noise = _noise(count, rng)
    gust = np.stack([slow(count, 2.6, rng), slow(count, 2.9, rng)], axis=1) * (
        0.4 + 0.6 * slow(count, 7.0, rng)[:, None]
    )
    return _single(band(noise, 90, 420) * (0.25 + gust) * 2.0 + band(noise, 420, 1300) * (0.05 + gust**2) * 0.9)


def _breeze(count: int, rng: np.random.Generator) -> FloatArray:
    noise = _noise(count, rng)
    gust = np.stack([slow(count, 3.4, rng), slow(count, 3.7, rng)], axis=1)
    return band(noise, 120, 600) * (0.4 + 0.6 * gust)


def _leaves(count: int, rng: np.random.Generator) -> FloatArray:
    noise = _noise(count, rng)
    gust = np.stack([slow(count, 2.2, rng), slow(count, 2.5, rng)], axis=1)
    shiver = np.stack([slow(count, 0.05, rng), slow(count, 0.045, rng)], axis=1)
    return _single(band(noise, 1800, 7500) * (0.08 + gust**2) * (0.5 + shiver))


def _rain(count: int, rng: np.random.Generator) -> FloatArray:
    """The hiss of all drops, and the patter of the near ones."""
    noise = _noise(count, rng)
    hiss = band(noise, 900, 9000, 1) * 0.55
    near = np.zeros((count, 2), dtype=np.float32)
    hits = rng.integers(0, count, size=int(count / SAMPLE_RATE * 130))
    force = (rng.random(len(hits)) ** 3).astype(np.float32) * 9
    np.add.at(near, (hits, rng.integers(0, 2, len(hits))), force)
    return hiss * (0.85 + 0.15 * slow(count, 3.0, rng)[:, None]) + band(near, 1500, 5200, 1)


def _drips(count: int, rng: np.random.Generator) -> FloatArray:
    return _ticks(count, rng, every=1.1, low=1100, high=2600, decay=0.03)


def _ticks(count: int, rng: np.random.Generator, *, every: float, low: float, high: float, decay: float) -> FloatArray:
    """Short tones at random times, of random pitch."""
    out = np.zeros((count, 2), dtype=np.float32)
    for at in np.cumsum(rng.exponential(every, size=int(count / SAMPLE_RATE / every * 1.5) + 4)):
        start, length = int(at * SAMPLE_RATE), int(decay * 6 * SAMPLE_RATE)
        if start + length >= count:
            break
        t = np.arange(length) / SAMPLE_RATE
        tone = np.sin(2 * np.pi * rng.uniform(low, high) * t * (1 + 1.5 * t)) * np.exp(-t / decay)
        side = rng.uniform(0, np.pi / 2)
        level = rng.uniform(0.2, 1.0)
        out[start : start + length] += (level * tone[:, None] * np.array([np.cos(side), np.sin(side)])).astype(
            np.float32
        )
    return out


def _crickets(count: int, rng: np.random.Generator) -> FloatArray:
    """Five of them, each with its own pitch, place and pace: three pulses, a pause."""
    out = np.zeros((count, 2), dtype=np.float32)
    at = np.arange(count) / SAMPLE_RATE
    for _ in range(5):
        hz, pace, side = rng.uniform(3900, 4800), rng.uniform(1.7, 2.6), rng.uniform(0, np.pi / 2)
        cycle = (at * pace + rng.uniform()) % 1.0
        pulse = (cycle * 16 / pace * 2.2) % 1.0
        open_ = np.where(cycle < 0.2, np.sin(np.pi * np.clip(pulse, 0, 1)) ** 2, 0.0)
        # A chirp does not begin in the middle of a pulse: the window closes softly.
        soft = np.clip((0.2 - cycle) / 0.02, 0, 1) * np.clip(cycle / 0.01, 0, 1)
        voice = (np.sin(2 * np.pi * hz * at) * open_ * soft * rng.uniform(0.3, 1)).astype(np.float32)
        out += voice[:, None] * np.array([np.cos(side), np.sin(side)], dtype=np.float32)
    return out


def _cicadas(count: int, rng: np.random.Generator) -> FloatArray:
    """A hot afternoon: a rasping choir that swells and falls."""
    at = np.arange(count) / SAMPLE_RATE
    noise = band(_noise(count, rng), 4200, 8200)
    rasp = (0.55 + 0.45 * np.sin(2 * np.pi * (86 * at + 0.6 * np.sin(2 * np.pi * 0.7 * at)))).astype(np.float32)
    return noise * rasp[:, None] * (0.25 + np.stack([slow(count, 4.0, rng), slow(count, 4.6, rng)], axis=1))


def _murmur(count: int, rng: np.random.Generator) -> FloatArray:
    """People far off: many mouths in the rhythm of syllables, no word to be heard."""
    out = np.zeros((count, 2), dtype=np.float32)
    at = np.arange(count) / SAMPLE_RATE
    for _ in range(7):
        pitch, side = rng.uniform(95, 250), rng.uniform(0, np.pi / 2)
        drift = (pitch * 0.1 * (slow(count, 0.4, rng) - 0.5)).astype(np.float64)
        phase = np.cumsum(pitch + drift) / SAMPLE_RATE if count else at
        buzz = ((phase % 1.0) - 0.5).astype(np.float32)
        vowel = band(buzz, rng.uniform(280, 420), rng.uniform(650, 1500), 1)
        syllables = slow(count, 0.11, rng) ** 2 * np.clip(slow(count, 2.4, rng) * 2.4 - 0.9, 0, 1)
        out += (vowel * syllables)[:, None] * np.array([np.cos(side), np.sin(side)], dtype=np.float32)
    return band(out, 150, 2300) + 0.02 * band(_noise(count, rng), 300, 1600)


def _traffic(count: int, rng: np.random.Generator) -> FloatArray:
    noise = _noise(count, rng)
    passing = np.stack([slow(count, 5.0, rng), slow(count, 5.5, rng)], axis=1)
    return band(noise, 45, 180) * (0.5 + passing) * 2.0 + band(noise, 180, 800) * passing**3 * 0.8


def _simmer(count: int, rng: np.random.Generator) -> FloatArray:
    """A pot on a small flame."""
    pops = _ticks(count, rng, every=0.07, low=240, high=620, decay=0.011)
    return pops + band(_noise(count, rng), 3000, 8000) * 0.03


def _room_tone(count: int, rng: np.random.Generator) -> FloatArray:
    at = np.arange(count) / SAMPLE_RATE
    hum = (0.012 * np.sin(2 * np.pi * 100 * at) + 0.006 * np.sin(2 * np.pi * 200 * at)).astype(np.float32)
    return band(_noise(count, rng), 60, 420, 1) * 0.12 + hum[:, None]


def _depths(count: int, rng: np.random.Generator) -> FloatArray:
    """Under water: pressure, and slow currents."""
    noise = _noise(count, rng)
    current = np.stack([slow(count, 4.0, rng), slow(count, 4.3, rng)], axis=1)
    return _single(band(noise, 30, 140) * (0.6 + current) * 3.0 + band(noise, 140, 480) * (0.1 + 0.5 * current**2))


_MAKERS: dict[str, Callable[[int, np.random.Generator], FloatArray]] = {
    "waves": _waves,
    "lapping": _lapping,
    "wind": _wind,
    "breeze": _breeze,
    "leaves": _leaves,
    "rain": _rain,
    "drips": _drips,
    "crickets": _crickets,
    "cicadas": _cicadas,
    "murmur": _murmur,
    "traffic": _traffic,
    "simmer": _simmer,
    "room_tone": _room_tone,
    "depths": _depths,
}


def texture(name: str, count: int, rng: np.random.Generator) -> FloatArray:
    """`count` samples of a texture, `(n, 2)`, at an RMS of 0.1."""
    sound = _MAKERS[name](count, rng)
    level = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if sound.size else 0.0
    out: FloatArray = (sound * np.float32(RMS / max(level, 1e-6))).astype(np.float32)
    return out
