"""What every engine of `animate_shot` shares: when its lines are spoken, its words, and how its frames become a file.

timed = time_shot(args, ctx)
words = timed.words(args, ctx.seed)
frames = ...  # exactly timed.timeline.frames pictures, blue green red alpha, words laid over them
return write_shot(frames, args, timed, ctx)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.base import EngineContext
from tools.errors import BadOutput, InvalidInput
from tools.timeline import LineTime, ShotTimeline, SpokenClip, shot_timeline
from tools.video.tool import AnimateShot

if TYPE_CHECKING:
    from tools.layout.lettering import Caption, ShotWords

__all__ = ["SHOT_NAME", "SpokenLine", "TimedShot", "time_shot", "write_shot"]

SHOT_NAME = "shot.mp4"


@dataclass(frozen=True)
class SpokenLine:
    """One line of the shot: its clip, when it is heard, and its wav."""

    clip: SpokenClip
    time: LineTime
    sound: Path


@dataclass(frozen=True)
class TimedShot:
    """A shot with its speech laid out in time."""

    timeline: ShotTimeline
    lines: tuple[SpokenLine, ...]

    def captions(self, size: tuple[int, int]) -> list[Caption]:
        """What is said, in phrases that fit a frame of that size, timed by the words."""
        from tools.layout.lettering import group_captions
        from tools.layout.lettering.overlay import caption_chars

        return group_captions([(line.time.offset, line.clip.words) for line in self.lines], caption_chars(size))

    def words(self, args: AnimateShot.Input, seed: int) -> ShotWords:
        """The title of the shot, and its captions where they are to be burned in."""
        from tools.layout.lettering import ShotWords

        size = (args.width, args.height)
        captions = self.captions(size) if args.burn_subtitles else []
        return ShotWords(args.shot, args.style, size, seed=seed, captions=captions, duration_s=self.timeline.duration_s)


def time_shot(args: AnimateShot.Input, ctx: EngineContext) -> TimedShot:
    """Open the spoken clips of a shot and lay them out in it.

    Raises:
        InvalidInput: the size of the film is odd.
    """
    if args.width % 2 or args.height % 2:
        raise InvalidInput(f"a film needs an even size, not {args.width}x{args.height}", where="width, height")
    clips, sounds = [], []
    for ref in args.speech:
        artifact = ctx.open(ref)
        clip = SpokenClip.model_validate({name: artifact.output[name] for name in SpokenClip.model_fields})
        clips.append(clip)
        sounds.append(artifact.file(clip.file))
    timeline = shot_timeline(args.shot.duration_s, args.fps, [(clip.speech_start, clip.speech_end) for clip in clips])
    lines = zip(clips, timeline.lines, sounds, strict=True)
    return TimedShot(timeline, tuple(SpokenLine(clip, time, sound) for clip, time, sound in lines))


def write_shot(
    frames: Iterable[np.ndarray],
    args: AnimateShot.Input,
    timed: TimedShot,
    ctx: EngineContext,
    *,
    begin: float = 0.0,
    notes: Iterable[str] = (),
) -> AnimateShot.Output:
    """Encode the frames of a shot as the studio encodes every shot.

    Args:
        frames: height x width x 4 uint8, blue green red alpha; each may be drawn over once the next is asked for.
        begin: fraction of the call's work that was done before the first frame.
        notes: what was made otherwise than asked.

    Raises:
        BadOutput: there are fewer or more frames than the shot is long.
        StorageFailed: the disk is full.
    """
    from tools.video.encoding import open_encoder

    wanted = timed.timeline.frames
    with open_encoder(ctx.out / SHOT_NAME, args.width, args.height, args.fps) as film:
        for frame in frames:
            film.encode(frame)
            done = begin + (1 - begin) * film.frames / (wanted + 1)
            ctx.progress(min(done, 1.0), f"frame {film.frames} of {wanted}")
    if film.frames != wanted:
        raise BadOutput(f"shot {args.shot.id} came out {film.frames} frames long instead of {wanted}.")
    return AnimateShot.Output(
        file=SHOT_NAME,
        width=args.width,
        height=args.height,
        fps=args.fps,
        frames=wanted,
        duration_s=timed.timeline.duration_s,
        notes=list(dict.fromkeys(notes)),
    )
