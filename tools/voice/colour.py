"""What makes a formant synthesiser easier to listen to, and one of its voices different from the next.

Measured against the long-term average spectrum of real speech (Byrne et al., 1994, J. Acoust. Soc. Am. 96), raw
espeak-ng carries 6 dB too much between 1 and 3.5 kHz (the nasal edge), 9 dB too little above 8 kHz and 10 dB too
little below 200 Hz. `colour` mends that, lets the pitch wander a little as a larynx does, breathes noise into the tone,
and adds what makes a robot or a monster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tools.sound import FloatArray

__all__ = ["Colour", "colour"]

Effect = Literal["none", "metal", "gurgle", "growl"]

_CORRECTION: tuple[tuple[float, float], ...] = (
    (0, -30), (55, -18), (90, 2), (140, 5), (200, 3.5), (300, 1.5), (500, 0.5), (700, -1.0), (1000, -4.5),
    (1300, -4.0), (1700, -2.5), (2100, -3.5), (2700, -6.0), (3400, -5.5), (4200, -2.5), (5200, -1.5), (6500, 0.5),
    (8000, 3.0), (10000, 8.0), (12500, 8.0), (16000, 4.0), (20000, -12), (24000, -40),
)  # fmt: skip
"""Frequency in Hz, gain in dB: from espeak's average spectrum towards that of speech."""


@dataclass(frozen=True)
class Colour:
    """How a voice is coloured; levels in dB, `breath` 0..1."""

    warmth: float = 0.0
    presence: float = 0.0
    air: float = 0.0
    effort: float = 0.0
    breath: float = 0.0
    effect: Effect = "none"


def _bump(frequency: npt.NDArray[np.float64], centre: float, octaves: float) -> npt.NDArray[np.float64]:
    distance = np.log2(np.maximum(frequency, 1.0) / centre) / octaves
    shape: npt.NDArray[np.float64] = np.exp(-(distance**2))
    return shape


def _equalise(samples: FloatArray, rate: int, how: Colour) -> FloatArray:
    """One linear-phase filter for all that is about the spectrum, so that no time moves."""
    from scipy.signal import fftconvolve, firwin2

    grid = np.concatenate([[0.0], np.geomspace(40, rate / 2, 160)])
    points = np.array(_CORRECTION)
    db = np.interp(grid, points[:, 0], points[:, 1])
    db = db + how.warmth * _bump(grid, 220, 0.9) + how.presence * _bump(grid, 3200, 0.8)
    db += how.air / (1 + np.exp(-(grid - 6500) / 900))
    # A pressed voice tilts up, a relaxed one down (about 500 Hz).
    db += how.effort * np.clip(np.log2(np.maximum(grid, 60.0) / 500.0) / 2.6, -1.0, 1.2)
    taps = firwin2(1023, grid, 10 ** (db / 20), fs=rate)
    out: FloatArray = fftconvolve(samples, taps, "same").astype(np.float32)
    return out


