"""The orchestra: each instrument turns one note into samples.

Pitched instruments read one cycle of a wave from tables that grow darker while the note rings, which is what sets a
plucked string apart from an organ. Tables hold only harmonics below 16 kHz, so that nothing folds back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tools.sound import SAMPLE_RATE, FloatArray

__all__ = ["DRUMS", "PITCHED", "Drum", "Orchestra", "Pitched"]

Pitched = Literal[
    "guitar", "mandolin", "accordion", "marimba", "celesta", "piano", "strings", "glass", "flute", "clarinet",
    "pizzicato", "horn", "bass", "low_strings",
]  # fmt: skip
Drum = Literal["kick", "frame", "shaker", "brush", "rim", "triangle", "timpani", "clap"]
PITCHED: tuple[str, ...] = get_args(Pitched)
DRUMS: tuple[str, ...] = get_args(Drum)

TABLE = 2048
HIGHEST_HZ = 16_000.0
Spectrum = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class _Voice:
    """How an instrument sounds.

    Attributes:
        stages: amplitude of harmonic n at the strike, a little later, and while it rings out.
        darken_s: time constants of the way through the stages, at middle C (shorter above, longer below).
        attack_s, decay_s, release_s: the envelope; `decay_s` 0 holds the note as long as it is written.
        unison: detunings in cents; more than one gives width.
        vibrato: depth in cents, rate in Hz. tremolo_hz: repeated strokes of a mandolin.
        noise: breath or the scrape of the pluck.
    """

    stages: tuple[Spectrum, Spectrum, Spectrum]
    darken_s: tuple[float, float] = (0.08, 0.5)
    attack_s: float = 0.003
    decay_s: float = 0.0
    release_s: float = 0.08
    unison: tuple[float, ...] = (0.0,)
    vibrato: tuple[float, float] = (0.0, 5.2)
    tremolo_hz: float = 0.0
    noise: float = 0.0
    sustained_noise: bool = False


def _slope(power: float, comb: float = 0.0, odd: float = 1.0, top: float = 40.0) -> Spectrum:
    """Harmonics falling as n**-power; `comb` is where the string is plucked, `odd` how strong the even ones are."""

    def spectrum(n: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        level = n**-power * np.exp(-n / top)
        if comb:
            level = level * np.abs(np.sin(np.pi * n * comb))
        return np.where(n % 2 == 0, level * odd, level)

    return spectrum


def _partials(levels: dict[int, float]) -> Spectrum:
    def spectrum(n: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.array([levels.get(int(value), 0.0) for value in n])

    return spectrum


_VOICES: dict[str, _Voice] = {
    "guitar": _Voice(
        (_slope(0.75, 0.19, top=16), _slope(1.2, 0.19, top=10), _slope(1.9, 0.23)), (0.05, 0.4), 0.003, 0.85, 0.12,
        noise=0.05,
    ),
    "mandolin": _Voice(
        (_slope(0.55, 0.13, top=18), _slope(0.9, 0.13, top=14), _slope(1.4, 0.16)), (0.03, 0.2), 0.002, 0.42, 0.1,
        unison=(-5.0, 5.0), tremolo_hz=9.5, noise=0.07,
    ),
    "accordion": _Voice(
        (_slope(0.85, top=13), _slope(0.8, top=15), _slope(0.85, top=14)), attack_s=0.05, release_s=0.12,
        unison=(-7.0, 0.0, 8.0), vibrato=(3.0, 5.6),
    ),
    "marimba": _Voice(
        (_partials({1: 1, 4: 0.5, 10: 0.22}), _partials({1: 1, 4: 0.16}), _partials({1: 1})), (0.025, 0.12), 0.002, 0.4,
        0.15, noise=0.03,
    ),
    "celesta": _Voice(
        (_partials({1: 1, 3: 0.12, 4: 0.4, 8: 0.2}), _partials({1: 1, 4: 0.18}), _partials({1: 1, 2: 0.05})),
        (0.05, 0.4), 0.002, 1.1, 0.4,
    ),
    "piano": _Voice(
        (_slope(1.1, 0.12, top=12), _slope(1.6, 0.12, top=9), _slope(2.2)), (0.06, 0.6), 0.004, 1.4, 0.18,
        unison=(-1.5, 1.5), noise=0.02,
    ),
    "strings": _Voice(
        (_slope(1.35, top=9), _slope(1.2, top=11), _slope(1.35, top=9)), attack_s=0.35, release_s=0.7,
        unison=(-8.0, 3.0, 9.0), vibrato=(7.0, 4.8),
    ),
    "low_strings": _Voice(
        (_slope(0.95, top=14), _slope(1.1, top=11), _slope(1.3)), attack_s=0.03, release_s=0.16,
        unison=(-4.0, 4.0), vibrato=(4.0, 5.0), noise=0.02,
    ),
    "glass": _Voice(
        (_partials({1: 1, 2: 0.25, 5: 0.12}), _partials({1: 1, 2: 0.35, 3: 0.1}), _partials({1: 1, 2: 0.2})),
        (0.4, 1.2), 0.25, 0.0, 1.2, unison=(-4.0, 4.0), vibrato=(4.0, 3.1),
    ),
    "flute": _Voice(
        (_partials({1: 1, 2: 0.42, 3: 0.12, 4: 0.05}), _partials({1: 1, 2: 0.28, 3: 0.1}), _partials({1: 1, 2: 0.2})),
        attack_s=0.06, release_s=0.12, vibrato=(13.0, 5.1), noise=0.05, sustained_noise=True,
    ),
    "clarinet": _Voice(
        (_slope(0.9, odd=0.15, top=7), _slope(0.85, odd=0.2, top=8), _slope(1.0, odd=0.18, top=7)), attack_s=0.03,
        release_s=0.08, vibrato=(4.0, 4.8), noise=0.012, sustained_noise=True,
    ),
    "pizzicato": _Voice(
        (_slope(0.95, 0.2, top=10), _slope(1.5, 0.2), _slope(2.2)), (0.03, 0.1), 0.003, 0.19, 0.08, unison=(-5.0, 5.0),
        noise=0.06,
    ),
    "horn": _Voice(
        (_slope(1.5, top=6), _slope(0.8, top=10), _slope(0.95, top=8)), (0.09, 0.8), 0.045, 0.0, 0.14,
        unison=(-4.0, 4.0), vibrato=(3.0, 5.0),
    ),
    "bass": _Voice(
        (_slope(1.0, 0.22, top=9), _slope(1.5, 0.22, top=6), _slope(2.0)), (0.05, 0.25), 0.006, 0.6, 0.09, noise=0.02
    ),
}  # fmt: skip


class Orchestra:
    """Renders notes, and keeps each that it has rendered: a score says the same note many times.

    Args:
        brightness: tilt of every instrument, 1 as built, below darker.
        seed: of the noise in plucks, breath and drums.
    """

    def __init__(self, brightness: float, seed: int) -> None:
        self._brightness = brightness
        self._seed = seed
        self._tables: dict[tuple[str, int], list[FloatArray]] = {}
        self._notes: dict[tuple[str, int, int], FloatArray] = {}

    def note(self, instrument: str, pitch: int, seconds: float) -> FloatArray:
        """One note, mono `(n,)`, peak about 1; it rings on after `seconds` for the instrument's release.

        Args:
            instrument: of `PITCHED`.
            pitch: MIDI number, 60 is middle C.
            seconds: written length.
        """
        steps = max(2, min(400, round(seconds * 25)))
        key = (instrument, pitch, steps)
        if key not in self._notes:
            if len(self._notes) > 600:
                self._notes.clear()
            self._notes[key] = self._render(instrument, pitch, steps / 25)
        return self._notes[key]

    def drum(self, drum: str) -> FloatArray:
        """One stroke, mono `(n,)`, peak about 1."""
        key = (drum, -1, 0)
        if key not in self._notes:
            self._notes[key] = _drum(drum, np.random.default_rng([self._seed, 99, DRUMS.index(drum)]))
        return self._notes[key]

    def _table(self, instrument: str, pitch: int) -> list[FloatArray]:
        key = (instrument, pitch)
        if key not in self._tables:
            frequency = 440.0 * 2 ** ((pitch - 69) / 12)
            count = max(1, min(64, int(HIGHEST_HZ / frequency)))
            n = np.arange(1, count + 1, dtype=np.float64)
            tables: list[FloatArray] = []
            scale = 0.0
            for stage in _VOICES[instrument].stages:
                level = stage(n) * n ** (np.log2(max(self._brightness, 0.05)) * 0.5)
                phases = np.random.default_rng([3, pitch]).uniform(0, 2 * np.pi, count)
                spectrum = np.zeros(TABLE // 2 + 1, dtype=np.complex128)
                spectrum[1 : count + 1] = level * np.exp(1j * phases)
                wave = np.fft.irfft(spectrum) * TABLE / 2
                # All stages are scaled by the first, that the decay of the upper harmonics stays a decay.
                scale = scale or float(np.sqrt(np.mean(wave**2))) * 2.6
                tables.append(np.append(wave, wave[0]).astype(np.float32) / np.float32(scale))
            self._tables[key] = tables
        return self._tables[key]

    def _render(self, instrument: str, pitch: int, seconds: float) -> FloatArray:
        voice = _VOICES[instrument]
        frequency = 440.0 * 2 ** ((pitch - 69) / 12)
        register = float(np.clip((261.6 / frequency) ** 0.45, 0.4, 2.2))
        decay = voice.decay_s * register
        # A plucked string rings on to its own end when the note is long, and is stopped when it is short.
        length = min(seconds, decay * 4.5) if decay else seconds
        count = int((length + voice.release_s) * SAMPLE_RATE)
        at = np.arange(count, dtype=np.float32) / np.float32(SAMPLE_RATE)
        out = np.zeros(count, dtype=np.float32)
        first, middle, last = self._table(instrument, pitch)
        fast = np.exp(-at / np.float32(voice.darken_s[0] * register))
        slow = np.exp(-at / np.float32(voice.darken_s[1] * register))
        for number, cents in enumerate(voice.unison):
            hz = frequency * 2 ** (cents / 1200)
            phase = at.astype(np.float64) * hz + 0.137 * number
            depth, rate = voice.vibrato
            if depth:
                # Vibrato sets in after a moment, as a player's does.
                swing = hz * (2 ** (depth / 1200) - 1) / (2 * np.pi * (rate + 0.23 * number))
                onset = np.minimum(at / 0.5, 1.0)
                phase += swing * onset * np.sin(2 * np.pi * (rate + 0.23 * number) * at)
            index = ((phase % 1.0) * TABLE).astype(np.int32)
            out += last[index] + fast * (first[index] - middle[index]) + slow * (middle[index] - last[index])
        out /= np.float32(len(voice.unison) ** 0.5)
        if voice.noise:
            out += self._noise(voice, pitch, at)
        return out * _envelope(voice, at, length, decay)

    def _noise(self, voice: _Voice, pitch: int, at: FloatArray) -> FloatArray:
        noise = np.random.default_rng([self._seed, pitch]).standard_normal(len(at)).astype(np.float32)
        soft = np.convolve(noise, np.ones(5, dtype=np.float32) / 5, "same")
        fade = np.float32(1.0) if voice.sustained_noise else np.exp(-at / np.float32(0.012)) * np.float32(4.0)
        out: FloatArray = (soft * fade * np.float32(voice.noise)).astype(np.float32)
        return out


def _envelope(voice: _Voice, at: FloatArray, length: float, decay: float) -> FloatArray:
    level = np.minimum(at / np.float32(voice.attack_s), 1.0)
    level = level * level * (3 - 2 * level)
    if decay and voice.tremolo_hz and length > 0.45:
        # A long note on a mandolin is many strokes.
        since = (at % np.float32(1 / voice.tremolo_hz)) * np.float32(voice.tremolo_hz)
        level = level * (0.62 + 0.38 * np.exp(-2.2 * since)) * np.minimum(since / 0.03, 1.0) ** 0.3
    elif decay:
        level = level * np.exp(-at / np.float32(decay))
    release = np.clip((np.float32(length + voice.release_s) - at) / np.float32(voice.release_s), 0.0, 1.0)
    out: FloatArray = (level * release * release * (3 - 2 * release)).astype(np.float32)
    return out


def _drum(drum: str, rng: np.random.Generator) -> FloatArray:
    from scipy.signal import butter, sosfilt

    def noise(seconds: float, low: float, high: float, decay: float) -> npt.NDArray[np.float64]:
        count = int(seconds * SAMPLE_RATE)
        sos = butter(2, (low, high), "bandpass", fs=SAMPLE_RATE, output="sos")
        shaped: npt.NDArray[np.float64] = sosfilt(sos, rng.standard_normal(count))
        return shaped * np.exp(-np.arange(count) / SAMPLE_RATE / decay)

    def tone(seconds: float, start: float, end: float, fall: float, decay: float) -> npt.NDArray[np.float64]:
        at = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        phase = end * at + (start - end) * fall * (1 - np.exp(-at / fall))
        return np.sin(2 * np.pi * phase) * np.exp(-at / decay)

    if drum == "kick":
        out = tone(0.4, 130, 52, 0.03, 0.11) + 0.2 * np.pad(noise(0.02, 800, 4000, 0.004), (0, 18_240))
    elif drum == "frame":
        out = tone(0.5, 150, 96, 0.05, 0.13) + 0.35 * noise(0.5, 300, 2200, 0.035)
    elif drum == "shaker":
        out = noise(0.13, 5500, 13_000, 0.035)
        out[:900] *= np.linspace(0, 1, 900)
    elif drum == "brush":
        out = noise(0.28, 1200, 8000, 0.07)
        out[:600] *= np.linspace(0, 1, 600)
    elif drum == "rim":
        out = tone(0.09, 1750, 1650, 0.01, 0.012) + 0.5 * noise(0.09, 2500, 7000, 0.006)
    elif drum == "triangle":
        at = np.arange(int(1.2 * SAMPLE_RATE)) / SAMPLE_RATE
        out = sum(
            (np.sin(2 * np.pi * hz * at) * np.exp(-at / d) for hz, d in ((3180, 0.5), (5230, 0.35), (7890, 0.22))),
            start=np.zeros(len(at)),
        )
    elif drum == "timpani":
        out = tone(1.5, 104, 98, 0.05, 0.5) + 0.4 * tone(1.5, 152, 147, 0.05, 0.25) + 0.2 * noise(1.5, 90, 600, 0.03)
    else:
        out = noise(0.2, 900, 3800, 0.045)
        for delay in (480, 960):
            out[delay:] += 0.6 * out[:-delay].copy()
    return (out / max(float(np.max(np.abs(out))), 1e-9)).astype(np.float32)
