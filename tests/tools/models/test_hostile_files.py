"""Pickles under any name, lying and bomb headers, names that are paths: nothing runs; valid files are accepted.

Each promise has a twin that breaks it: a loader that goes by the name, a reader that believes the header.
"""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evals.checkpoints.common import gguf_bytes, header_of, safetensors_bytes
from tests.tools.models.hostile import archives, pickles, safetensors_around
from tools.errors import MissingPrerequisite
from tools.models import PickleRefused, WrongFile, inspect_file

NAMES = ["model.safetensors", "model.gguf", "pytorch_model.bin", "model.ckpt", "model.pt", "face.png", "README.md", "x"]
NAME = st.text("abc0_.", min_size=1, max_size=12).filter(lambda name: name.strip(".") == name)
ROOT = Path(__file__).resolve().parents[3]
SMALL = {"a.weight": (4, 4), "b.bias": (4,)}


def at(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def loads_by_name(path: Path) -> None:
    """The broken twin: goes by the name, and unpickles what is no safetensors by it."""
    if path.suffix != ".safetensors":
        pickle.loads(path.read_bytes())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", list(pickles(Path("x"))))
def test_a_pickle_is_refused_by_its_content_under_any_name(tmp_path: Path, way: str, name: str) -> None:
    mark = tmp_path / "it ran"
    path = at(tmp_path / name, pickles(mark)[way])
    with pytest.raises(PickleRefused, match="pickle") as caught:
        inspect_file(path)
    assert str(path) in str(caught.value)
    assert "safetensors" in caught.value.hint
    assert not mark.exists()


@pytest.mark.parametrize("way", ["protocol 0", "protocol 2", "protocol 4", "by hand", "old style"])
def test_the_bombs_are_real(tmp_path: Path, way: str) -> None:
    mark = tmp_path / "it ran"
    loads_by_name(at(tmp_path / "model.bin", pickles(mark)[way]))
    assert mark.exists(), "the control: a loader that goes by the name runs it"


@pytest.mark.parametrize("way", list(archives(Path("x"))))
def test_an_archive_is_refused(tmp_path: Path, way: str) -> None:
    with pytest.raises(WrongFile, match="archive"):
        inspect_file(at(tmp_path / "model.safetensors", archives(tmp_path / "mark")[way]))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
        (b"<!DOCTYPE html><html>login</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git-lfs"),
        (b'{"a": 1}', "JSON"),
        (b"a cat\na dog\nimportant news\n", "text"),
        (bytes(range(256)) * 9, "neither"),
    ],
)
def test_what_is_no_file_of_weights_is_named(tmp_path: Path, data: bytes, told: str) -> None:
    with pytest.raises(WrongFile, match=told) as caught:
        inspect_file(at(tmp_path / "model.safetensors", data))
    assert not isinstance(caught.value, PickleRefused)


def test_what_is_not_there_or_no_file_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(MissingPrerequisite, match="no such file"):
        inspect_file(tmp_path / "none.safetensors")
    os.mkfifo(tmp_path / "pipe.safetensors")
    for path in (tmp_path, tmp_path / "pipe.safetensors", Path("/dev/zero")):
        with pytest.raises(WrongFile):
            inspect_file(path)


def entry(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F16", "shape": [2], "data_offsets": [0, 4], **changes}


LIES: dict[str, tuple[object, int]] = {
    "a hole": ({"a": entry(), "b": entry(data_offsets=[6, 10])}, 10),
    "an overlap": ({"a": entry(), "b": entry(data_offsets=[2, 6])}, 6),
    "the same bytes twice": ({"a": entry(), "b": entry()}, 4),
    "beyond the file": ({"a": entry()}, 2),
    "bytes left over": ({"a": entry()}, 8),
    "offsets turned round": ({"a": entry(data_offsets=[4, 0])}, 4),
    "negative offsets": ({"a": entry(data_offsets=[-4, 0])}, 4),
    "a shape that does not fit": ({"a": entry(shape=[3])}, 4),
    "a negative shape": ({"a": entry(shape=[-2])}, 4),
    "a shape of numbers that are true": ({"a": entry(shape=[True, 2])}, 4),
    "a shape that overflows": ({"a": entry(shape=[2**40, 2**40])}, 4),
    "a shape that wraps round to its size": ({"a": entry(shape=[2**63 - 1, 2**63 - 1, 2**60])}, 4),
    "an unknown type": ({"a": entry(dtype="OBJECT")}, 4),
    "a field too many": ({"a": entry(code="import os")}, 4),
    "no offsets": ({"a": {"dtype": "F16", "shape": [2]}}, 4),
    "a list for a tensor": ({"a": [1]}, 4),
    "metadata that is no text": ({"__metadata__": {"a": 1}, "a": entry()}, 4),
    "a way out": ({"../../etc/x": entry()}, 4),
    "a way out in the middle": ({"a/../../x": entry()}, 4),
    "a way out for Windows": ({"..\\x": entry()}, 4),
    "an absolute path": ({"/etc/passwd": entry()}, 4),
    "a drive": ({"C:\\x": entry()}, 4),
    "a terminal's command": ({"\x1b[2J": entry()}, 4),
    "a zero byte": ({"a\x00b": entry()}, 4),
    "no name": ({"": entry()}, 4),
    "a name without end": ({"a" * 5000: entry()}, 4),
    "a list for a header": ([1, 2, 3], 4),
}  # fmt: skip


@pytest.mark.parametrize("lie", list(LIES))
def test_a_lying_header_is_refused(tmp_path: Path, lie: str) -> None:
    header, size = LIES[lie]
    path = at(tmp_path / "model.safetensors", safetensors_around(json.dumps(header).encode(), bytes(size)))
    with pytest.raises(WrongFile) as caught:
        inspect_file(path)
    assert str(path) in str(caught.value)


def test_the_library_itself_accepts_a_name_that_is_a_path() -> None:
    numpy = pytest.importorskip("safetensors.numpy", reason="the control needs the safetensors library")
    data = safetensors_around(json.dumps({"../../etc/x": entry()}).encode(), bytes(4))
    assert "../../etc/x" in numpy.load(data), "the control: it is let through where nobody looks"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b'{"a":%b,"a":%b}' % ((b'{"dtype":"F16","shape":[2],"data_offsets":[0,4]}',) * 2), "twice"),
        (b'{"a":{"dtype":"F16","dtype":"F32","shape":[2],"data_offsets":[0,4]}}', "twice"),
        (b'{"a":{"dtype":"F16","shape":[NaN],"data_offsets":[0,4]}}', "NaN"),
        (b'{"a":{"dtype":"F16","shape":[' + b"9" * 6000 + b'],"data_offsets":[0,4]}}', "not valid"),
        (b"{" + b'"a":{' * 50_000, "deeply"),
        (b'{"a":' + b"[" * 200_000, "deeply"),
        (b'{"a":[' + b"[]," * 1_000_001, "too much"),
        (b'{"\xff":1}', "not valid"),
        (b'{"a":1', "not valid"),
    ],
)  # fmt: skip
def test_a_bomb_for_the_parser_is_refused(tmp_path: Path, raw: bytes, told: str) -> None:
    with pytest.raises(WrongFile, match=told):
        inspect_file(at(tmp_path / "model.safetensors", safetensors_around(raw, bytes(4))))


