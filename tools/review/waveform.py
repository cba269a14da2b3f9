"""What the judge measures on sound: peak, clicks, level in time, and loudness by ITU-R BS.1770-4.

Sound is metered block by block, so that half an hour costs no more memory than a second. The loudness is the judge's
own, from the recommendation, and shares no code with the engines that normalise to it.
"""

from __future__ import annotations

import math
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from tools.errors import BadOutput

__all__ = ["STEP_S", "SoundMeter", "Sounding", "measure_wav", "read_wav"]

STEP_S = 0.01
"""Seconds between two values of the level."""
FLOOR_DB = -120.0
"""dBFS that digital silence is given, so that arithmetic goes on."""
FULL_SCALE = 32_700 / 32_768
"""From here on a 16-bit sample counts as clipped; normalisers stop one or two steps below full scale."""
BLOCK_FRAMES = 1 << 18

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Sounding:
    """A sound, measured.

    Attributes:
        peak_db: of the largest sample, dBFS.
        clipped_run: most samples at full scale in a row.
        lufs: integrated loudness (BS.1770-4, gated), -inf where everything lies below the gate.
        levels: RMS of every `STEP_S`, all channels together, dBFS.
    """

    sample_rate: int
    channels: int
    duration_s: float
    peak_db: float
    clipped_run: int
    lufs: float
    levels: NDArray[np.float64]

    def sounding_from_to(self, silence_db: float) -> tuple[float, float] | None:
        """Seconds of the first and the last moment above `silence_db`; None where there is none."""
        loud = np.flatnonzero(self.levels > silence_db)
        return (float(loud[0]) * STEP_S, float(loud[-1] + 1) * STEP_S) if loud.size else None

    def longest_silence_s(self, silence_db: float) -> float:
        """Seconds of the longest stretch at or below `silence_db`."""
        loud = np.flatnonzero(self.levels > silence_db)
        edges = np.concatenate(([-1], loud, [self.levels.size]))
        return float(np.diff(edges).max() - 1) * STEP_S

    def level_db(self, start_s: float, end_s: float) -> float:
        """RMS level between two moments, dBFS."""
        part = self.levels[max(0, round(start_s / STEP_S)) : max(0, round(end_s / STEP_S))]
        return _db(float(np.mean(10 ** (part / 10)))) if part.size else FLOOR_DB


class SoundMeter:
    """Takes sound in blocks of (channels, n) samples of -1..1 and measures it as a whole.

    Args:
        sample_rate: samples a second.
        channels: of the blocks that follow.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self.sample_rate, self.channels = sample_rate, channels
        self._filters = _k_weighting(sample_rate)
        self._states = [np.zeros((channels, 2)) for _ in self._filters]
        self._frames = 0
        self._peak = 0.0
        self._run = 0
        self._power = _Steps(sample_rate * STEP_S)
        self._weighted = _Steps(sample_rate * 0.1)

    def add(self, block: Samples) -> None:
        """Meter the next block."""
        if not block.size:
            return
        self._frames += block.shape[1]
        loud = np.abs(block).max(axis=0)
        self._peak = max(self._peak, float(loud.max()))
        self._run = max(self._run, _longest_run(loud >= FULL_SCALE))
        self._power.add(np.square(block, dtype=np.float64).mean(axis=0))
        heard = block.astype(np.float64)
        for number, (b, a) in enumerate(self._filters):
            heard, self._states[number] = lfilter(b, a, heard, axis=1, zi=self._states[number])
        # BS.1770 adds the channels up: front channels weigh 1, and the studio writes no surround.
        self._weighted.add(np.square(heard).sum(axis=0))

    def result(self) -> Sounding:
        """What was measured so far."""
        levels = 10 * np.log10(np.maximum(self._power.means(), 10 ** (FLOOR_DB / 10)))
        return Sounding(
            sample_rate=self.sample_rate,
            channels=self.channels,
            duration_s=self._frames / self.sample_rate,
            peak_db=_db(self._peak**2),
            clipped_run=self._run,
            lufs=_integrated(self._weighted.means(whole_only=True)),
            levels=levels,
        )


class _Steps:
    """Means over steps of equal length, of values that come in pieces; a step may be a fraction of a sample long."""

    def __init__(self, length: float) -> None:
        self._length = length
        self._seen = 0
        self._sums = np.zeros(64)
        self._counts = np.zeros(64)

    def add(self, values: NDArray[np.float64]) -> None:
        index = ((np.arange(values.size) + self._seen) / self._length).astype(np.int64)
        self._seen += values.size
        first, last = int(index[0]), int(index[-1])
        while last >= self._sums.size:
            self._sums = np.concatenate((self._sums, np.zeros_like(self._sums)))
            self._counts = np.concatenate((self._counts, np.zeros_like(self._counts)))
        size = last - first + 1
        self._sums[first : last + 1] += np.bincount(index - first, weights=values, minlength=size)
        self._counts[first : last + 1] += np.bincount(index - first, minlength=size)

    def means(self, *, whole_only: bool = False) -> NDArray[np.float64]:
        used = int(np.count_nonzero(self._counts))
        if whole_only:
            used = int(self._seen / self._length + 1e-9)
        return self._sums[:used] / np.maximum(self._counts[:used], 1)


def _k_weighting(rate: int) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The two filters of BS.1770-4, annex 1, made for any rate by the bilinear transform of their analogue form.

    The analogue parameters are those that give the recommendation's coefficients at 48 kHz (De Man, 2014).
    """
    shelf_hz, shelf_db, shelf_q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
    k, high = math.tan(math.pi * shelf_hz / rate), 10 ** (shelf_db / 20)
    middle = high**0.4996667741545416
    norm = 1 + k / shelf_q + k * k
    poles = np.array([1.0, 2 * (k * k - 1) / norm, (1 - k / shelf_q + k * k) / norm])
    zeros = np.array([high + middle * k / shelf_q + k * k, 2 * (k * k - high), high - middle * k / shelf_q + k * k])
    shelf = (zeros / norm, poles)
    pass_hz, pass_q = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * pass_hz / rate)
    norm = 1 + k / pass_q + k * k
    high_pass = (np.array([1.0, -2.0, 1.0]), np.array([1.0, 2 * (k * k - 1) / norm, (1 - k / pass_q + k * k) / norm]))
    return [shelf, high_pass]


