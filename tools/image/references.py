"""The reference pictures that a person gives for a shot: are they there, and are they pictures?"""

from __future__ import annotations

from pathlib import Path

from tools.errors import InvalidInput
from tools.storyboard import ControlImage, Shot

__all__ = ["MAX_BYTES", "MAX_SIDE", "check_pictures"]

MAX_SIDE = 8192
"""Pixels; a larger picture is refused before any memory is set aside for it."""
MAX_BYTES = 128 * 1024 * 1024


def check_pictures(shot: Shot) -> None:
    """See that every reference picture of a shot can be decoded (PNG, JPEG, WebP, GIF, BMP).

    Raises:
        InvalidInput: one is not there, is not a picture, or is too large; names shot and file.
    """
    for given in shot.control:
        wrong = _wrong_with(given)
        if wrong:
            raise InvalidInput(
                f"the {given.kind} picture {given.image!r} {wrong}",
                where=f"shot {shot.id}",
                hint="Give a PNG, JPEG, WebP, GIF or BMP, or take the line out of the storyboard.",
            )


def _wrong_with(given: ControlImage) -> str:
    """What is wrong with a picture, as the rest of a sentence; empty where nothing is."""
    import skia

    path = Path(given.image)
    if "\0" in given.image or not path.is_file():
        return "is not there"
    try:
        if path.stat().st_size > MAX_BYTES:
            return f"is larger than {MAX_BYTES // (1024 * 1024)} MB"
        data = path.read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not data:
        return "is empty"
    # The codec reads from memory that it does not keep alive itself.
    kept = skia.Data.MakeWithCopy(data)
    try:
        codec = skia.Codec.MakeFromData(kept)
    except RuntimeError:
        return "is not a picture"
    size = codec.dimensions()
    if max(size.width(), size.height()) > MAX_SIDE:
        return f"is {size.width()}x{size.height()} pixels; at most {MAX_SIDE} a side are read"
    info = skia.ImageInfo.MakeN32Premul(size)
    memory = bytearray(info.computeMinByteSize())
    result = codec.getPixels(info, memory, info.minRowBytes())
    return "" if result == skia.Codec.Result.kSuccess else "is damaged: not all of it can be decoded"
