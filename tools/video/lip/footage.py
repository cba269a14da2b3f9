"""The frames of an encoded shot, and a still, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from tools.errors import BadOutput, InvalidInput
from tools.video.probe import open_media

__all__ = ["colours", "grey_picture", "greys"]


def _decoded(path: Path) -> Iterator[av.VideoFrame]:
    try:
        with open_media(path, "mp4") as media:
            if not media.streams.video:
                raise InvalidInput(f"{path.name} has no picture", where="clip")
            media.streams.video[0].codec_context.thread_count = 1
            yield from media.decode(video=0)
    except (BadOutput, av.FFmpegError) as error:
        raise InvalidInput(
            f"{path.name} cannot be read: {error}", where="clip", hint="Make that shot again."
        ) from error


def colours(path: Path) -> Iterator[np.ndarray]:
    """The frames of a shot as the studio encodes it: height x width x 4 uint8, blue green red alpha."""
    for frame in _decoded(path):
        made = frame.reformat(
            format="bgra",
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.MPEG,
            dst_color_range=ColorRange.JPEG,
        )
        yield made.to_ndarray()


def greys(path: Path, watched: Callable[[int], None]) -> Iterator[np.ndarray]:
    """The brightness of the frames of a shot: height x width uint8; `watched` is told the number of each."""
    for number, frame in enumerate(_decoded(path)):
        watched(number)
        yield frame.reformat(format="gray").to_ndarray()


def grey_picture(path: Path, size: tuple[int, int]) -> np.ndarray:
    """The brightness of a PNG, brought to a size: height x width uint8.

    Raises:
        InvalidInput: it cannot be read.
    """
    options = {"protocol_whitelist": "file", "format_whitelist": "png_pipe", "codec_whitelist": "png"}
    try:
        with av.open(str(path), format="png_pipe", options=options) as media:
            frame = next(media.decode(video=0))
            scaled = frame.reformat(width=size[0], height=size[1], format="gray", interpolation=Interpolation.AREA)
    except (av.FFmpegError, OSError, StopIteration) as error:
        raise InvalidInput(f"{path.name} cannot be read as a picture", where="picture") from error
    grey: np.ndarray = scaled.to_ndarray()
    return grey
