"""The embedded sound of places: textures and calls, laid together by place, time of day and weather."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tools.artifact import canonical_json
from tools.base import Engine, EngineContext
from tools.music.ambiences import AMBIENCES_PATH, Element, load_ambiences
from tools.music.calls import CALLS, call, is_regular
from tools.music.textures import band, texture
from tools.music.tool import MakeAmbience
from tools.sound import (
    SAMPLE_RATE,
    SILENCE_DB,
    FloatArray,
    LoudnessMeter,
    WavWriter,
    gain,
    limit_stream,
    loudness,
)

__all__ = ["Nature"]

LONGEST_S = 90.0
"""A longer bed repeats its first minute and a half; nobody notices a wave coming back."""
CROSS_S = 4.0
TARGET_LUFS = -26.0
EDGE_S = 0.03
CALL_PEAK = 0.4
"""A call's peak at level 0, where a texture has an RMS of 0.1."""


class Nature(Engine[MakeAmbience.Input, MakeAmbience.Output]):
    """`make_ambience` with numpy and scipy; a place nobody has described gets a light wind."""

    tool = MakeAmbience
    name = "nature"
    version = "1"

    def __init__(self, ambiences: Path = AMBIENCES_PATH) -> None:
        self._path = ambiences

    def fingerprint(self, args: MakeAmbience.Input) -> str:
        heard = self._elements(args)
        return hashlib.sha256(canonical_json([element.model_dump(mode="json") for element in heard])).hexdigest()

    def run(self, args: MakeAmbience.Input, ctx: EngineContext) -> MakeAmbience.Output:
        """Write `ambience.wav`, exactly as long as asked.

        Raises:
            InvalidInput: ambiences.yaml is missing or wrong; names file and line.
        """
        total = round(args.duration_s * SAMPLE_RATE)
        cross = round(CROSS_S * SAMPLE_RATE)
        made = min(total, round(LONGEST_S * SAMPLE_RATE))
        sound = self._lay(args, ctx, made)
        level = loudness(sound)
        sound *= np.float32(gain(TARGET_LUFS - level) if level > SILENCE_DB else 1.0)
        meter = LoudnessMeter(SAMPLE_RATE, 2)
        with WavWriter(ctx.out / "ambience.wav", SAMPLE_RATE, 2) as writer:
            for piece in limit_stream(_repeat(sound, total, min(cross, made // 3))):
                writer.write(piece)
                meter.feed(piece)
        ctx.progress(1.0, "made")
        return MakeAmbience.Output(
            file="ambience.wav", sample_rate=SAMPLE_RATE, duration_s=total / SAMPLE_RATE, lufs=round(meter.lufs(), 2)
        )

    def _elements(self, args: MakeAmbience.Input) -> list[Element]:
        return load_ambiences(self._path).elements(args.place, args.time_of_day, args.weather)

    def _lay(self, args: MakeAmbience.Input, ctx: EngineContext, count: int) -> FloatArray:
        sound = np.zeros((count, 2), dtype=np.float32)
        heard = self._elements(args)
        for index, element in enumerate(heard):
            ctx.progress(index / len(heard) * 0.8, element.sound)
            # A generator for each element: that one is added or taken out does not change the others.
            name = int.from_bytes(hashlib.sha256(element.sound.encode()).digest()[:4], "big")
            rng = np.random.default_rng([ctx.seed % (1 << 63), name])
            made = _calls(element, count, rng) if element.sound in CALLS else texture(element.sound, count, rng)
            if element.far is not None:
                made = band(made, None, element.far)
            sound += made * np.float32(gain(element.level))
        return sound


def _calls(element: Element, count: int, rng: np.random.Generator) -> FloatArray:
    """Calls at random times (a clock at even ones), each from its own side and distance."""
    out = np.zeros((count, 2), dtype=np.float32)
    seconds = count / SAMPLE_RATE
    regular = is_regular(element.sound)
    at = 0.0 if regular else float(rng.uniform(0.1, 0.7)) * min(element.every_s, seconds)
    sound: FloatArray | None = None
    while at < seconds:
        if sound is None or not regular:
            sound = call(element.sound, rng)
        side = element.pan if element.pan is not None else float(rng.uniform(-0.8, 0.8))
        angle = (side + 1) * np.pi / 4
        near = 1.0 if regular else float(rng.uniform(0.35, 1.0))
        start = int(at * SAMPLE_RATE)
        stop = min(count, start + len(sound))
        sides = np.array([np.cos(angle), np.sin(angle)], dtype=np.float32) * np.float32(near * CALL_PEAK)
        out[start:stop] += sound[: stop - start, None] * sides
        at += element.every_s if regular else float(element.every_s * rng.uniform(0.5, 1.5))
    return out


def _repeat(sound: FloatArray, total: int, cross: int) -> Iterator[FloatArray]:
    """The sound, again and again with crossfades, for `total` samples; a breath of fade at both ends."""
    edge = min(round(EDGE_S * SAMPLE_RATE), total // 4)
    ramp = np.linspace(0.0, 1.0, edge, dtype=np.float32)[:, None]
    step = len(sound) - cross
    rise = np.sin(np.linspace(0, np.pi / 2, max(cross, 1), dtype=np.float32))[:, None]
    at = 0
    while at < total:
        if len(sound) >= total:
            piece = sound[:total].copy()
        else:
            piece = sound[:step].copy()
            if at and cross:
                piece[:cross] = piece[:cross] * rise + sound[step:] * rise[::-1]
            piece = piece[: total - at]
        if at == 0:
            piece[:edge] *= ramp[: len(piece)]
        reach = at + len(piece) - (total - edge)
        if reach > 0:
            piece[len(piece) - reach :] *= ramp[::-1][edge - reach :]
        yield piece
        at += len(piece)
