"""Listening to a recording before it becomes somebody's voice: is it a WAV, long enough, loud enough, and speech?

Only WAV is read, by a few lines of our own: a file from anywhere meets no decoder.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.errors import InvalidInput

__all__ = ["LENGTHS", "Heard", "hear", "recorded", "unfit"]

LENGTHS: dict[str, tuple[float, float]] = {"gpt_sovits": (3.0, 10.0), "xtts": (3.0, 60.0), "elevenlabs": (1.0, 600.0)}
"""Seconds that a recording may last, by the kind of voice. GPT-SoVITS refuses any other."""
MAX_BYTES = 200_000_000
MOST_SAMPLES = 60_000_000
"""Ten minutes of two channels at 48 kHz: the longest that any kind takes."""
LEAST_RATE = 16_000
SILENT_DB = -45.0
MOSTLY = 0.35
"""Part of a recording that must be within 35 dB of its loudest moment."""
CLIPPED = 0.005
_MAKE = "Make one with: ffmpeg -i FILE -ac 1 -ar 32000 -sample_fmt s16 OUT.wav"


@dataclass(frozen=True)
class Heard:
    """A recording: seconds, Hz, channels, peak in dBFS, part of it that is loud enough, part at full scale."""

    seconds: float
    rate: int
    channels: int
    peak_db: float
    spoken: float
    clipped: float


def recorded(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    """The samples of a recording, `(n, channels)` of full scale 1.0, and its rate in Hz.

    Raises:
        InvalidInput: it is not there, no WAV, cut short, or holds values that are no numbers; names it.
    """
    try:
        if not path.is_file():
            raise InvalidInput("there is no such file" if not path.exists() else "is not a file", where=str(path))
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"is larger than {MAX_BYTES // 1_000_000} MB", where=str(path))
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", where=str(path)) from None
    samples, rate, channels = _decode(data, path)
    if not np.all(np.isfinite(samples)):
        raise InvalidInput("holds values that are no numbers", where=str(path))
    return samples.reshape(-1, channels), rate


def hear(path: Path) -> Heard:
    """Read a recording and measure it.

    Raises:
        InvalidInput: it is not there, no WAV, cut short, or holds values that are no numbers; names it.
    """
    samples, rate = recorded(path)
    channels = samples.shape[1]
    mono = np.abs(samples.mean(axis=1))
    peak = float(mono.max())
    window = max(1, rate // 50)
    levels = np.sqrt(np.mean(mono[: len(mono) // window * window].reshape(-1, window) ** 2, axis=1))
    loud = float(np.mean(levels > levels.max() * 10 ** (-35 / 20))) if len(levels) and levels.max() > 0 else 0.0
    return Heard(
        seconds=len(mono) / rate,
        rate=rate,
        channels=channels,
        peak_db=round(20 * float(np.log10(peak)), 1) if peak > 0 else -120.0,
        spoken=loud,
        clipped=float(np.mean(np.abs(samples) >= 0.9995)),
    )


def _decode(data: bytes, path: Path) -> tuple[npt.NDArray[np.float32], int, int]:
    """Samples of full scale 1.0, interleaved, the rate, and how many channels."""
    if not data:
        raise InvalidInput("is empty", where=str(path), hint=_MAKE)
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise InvalidInput("is no WAV", where=str(path), hint=_MAKE)
    at, layout = 12, None
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if kind == b"fmt " and len(body) >= 16:
            coding, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            # WAVE_FORMAT_EXTENSIBLE: the real coding are the first bytes of a GUID.
            layout = (int.from_bytes(body[24:26], "little") if coding == 0xFFFE else coding, channels, rate, bits)
        if kind == b"data":
            if layout is None:
                break
            if len(body) < size:
                raise InvalidInput("is cut short", where=str(path))
            return _samples(body, layout, path), layout[2], layout[1]
        at += 8 + size + (size & 1)
    raise InvalidInput("holds no sound", where=str(path), hint=_MAKE)


def _samples(body: bytes, layout: tuple[int, int, int, int], path: Path) -> npt.NDArray[np.float32]:
    coding, channels, rate, bits = layout
    if channels not in (1, 2) or not 8_000 <= rate <= 192_000:
        raise InvalidInput(f"has {channels} channels at {rate} Hz", where=str(path), hint=_MAKE)
    step = channels * (bits // 8)
    body = body[: len(body) // step * step] if step else b""
    if not body:
        raise InvalidInput("holds no sound", where=str(path), hint=_MAKE)
    if len(body) // (bits // 8) > MOST_SAMPLES:
        seconds = len(body) / step / rate
        raise InvalidInput(f"is too long: {seconds:.0f} s at {rate} Hz", where=str(path), hint=_MAKE)
    if (coding, bits) == (1, 24):
        whole = np.zeros((len(body) // 3, 4), dtype=np.uint8)
        whole[:, 1:] = np.frombuffer(body, dtype=np.uint8).reshape(-1, 3)
        return whole.view("<i4").reshape(-1).astype(np.float32) / np.float32(2**31)
    kinds = {(1, 16): "<i2", (1, 32): "<i4", (3, 32): "<f4", (3, 64): "<f8"}
    if (coding, bits) not in kinds:
        raise InvalidInput(f"is a WAV of format {coding} with {bits} bit", where=str(path), hint=_MAKE)
    with np.errstate(over="ignore"):
        # What is too large for 32 bits becomes infinite, and is refused as such.
        raw = np.frombuffer(body, dtype=kinds[coding, bits]).astype(np.float32)
    if coding == 1:
        raw /= np.float32(1 << (bits - 1))
    return raw


def unfit(heard: Heard, kind: str) -> str:
    """What keeps a recording from being a voice of this kind; empty where it will do."""
    low, high = LENGTHS.get(kind, (1.0, 600.0))
    if not low <= heard.seconds <= high:
        return f"lasts {heard.seconds:.1f} s, and must last {low:g} to {high:g} s"
    if heard.rate < LEAST_RATE:
        return f"has {heard.rate} Hz, and needs at least {LEAST_RATE}"
    if heard.peak_db < SILENT_DB:
        return f"is silent (peak {heard.peak_db:.0f} dBFS)"
    if heard.spoken < MOSTLY:
        return f"is mostly silence: somebody speaks in {heard.spoken:.0%} of it"
    if heard.clipped > CLIPPED:
        return f"is overdriven: {heard.clipped:.1%} of it is at full scale"
    return ""
