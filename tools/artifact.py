"""What a tool call leaves behind, and how it is written so that a crash leaves nothing torn.

An artifact is a folder `<key>/` that holds the files an engine wrote and `artifact.json`, its record. `key` is the
hash of what made it (`artifact_key`). The folder appears by one rename, after every file in it was fsynced: the
artifact is itself the commit, there is no second book to keep.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tools.errors import CorruptArtifact, StorageFailed

__all__ = [
    "RECORD_NAME",
    "Artifact",
    "ArtifactRecord",
    "FileRecord",
    "artifact_key",
    "canonical_json",
    "fsync_dir",
    "hash_file",
    "read_record",
    "sealed",
    "write_atomic",
]

RECORD_NAME = "artifact.json"
MOST_RECORD_BYTES = 64 << 20
"""Of a record that is read at all: a film's largest has a thousandth of it."""
_SEAL = re.compile(rb',\n "seal": "([0-9a-f]{40})"\n}\n?\Z')


def canonical_json(data: Any) -> bytes:
    """JSON with sorted keys and no spaces: the same data always gives the same bytes."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def artifact_key(*, tool: str, engine: str, version: str, args: Any, seed: int, inputs: dict[str, str]) -> str:
    """The hash of what makes a result.

    Args:
        tool: name of the tool.
        engine: name of the engine that carries it out.
        version: version of the engine together with the revision of its model and data.
        args: the arguments as JSON data, each reference to another artifact replaced by that one's digest.
        seed: seed of everything random in it.
        inputs: digest of every file outside the store that is read, by path.
    """
    parts = {"tool": tool, "engine": engine, "version": version, "args": args, "seed": seed, "inputs": inputs}
    return hashlib.sha256(canonical_json(parts)).hexdigest()[:40]


def hash_file(path: Path) -> str:
    """sha256 of a file, as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fsync_dir(path: Path) -> None:
    """Make renames inside `path` durable; a no-op where folders cannot be opened (Windows)."""
    if os.name == "nt":
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sealed(record: bytes) -> bytes:
    """A JSON object with the hash of its own bytes as its last member: a bit that flips on the disk is then noticed.

    It tells decay from what was written, and is no signature: whoever changes a record can seal it anew.

    Args:
        record: the object, with one member at least.
    """
    inner = record.rstrip()[:-1].rstrip()
    return inner + f',\n "seal": "{_hash_of(inner)}"\n}}\n'.encode()


def _hash_of(inner: bytes) -> str:
    return hashlib.sha256(inner).hexdigest()[:40]


def read_record(path: Path) -> bytes:
    """The bytes of a JSON file of the studio's own, without its seal, if it has one.

    Raises:
        ValueError: it is larger than `MOST_RECORD_BYTES`, or is not as it was when it was sealed.
        OSError: it is not there, or cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(MOST_RECORD_BYTES + 1)
    if len(data) > MOST_RECORD_BYTES:
        raise ValueError(f"{path} is larger than {MOST_RECORD_BYTES >> 20} MB")
    seal = _SEAL.search(data)
    if seal is None:
        return data
    inner = data[: seal.start()]
    if _hash_of(inner) != seal[1].decode():
        raise ValueError(f"{path} was damaged or changed since it was written")
    return inner + b"\n}"


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part.

    Raises:
        StorageFailed: the disk is full, read-only or out of file handles; `path` is then unchanged.
    """
    # A name nobody can guess or share: threads of one process write here, and processes of other containers.
    temp = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temp.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temp, path)
        fsync_dir(path.parent)
    except OSError as error:
        # The temporary file may not exist, or the disk may refuse even this: the first error is the one to tell.
        try:
            temp.unlink(missing_ok=True)
        except OSError:
            pass
        raise StorageFailed(f"cannot write {path}: {error.strerror or error}.", hint=_mend(error)) from error


def _mend(error: OSError) -> str:
    import errno

    return {
        errno.ENOSPC: "Free some space; what is finished is kept.",
        errno.EROFS: "The disk is read-only; choose another folder with --out.",
        errno.EACCES: "Choose a folder you may write to with --out.",
        errno.EMFILE: "Too many open files; raise the limit with `ulimit -n`.",
    }.get(error.errno or 0, "")


class FileRecord(BaseModel):
    """One file of an artifact: its size in bytes and sha256."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int
    sha256: str


class ArtifactRecord(BaseModel):
    """`artifact.json`: how the artifact was made, and what it holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    tool: str
    engine: str
    version: str
    args: dict[str, Any]
    inputs: dict[str, str] = Field(default_factory=dict)
    seed: int
    files: dict[str, FileRecord]
    output: dict[str, Any]
    digest: str = Field(description="hash of `files` and `output`: equal content, equal digest, whatever made it")
    seconds: float = Field(description="wall seconds the engine took")
    degraded: tuple[str, ...] = Field((), description="what was done otherwise than asked because memory ran out")
    models: dict[str, str] = Field(default_factory=dict, description="by name: width, commit, digest of the files")


class Artifact:
    """A finished result on disk: `path` is its folder, `record` how it was made."""

    def __init__(self, path: Path, record: ArtifactRecord) -> None:
        self.path = path
        self.record = record

    @classmethod
    def open(cls, path: Path) -> Artifact:
        """Read an artifact's record and check that every file has its recorded size.

        Raises:
            CorruptArtifact: the record is missing, unreadable or does not match the files.
        """
        try:
            record = ArtifactRecord.model_validate_json(read_record(path / RECORD_NAME))
        except (OSError, ValueError) as error:
            raise CorruptArtifact(f"{path / RECORD_NAME} cannot be read: {type(error).__name__}.") from error
        artifact = cls(path, record)
        for name, recorded in record.files.items():
            try:
                size = artifact.file(name).stat().st_size
            except OSError:
                size = -1
            if size != recorded.size:
                raise CorruptArtifact(f"{path / name} should hold {recorded.size} bytes and holds {max(size, 0)}.")
        return artifact

    @property
    def key(self) -> str:
        return self.record.key

    @property
    def digest(self) -> str:
        return self.record.digest

    @property
    def output(self) -> dict[str, Any]:
        """What the tool returned, as JSON data; validate it with the tool's `Output`."""
        return self.record.output

    def file(self, name: str) -> Path:
        """The path of one of the artifact's files."""
        if name not in self.record.files:
            raise CorruptArtifact(f"{self.path} holds no file {name!r}.")
        return self.path / name
