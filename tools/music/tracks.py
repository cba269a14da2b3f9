"""The tracks of a mix: each can render any stretch of the film, so that the film is never held whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.sound import SAMPLE_RATE, FloatArray, WavReader, read_wav, resample

__all__ = ["BedTrack", "Ducking", "Fades", "SpeechTrack"]

DUCK_DB = 10.0
ATTACK_S, RELEASE_S = 0.35, 0.8
"""Beds go down before a line begins and come back after it: nobody should hear that they do."""
HOLD_S = 1.2
"""They stay down through a shorter pause."""
SPLICE_S = 0.5
"""Crossfade where a bed is looped or lengthened."""
CENTRE = float(np.sqrt(0.5))
"""A voice in the middle on two channels is as loud as it was on one."""


def _ramp(at: npt.NDArray[np.float64]) -> FloatArray:
    """From 0 at 0 to 1 at 1 along half a cosine, without corners."""
    out: FloatArray = (0.5 - 0.5 * np.cos(np.pi * np.clip(at, 0.0, 1.0))).astype(np.float32)
    return out


class Ducking:
    """The level of the beds over the film, from the times (seconds) of its lines."""

    def __init__(self, speech: Sequence[tuple[float, float]]) -> None:
        self._spans: list[tuple[float, float]] = []
        for start, end in sorted(speech):
            if self._spans and start - self._spans[-1][1] < HOLD_S:
                self._spans[-1] = (self._spans[-1][0], max(end, self._spans[-1][1]))
            else:
                self._spans.append((start, end))

    def render(self, start: int, stop: int) -> FloatArray:
        """Factors `(n, 1)` for the samples `start` to `stop`: 1 where nobody speaks, 10 dB less where somebody does."""
        at = np.arange(start, stop) / SAMPLE_RATE
        depth = np.zeros(stop - start, dtype=np.float32)
        for begin, end in self._spans:
            if begin - ATTACK_S < stop / SAMPLE_RATE and end + RELEASE_S > start / SAMPLE_RATE:
                down = _ramp((at - (begin - ATTACK_S)) / ATTACK_S)
                up = _ramp((at - end) / RELEASE_S)
                depth = np.maximum(depth, down * (1 - up))
        out: FloatArray = (10.0 ** (-DUCK_DB / 20.0 * depth)).astype(np.float32)[:, None]
        return out


class SpeechTrack:
    """One clip that begins at the film's sample `at`; read when the film gets there, let go after it."""

    def __init__(self, path: Path, at: int) -> None:
        self._path, self._at = path, at
        with WavReader(path) as reader:
            self._length = -(-reader.frames * SAMPLE_RATE // reader.rate)
        self._samples: FloatArray | None = None

    def add(self, sound: FloatArray, start: int) -> None:
        """Add what falls into `sound`, `(n, 2)`, which begins at the film's sample `start`."""
        stop = start + len(sound)
        first, last = max(start, self._at), min(stop, self._at + self._length)
        if first >= last:
            self._samples = None
            return
        if self._samples is None:
            samples, rate = read_wav(self._path)
            mono = samples if samples.ndim == 1 else samples.mean(axis=1)
            self._samples = resample(mono.astype(np.float32), rate, SAMPLE_RATE)
        piece = self._samples[first - self._at : last - self._at] * np.float32(CENTRE)
        sound[first - start : first - start + len(piece)] += piece[:, None]


@dataclass(frozen=True)
class Fades:
    """Samples by which a bed reaches past its shots (`before`, `after`), and over which it comes and goes."""

    before: int
    after: int
    fade_in: int
    fade_out: int


class BedTrack:
    """Music or ambience from `start` to `stop` (samples of the film), made to fit.

    Ambience is looped. Music that is too short keeps its beginning and its ending: a passage of its middle is played
    again. What is too long is faded out.
    """

    def __init__(self, reader: WavReader, start: int, stop: int, fades: Fades, factor: float, *, loops: bool) -> None:
        self._reader, self._fades, self._factor = reader, fades, factor
        self._start, self._stop = start - fades.before, stop + fades.after
        self._parts = _parts(reader.frames, self._stop - self._start, loops)

    def add(self, film: FloatArray, start: int) -> None:
        """Add what falls into `film`, `(n, 2)`, which begins at the film's sample `start`."""
        first, last = max(start, self._start), min(start + len(film), self._stop)
        if first >= last:
            return
        sound = np.zeros((last - first, 2), dtype=np.float32)
        for part in self._parts:
            part.add(self._reader, sound, first - self._start)
        at = np.arange(first - self._start, last - self._start, dtype=np.float32)
        length = self._stop - self._start
        level = np.full(last - first, self._factor, dtype=np.float32)
        # Sine and cosine: two beds that cross keep their common power.
        if self._fades.fade_in:
            level *= np.sin(np.clip(at / self._fades.fade_in, 0, 1) * (np.pi / 2)).astype(np.float32)
        if self._fades.fade_out:
            level *= np.sin(np.clip((length - at) / self._fades.fade_out, 0, 1) * (np.pi / 2)).astype(np.float32)
        film[first - start : last - start] += sound * level[:, None]


@dataclass(frozen=True)
class _Part:
    """`length` samples of the file from `source`, heard from `at` of the bed; crossfaded over `head` and `tail`."""

    at: int
    source: int
    length: int
    head: int
    tail: int

    def add(self, reader: WavReader, sound: FloatArray, offset: int) -> None:
        """Add what of this part falls into `sound`, which begins at `offset` of the bed."""
        first, last = max(offset, self.at), min(offset + len(sound), self.at + self.length)
        if first >= last:
            return
        inside = first - self.at
        samples = reader.read(self.source + inside, self.source + inside + last - first)
        stereo = samples if reader.channels == 2 else samples.repeat(2, axis=1)
        place = np.arange(inside, inside + last - first, dtype=np.float32)
        level = np.ones(last - first, dtype=np.float32)
        if self.head:
            level *= np.sin(np.clip(place / self.head, 0, 1) * (np.pi / 2)).astype(np.float32)
        if self.tail:
            level *= np.sin(np.clip((self.length - place) / self.tail, 0, 1) * (np.pi / 2)).astype(np.float32)
        sound[first - offset : last - offset] += stereo * level[:, None]


def _parts(have: int, need: int, loops: bool) -> list[_Part]:
    """How a file of `have` samples fills `need`."""
    splice = min(round(SPLICE_S * SAMPLE_RATE), have // 4)
    short = need - have
    if short <= 0 or have < 8 or splice < 1:
        return [_Part(0, 0, min(have, need), 0, 0)]
    if loops:
        step = have - splice
        count = -(-(need - splice) // step)
        return [
            _Part(index * step, 0, have, splice if index else 0, splice if index < count - 1 else 0)
            for index in range(count)
        ]
    if short <= splice:
        # So little is missing that the music may just end that much before its shots do.
        return [_Part(0, 0, have, 0, 0)]
    # Back from 0.7 of the piece, by as much as is missing, as often as needed.
    turn = round(0.7 * have)
    jumps = -(-short // (turn - splice))
    back = [short // jumps + (1 if index < short % jumps else 0) for index in range(jumps)]
    parts, at, source = [], 0, 0
    for jump in back:
        parts.append(_Part(at, source, turn - source + splice, splice if at else 0, splice))
        at += turn - source
        source = turn - jump
    parts.append(_Part(at, source, have - source, splice, 0))
    return parts