def _integrated(tenths: NDArray[np.float64]) -> float:
    """Gated loudness in LUFS from the K-weighted power of every 100 ms: blocks of 400 ms that overlap by 75 %."""
    if tenths.size < 4:
        return -math.inf
    blocks = np.convolve(tenths, np.full(4, 0.25), mode="valid")
    blocks = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if not blocks.size:
        return -math.inf
    blocks = blocks[blocks > blocks.mean() / 10]
    return -0.691 + 10 * math.log10(float(blocks.mean()))


def read_wav(path: Path) -> tuple[int, int, Iterator[Samples]]:
    """Rate, channels and the samples of a 16-bit wav, in blocks of (channels, n) from -1 to 1.

    Raises:
        BadOutput: it is no 16-bit PCM wav, or it breaks off before the length its header promises.
    """
    try:
        with wave.open(str(path), "rb") as source:
            width, rate, channels = source.getsampwidth(), source.getframerate(), source.getnchannels()
    except (OSError, EOFError, wave.Error) as error:
        raise BadOutput(f"{path.name} cannot be read as WAV: {error or 'it is empty'}.") from error
    if width != 2 or not rate or not channels:
        raise BadOutput(f"{path.name} has {width * 8} bits a sample; 16 are read.")
    return rate, channels, _wav_blocks(path)


def _wav_blocks(path: Path) -> Iterator[Samples]:
    with wave.open(str(path), "rb") as source:
        left = source.getnframes()
        while left > 0:
            data = source.readframes(min(BLOCK_FRAMES, left))
            samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2")
            count = samples.size // source.getnchannels()
            if count == 0:
                raise BadOutput(f"{path.name} breaks off {left / source.getframerate():.2f} s before its end.")
            left -= count
            block = samples[: count * source.getnchannels()].reshape(count, source.getnchannels())
            yield (block.T / np.float32(32_768)).astype(np.float32)


def measure_wav(path: Path) -> Sounding:
    """Measure a 16-bit wav.

    Raises:
        BadOutput: it cannot be read to its end.
    """
    rate, channels, blocks = read_wav(path)
    meter = SoundMeter(rate, channels)
    for block in blocks:
        meter.add(block)
    return meter.result()


def _longest_run(flags: NDArray[np.bool_]) -> int:
    if not flags.any():
        return 0
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max())


def _db(power: float) -> float:
    return max(FLOOR_DB, 10 * math.log10(power)) if power > 0 else FLOOR_DB
