"""Frames and sizes: what a model is asked for, so that a shot comes out to the frame. Pure arithmetic.

A film frame `i` shows the instant `i / fps`; the model draws at a rate of its own, in clips (`Window`) of bounded
length, each of which begins with the last frames of the one before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from configs.videos import ClipRules

__all__ = ["Window", "drawn_size", "frames_needed", "model_rate", "windows"]


@dataclass(frozen=True)
class Window:
    """One clip that a model draws.

    Attributes:
        first: number of its first frame among the frames of the shot at the model's rate.
        frames: that are drawn, in the form that the model wants.
        overlap: of these, how many are those that the clip before ended with; 0 for the first.
    """

    first: int
    frames: int
    overlap: int


def drawn_size(width: int, height: int, clip: ClipRules, halved: int = 0) -> tuple[int, int]:
    """Width and height that the model draws for a film of another size: its own area, the film's shape.

    Args:
        width, height: of the film in pixels.
        halved: how many times the area was halved because memory ran out.
    """
    area = clip.width * clip.height / 2**halved
    wanted = math.sqrt(area * width / height)
    best: tuple[float, tuple[int, int]] | None = None
    for columns in {max(1, int(wanted // clip.step) + more) for more in (-1, 0, 1, 2)}:
        ideal = columns * clip.step * height / width / clip.step
        for rows in {max(1, math.floor(ideal)), max(1, math.ceil(ideal))}:
            size = (columns * clip.step, rows * clip.step)
            shape = abs(math.log(size[0] * height / (size[1] * width)))
            # A fifth more or less area is as bad as a tenth of distortion that has to be cut away.
            cost = shape + 0.5 * abs(math.log(size[0] * size[1] / area))
            if best is None or (cost, size) < best:
                best = (cost, size)
    assert best is not None
    return best[1]


def frames_needed(frames: int, fps: int, rate: int) -> int:
    """How many frames at `rate` cover `frames` film frames at `fps`: the last film frame shows the last of them."""
    return math.ceil((frames - 1) * rate / fps - 1e-9) + 1


def model_rate(frames: int, fps: int, clip: ClipRules) -> int:
    """The rate that the model is asked for.

    The film's own where the model can; else one from which every film frame comes evenly; the nearest to the model's
    best. A shot too long for so many clips as the rules like takes a lower one.
    """

    def cost(rate: int) -> tuple[int, int, int]:
        count = len(windows(frames_needed(frames, fps, rate), clip))
        even = 0 if rate == fps else 1 if fps % rate == 0 or rate % fps == 0 else 2
        return (max(0, count - clip.windows), even, abs(rate - clip.fps))

    return min(range(clip.slowest, clip.fastest + 1), key=cost)


def _shaped(frames: int, clip: ClipRules) -> int:
    """At least so many frames, in the model's form; never rounded down, as its pipeline would in silence."""
    return max(clip.least_frames, -(-(frames - 1) // clip.frames_step) * clip.frames_step + 1)


def _longest(clip: ClipRules, halved: int) -> int:
    """Frames at most in a clip, in the model's form."""
    least = max(clip.least_frames, clip.overlap + clip.frames_step)
    return max(least, ((clip.frames - 1) >> halved) // clip.frames_step * clip.frames_step + 1)


def windows(needed: int, clip: ClipRules, halved: int = 0) -> list[Window]:
    """The clips that together hold at least `needed` frames, all of about the same length.

    Args:
        halved: how many times the longest clip was halved because memory ran out.
    """
    longest = _longest(clip, halved)
    if needed <= longest:
        return [Window(0, _shaped(needed, clip), 0)]
    count = 1 + -(-(needed - longest) // (longest - clip.overlap))
    each = min(longest, _shaped(-(-(needed + (count - 1) * clip.overlap) // count), clip))
    each = max(each, clip.overlap + clip.frames_step)
    return [
        Window(number * (each - clip.overlap), each, clip.overlap if number else 0)
        for number in range(count)
        if number == 0 or number * (each - clip.overlap) + clip.overlap < needed
    ]
