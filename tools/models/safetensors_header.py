"""The header of a safetensors file, by a reader of our own that believes nothing.

The format: 8 bytes with the length of the header (little-endian), the header as a JSON object, then the data.
Source: https://github.com/huggingface/safetensors, section "Format".
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from tools.models.header import MAX_TENSORS, Header, TensorInfo, WrongFile, check_layout, check_name

__all__ = ["MAX_HEADER", "read_safetensors_header"]

MAX_HEADER = 16_000_000
"""Bytes. The library allows 100 million; the longest known, with a trainer's notes inside, have under 5."""
_MAX_BRACKETS = 1_000_000
_MAX_RANK = 16
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "I64": 64, "U64": 64, "F64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
_FIELDS = {"dtype", "shape", "data_offsets"}


def read_safetensors_header(stream: BinaryIO, size: int, where: str) -> Header:
    """Read and check it; at most `MAX_HEADER` bytes are read, and no tensor.

    Args:
        stream: at the beginning of the file.
        size: bytes of the file.
        where: the file, for the message.

    Raises:
        WrongFile: the header lies: about its length, sizes, offsets, names, or by saying one thing twice.
    """
    length = int.from_bytes(stream.read(8), "little")
    if length > size - 8:
        raise WrongFile(
            f"its header claims {length:,} bytes, the file has {max(0, size - 8):,} left: it is cut off, or it is no "
            "safetensors file",
            where=where,
        )
    if not 2 <= length <= MAX_HEADER:
        raise WrongFile(f"its header claims {length:,} bytes; 2 to {MAX_HEADER:,} are allowed", where=where)
    data = _parse(stream.read(length), where)
    metadata = data.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise WrongFile("its __metadata__ is not text by name", where=where)
    if len(data) > MAX_TENSORS:
        raise WrongFile(f"it claims {len(data):,} tensors; {MAX_TENSORS:,} are allowed", where=where)
    tensors = {name: _tensor(name, entry, where) for name, entry in data.items()}
    check_layout(tensors, size - 8 - length, where, gaps=False)
    return Header(tensors, metadata)


def _parse(raw: bytes, where: str) -> dict[str, Any]:
    if raw[:1] != b"{":
        raise WrongFile("its header is no JSON object", where=where)
    # Counted before anything is built: a small text can ask for a great many objects.
    if raw.count(b"{") + raw.count(b"[") > _MAX_BRACKETS:
        raise WrongFile("its header nests or repeats too much", where=where)
    try:
        data = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise WrongFile("its header nests too deeply", where=where) from None
    except ValueError as error:
        raise WrongFile(f"its header is not valid: {str(error)[:120]}", where=where) from None
    assert isinstance(data, dict)
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"{twice[:80]!r} stands twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _tensor(name: str, entry: Any, where: str) -> TensorInfo:
    check_name(name, where)
    told = f"the tensor {name[:80]!r}"
    if not isinstance(entry, dict) or entry.keys() != _FIELDS:
        raise WrongFile(f"{told} needs dtype, shape and data_offsets, and nothing else", where=where)
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise WrongFile(f"{told} is of the unknown type {str(dtype)[:40]!r}", where=where)
    if not _are_sizes(shape) or len(shape) > _MAX_RANK:
        raise WrongFile(f"{told} has no sensible shape", where=where)
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise WrongFile(f"{told} has no sensible data_offsets", where=where)
    info = TensorInfo(dtype, tuple(shape), offsets[0], offsets[1])
    bits = info.count * _BITS[dtype]
    if bits % 8 or bits // 8 != info.end - info.begin:
        raise WrongFile(
            f"{told} takes {info.end - info.begin:,} bytes, its shape {list(shape)} in {dtype} {bits / 8:,.0f}"
            if bits < 2**64
            else f"{told} claims more numbers than there can be",
            where=where,
        )
    return info


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 2**63 for item in value)
