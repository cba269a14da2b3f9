"""PNG files, written fast: filter 1 (Sub) for pictures, none for masks, and a light deflate."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from tools.errors import StorageFailed

__all__ = ["read_png", "write_png"]

LEVEL = 3
"""Measured on a 1280x720 still: level 3 takes 45 ms and 1.0 MB, level 6 95 ms and 0.9 MB."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def encode_png(picture: np.ndarray) -> bytes:
    """The bytes of a PNG.

    Args:
        picture: height x width (grey) or height x width x 3 (red green blue), uint8.
    """
    height, width = picture.shape[:2]
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    flat = np.ascontiguousarray(picture).reshape(height, width * channels)
    rows = np.empty((height, width * channels + 1), dtype=np.uint8)
    if channels == 1:
        rows[:, 0] = 0
        rows[:, 1:] = flat
    else:
        rows[:, 0] = 1
        rows[:, 1 : channels + 1] = flat[:, :channels]
        rows[:, channels + 1 :] = flat[:, channels:] - flat[:, :-channels]
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    body = zlib.compress(rows.tobytes(), LEVEL)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write a picture.

    Raises:
        StorageFailed: the disk is full or read-only.
    """
    try:
        path.write_bytes(encode_png(picture))
    except OSError as error:
        raise StorageFailed(f"cannot write {path}: {error.strerror or error}.") from error


def read_png(path: Path) -> np.ndarray:
    """A picture as height x width x 3 uint8, red green blue; a grey file has three equal channels."""
    import skia

    colors = skia.Image.open(str(path)).toarray(colorType=skia.kRGBA_8888_ColorType)
    return np.ascontiguousarray(colors[:, :, :3])