def _slow_noise(count: int, step: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Noise that changes every `step` samples, smoothly, between about -1 and 1."""
    points = rng.uniform(-1.0, 1.0, count // step + 4)
    at = np.arange(count) / step
    whole = at.astype(np.int64)
    part = at - whole
    blend = part * part * (3 - 2 * part)
    out: npt.NDArray[np.float64] = points[whole] * (1 - blend) + points[whole + 1] * blend
    return out


def _wander(samples: FloatArray, rate: int, rng: np.random.Generator) -> FloatArray:
    """Let time, and so pitch, sway by under a percent: a perfectly even larynx is what gives a machine away.

    No point moves by more than a quarter of a millisecond, so that word times stay true.
    """
    count = len(samples)
    sway = 0.00019 * _slow_noise(count, rate // 9, rng) + 0.00003 * _slow_noise(count, rate // 70, rng)
    at = np.clip(np.arange(count) + sway * rate, 1, count - 3)
    whole = at.astype(np.int64)
    part = (at - whole).astype(np.float32)
    before, here, after, later = [samples[whole + offset] for offset in (-1, 0, 1, 2)]
    # Catmull-Rom through the four neighbours.
    bend = 0.5 * (after - before)
    out: FloatArray = here + part * (  # type: ignore[assignment]
        bend
        + part
        * (before - 2.5 * here + 2 * after - 0.5 * later + part * (1.5 * (here - after) + 0.5 * (later - before)))
    )
    return out


def _envelope(samples: FloatArray, rate: int, cutoff: float) -> npt.NDArray[np.float64]:
    from scipy.signal import butter, sosfiltfilt

    sos = butter(2, cutoff, fs=rate, output="sos")
    level: npt.NDArray[np.float64] = np.maximum(sosfiltfilt(sos, np.abs(samples).astype(np.float64)), 0.0)
    return level


def _breathe(samples: FloatArray, rate: int, breath: float, rng: np.random.Generator) -> FloatArray:
    """Noise that opens with every swing of the larynx, and the hiss of s and f carried on above what espeak makes."""
    from scipy.signal import butter, sosfilt

    noise = rng.standard_normal(len(samples))
    tone = sosfilt(butter(2, (1800, 9000), "bandpass", fs=rate, output="sos"), noise)
    hiss = sosfilt(butter(2, (9000, 15500), "bandpass", fs=rate, output="sos"), noise)
    high = sosfilt(butter(4, (4500, 9500), "bandpass", fs=rate, output="sos"), samples)
    breathed = samples + (0.024 + 0.22 * breath * (1.0 - 0.7 * breath)) * tone * _envelope(samples, rate, 180.0)
    # A whisper has noise up there already.
    carried = 0.45 * (1.0 - 0.85 * breath)
    out: FloatArray = (breathed + carried * hiss * _envelope(high.astype(np.float32), rate, 60.0)).astype(np.float32)
    return out


def _affect(samples: FloatArray, rate: int, effect: Effect, rng: np.random.Generator) -> FloatArray:
    at = np.arange(len(samples)) / rate
    if effect == "metal":
        # A ring modulator and two short pipes: what a speaker in a tin body does.
        ringing = samples * (0.62 + 0.38 * np.sin(2 * np.pi * 71.0 * at))
        out = ringing
        for delay, level in ((0.0047, 0.5), (0.0081, 0.33)):
            shift = int(delay * rate)
            out = out + level * np.concatenate([np.zeros(shift), ringing[:-shift]])
    elif effect == "gurgle":
        # Water in the throat: quick, uneven swelling, and a second voice a little behind.
        swell = 0.72 + 0.42 * _slow_noise(len(samples), rate // 26, rng)
        shift = int(0.013 * rate)
        behind = np.concatenate([np.zeros(shift), samples[:-shift]])
        out = samples * swell + 0.45 * behind * (1.4 - swell)
    elif effect == "growl":
        # False folds that swing with the true ones, at some forty a second and never quite evenly.
        phase = np.cumsum(2 * np.pi * (44 + 9 * _slow_noise(len(samples), rate // 12, rng)) / rate)
        out = samples * (0.74 + 0.34 * np.sin(phase))
    else:
        return samples
    return np.asarray(out, dtype=np.float32)


def colour(samples: FloatArray, rate: int, how: Colour, seed: int) -> FloatArray:
    """Colour one line.

    Args:
        samples: mono `(n,)` from espeak-ng, resampled to `rate`.
        rate: Hz, at least 44,100.
        how: the colour.
        seed: of breath and sway: the same seed gives the same bytes.

    Returns:
        As many samples as came in, no sound moved by more than a quarter of a millisecond.
    """
    if len(samples) < rate // 20:
        return samples
    rng = np.random.default_rng([seed % (1 << 63), 7])
    out = _wander(samples, rate, rng)
    out = _breathe(out, rate, how.breath, rng)
    out = _affect(out, rate, how.effect, rng)
    out = _equalise(out, rate, how)
    # A gentle squeeze: the loud vowels a little down, so that a line keeps its end.
    level = _envelope(out, rate, 12.0)
    top = float(level.max())
    if top <= 0:
        return out
    # The floor keeps pauses from being raised above the speech.
    return out * np.power(np.maximum(level / top, 0.02), -0.22).astype(np.float32)
