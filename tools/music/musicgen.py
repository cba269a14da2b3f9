"""Music by MusicGen: words from the scene's mood and place, any length, with an end or as a loop."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.models.libraries import require_libraries
from tools.music.musicgen_weights import LIBRARIES, MusicgenModel
from tools.music.musicgen_words import MUSICGEN_PATH, describe, load_book
from tools.music.tool import ComposeMusic
from tools.sound import SAMPLE_RATE, FloatArray, LoudnessMeter, WavWriter, gain, limit_stream, resample

__all__ = ["MusicgenMediumMusic", "MusicgenMusic"]

TARGET_LUFS = -20.0
"""Loudness of a piece by itself, that of the embedded composer; the mix sets it under the voices."""
FADE_IN_S = 0.01
FADE_OUT_S = 1.6
PIECE = 16 * SAMPLE_RATE


class MusicgenMusic(Engine[ComposeMusic.Input, ComposeMusic.Output]):
    """`compose_music` by MusicGen small."""

    tool: ClassVar = ComposeMusic
    name: ClassVar[str] = "musicgen"
    version: ClassVar[str] = "1"
    model: ClassVar[str] = "musicgen_small"

    def __init__(self, words: Path = MUSICGEN_PATH) -> None:
        self._path = words

    def check(self) -> None:
        require_libraries("MusicGen needs", LIBRARIES)

    def load(self) -> None:
        import transformers  # noqa: F401 - with torch

    def fingerprint(self, args: ComposeMusic.Input) -> str:
        book = load_book(self._path)
        settings = book.model_dump(mode="json", exclude={"moods", "places", "common"})
        told = describe(book, args.mood, args.place, args.prompt)
        return hashlib.sha256(canonical_json({"words": told, **settings})).hexdigest()

    def run(self, args: ComposeMusic.Input, ctx: EngineContext) -> ComposeMusic.Output:
        """Write `music.wav`, exactly as long as asked.

        Raises:
            InvalidInput: musicgen.yaml is missing or wrong; names file and line.
            BadOutput: the model made silence, or values that are no numbers.
            Cancelled: within one step of the decoder.
        """
        from tools.music.musicgen_draw import draw_music

        book = load_book(self._path)
        words = describe(book, args.mood, args.place, args.prompt)
        net: MusicgenModel = ctx.model(self.model)
        total = round(args.duration_s * SAMPLE_RATE)
        # A loop is drawn longer: what comes after its end is what its start becomes out of.
        more = min(round(book.loop_s * SAMPLE_RATE), total // 2) if args.loop else 0
        ctx.progress(0.02, f"{args.mood}: {words[:80]}")

        def tell(fraction: float, text: str) -> None:
            ctx.progress(0.02 + 0.88 * fraction, text)

        drawn = draw_music(net, book, words, (total + more) / SAMPLE_RATE, ctx.seed, ctx.placing.device, tell)
        ctx.progress(0.91, "bringing it to 48 kHz")
        sound = resample(drawn, net.rate, SAMPLE_RATE)[: total + more]
        sound = _closed(sound, total) if args.loop else _faded(sound)
        lufs = _write(ctx, sound, around=args.loop)
        ctx.progress(1.0, "composed")
        return ComposeMusic.Output(
            file="music.wav",
            sample_rate=SAMPLE_RATE,
            duration_s=total / SAMPLE_RATE,
            lufs=round(lufs, 2),
            notes=[f"MusicGen was told: {words}"],
        )


class MusicgenMediumMusic(MusicgenMusic):
    """`compose_music` by MusicGen medium."""

    name: ClassVar[str] = "musicgen_medium"
    model: ClassVar[str] = "musicgen_medium"


def _closed(sound: FloatArray, total: int) -> FloatArray:
    """A loop of `total` samples: what would have come after its end fades out over its start.

    The last sample is followed by the very one that was drawn after it, so that there is no seam. The two sounds are
    unlike, so their powers add up to 1.
    """
    more = len(sound) - total
    out = sound[:total].copy()
    turn = np.linspace(0.0, np.pi / 2, more, endpoint=False, dtype=np.float32)[:, None]
    out[:more] = sound[total:] * np.cos(turn) + out[:more] * np.sin(turn)
    return out


def _faded(sound: FloatArray) -> FloatArray:
    """No click at the start; at the end it dies away to nothing."""
    out = sound.copy()
    rise = min(round(FADE_IN_S * SAMPLE_RATE), len(out) // 4)
    out[:rise] *= np.linspace(0.0, 1.0, rise, dtype=np.float32)[:, None]
    fall = min(round(FADE_OUT_S * SAMPLE_RATE), len(out) // 3)
    out[len(out) - fall :] *= (0.5 + 0.5 * np.cos(np.linspace(0.0, np.pi, fall)))[:, None].astype(np.float32)
    return out


def _write(ctx: EngineContext, sound: FloatArray, *, around: bool) -> float:
    """Bring it to its loudness and write it in stereo; returns the loudness.

    Args:
        around: its end leads into its start, also for the limiter.
    """
    meter = LoudnessMeter(SAMPLE_RATE, 2)
    for piece in _pieces(sound):
        meter.feed(piece)
    level = meter.lufs()
    factor = np.float32(gain(TARGET_LUFS - level) if level > -70 else 1.0)
    margin = min(SAMPLE_RATE, len(sound)) if around else 0
    whole = np.concatenate([sound[len(sound) - margin :], sound, sound[:margin]]) if around else sound
    heard, at = LoudnessMeter(SAMPLE_RATE, 2), -margin
    with WavWriter(ctx.out / "music.wav", SAMPLE_RATE, 2) as writer:
        for piece in limit_stream(scaled * factor for scaled in _pieces(whole)):
            kept = piece[max(0, -at) : max(0, len(sound) - at)]
            writer.write(kept)
            heard.feed(kept)
            at += len(piece)
            ctx.progress(0.92 + 0.07 * min(1.0, max(0, at) / len(sound)), "writing")
    return heard.lufs()


def _pieces(sound: FloatArray) -> Iterator[FloatArray]:
    """Stereo, a piece at a time; one channel is heard on both sides."""
    for start in range(0, len(sound), PIECE):
        piece = sound[start : start + PIECE]
        yield np.repeat(piece, 2, axis=1) if piece.shape[1] == 1 else piece
