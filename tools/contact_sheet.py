"""A contact sheet: pictures and films side by side in one small JPEG, as a notebook or a report shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import InvalidInput
from tools.seeing.pictures import opened_film

if TYPE_CHECKING:
    import numpy as np

__all__ = ["contact_sheet"]

_FILMS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm"})
_PAPER, _GAP = 0xFFFFFFFF, 6
MOST_COLUMNS, HIGHEST = 12, 32_000
"""Pixels; a JPEG holds twice as many."""


def contact_sheet(
    files: Sequence[Path | str], *, width: int = 720, columns: int = 0, frames: int = 6, quality: int = 82
) -> bytes:
    """The files as one JPEG, in reading order; the same files give the same bytes.

    Args:
        files: pictures (PNG, JPEG, WebP), and films, of which `frames` moments are shown, evenly from first to last.
        width: of the sheet, pixels.
        columns: pictures in a row, at most 12 and none narrower than 16 pixels; 0 is all in one, three at most.
        frames: of each film.
        quality: of the JPEG, 1..100.

    Raises:
        InvalidInput: there is nothing to show, a file that is no picture and no film, or too much for one sheet.
    """
    import skia

    if not files or not 32 <= width <= 8192 or frames < 1:
        raise InvalidInput("a contact sheet needs files, a width of 32 to 8192 pixels, and a frame of each film")
    images = [image for file in files for image in _images(Path(file), frames)]
    columns = max(1, min(columns or 3, len(images), MOST_COLUMNS, width // (16 + _GAP)))
    cell = (width - _GAP * (columns - 1)) // columns
    heights = [max(1, round(cell * one.height() / one.width())) for one in images]
    rows = [max(heights[start : start + columns]) for start in range(0, len(images), columns)]
    if sum(rows) + _GAP * (len(rows) - 1) > HIGHEST:
        raise InvalidInput("these pictures are too many, or too tall, for one contact sheet")
    surface = skia.Surface(width, sum(rows) + _GAP * (len(rows) - 1))
    canvas = surface.getCanvas()
    canvas.clear(_PAPER)
    # Shrunk by way of mipmaps: thin lines stay lines.
    sampling = skia.SamplingOptions(skia.FilterMode.kLinear, skia.MipmapMode.kLinear)
    for number, (image, height) in enumerate(zip(images, heights, strict=True)):
        row, column = divmod(number, columns)
        x, y = column * (cell + _GAP), sum(rows[:row]) + _GAP * row
        box = skia.Rect.MakeXYWH(x, y, cell, height)
        canvas.drawImageRect(image.withDefaultMipmaps(), skia.Rect.MakeIWH(*image.dimensions()), box, sampling)
    return bytes(surface.makeImageSnapshot().encodeToData(skia.EncodedImageFormat.kJPEG, quality))


def _images(path: Path, frames: int) -> list[Any]:
    import skia

    if not path.is_file():
        raise InvalidInput(f"there is no file {path.name}.")
    if path.suffix.lower() in _FILMS:
        return [skia.Image.fromarray(one, colorType=skia.kRGBA_8888_ColorType) for one in _moments(path, frames)]
    image = skia.Image.MakeFromEncoded(skia.Data.MakeFromFileName(str(path)))
    if image is None:
        raise InvalidInput(f"{path.name} is no picture.")
    return [image]


def _moments(path: Path, count: int) -> list[np.ndarray]:
    """Frames of a film from its first to its last, evenly: height x width x 4."""
    import av

    try:
        with path.open("rb") as file, opened_film(file, path.suffix.lower()) as film:
            pictures = [frame.to_ndarray(format="rgba") for frame in _picked(film, count)]
    except (av.FFmpegError, IndexError) as error:
        raise InvalidInput(f"{path.name} is no film that can be read.") from error
    if not pictures:
        raise InvalidInput(f"{path.name} holds no picture.")
    return pictures


def _picked(film: Any, count: int) -> list[Any]:
    """One pass and no seeking: the frames nearest to the wanted moments, whatever the film says of its length."""
    kept: list[Any] = []
    step = 1
    for number, frame in enumerate(film.decode(film.streams.video[0])):
        if number % step == 0:
            kept.append(frame)
        last = frame
        if len(kept) > 8 * count:
            # A film of any length holds no more than so many frames in memory.
            kept, step = kept[::2], step * 2
    if not kept:
        return []
    if kept[-1] is not last:
        kept.append(last)
    wanted = min(count, len(kept))
    places = [math.floor(0.5 + at * (len(kept) - 1) / max(1, wanted - 1)) for at in range(wanted)]
    return [kept[place] for place in dict.fromkeys(places)]
