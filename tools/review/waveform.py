"""What the judge measures on sound: peak, clicks, level in time, and loudness by ITU-R BS.1770-4.

Sound is metered block by block, so that half an hour costs no more memory than a second. The loudness is FFmpeg's
`ebur128` filter: it shares no code with tools/sound.py, by which the engines normalise.
"""

from __future__ import annotations

import math
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tools.errors import BadOutput

__all__ = ["STEP_S", "SoundMeter", "Sounding", "measure_wav", "read_wav"]

STEP_S = 0.01
"""Seconds between two values of the level."""
FLOOR_DB = -120.0
"""dBFS that digital silence is given, so that arithmetic goes on."""
FULL_SCALE = 32_700 / 32_768
"""From here on a 16-bit sample counts as clipped; normalisers stop one or two steps below full scale."""
BLOCK_FRAMES = 1 << 18
GATE_LUFS = -70.0
"""The absolute gate of BS.1770-4; `ebur128` reports it where nothing lies above."""

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
        self._loudness = _Loudness(sample_rate, channels)
        self._frames = 0
        self._peak = 0.0
        self._run = 0
        self._power = _Steps(sample_rate * STEP_S)

    def add(self, block: Samples) -> None:
        """Meter the next block."""
        if not block.size:
            return
        self._frames += block.shape[1]
        loud = np.abs(block).max(axis=0)
        self._peak = max(self._peak, float(loud.max()))
        self._run = max(self._run, _longest_run(loud >= FULL_SCALE))
        self._power.add(np.square(block, dtype=np.float64).mean(axis=0))
        self._loudness.add(block)

    def result(self) -> Sounding:
        """What was measured; nothing can be added afterwards."""
        levels = 10 * np.log10(np.maximum(self._power.means(), 10 ** (FLOOR_DB / 10)))
        return Sounding(
            sample_rate=self.sample_rate,
            channels=self.channels,
            duration_s=self._frames / self.sample_rate,
            peak_db=_db(self._peak**2),
            clipped_run=self._run,
            lufs=self._loudness.finish(),
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

    def means(self) -> NDArray[np.float64]:
        used = int(np.count_nonzero(self._counts))
        return self._sums[:used] / np.maximum(self._counts[:used], 1)


class _Loudness:
    """Integrated loudness by libavfilter, which tells it with every 100 ms that come out of the filter."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._rate, self._layout = sample_rate, "mono" if channels == 1 else "stereo"
        self._graph = av.filter.Graph()
        base = Fraction(1, sample_rate)
        source = self._graph.add_abuffer(sample_rate=sample_rate, format="fltp", layout=self._layout, time_base=base)
        meter, sink = self._graph.add("ebur128", "metadata=1"), self._graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        self._graph.configure()
        self._fed = 0
        self._lufs = GATE_LUFS

    def add(self, block: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._fed, Fraction(1, self._rate)
        self._fed += block.shape[1]
        self._graph.push(frame)
        self._drain()

    def finish(self) -> float:
        """LUFS; -inf where nothing lies above the gate, as in what is shorter than one block of 400 ms."""
        self._graph.push(None)
        self._drain()
        return self._lufs if self._lufs > GATE_LUFS else -math.inf

    def _drain(self) -> None:
        while True:
            try:
                measured: Any = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            self._lufs = float(measured.metadata.get("lavfi.r128.I", self._lufs))


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