@pytest.mark.parametrize("length", [0, 1, 17_000_000, 2**31, 2**39, 2**63, 2**64 - 1])
def test_a_header_that_claims_too_much_is_not_read(tmp_path: Path, length: int) -> None:
    path = tmp_path / "model.safetensors"
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", length) + b"{}")
        stream.truncate(20_000_000)
    tracemalloc.start()
    with pytest.raises(WrongFile):
        inspect_file(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000, "the length is looked at before memory is asked for"


def test_the_largest_header_that_is_read_takes_little_time_and_memory(tmp_path: Path) -> None:
    names = b",".join(b'"%07x":1' % number for number in range(1_400_000))
    raw = b"{" + names[:15_999_990].rpartition(b",")[0] + b"}"
    path = at(tmp_path / "model.safetensors", safetensors_around(raw))
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom tests.memory import peak_kb\n"
        "from tools.models import inspect_file\n"
        "t = time.perf_counter()\n"
        "try: inspect_file(Path(sys.argv[1]))\nexcept Exception as e: print(type(e).__name__)\n"
        "print(time.perf_counter() - t, peak_kb() / 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, check=True)
    kind, figures = done.stdout.splitlines()
    seconds, megabytes = (float(word) for word in figures.split())
    assert kind == "WrongFile"
    assert seconds < 60
    assert megabytes < 1000


def test_looking_at_files_imports_no_model_stack(tmp_path: Path) -> None:
    path = at(tmp_path / "x.safetensors", safetensors_bytes(SMALL))
    code = (
        "import sys\nfrom pathlib import Path\nfrom tools.models import inspect_file\ninspect_file(Path(sys.argv[1]))\n"
    )
    code += "print(' '.join(m for m in ('torch', 'safetensors', 'numpy', 'transformers') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16", "F8_E4M3"])
def test_valid_safetensors_are_accepted(tmp_path: Path, dtype: str) -> None:
    data = safetensors_bytes({**SMALL, "empty": (0, 3), "scalar": ()}, dtype, {"format": "pt", "note": "{[" * 100})
    found = inspect_file(at(tmp_path / "weights.bin", data))
    assert found.format == "safetensors"
    assert found.tensors["a.weight"].shape == (4, 4)
    assert found.parameters == 16 + 4 + 0 + 1
    assert found.metadata["format"] == "pt"


def test_what_the_library_writes_is_accepted(tmp_path: Path) -> None:
    numpy = pytest.importorskip("safetensors.numpy", reason="needs the safetensors library")
    import numpy as np

    numpy.save_file({"z": np.ones((3, 2), np.float32), "a": np.zeros(7, np.int8)}, str(tmp_path / "x"), {"k": "v"})
    assert inspect_file(tmp_path / "x").parameters == 13


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from([safetensors_bytes(SMALL), gguf_bytes(SMALL, "F16", {"general.architecture": "x"})])
    )
    kept = bytearray(whole[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else whole)
    for _ in range(data.draw(st.integers(0, 8))):
        if kept:
            kept[data.draw(st.integers(0, len(kept) - 1))] = data.draw(st.integers(0, 255))
    path = at(tmp_path / "file", bytes(kept))
    started = time.perf_counter()
    try:
        found = inspect_file(path)
    except WrongFile as error:
        told = str(error)
    else:
        told = str(found.path)
        assert all(0 <= tensor.begin <= tensor.end <= found.size for tensor in found.tensors.values())
    assert str(path) in told
    assert time.perf_counter() - started < 5


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda raw: b"GGUF\x03\x00\x00\x00" + raw))
def test_any_bytes_are_read_or_refused(tmp_path: Path, raw: bytes) -> None:
    path = at(tmp_path / "file", raw)
    try:
        inspect_file(path)
    except WrongFile:
        pass


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAME, st.lists(st.integers(0, 5), max_size=4), max_size=8))
def test_every_sound_file_is_accepted(tmp_path: Path, shapes: dict[str, list[int]]) -> None:
    found = inspect_file(at(tmp_path / "file", safetensors_bytes(shapes)))
    assert {name: list(tensor.shape) for name, tensor in found.tensors.items()} == shapes
    header, _ = header_of(shapes)
    assert len(found.tensors) == len(header)
