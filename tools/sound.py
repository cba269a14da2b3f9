"""Sound as arrays: WAV files, loudness, peaks and the limiter, in one place for voices, music and the mix.

Samples are float32 arrays, `(n,)` mono or `(n, 2)` stereo, full scale at 1.0.

Loudness follows ITU-R BS.1770-4 (K-weighting, 400 ms blocks with 75 % overlap, gates at -70 LUFS and -10 LU). The
meter here takes the sound piece by piece: a film of half an hour must not be held in memory as float64. The tests
hold it against pyloudnorm.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tools.errors import BadOutput

__all__ = [
    "CEILING_DB",
    "SAMPLE_RATE",
    "SILENCE_DB",
    "FloatArray",
    "LoudnessMeter",
    "WavReader",
    "WavWriter",
    "gain",
    "limit",
    "limit_stream",
    "loudness",
    "peak_db",
    "read_wav",
    "resample",
    "true_peak_db",
    "write_wav",
]

FloatArray: TypeAlias = npt.NDArray[np.float32]

SAMPLE_RATE = 48_000
"""Rate of every sound the studio makes, in Hz: the rate of film sound and of AAC in MP4, so that clips, score and
ambience are laid over one another without resampling and a frame of 24, 25 or 30 fps is a whole number of samples."""
CEILING_DB = -1.0
"""No true peak above this, in dBFS (EBU R 128)."""
SILENCE_DB = -120.0
"""What levels of digital silence read."""


def gain(db: float) -> float:
    """The factor for a level in dB."""
    return float(10.0 ** (db / 20.0))


def _level(value: float) -> float:
    return max(SILENCE_DB, 20.0 * float(np.log10(value))) if value > 0 else SILENCE_DB


# --- files ----------------------------------------------------------------------------------------------------------


def _to_pcm(samples: FloatArray) -> bytes:
    """16-bit PCM, rounded half to even and without dither: the same samples always give the same bytes."""
    scaled = np.rint(np.asarray(samples, dtype=np.float64) * 32767.0)
    return np.clip(scaled, -32768, 32767).astype("<i2").tobytes()


class WavWriter:
    """Writes a 16-bit WAV piece by piece; a context manager."""

    def __init__(self, path: Path, rate: int, channels: int) -> None:
        self._stream = wave.open(str(path), "wb")  # noqa: SIM115 - closed by __exit__
        self._stream.setnchannels(channels)
        self._stream.setsampwidth(2)
        self._stream.setframerate(rate)

    def __enter__(self) -> WavWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def write(self, samples: FloatArray) -> None:
        """Append samples, `(n,)` or `(n, channels)`; what lies beyond full scale is clipped."""
        self._stream.writeframes(_to_pcm(samples))


class WavReader:
    """Random access to a 16-bit WAV without reading it whole; a context manager.

    Raises:
        BadOutput: the file is missing, is not a 16-bit PCM WAV, or is cut short.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._stream = wave.open(str(path), "rb")  # noqa: SIM115 - closed by __exit__
        except (OSError, EOFError, wave.Error) as error:
            raise BadOutput(f"{path} is no readable WAV: {error or type(error).__name__}.") from error
        self.path = path
        self.rate = self._stream.getframerate()
        self.channels = self._stream.getnchannels()
        self.frames = self._stream.getnframes()
        if self._stream.getsampwidth() != 2:
            self._stream.close()
            raise BadOutput(f"{path} holds {8 * self._stream.getsampwidth()}-bit sound; 16 bit is read.")

    def __enter__(self) -> WavReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stream.close()

    def read(self, start: int, stop: int) -> FloatArray:
        """Frames `start` to `stop`, `(n, channels)`; silence where the file does not reach."""
        out = np.zeros((max(0, stop - start), self.channels), dtype=np.float32)
        first, last = max(0, start), min(stop, self.frames)
        if last > first:
            self._stream.setpos(first)
            raw = np.frombuffer(self._stream.readframes(last - first), dtype="<i2")
            if raw.size != (last - first) * self.channels:
                raise BadOutput(f"{self.path} is cut short.")
            out[first - start : last - start] = raw.reshape(-1, self.channels).astype(np.float32) / 32767.0
        return out


