"""What checkpoints of all families have in common. The writers need no torch."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

__all__ = ["gguf_bytes", "safetensors_bytes", "seeded", "shapes_of", "write_shapes"]

BYTES = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8, "U8": 1, "F8_E4M3": 1}
GGUF_TYPES = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q8_0": (8, 32, 34), "Q4_K": (12, 256, 144), "BF16": (30, 1, 2)}

Shapes = Mapping[str, Sequence[int]]


def header_of(
    shapes: Shapes, dtype: str = "F16", metadata: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], int]:
    """A safetensors header as a mapping, and the bytes of data that it speaks of."""
    at = 0
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    for name, shape in shapes.items():
        size = prod(shape) * BYTES[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    return header, at


def safetensors_bytes(shapes: Shapes, dtype: str = "F16", metadata: Mapping[str, str] | None = None) -> bytes:
    """A whole safetensors file with zeros for data."""
    header, size = header_of(shapes, dtype, metadata)
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    return struct.pack("<Q", len(raw)) + raw + bytes(size)


def write_shapes(path: Path, shapes: Shapes, dtype: str = "F16", metadata: Mapping[str, str] | None = None) -> Path:
    """A safetensors file of any size whose data are a hole: full-size headers on little disk."""
    header, size = header_of(shapes, dtype, metadata)
    raw = json.dumps(header).encode()
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(raw)) + raw)
        stream.truncate(8 + len(raw) + size)
    return path


def _gguf_value(value: str | int | float | list[str]) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _gguf_text(value)
    if isinstance(value, list):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(_gguf_text(item) for item in value)
    return struct.pack("<Ii", 5, value) if isinstance(value, int) else struct.pack("<If", 6, value)


def _gguf_text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf_bytes(shapes: Shapes, dtype: str = "F16", metadata: Mapping[str, Any] | None = None) -> bytes:
    """A whole GGUF file (version 3) with zeros for data."""
    number, block, size = GGUF_TYPES[dtype]
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(shapes), len(metadata or {}))
    head += b"".join(_gguf_text(key) + _gguf_value(value) for key, value in (metadata or {}).items())
    at = 0
    for name, shape in shapes.items():
        dims = list(reversed(shape))
        head += _gguf_text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, number, at)
        at += -(-(prod(shape) // block * size) // 32) * 32
    return head + bytes(-len(head) % 32) + bytes(at)


def shapes_of(module: Any, prefix: str = "") -> dict[str, tuple[int, ...]]:
    """Names and shapes of a torch module's state, also of one on the meta device."""
    return {f"{prefix}{name}": tuple(tensor.shape) for name, tensor in module.state_dict().items()}


def seeded(module: Any, seed: int, scale: float = 1.0) -> Any:
    """Fill a torch module with values that depend on the seed and each tensor's own name, and on nothing else.

    Norms get ones and zeros; all else is normal with a deviation of `scale / sqrt(inputs)`.
    """
    import torch

    with torch.no_grad():
        for name, weight in module.named_parameters():
            if weight.dim() < 2:
                weight.fill_(1.0 if name.endswith("weight") else 0.0)
                continue
            digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
            generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
            weight.copy_(torch.randn(weight.shape, generator=generator) * (scale / weight[0].numel() ** 0.5))
    return module
