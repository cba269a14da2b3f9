"""A clip of any length, rate and size made to fit its shot: exactly its frames, at its rate and size, with its words.

A model gives what it was trained for: 25 pictures at 7 a second, 121 at 24, in sizes of its own. The film needs as many
as the speech takes, to the frame.

- Longer than the shot: it plays at its own speed and is cut at the end.
- Shorter: it is slowed down, evenly, to at most `SLOWEST` of its speed; where that is not enough it comes gently to
  rest, and its last picture is held.
- Pictures that lie between those of the clip are made by following what moves (ffmpeg's `minterpolate`), not by fading.
- Other proportions: the picture fills the frame, and what is too much is cut off around `focus`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import av
import av.filter
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from tools.errors import BadOutput
from tools.storyboard import Shot

if TYPE_CHECKING:
    from tools.layout.lettering import ShotWords

__all__ = ["SLOWEST", "ClipTiming", "fit_clip", "fitted_pictures", "plan_timing"]

SLOWEST = 0.6
"""Slower than this, movement looks like slow motion rather than like calm."""
NEAR = 0.045
"""A step within this part of a whole number of pictures is taken as that: 25 pictures a second shown at 24."""
REST_S = 1.2
"""How long a clip takes to come to rest before its last picture is held, at most."""
BLANK = 1.0
"""A clip whose pictures all deviate less than this from one colour (of 255) shows nothing."""
FLUSH = 4
"""How often the last picture is repeated for the interpolation, which looks ahead, to give what lies before it."""


@dataclass(frozen=True)
class ClipTiming:
    """Which instant of the clip each frame of the shot shows.

    Attributes:
        step: pictures of the clip from one frame to the next, while it plays.
        at: for each frame, how many steps into the clip it lies.
        speed: 1 is the clip's own.
        cut_s: how much of the clip is left out at its end.
        held_s: how long its last picture is held.
    """

    step: float
    at: tuple[float, ...]
    speed: float
    cut_s: float
    held_s: float

    def notes(self, shot: str) -> list[str]:
        """What was done to the clip, for people, where it shows."""
        told = []
        if self.speed < 1 - 2 * NEAR:
            told.append(f"played at {self.speed:.0%} of its speed")
        if self.held_s > 0.25:
            told.append(f"its last picture held for {self.held_s:.1f} s")
        return [f"The clip of shot {shot} is shorter than the shot: {' and '.join(told)}."] if told else []


def plan_timing(pictures: int, source_fps: float, fps: int, frames_wanted: int) -> ClipTiming:
    """Fit a clip of `pictures` at `source_fps` into `frames_wanted` frames at `fps`."""
    step = source_fps / fps
    if step >= 1 and abs(step - round(step)) <= NEAR * step:
        step = float(round(step))
    last, needed = pictures - 1, (frames_wanted - 1) * step
    if last >= needed:
        at = tuple(float(number) for number in range(frames_wanted))
        return ClipTiming(step, at, 1.0, (last - needed) / source_fps, 0.0)
    if last == 0:
        return ClipTiming(step, (0.0,) * frames_wanted, 1.0, 0.0, frames_wanted / fps)
    # As long as it takes to show every picture once, or as slow as is bearable.
    slowed = max(last / (frames_wanted - 1), step * SLOWEST)
    reach = last / slowed
    at = _coming_to_rest(reach, frames_wanted, fps)
    held = sum(place >= reach - 1e-9 for place in at) - 1
    return ClipTiming(slowed, at, slowed / step, 0.0, max(0, held) / fps)


def _coming_to_rest(reach: float, frames: int, fps: int) -> tuple[float, ...]:
    """One step a frame until the end is near, then slower and slower, then at `reach` for good."""
    spare = frames - 1 - reach
    if spare <= 1e-9:
        return tuple(min(float(number), reach) for number in range(frames))
    # Slowing down evenly over n frames covers n / 2 steps: it takes n / 2 frames more than going on would.
    braking = min(2 * spare, REST_S * fps, reach)
    begins = reach - braking / 2
    places = []
    for number in range(frames):
        into = min(max(0.0, number - begins), braking)
        places.append(min(reach, min(float(number), begins) + into - into * into / (2 * braking)))
    return tuple(places)


def fit_clip(
    frames: Iterable[np.ndarray],
    source_fps: float,
    shot: Shot,
    size: tuple[int, int],
    fps: int,
    frames_wanted: int,
    *,
    words: ShotWords | None = None,
    faces: Sequence[tuple[float, float, float, float]] = (),
    focus: tuple[float, float] = (0.5, 0.5),
    notes: list[str] | None = None,
) -> Iterator[np.ndarray]:
    """The frames of a shot, made from what a model gave, ready to be encoded.

    Args:
        frames: the clip, or an array of it: each height x width x 3, red green blue, uint8 or float 0..1.
        source_fps: pictures a second of the clip.
        shot: names it in errors and notes.
        size: width and height of the film in pixels, even.
        fps, frames_wanted: of the shot, as `tools.timeline.shot_timeline` says.
        words: title and captions (`TimedShot.words`), laid over every frame.
        faces: in pixels of the film: the title keeps off them.
        focus: x and y, fractions of the clip's picture, around which it is cut where its proportions differ.
        notes: what was done to the clip is added here, before the first frame.

    Yields:
        height x width x 4 uint8, blue green red alpha.

    Raises:
        BadOutput: the clip is empty, of one colour, not made of pictures of one size, or holds what is no number.
    """
    pictures = _checked(frames, shot)
    timing = plan_timing(len(pictures), source_fps, fps, frames_wanted)
    if notes is not None:
        notes.extend(timing.notes(shot.id))
    for number, picture in enumerate(fitted_pictures(pictures, timing)):
        frame = _framed(picture, size, focus)
        if words is not None:
            words.lay(frame, number / fps, faces)
        yield frame


def _checked(frames: Iterable[np.ndarray], shot: Shot) -> list[np.ndarray]:
    """The pictures as uint8, once they are known to be pictures."""
    told = f"the clip of shot {shot.id}"
    pictures: list[np.ndarray] = []
    for number, frame in enumerate(frames):
        if frame.ndim != 3 or frame.shape[2] != 3 or min(frame.shape[:2]) < 16:
            raise BadOutput(f"{told}: picture {number + 1} has the shape {frame.shape}, not height x width x 3.")
        if pictures and frame.shape != pictures[0].shape:
            raise BadOutput(f"{told}: picture {number + 1} has another size than the first.")
        pictures.append(_as_bytes(frame, told))
    if not pictures:
        raise BadOutput(f"{told} holds no picture.")
    # The spread within a picture, not between them: a clip that stands still shows something, a grey one does not.
    if all(float(picture[::4, ::4].std(axis=(0, 1)).max()) < BLANK for picture in pictures):
        raise BadOutput(f"{told} is of one colour throughout: the model made nothing of it.")
    return pictures


def _as_bytes(frame: np.ndarray, told: str) -> np.ndarray:
    if frame.dtype == np.uint8:
        return frame
    if not np.issubdtype(frame.dtype, np.floating):
        raise BadOutput(f"{told}: its pictures are {frame.dtype}, neither bytes nor fractions.")
    values = frame.astype(np.float32)
    if not np.isfinite(values).all():
        raise BadOutput(f"{told} holds values that are no numbers: the model overflowed.")
    return np.rint(np.clip(values, 0.0, 1.0) * 255).astype(np.uint8)


def fitted_pictures(pictures: Sequence[np.ndarray], timing: ClipTiming) -> Iterator[np.ndarray]:
    """For each frame of the shot the picture it shows, in the clip's own size (uint8, red green blue)."""
    whole = abs(timing.step - round(timing.step)) < 1e-6
    if whole or len(pictures) == 1:
        stride = round(timing.step) if whole else 1
        stepped: Iterator[np.ndarray] = iter(pictures[::stride])
    else:
        stepped = between(pictures, timing.step)
    before = after = next(stepped)
    position = 0
    for place in timing.at:
        while position < math.ceil(place - 1e-6):
            before, after = after, next(stepped, after)
            position += 1
        part = 1 - (position - place)
        if part > 1 - 1e-3 or before is after:
            yield after
        else:
            # Only while it comes to rest: less than a frame's movement apart, so that a fade is not seen as one.
            yield np.rint(before * (1 - part) + after * part).astype(np.uint8)


