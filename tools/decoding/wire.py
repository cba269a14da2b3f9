"""What passes between the studio and the process that decodes: lines of JSON, and the numbers that they announce."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np

__all__ = ["KINDS", "read_array", "read_line", "write_array", "write_line"]

KINDS = {"u1": 1, "f4": 4}
"""Kinds of numbers that pass, with their bytes."""
LONGEST_LINE = 1 << 16


def write_line(out: BinaryIO, message: dict[str, Any]) -> None:
    """Say something."""
    out.write(json.dumps(message).encode() + b"\n")
    out.flush()


def write_array(out: BinaryIO, array: np.ndarray) -> None:
    """Hand over numbers: 8-bit ones, or float32."""
    import numpy as np

    kind = "u1" if array.dtype == np.uint8 else "f4"
    flat = np.ascontiguousarray(array, dtype=f"<{kind}" if kind != "u1" else kind)
    write_line(out, {"array": kind, "shape": list(flat.shape)})
    out.write(flat.data if flat.size else b"")
    out.flush()


def read_line(read: Callable[[int], bytes | bytearray]) -> dict[str, Any]:
    """What was said; empty at its end, and where it is no message: the other side may be in a stranger's hands."""
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = read(1)
        if not piece or len(line) > LONGEST_LINE:
            return {}
        line += piece
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def read_array(message: dict[str, Any], read: Callable[[int], bytes | bytearray], most: int) -> np.ndarray | None:
    """The numbers that a message announces; None where it lies about them, or they are more than `most` bytes."""
    import numpy as np

    kind, shape = message.get("array"), message.get("shape")
    sound = isinstance(shape, list) and 0 < len(shape) <= 4
    if kind not in KINDS or not sound or not all(type(one) is int and one >= 0 for one in shape or ()):
        return None
    size = KINDS[kind]
    for one in shape or ():
        size *= one
    if size > most:
        return None
    data = read(size)
    if len(data) != size:
        return None
    array: np.ndarray = np.frombuffer(data, dtype=f"<{kind}" if kind != "u1" else kind).reshape(shape)
    return array
