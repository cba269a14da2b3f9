"""What stands still: title cards, which need no video model, and clips of a model in which nothing moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tools.video.tool import AnimateShot

if TYPE_CHECKING:
    from tools.layout.lettering import ShotWords

__all__ = ["card_frames", "frozen"]

_STILL = 0.35
"""Mean difference to the first frame, of 255, below which a frame shows no movement."""


def card_frames(words: ShotWords, args: AnimateShot.Input, frames: int) -> Iterator[np.ndarray]:
    """The frames of a title card that hides the whole picture: one buffer, drawn over for every frame."""
    frame = np.zeros((args.height, args.width, 4), np.uint8)
    frame[..., 3] = 255
    for number in range(frames):
        words.lay(frame, number / args.fps)
        yield frame


def frozen(frames: Sequence[np.ndarray]) -> bool:
    """Whether nothing moves in frames of equal size (uint8)."""
    first = frames[0][::4, ::4].astype(np.int16)
    return all(float(np.abs(frame[::4, ::4] - first).mean()) < _STILL for frame in frames[1:])
