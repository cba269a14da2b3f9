"""The reference pictures that a person gives for a shot: are they there, and are they pictures?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tools.decoding.limited import Limits, decoded_one
from tools.errors import InvalidInput
from tools.storyboard import ControlImage, Shot

if TYPE_CHECKING:
    import numpy as np

__all__ = ["MAX_BYTES", "MAX_SIDE", "check_pictures"]

MAX_SIDE = 8192
"""Pixels; a larger picture is refused before any memory is set aside for it."""
MAX_BYTES = 128 * 1024 * 1024
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


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
    path = Path(given.image)
    if "\0" in given.image or not path.is_file():
        return "is not there"
    try:
        status = path.stat()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if status.st_size > MAX_BYTES:
        return f"is larger than {MAX_BYTES // (1024 * 1024)} MB"
    return _wrong_inside(path, (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=256)
def _wrong_inside(path: Path, _file: tuple[int, int, int, int]) -> str:
    """The same, of what is in the file; every engine asks, and one answer will do while the file stays as it is."""
    try:
        decoded_one(f"{__name__}:picture_in", path, "", Limits(libraries=("skia",)))
    except InvalidInput as error:
        return error.message
    return ""


def picture_in(file: BinaryIO) -> Iterator[np.ndarray]:
    """What decodes a picture in the process of its own; its size is all that comes of it."""
    import numpy as np
    import skia

    data = file.read(MAX_BYTES + 1)
    if not data:
        raise InvalidInput("is empty")
    # The codec reads from memory that it does not keep alive itself.
    kept = skia.Data.MakeWithCopy(data)
    del data
    try:
        codec = skia.Codec.MakeFromData(kept)
    except RuntimeError:
        raise InvalidInput("is not a picture") from None
    kinds = [getattr(skia.EncodedImageFormat, f"k{name}") for name in FORMATS]
    if codec.getEncodedFormat() not in kinds:
        raise InvalidInput("is not a picture of a kind that is read")
    size = codec.dimensions()
    if max(size.width(), size.height()) > MAX_SIDE:
        raise InvalidInput(f"is {size.width()}x{size.height()} pixels; at most {MAX_SIDE} a side are read")
    info = skia.ImageInfo.MakeN32Premul(size)
    memory = bytearray(info.computeMinByteSize())
    if codec.getPixels(info, memory, info.minRowBytes()) != skia.Codec.Result.kSuccess:
        raise InvalidInput("is damaged: not all of it can be decoded")
    yield np.array([size.width(), size.height()], np.float32)
