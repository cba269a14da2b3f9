"""The embedded composer: writes a score by mood (composition.py) and plays it (instruments.py)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tools.base import Engine, EngineContext
from tools.music.composition import compose
from tools.music.instruments import Orchestra
from tools.music.moods import MOODS_PATH, MoodScore, load_moods
from tools.music.sheet import Note, Stroke, WrittenScore
from tools.music.tool import ComposeMusic
from tools.sound import SAMPLE_RATE, FloatArray, LoudnessMeter, WavWriter, gain, limit_stream

__all__ = ["Score"]

PIECE = 16 * SAMPLE_RATE
REVERB_S = 1.8
TARGET_LUFS = -20.0
"""Loudness of a score by itself; the mix sets it under the voices."""
FADE_S = 1.6


class Score(Engine[ComposeMusic.Input, ComposeMusic.Output]):
    """`compose_music` with numpy: every score is a deterministic function of mood, length and seed."""

    tool = ComposeMusic
    name = "score"
    version = "1"

    def __init__(self, moods: Path = MOODS_PATH) -> None:
        self._path = moods

    def fingerprint(self, args: ComposeMusic.Input) -> str:
        mood = load_moods(self._path).moods[args.mood]
        return hashlib.sha256(mood.model_dump_json().encode()).hexdigest()

    def run(self, args: ComposeMusic.Input, ctx: EngineContext) -> ComposeMusic.Output:
        """Write `music.wav`, exactly as long as asked, ending on its own cadence.

        Raises:
            InvalidInput: moods.yaml is missing or wrong; names file and line.
        """
        mood = load_moods(self._path).moods[args.mood]
        total = round(args.duration_s * SAMPLE_RATE)
        score = compose(mood, args.duration_s, ctx.seed)
        ctx.progress(0.02, f"{args.mood}: {score.tempo:.0f} beats a minute, {len(score.notes)} notes")
        raw = ctx.out / "music.raw"
        meter = LoudnessMeter(SAMPLE_RATE, 2)
        # The loudness is known only at the end: the unscaled score waits on disk, not in memory.
        with raw.open("wb") as stream:
            for done, piece in _play(score, mood, total, ctx.seed):
                meter.feed(piece)
                stream.write(piece.astype("<f4").tobytes())
                ctx.progress(0.02 + 0.88 * done / total, "playing")
        factor = gain(TARGET_LUFS - meter.lufs()) if meter.lufs() > -70 else 1.0
        loud = LoudnessMeter(SAMPLE_RATE, 2)
        with WavWriter(ctx.out / "music.wav", SAMPLE_RATE, 2) as writer:
            for piece in limit_stream(_read_raw(raw, factor)):
                writer.write(piece)
                loud.feed(piece)
        raw.unlink()
        ctx.progress(1.0, "composed")
        return ComposeMusic.Output(
            file="music.wav", sample_rate=SAMPLE_RATE, duration_s=total / SAMPLE_RATE, lufs=round(loud.lufs(), 2)
        )


def _read_raw(path: Path, factor: float) -> Iterator[FloatArray]:
    with path.open("rb") as stream:
        while block := stream.read(PIECE * 8):
            yield np.frombuffer(block, dtype="<f4").reshape(-1, 2) * np.float32(factor)


def _play(score: WrittenScore, mood: MoodScore, total: int, seed: int) -> Iterator[tuple[int, FloatArray]]:
    """The score in pieces, `(n, 2)`; what rings past the end of a piece is carried into the next."""
    orchestra = Orchestra(mood.brightness, seed)
    events: list[Note | Stroke] = sorted([*score.notes, *score.strokes], key=lambda event: event.start)
    reverb, tone = _Reverb(mood.room), _Tone(mood.brightness)
    carried = np.zeros((0, 2), dtype=np.float32)
    at = 0
    for begin in range(0, total, PIECE):
        size = min(PIECE, total - begin)
        sound = np.zeros((size + 20 * SAMPLE_RATE, 2), dtype=np.float32)
        sound[: len(carried)] += carried
        while at < len(events) and events[at].start * SAMPLE_RATE < begin + size:
            _add(sound, events[at], orchestra, begin)
            at += 1
        carried = sound[size:].copy()
        piece = tone.render(reverb.render(sound[:size]))
        _fade_out(piece, begin, total)
        yield begin + size, piece


def _add(sound: FloatArray, event: Note | Stroke, orchestra: Orchestra, begin: int) -> None:
    if isinstance(event, Note):
        samples = orchestra.note(event.part.instrument, event.pitch, event.length)
    else:
        samples = orchestra.drum(event.part.drum)
    start = max(0, round(event.start * SAMPLE_RATE) - begin)
    stop = min(len(sound), start + len(samples))
    angle = (event.part.pan + 1) * np.pi / 4
    for channel, side in enumerate((np.cos(angle), np.sin(angle))):
        sound[start:stop, channel] += samples[: stop - start] * np.float32(event.velocity * side)


def _fade_out(piece: FloatArray, begin: int, total: int) -> None:
    """The last chord dies away to nothing exactly at the end."""
    length = min(round(FADE_S * SAMPLE_RATE), total // 3)
    first = max(0, total - length - begin)
    if first < len(piece):
        at = (np.arange(first, len(piece)) + begin - (total - length)) / max(1, length)
        piece[first:] *= (0.5 + 0.5 * np.cos(np.pi * np.clip(at, 0, 1))).astype(np.float32)[:, None]


class _Tone:
    """The desk's last knob: rumble out, and the more presence the brighter the mood."""

    def __init__(self, brightness: float) -> None:
        from scipy.signal import butter

        self._low = butter(2, 38, "highpass", fs=SAMPLE_RATE, output="sos")
        self._high = butter(1, 1100, "highpass", fs=SAMPLE_RATE, output="sos")
        self._states = [np.zeros((1, 2, 2)), np.zeros((1, 2, 2))]
        self._amount = 1.3 * brightness

    def render(self, sound: FloatArray) -> FloatArray:
        from scipy.signal import sosfilt

        body, self._states[0] = sosfilt(self._low, sound, axis=0, zi=self._states[0])
        presence, self._states[1] = sosfilt(self._high, body, axis=0, zi=self._states[1])
        out: FloatArray = (body + self._amount * presence).astype(np.float32)
        return out


