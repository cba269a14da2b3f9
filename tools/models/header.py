"""What stands in the header of a file of weights: tensors by name, with shapes; no values are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from tools.errors import InvalidInput

__all__ = ["MAX_TENSORS", "Header", "TensorInfo", "WrongFile", "check_layout", "check_name"]

MAX_TENSORS = 100_000
"""The largest models of the field have some ten thousand."""
MAX_NAME = 1024
_STEPS_OUT = re.compile(r"(^|[/\\])\.\.?($|[/\\])|^[/\\]|^[A-Za-z]:[/\\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class WrongFile(InvalidInput):
    """A file of weights that is not read: what is wrong with it, and where."""


@dataclass(frozen=True)
class TensorInfo:
    """One tensor.

    Attributes:
        dtype: as the format names it: `F16`, `BF16`, `Q4_K`.
        shape: outermost dimension first, as torch has it; GGUF's order is turned around.
        begin, end: bytes in the data part of the file.
    """

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)


@dataclass(frozen=True)
class Header:
    """The header of one file.

    Attributes:
        tensors: by name, in the order of the file.
        metadata: what the file says of itself; values of GGUF that are no plain text or number are left out.
    """

    tensors: Mapping[str, TensorInfo]
    metadata: Mapping[str, str]

    @property
    def parameters(self) -> int:
        """Numbers in all tensors."""
        return sum(tensor.count for tensor in self.tensors.values())


def check_name(name: str, where: str) -> None:
    """Refuse a tensor's name that somebody might take for a path, or that commands a terminal.

    Raises:
        WrongFile: it is empty, too long, leads out of a folder or holds control characters.
    """
    if not name or len(name) > MAX_NAME:
        raise WrongFile(f"a tensor's name has {len(name)} characters; 1 to {MAX_NAME} are allowed", where=where)
    if _STEPS_OUT.search(name) or _CONTROL.search(name):
        raise WrongFile(f"the tensor name {name[:80]!r} is a path or holds control characters", where=where)
    if not name.isprintable() and any(0xD800 <= ord(letter) <= 0xDFFF for letter in name):
        raise WrongFile("a tensor's name holds half a character", where=where)


def check_layout(tensors: Mapping[str, TensorInfo], size: int, where: str, *, gaps: bool, align: int = 1) -> None:
    """See that tensors lie side by side in the data part of a file, each once.

    Args:
        size: bytes of the data part.
        gaps: whether room between them is allowed (padding up to `align`).

    Raises:
        WrongFile: some overlap, lie outside, or leave bytes that no tensor accounts for.
    """
    at = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if tensor.begin < at:
            raise WrongFile(f"the tensor {name[:80]!r} overlaps another one", where=where)
        if tensor.end > size:
            raise WrongFile(
                f"the tensor {name[:80]!r} ends at byte {tensor.end:,} of {size:,}: the file is cut off", where=where
            )
        if tensor.begin - at > (align - 1 if gaps else 0):
            raise WrongFile(f"{tensor.begin - at:,} bytes before {name[:80]!r} belong to no tensor", where=where)
        at = tensor.end
    if size - at > (align - 1 if gaps else 0):
        raise WrongFile(f"{size - at:,} bytes at its end belong to no tensor", where=where)
