"""The one place where the judge turns picture files into numbers."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import skia
from numpy.typing import NDArray

from tools.errors import BadOutput

__all__ = ["MAX_SIDE", "luma", "png_size", "read_gray", "read_rgb"]

MAX_SIDE = 8192
"""Pixels; a picture that claims to be larger is refused before any memory is set aside for it."""
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def png_size(path: Path) -> tuple[int, int]:
    """Width and height from the header alone.

    Raises:
        BadOutput: no PNG, or larger than `MAX_SIDE`.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(24)
    except OSError as error:
        raise BadOutput(f"{path.name} cannot be read: {error.strerror}.") from error
    if len(head) < 24 or head[:8] != PNG_MAGIC or head[12:16] != b"IHDR":
        raise BadOutput(f"{path.name} is not a PNG.")
    width, height = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise BadOutput(f"{path.name} claims to be {width}x{height} pixels; at most {MAX_SIDE} a side are read.")
    return width, height


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """A PNG as (height, width, 3), 8 bit; what is transparent comes out on black.

    Raises:
        BadOutput: it cannot be decoded.
    """
    return _decode(path, skia.kRGBA_8888_ColorType, 4)[:, :, :3]


def read_gray(path: Path) -> NDArray[np.uint8]:
    """A PNG as (height, width), 8 bit luma.

    Raises:
        BadOutput: it cannot be decoded.
    """
    return _decode(path, skia.kGray_8_ColorType, 1)[:, :, 0]


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rec. 709 luma, 0..255, in 8-bit fixed point: four times as fast as in floats, and within one level."""
    wide = rgb[:, :, 0].astype(np.uint16) * np.uint16(54)
    wide += rgb[:, :, 1] * np.uint16(183)
    wide += rgb[:, :, 2] * np.uint16(19)
    return (wide >> 8).astype(np.uint8)


def _decode(path: Path, color_type: Any, channels: int) -> NDArray[np.uint8]:
    width, height = png_size(path)
    data = path.read_bytes()
    if not _is_whole(data):
        raise BadOutput(f"{path.name} is torn: its parts do not match their checksums.")
    image = skia.Image.MakeFromEncoded(skia.Data.MakeWithCopy(data))
    pixels = np.empty((height, width, channels), np.uint8)
    info = skia.ImageInfo.Make(width, height, color_type, skia.kOpaque_AlphaType)
    if image is None or not image.readPixels(info, pixels, width * channels, 0, 0):
        raise BadOutput(f"{path.name} cannot be decoded.")
    return pixels


def _is_whole(data: bytes) -> bool:
    """Whether every chunk of a PNG matches its CRC, up to the last (PNG 5.3): skia draws torn files without a word."""
    at = len(PNG_MAGIC)
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return False
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at = end + 4
    return False
