"""The header of a GGUF file, by a reader of our own that believes nothing.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from tools.models.header import MAX_TENSORS, Header, TensorInfo, WrongFile, check_layout, check_name

__all__ = ["BLOCKS", "MAX_HEADER", "read_gguf_header"]

MAX_HEADER = 64_000_000
"""Bytes: a tokenizer of 250,000 words stands in it."""
_MAX_KEYS = 10_000
_MAX_STRING = 8_000_000
"""Bytes; chat templates and licences are text of the header."""
_MAX_ITEMS = 4_000_000
_MAX_RANK = 4
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9

BLOCKS: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
}  # fmt: skip
"""By the number in the file: name, numbers in a block, bytes of a block."""


class _Reader:
    """Reads little-endian values out of a stream, and never more than a header may have."""

    def __init__(self, stream: BinaryIO, size: int, where: str) -> None:
        self._stream = stream
        self.left = min(size, MAX_HEADER)
        self.where = where
        self.at = 0
        self.items = _MAX_ITEMS

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise WrongFile("its header reaches beyond the file, or is too long", where=self.where)
        data = self._stream.read(count)
        if len(data) != count:
            raise WrongFile("its header is cut off", where=self.where)
        self.left -= count
        self.at += count
        return data

    def number(self, code: str) -> int | float | bool:
        value: int | float | bool = struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]
        return value

    def size(self, code: str = "Q") -> int:
        return int(self.number(code))

    def text(self, most: int = _MAX_STRING) -> str:
        length = self.size()
        if length > most:
            raise WrongFile(f"a text of its header claims {length:,} bytes; {most:,} are allowed", where=self.where)
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise WrongFile("a text of its header is not UTF-8", where=self.where) from None


def read_gguf_header(stream: BinaryIO, size: int, where: str) -> Header:
    """Read and check it; at most `MAX_HEADER` bytes are read, and no tensor.

    Args:
        stream: at the beginning of the file.
        size: bytes of the file.
        where: the file, for the message.

    Raises:
        WrongFile: the header lies: about counts, lengths, types, offsets, or by saying one thing twice.
    """
    reader = _Reader(stream, size, where)
    if reader.take(4) != b"GGUF":
        raise WrongFile("it is no GGUF file", where=where)
    version = reader.size("I")
    if version not in (2, 3):
        raise WrongFile(f"it is GGUF of version {version}; 2 and 3 can be read, little-endian", where=where)
    tensor_count, key_count = reader.size(), reader.size()
    if tensor_count > MAX_TENSORS or key_count > _MAX_KEYS:
        raise WrongFile(f"it claims {tensor_count:,} tensors and {key_count:,} keys", where=where)
    metadata, align = _metadata(reader, key_count)
    tensors = _tensors(reader, tensor_count)
    begin = -(-reader.at // align) * align
    if tensors and begin > size:
        raise WrongFile("it ends before its data begins: it is cut off", where=where)
    check_layout(tensors, max(0, size - begin), where, gaps=True, align=align)
    for name, tensor in tensors.items():
        if tensor.begin % align:
            raise WrongFile(f"the tensor {name[:80]!r} does not begin at a multiple of {align}", where=where)
    return Header(tensors, metadata)


def _metadata(reader: _Reader, count: int) -> tuple[dict[str, str], int]:
    found: dict[str, str] = {}
    seen: set[str] = set()
    align = 32
    for _ in range(count):
        key = reader.text(65_535)
        if key in seen:
            raise WrongFile(f"the key {key[:80]!r} stands twice", where=reader.where)
        seen.add(key)
        kind = reader.size("I")
        value = _value(reader, kind, depth=0)
        if value is not None:
            found[key] = value
        if key == "general.alignment":
            align = int(value) if kind == 4 and value else 0
            if not (8 <= align <= 2**20 and align & (align - 1) == 0):
                raise WrongFile(f"its alignment {value} is no power of two from 8 to 1,048,576", where=reader.where)
    return found, align


def _value(reader: _Reader, kind: int, depth: int) -> str | None:
    """A value as text; None for an array, which is skipped."""
    if kind in _SCALARS:
        return str(reader.number(_SCALARS[kind]))
    if kind == _STRING:
        return reader.text()
    if kind != _ARRAY or depth > 2:
        raise WrongFile(f"a value of its header is of the unknown type {kind}", where=reader.where)
    of, length = reader.size("I"), reader.size()
    reader.items -= length
    if reader.items < 0:
        raise WrongFile("the lists of its header are too long", where=reader.where)
    if of in _SCALARS:
        reader.take(length * struct.calcsize("<" + _SCALARS[of]))
        return None
    for _ in range(length):
        _value(reader, of, depth + 1)
    return None


def _tensors(reader: _Reader, count: int) -> dict[str, TensorInfo]:
    tensors: dict[str, TensorInfo] = {}
    for _ in range(count):
        name = reader.text(4096)
        check_name(name, reader.where)
        told = f"the tensor {name[:80]!r}"
        if name in tensors:
            raise WrongFile(f"{told} stands twice", where=reader.where)
        rank = reader.size("I")
        if not 1 <= rank <= _MAX_RANK:
            raise WrongFile(f"{told} has {rank} dimensions; 1 to {_MAX_RANK} are allowed", where=reader.where)
        dims = [reader.size() for _ in range(rank)]
        kind, offset = reader.size("I"), reader.size()
        if kind not in BLOCKS:
            raise WrongFile(f"{told} is of the unknown type {kind}", where=reader.where)
        dtype, block, block_bytes = BLOCKS[kind]
        info = TensorInfo(dtype, tuple(reversed(dims)), offset, offset)
        if dims[0] % block:
            raise WrongFile(f"{told} has rows of {dims[0]}, no multiple of the {block} of {dtype}", where=reader.where)
        if info.count >= 2**48:
            raise WrongFile(f"{told} claims more numbers than there can be", where=reader.where)
        tensors[name] = TensorInfo(dtype, info.shape, offset, offset + info.count // block * block_bytes)
    return tensors