class _Reverb:
    """A hall: decaying noise, different on the left and on the right, darker the longer it rings."""

    def __init__(self, level: float) -> None:
        from scipy.signal import butter, sosfilt

        count = int(REVERB_S * SAMPLE_RATE)
        at = np.arange(count) / SAMPLE_RATE
        noise = np.random.default_rng(11).standard_normal((count, 2))
        bright = sosfilt(butter(1, 5200, fs=SAMPLE_RATE, output="sos"), noise, axis=0)
        dark = sosfilt(butter(2, 1600, fs=SAMPLE_RATE, output="sos"), noise, axis=0)
        shape = np.exp(-at / 0.33)[:, None] * np.minimum(at / 0.018, 1.0)[:, None]
        blend = np.exp(-at / 0.25)[:, None]
        response = (bright * blend + 1.6 * dark * (1 - blend)) * shape
        response[-4800:] *= np.linspace(1, 0, 4800)[:, None]
        self._response = (response / np.sqrt(np.sum(response**2, axis=0)) * level).astype(np.float32)
        self._tail = np.zeros((0, 2), dtype=np.float32)

    def render(self, dry: FloatArray) -> FloatArray:
        from scipy.signal import oaconvolve

        # A touch of the other side, as in a room.
        sent = 0.8 * dry + 0.2 * dry[:, ::-1]
        wet = oaconvolve(sent, self._response, axes=0).astype(np.float32)
        wet[: len(self._tail)] += self._tail[: len(wet)]
        self._tail = wet[len(dry) :].copy()
        out: FloatArray = dry + wet[: len(dry)]
        return out