def read_wav(path: Path) -> tuple[FloatArray, int]:
    """Samples, `(n,)` for mono or `(n, channels)`, and the sample rate in Hz.

    Raises:
        BadOutput: the file is missing or is no 16-bit PCM WAV.
    """
    with WavReader(path) as reader:
        samples = reader.read(0, reader.frames)
        return (samples[:, 0] if reader.channels == 1 else samples), reader.rate


def write_wav(path: Path, samples: FloatArray, rate: int = SAMPLE_RATE) -> None:
    """Write 16-bit PCM, mono for `(n,)` and as many channels as `samples` has columns otherwise."""
    with WavWriter(path, rate, 1 if samples.ndim == 1 else samples.shape[1]) as writer:
        writer.write(samples)


def resample(samples: FloatArray, rate: int, new_rate: int) -> FloatArray:
    """Band-limited resampling along the first axis; rates in Hz."""
    if rate == new_rate:
        return samples
    from math import gcd

    from scipy.signal import resample_poly

    shared = gcd(rate, new_rate)
    out: FloatArray = resample_poly(samples, new_rate // shared, rate // shared, axis=0).astype(np.float32)
    return out


# --- levels ---------------------------------------------------------------------------------------------------------


def _k_weighting(rate: int) -> npt.NDArray[np.float64]:
    """The two biquads of BS.1770 as second-order sections for any rate (analogue prototypes after De Man, 2014)."""

    def shelf() -> list[float]:
        db, q, f0 = 3.99984385397, 0.7071752369554193, 1681.9744509555319
        k = np.tan(np.pi * f0 / rate)
        vh, vb = 10 ** (db / 20), (10 ** (db / 20)) ** 0.499666774155
        a0 = 1 + k / q + k * k
        return [
            (vh + vb * k / q + k * k) / a0,
            2 * (k * k - vh) / a0,
            (vh - vb * k / q + k * k) / a0,
            1.0,
            2 * (k * k - 1) / a0,
            (1 - k / q + k * k) / a0,
        ]

    def high_pass() -> list[float]:
        q, f0 = 0.5003270373253953, 38.13547087613982
        k = np.tan(np.pi * f0 / rate)
        a0 = 1 + k / q + k * k
        return [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]

    return np.array([shelf(), high_pass()])


class LoudnessMeter:
    """Integrated loudness of a sound that arrives in pieces.

    Args:
        rate: samples a second.
        channels: 1 or 2 (both weigh 1.0, so equal sound on two channels reads 3 LU above one).
    """

    def __init__(self, rate: int, channels: int) -> None:
        from scipy.signal import sosfilt

        self._filter = sosfilt
        self._sos = _k_weighting(rate)
        self._state = np.zeros((2, 2, channels))
        self._channels = channels
        self._step = rate // 10
        self._rest = np.zeros((0, channels))
        self._energies: list[npt.NDArray[np.float64]] = []
        self._seen = 0
        self._total = 0.0

    def feed(self, samples: FloatArray) -> None:
        """Take the next samples, `(n,)` or `(n, channels)`."""
        piece = np.asarray(samples, dtype=np.float64).reshape(-1, self._channels)
        if not len(piece):
            return
        weighted, self._state = self._filter(self._sos, piece, axis=0, zi=self._state)
        self._seen += len(piece)
        self._total += float(np.sum(np.square(weighted)))
        whole = np.concatenate([self._rest, weighted])
        count = len(whole) // self._step
        cut = whole[: count * self._step].reshape(count, self._step * self._channels)
        self._energies.append(np.einsum("ij,ij->i", cut, cut))
        self._rest = whole[count * self._step :]

    def lufs(self) -> float:
        """Integrated loudness so far; `SILENCE_DB` for silence. Less than 400 ms is measured as one block."""
        energies = np.concatenate(self._energies) if self._energies else np.zeros(0)
        if len(energies) >= 4:
            blocks = np.convolve(energies, np.ones(4), "valid") / (4 * self._step)
        else:
            blocks = np.array([self._total / max(self._seen, 1)])
        loud = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
        if not len(loud):
            return SILENCE_DB
        kept = loud[loud > np.mean(loud) * 0.1]
        return float(-0.691 + 10 * np.log10(np.mean(kept)))


def loudness(samples: FloatArray, rate: int = SAMPLE_RATE) -> float:
    """Integrated loudness in LUFS of `(n,)` or `(n, 2)` samples; `SILENCE_DB` for silence."""
    meter = LoudnessMeter(rate, 1 if samples.ndim == 1 else samples.shape[1])
    meter.feed(samples)
    return meter.lufs()


def peak_db(samples: FloatArray) -> float:
    """Highest sample in dBFS."""
    return _level(float(np.max(np.abs(samples)))) if samples.size else SILENCE_DB


def _between(samples: FloatArray, floor: float) -> npt.NDArray[np.float64]:
    """Absolute peaks `(n,)` over the channels, looking four times as fine as the samples do (BS.1770 annex 2).

    Only around samples above `floor`: elsewhere the wave between them does not matter to the caller.
    """
    columns = np.asarray(samples, dtype=np.float64).reshape(len(samples), -1)
    taps = 12
    level: npt.NDArray[np.float64] = np.max(np.abs(columns), axis=1)
    offsets = np.arange(-taps + 1, taps + 1)
    padded = np.pad(columns, ((taps, taps), (0, 0)))
    near = np.flatnonzero(level > max(floor, 1e-9))
    for phase in (0.25, 0.5, 0.75):
        kernel = np.sinc(offsets - phase) * np.cos(np.pi * (offsets - phase) / (2 * taps + 1)) ** 2
        # In batches: a loud piece has a window around every one of its samples.
        for batch in np.array_split(near, len(near) // 20_000 + 1):
            rows = batch[:, None] + offsets[None, :] + taps
            for channel in range(columns.shape[1]):
                level[batch] = np.maximum(level[batch], np.abs(padded[rows, channel] @ kernel))
    return level


def true_peak_db(samples: FloatArray) -> float:
    """Highest point of the wave between the samples, in dBTP (four-fold oversampling)."""
    if not samples.size:
        return SILENCE_DB
    floor = 0.5 * float(np.max(np.abs(samples)))
    pieces = (samples[max(0, at - 64) : at + 480_000] for at in range(0, len(samples), 480_000))
    return _level(max(float(np.max(_between(piece, floor))) for piece in pieces))


LOOK_AHEAD = 0.004
"""Seconds over which the limiter turns the level down before a peak, and up after it."""


def limit(samples: FloatArray, rate: int = SAMPLE_RATE, ceiling_db: float = CEILING_DB) -> FloatArray:
    """Turn peaks down so that none lies above the ceiling; what lies below stays as it is, bit for bit.

    The gain is the least that a window around each sample needs, then averaged over the same window: it can never
    be too large, and has no corners to be heard.
    """
    from scipy.ndimage import minimum_filter1d, uniform_filter1d

    if not samples.size:
        return samples
    ceiling = gain(ceiling_db) * 0.998
    needed = ceiling / np.maximum(_between(samples, 0.5 * ceiling), 1e-9)
    if float(needed.min()) >= 1.0:
        return samples
    window = 2 * int(LOOK_AHEAD * rate) + 1
    least = minimum_filter1d(np.minimum(needed, 1.0), window, mode="nearest")
    curve = uniform_filter1d(least, window, mode="nearest").astype(np.float32)
    limited: FloatArray = samples * (curve if samples.ndim == 1 else curve[:, None])
    return limited


def limit_stream(
    pieces: Iterable[FloatArray], rate: int = SAMPLE_RATE, ceiling_db: float = CEILING_DB
) -> Iterator[FloatArray]:
    """`limit` for a sound in pieces: each piece is limited with enough of its neighbours to join without a seam."""
    margin = 4 * int(LOOK_AHEAD * rate) + 64
    before: FloatArray | None = None
    held: FloatArray | None = None
    for piece in pieces:
        if held is not None:
            yield _limit_between(before, held, piece[:margin], rate, ceiling_db)
            before = held[-margin:]
        held = piece
    if held is not None:
        yield _limit_between(before, held, held[:0], rate, ceiling_db)


def _limit_between(
    before: FloatArray | None, piece: FloatArray, after: FloatArray, rate: int, ceiling_db: float
) -> FloatArray:
    lead = 0 if before is None else len(before)
    parts = [piece, after] if before is None else [before, piece, after]
    return limit(np.concatenate(parts), rate, ceiling_db)[lead : lead + len(piece)]
