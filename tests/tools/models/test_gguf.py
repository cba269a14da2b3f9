"""GGUF headers: valid ones are read as the reference library reads them, lying ones refused."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from evals.checkpoints.common import gguf_bytes
from tools.models import WrongFile, inspect_file
from tools.models.gguf_header import BLOCKS

SHAPES = {"token_embd.weight": (32, 256), "output_norm.weight": (256,)}
METADATA = {"general.architecture": "qwen2", "qwen2.block_count": 2, "tokenizer.ggml.tokens": ["a", "b"]}


def at(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16", "Q8_0", "Q4_K"])
def test_valid_files_are_accepted(tmp_path: Path, dtype: str) -> None:
    found = inspect_file(at(tmp_path / "x.bin", gguf_bytes(SHAPES, dtype, METADATA)))
    assert found.format == "gguf"
    assert found.tensors["token_embd.weight"].shape == (32, 256)
    assert found.parameters == 33 * 256
    assert found.metadata["qwen2.block_count"] == "2"
    assert found.family.name == "language"


def test_block_sizes_are_those_of_the_reference_library() -> None:
    gguf = pytest.importorskip("gguf", reason="compares with the gguf library")
    theirs = {kind.value: (kind.name, *sizes) for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    assert {number: theirs[number] for number in BLOCKS} == BLOCKS


def test_what_the_reference_library_writes_is_accepted(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf", reason="writes with the gguf library")
    import numpy as np

    writer = gguf.GGUFWriter(str(tmp_path / "x.gguf"), "ltxv")
    writer.add_array("numbers", [1, 2, 3])
    for name, shape in {"a": (4, 64), "b": (7,)}.items():
        writer.add_tensor(name, np.ones(shape, np.float32))
    for step in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file, writer.close):
        step()
    found = inspect_file(tmp_path / "x.gguf")
    assert found.tensors["a"].shape == (4, 64)
    assert found.family.name == "ltx"


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def tensor(name: str = "a", dims: tuple[int, ...] = (4,), kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


def file(
    tensors: list[bytes], keys: list[bytes] | None = None, *, version: int = 3, data: int = 32, count: int = -1
) -> bytes:
    keys = keys or []
    head = struct.pack("<4sIQQ", b"GGUF", version, len(tensors) if count < 0 else count, len(keys))
    head += b"".join([*keys, *tensors])
    return head + bytes(-len(head) % 32) + bytes(data)


LIES = {
    "another version": file([tensor()], version=1),
    "the other byte order": file([tensor()], version=0x03000000),
    "tensors without end": file([tensor()], count=2**60),
    "more tensors than there are": file([tensor()], count=3),
    "keys without end": struct.pack("<4sIQQ", b"GGUF", 3, 0, 2**60),
    "a text without end": file([], [struct.pack("<Q", 2**62)]),
    "a list without end": file([], [text("k") + struct.pack("<IIQ", 9, 4, 2**61)]),
    "lists in lists in lists": file([], [text("k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 9]),
    "a list of empty lists without end": file([], [text("k") + struct.pack("<IIQ", 9, 9, 2**40)]),
    "an unknown kind of value": file([], [text("k") + struct.pack("<I", 77)]),
    "a key twice": file([], [text("k") + struct.pack("<II", 4, 1)] * 2),
    "a tensor twice": file([tensor(), tensor(offset=32)], data=64),
    "a way out": file([tensor("../../etc/x")]),
    "no dimensions": file([tensor(dims=())]),
    "nine dimensions": file([tensor(dims=(1,) * 9)]),
    "more numbers than there can be": file([tensor(dims=(2**40, 2**40))]),
    "an unknown type": file([tensor(kind=99)]),
    "a removed type": file([tensor(kind=4)]),
    "a row that is no multiple of its block": file([tensor(dims=(33,), kind=8)]),
    "beyond the file": file([tensor(dims=(400,))]),
    "an offset beyond the file": file([tensor(offset=2**62)]),
    "an overlap": file([tensor(dims=(16,)), tensor("b", offset=32)], data=64),
    "an offset between": file([tensor(dims=(4,), offset=8)], data=64),
    "much that belongs to nobody": file([tensor()], data=4096),
    "an alignment of none": file([tensor()], [text("general.alignment") + struct.pack("<II", 4, 0)]),
    "an alignment of three": file([tensor()], [text("general.alignment") + struct.pack("<II", 4, 3)]),
    "an alignment that is text": file([tensor()], [text("general.alignment") + struct.pack("<I", 8) + text("32")]),
    "only the first bytes": b"GGUF\x03",
}


@pytest.mark.parametrize("lie", list(LIES))
def test_a_lying_header_is_refused(tmp_path: Path, lie: str) -> None:
    path = at(tmp_path / "model.gguf", LIES[lie])
    with pytest.raises(WrongFile) as caught:
        inspect_file(path)
    assert str(path) in str(caught.value)


def test_the_makers_of_lies_can_tell_the_truth(tmp_path: Path) -> None:
    two = file([tensor(dims=(4, 2)), tensor("b", offset=32)], [text("k") + struct.pack("<II", 4, 7)], data=64)
    assert inspect_file(at(tmp_path / "x", two)).tensors["a"].shape == (2, 4), "the control"
