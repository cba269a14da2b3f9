"""Files that nobody should load, each with a way to see whether somebody did."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

__all__ = ["Bomb", "pickles", "torch_zip"]


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self.mark), 0o755)


def pickles(mark: Path) -> dict[str, bytes]:
    """The same bomb in every way that a loader of weights unpickles, by name of the way."""
    bomb = Bomb(mark)
    every = {f"protocol {number}": pickle.dumps(bomb, number) for number in range(6)}
    magic, version = pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2)
    every["torch legacy"] = magic + version + pickle.dumps({}, 2) + pickle.dumps(bomb, 2)
    every["torch zip"] = torch_zip(pickle.dumps(bomb, 2))
    every["torch zip, compressed"] = torch_zip(pickle.dumps(bomb, 2), zipfile.ZIP_DEFLATED)
    every["torch tar"] = _tar(pickle.dumps(bomb, 2))
    every["by hand"] = b"cos\nmkdir\n(V" + str(mark).encode() + b"\nI511\ntR."
    every["old style"] = b"(V" + str(mark).encode() + b"\nI511\nios\nmkdir\n."
    every["long before it calls"] = b"\x80\x04" + b"K\x01" * 50_000 + pickle.dumps(bomb, 4)[2:]
    return every


def archives(mark: Path) -> dict[str, bytes]:
    """Pickles inside archives that no loader opens: refused as archives."""
    return {"gzip": gzip.compress(pickle.dumps(Bomb(mark))), "zip": _zip({"readme.txt": b"hello"})}


def torch_zip(data: bytes, how: int = zipfile.ZIP_STORED) -> bytes:
    """As torch.save writes: the pickle and the tensors beside it."""
    return _zip({"archive/data.pkl": data, "archive/version": b"3\n", "archive/data/0": bytes(64)}, how)


def _zip(files: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _tar(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("pickle", "storages", "tensors"):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def safetensors_around(header: bytes, data: bytes = b"") -> bytes:
    """A safetensors file with just this header."""
    return struct.pack("<Q", len(header)) + header + data
