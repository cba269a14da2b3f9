"""The animatic engine: a shot of the draft renderer in motion, encoded once and ready to be joined."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tools.base import ArtifactRef, Engine, EngineContext
from tools.errors import InvalidInput
from tools.timeline import ShotTimeline, SpokenClip, shot_timeline
from tools.video.tool import AnimateShot

if TYPE_CHECKING:
    from tools.layout.acting import Delivered
    from tools.layout.lettering import Caption

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
        from tools.layout.frames import render_frames
        from tools.layout.scene import Scene
        from tools.video.encoding import open_encoder

        if args.width % 2 or args.height % 2:
            raise InvalidInput(f"a film needs an even size, not {args.width}x{args.height}", where="width, height")
        ctx.progress(0.0, "setting the stage")
        clips = [self._clip(ref, ctx) for ref in args.speech]
        timeline = shot_timeline(
            args.shot.duration_s, args.fps, [(clip.speech_start, clip.speech_end) for clip, _ in clips]
        )
        size = (args.width, args.height)
        scene = Scene.build(args.shot, args.cast, size=size, style=args.style, adjust=args.adjust, seed=ctx.seed)
        lines = self._lines(clips, timeline)
        captions = self._captions(clips, timeline, size) if args.burn_subtitles else []
        name = "shot.mp4"
        with open_encoder(ctx.out / name, args.width, args.height, args.fps) as film:
            for number, frame in enumerate(render_frames(scene, timeline.frames, args.fps, lines, captions)):
                film.encode(frame)
                ctx.progress((number + 1) / (timeline.frames + 1), f"frame {number + 1} of {timeline.frames}")
        return AnimateShot.Output(
            file=name,
            width=args.width,
            height=args.height,
            fps=args.fps,
            frames=timeline.frames,
            duration_s=timeline.duration_s,
        )

    @staticmethod
    def _clip(ref: ArtifactRef, ctx: EngineContext) -> tuple[SpokenClip, list[float]]:
        from tools.layout.acting import ENVELOPE_HZ

        artifact = ctx.open(ref)
        clip = SpokenClip.model_validate({name: artifact.output[name] for name in SpokenClip.model_fields})
        return clip, loudness_of(artifact.file(clip.file), ENVELOPE_HZ)

    @staticmethod
    def _lines(clips: Sequence[tuple[SpokenClip, list[float]]], timeline: ShotTimeline) -> list[Delivered]:
        from tools.layout.acting import Delivered

        return [
            Delivered(clip.character, time, tuple(clip.mouth), tuple(loudness))
            for (clip, loudness), time in zip(clips, timeline.lines, strict=True)
        ]

    @staticmethod
    def _captions(
        clips: Sequence[tuple[SpokenClip, list[float]]], timeline: ShotTimeline, size: tuple[int, int]
    ) -> list[Caption]:
        from tools.layout.lettering import group_captions
        from tools.layout.lettering.overlay import caption_chars

        lines = [(time.offset, clip.words) for (clip, _), time in zip(clips, timeline.lines, strict=True)]
        return group_captions(lines, caption_chars(size))
