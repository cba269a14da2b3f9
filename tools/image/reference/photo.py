"""A user's picture file as pixels: a few formats, bounded sizes, upright; or a plain word for what is wrong.

What comes from anywhere is decoded in a process of its own (`tools.decoding`); `decode_photo` is what runs there, and
serves here for what the studio itself has made.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tools.decoding.limited import Limits, decoded_one
from tools.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np

__all__ = ["FORMATS", "MAX_BYTES", "MAX_SIDE", "decode_photo", "read_foreign_photo", "read_photo"]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MAX_SIDE = 8192
"""Pixels; a larger picture is refused before any memory is set aside for it."""
MAX_BYTES = 128 * 1024 * 1024

_LIMITS = Limits(libraries=("numpy", "PIL.Image", "PIL.ImageOps"))
_WRONG = (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)
"""What Pillow raises at damaged files; a picture that is too large for it (`DecompressionBombError`) besides."""


def read_photo(path: Path, *, longest: int = 2048) -> np.ndarray:
    """A picture file as height x width x 3 uint8 (red green blue), turned upright by its own note of how it was held.

    Args:
        longest: pixels of the longer side; a larger picture is brought down to it, a smaller one left alone.

    Raises:
        InvalidInput: it is not there, no picture, damaged or too large; names the file.
    """
    try:
        if not path.is_file():
            raise InvalidInput("there is no such picture", where=str(path))
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(f"is larger than {MAX_BYTES >> 20} MB", where=str(path))
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    return read_foreign_photo(path, str(path), longest=longest)


def read_foreign_photo(source: Path | bytes, where: str, *, longest: int = 2048) -> np.ndarray:
    """A picture from anywhere, as a file or its bytes; see `read_photo`.

    Args:
        where: what to call it where it is wrong.
    """
    return decoded_one(f"{__name__}:photo_in", source, where, _LIMITS, longest=longest)


def photo_in(file: BinaryIO, longest: int) -> Iterator[np.ndarray]:
    """What decodes a photo in the process of its own."""
    yield decode_photo(file.read(MAX_BYTES + 1), "", longest=longest)


def decode_photo(data: bytes, where: str, *, longest: int = 2048) -> np.ndarray:
    """The bytes of a picture file as pixels; see `read_photo`.

    Args:
        where: what to call it where it is wrong.
    """
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise InvalidInput("is empty", where=where)
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as opened:
            if max(opened.size) > MAX_SIDE:
                wrong = f"is {opened.size[0]}x{opened.size[1]} pixels; at most {MAX_SIDE} a side are read"
                raise InvalidInput(wrong, where=where)
            # A JPEG decodes at a half or a quarter of its size by itself.
            opened.draft("RGB", (longest, longest))
            # In place: a copy of the largest is 268 MB.
            ImageOps.exif_transpose(opened, in_place=True)
            upright = opened if opened.mode == "RGB" else opened.convert("RGB")
            if max(upright.size) > longest:
                upright.thumbnail((longest, longest), Image.Resampling.LANCZOS)
            return np.asarray(upright)
    except UnidentifiedImageError:
        # Its own words tell where in memory the bytes lie: other words every time.
        hint = f"Give a {', '.join(FORMATS)}."
        raise InvalidInput(
            "cannot be read as a picture: it is none that is known here", where=where, hint=hint
        ) from None
    except (*_WRONG, Image.DecompressionBombError) as error:
        raise InvalidInput(
            f"cannot be read as a picture: {str(error)[:120]}", where=where, hint=f"Give a {', '.join(FORMATS)}."
        ) from error
