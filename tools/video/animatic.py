"""The animatic engine: a shot of the draft renderer in motion, encoded once and ready to be joined."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from tools.base import Engine, EngineContext
from tools.video.tool import AnimateShot

__all__ = ["AnimaticShot", "loudness_of"]

QUIET_DB, LOUD_DB = -42.0, -6.0
"""RMS relative to the clip's loudest window at which a mouth is shut, and wide open."""
STEP = 1 / 32767
"""The smallest level that 16 bit can hold."""


def loudness_of(path: Path, rate_hz: int) -> list[float]:
    """How loud a wav is over time, 0..1, `rate_hz` values a second, smoothed over about 60 ms.

    Raises:
        BadOutput: the file is no 16-bit wav.
    """
    import numpy as np

    from tools.sound import read_wav

    samples, rate = read_wav(path)
    mono = samples.mean(axis=1) if samples.ndim > 1 else samples
    hop = max(1, rate // rate_hz)
    count = len(mono) // hop
    if count == 0:
        return []
    rms = np.sqrt((mono[: count * hop].reshape(count, hop) ** 2).mean(axis=1))
    # Below one step of 16 bit there is nothing to open a mouth for.
    level = 20 * np.log10(np.maximum(rms, STEP / 1000) / max(float(rms.max()), STEP))
    opened = np.clip((level - QUIET_DB) / (LOUD_DB - QUIET_DB), 0.0, 1.0)
    smooth = np.convolve(np.pad(opened, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    return [round(float(value), 4) for value in smooth]


class AnimaticShot(Engine[AnimateShot.Input, AnimateShot.Output]):
    """Animates a shot with the draft renderer. No model, no network."""

    tool: ClassVar = AnimateShot
    name: ClassVar[str] = "animatic"
    version: ClassVar[str] = "1"

    def load(self) -> None:
        import tools.layout.frames
        import tools.video.encoding  # noqa: F401

    def fingerprint(self, args: AnimateShot.Input) -> str:
        from tools.image.references import check_pictures
        from tools.layout.digest import pack_digest

        check_pictures(args.shot)
        return pack_digest()

    def run(self, args: AnimateShot.Input, ctx: EngineContext) -> AnimateShot.Output:
        from tools.layout.acting import ENVELOPE_HZ, Delivered
        from tools.layout.frames import render_frames
        from tools.layout.scene import Scene
        from tools.video.shot import time_shot, write_shot

        ctx.progress(0.0, "setting the stage")
        timed = time_shot(args, ctx)
        size = (args.width, args.height)
        lines = [
            Delivered(
                line.clip.character, line.time, tuple(line.clip.mouth), tuple(loudness_of(line.sound, ENVELOPE_HZ))
            )
            for line in timed.lines
        ]
        scene = Scene.build(args.shot, args.cast, size=size, style=args.style, adjust=args.adjust, seed=ctx.seed)
        captions = timed.captions(size) if args.burn_subtitles else []
        return write_shot(render_frames(scene, timed.timeline.frames, args.fps, lines, captions), args, timed, ctx)