def between(pictures: Sequence[np.ndarray], step: float) -> Iterator[np.ndarray]:
    """The pictures at 0, `step`, 2 `step` ... of the clip, what moves followed from one picture to the next."""
    height, width = pictures[0].shape[:2]
    rate = Fraction(1 / step).limit_denominator(1001)
    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("yuv444p"), time_base=Fraction(1, 1))
    # `scd=none`: what it takes for a cut within one take is only fast movement.
    options = f"fps={rate.numerator}/{rate.denominator}:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1:scd=none"
    follow, sink = graph.add("minterpolate", options), graph.add("buffersink")
    source.link_to(follow)
    follow.link_to(sink)
    graph.configure()
    left = math.floor((len(pictures) - 1) / step + 1e-6) + 1
    for number, picture in enumerate(itertools.chain(pictures, [pictures[-1]] * FLUSH)):
        frame = _yuv(picture)
        frame.pts, frame.time_base = number, Fraction(1, 1)
        source.push(frame)
        while left:
            try:
                made = sink.pull()
            except (av.BlockingIOError, av.EOFError):
                break
            left -= 1
            yield _rgb(made)


def _yuv(picture: np.ndarray) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return frame.reformat(
        format="yuv444p",
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG,
    )


def _rgb(frame: Any) -> np.ndarray:
    shown: np.ndarray = frame.reformat(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG,
    ).to_ndarray()
    return shown


def _framed(picture: np.ndarray, size: tuple[int, int], focus: tuple[float, float]) -> np.ndarray:
    """The picture cut to the proportions of the film around `focus`, at its size, blue green red alpha."""
    x0, y0, x1, y1 = _cut(picture.shape[1], picture.shape[0], size, focus)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[y0:y1, x0:x1]), format="rgb24")
    scaled = frame.reformat(width=size[0], height=size[1], format="bgra", interpolation=Interpolation.LANCZOS)
    shown: np.ndarray = scaled.to_ndarray()
    return shown


def _cut(width: int, height: int, size: tuple[int, int], focus: tuple[float, float]) -> tuple[int, int, int, int]:
    wide, high = min(width, round(height * size[0] / size[1])), min(height, round(width * size[1] / size[0]))
    x0 = round(min(max(0.0, focus[0] * width - wide / 2), width - wide))
    y0 = round(min(max(0.0, focus[1] * height - high / 2), height - high))
    return x0, y0, x0 + wide, y0 + high
