"""Where artifacts lie: `<root>/<key[:2]>/<key>/`, each put in place by one rename, after it was made durable.

    <root>/ab/ab12.../        a finished artifact: its files and artifact.json
    <root>/.tmp/<token>/      work of one process; `.tmp/<token>.alive` is locked as long as that process lives
    <root>/.locks/<key>       held by whoever makes that artifact now
    <root>/.corrupt/          what did not match its record, set aside for a person to look at

The order of the writes is what makes a crash harmless: files, fsync; record, fsync; folder, fsync; rename; fsync of
the parent. A reader therefore finds a whole artifact under its final name, or nothing.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import re
import secrets
import shutil
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from tools.artifact import (
    RECORD_NAME,
    Artifact,
    ArtifactRecord,
    FileRecord,
    canonical_json,
    fsync_dir,
    hash_file,
    sealed,
)
from tools.errors import BadOutput, CorruptArtifact, StorageFailed
from tools.runtime.storage.disk import storage_errors, storage_failure
from tools.runtime.storage.locks import FileLock

__all__ = ["ArtifactStore", "Provenance", "content_digest"]

_KEY = re.compile(r"[0-9a-f]{40}")
_SYNCERS = 4
_BROKEN_RECORD = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP)


@dataclass(frozen=True)
class Provenance:
    """What makes an artifact; the parts of its key. See `tools.artifact.artifact_key`.

    `degraded` says what was done otherwise than asked because memory ran out; `models` which models were used.
    """

    key: str
    tool: str
    engine: str
    version: str
    args: dict[str, Any]
    seed: int
    inputs: dict[str, str] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()
    models: dict[str, str] = field(default_factory=dict)


def content_digest(files: dict[str, FileRecord], output: dict[str, Any]) -> str:
    """The digest of an artifact's content: equal files and equal output, equal digest."""
    hashes = {name: record.sha256 for name, record in files.items()}
    return hashlib.sha256(canonical_json({"files": hashes, "output": output})).hexdigest()[:40]


class ArtifactStore:
    """Finished artifacts on disk, safe against crashes and against other processes on the same folder.

    Args:
        root: the folder; made when the first artifact is begun.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._token = secrets.token_hex(8)
        self._count = itertools.count()
        self._starting = threading.Lock()
        self._syncers: ThreadPoolExecutor | None = None
        self._alive = FileLock(root / ".tmp" / f"{self._token}.alive")

    def path(self, key: str) -> Path:
        """The folder that the artifact of this key has, or would have."""
        if not _KEY.fullmatch(key):
            raise CorruptArtifact(f"{key[:60]!r} is not the key of an artifact.")
        return self.root / key[:2] / key

    def get(self, key: str) -> Artifact | None:
        """The artifact of this key, or None. One that does not match its record is set aside and not returned.

        Sizes are compared always; contents are hashed again where a file was changed after its record was written.
        """
        path = self.path(key)
        if not path.is_dir():
            return None
        try:
            artifact = _open(path)
            recorded_at = (path / RECORD_NAME).stat().st_mtime_ns
            for name, recorded in artifact.record.files.items():
                file = artifact.file(name)
                if file.stat().st_mtime_ns > recorded_at and hash_file(file) != recorded.sha256:
                    raise CorruptArtifact(f"{file} was changed after it was made.")
        except CorruptArtifact:
            self._set_aside(path)
            return None
        except FileNotFoundError:
            # Another process set it aside between two of our looks.
            return None
        except OSError as error:
            raise storage_failure(f"cannot read {path}", error) from error
        return artifact

    def verify(self, key: str) -> Artifact:
        """The artifact of this key, every file of it hashed again.

        Raises:
            CorruptArtifact: it is missing or does not match its record; it is then set aside.
        """
        artifact = self.get(key)
        if artifact is None:
            raise CorruptArtifact(f"{self.path(key)} holds no whole artifact.")
        for name, recorded in artifact.record.files.items():
            if hash_file(artifact.file(name)) != recorded.sha256:
                self._set_aside(artifact.path)
                raise CorruptArtifact(f"{artifact.file(name)} does not have its recorded content.")
        return artifact

    def __iter__(self) -> Iterator[str]:
        """The keys of every finished artifact, in order."""
        for shelf in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            yield from sorted(path.name for path in shelf.iterdir() if _KEY.fullmatch(path.name))

    def lock(self, key: str) -> FileLock:
        """The lock that whoever makes this artifact must hold, so that two processes do not make it twice."""
        path = self.path(key)
        with storage_errors(f"cannot write in {self.root}"):
            (self.root / ".locks").mkdir(parents=True, exist_ok=True)
        return FileLock(self.root / ".locks" / path.name)

    def begin(self, key: str) -> Path:
        """A new empty folder to make the artifact in; `commit` or `discard` it.

        Raises:
            StorageFailed: it cannot be made.
        """
        name = self.path(key).name[:8]
        with storage_errors(f"cannot write in {self.root}"):
            work = self.root / ".tmp" / self._token
            with self._starting:
                if not self._alive.held:
                    work.parent.mkdir(parents=True, exist_ok=True)
                    self._alive.acquire()
            work.mkdir(exist_ok=True)
            temp = work / f"{next(self._count)}-{name}"
            temp.mkdir()
        return temp

    def discard(self, temp: Path) -> None:
        """Remove a folder of `begin`."""
        shutil.rmtree(temp, ignore_errors=True)

    def commit(self, temp: Path, made: Provenance, output: dict[str, Any], seconds: float) -> Artifact:
        """Put a finished folder in its place, durably. Where another was faster, that one is returned.

        Raises:
            BadOutput: the folder holds something that is not a plain file.
            StorageFailed: the disk refuses; nothing is left behind.
        """
        path = self.path(made.key)
        try:
            with storage_errors(f"cannot store the result of {made.tool}"):
                record, written = _seal(temp, made, output, seconds)
                self._sync(written)
                return self._place(temp, path, record)
        except BaseException:
            self.discard(temp)
            raise

    def _place(self, temp: Path, path: Path, record: ArtifactRecord) -> Artifact:
        changed = [path.parent] if path.parent.is_dir() else [path.parent, self.root]
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temp.rename(path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            winner = self.get(record.key)
            if winner is not None:
                self.discard(temp)
                return winner
            # It stood in the way and was corrupt: `get` has set it aside.
            temp.rename(path)
        self._sync(changed)
        return Artifact(path, record)

    def _sync(self, paths: list[Path]) -> None:
        """fsync files and folders, several at once: a journalling disk writes down together what it is given together.

        Measured on ext4 for a small artifact beside two busy writers: 15-24 ms one after the other, 5-10 ms so.
        """
        with self._starting:
            if self._syncers is None:
                self._syncers = ThreadPoolExecutor(_SYNCERS, thread_name_prefix="sync")
            syncers = self._syncers
        # `list` waits for all of them and raises what one of them raised.
        list(syncers.map(fsync_dir, paths))

    def sweep(self) -> int:
        """Remove what dead processes left unfinished; returns how many of them there were."""
        swept = 0
        for alive in sorted((self.root / ".tmp").glob("*.alive")):
            lock = FileLock(alive)
            try:
                if lock.try_acquire():
                    shutil.rmtree(alive.with_suffix(""), ignore_errors=True)
                    lock.release()
                    swept += 1
            except StorageFailed:
                # Not ours to remove, or a read-only disk: it harms nobody.
                continue
        for path in (self.root / ".locks").glob("*"):
            with suppress(StorageFailed):
                # Taking a lock that nobody holds and giving it back removes its file.
                lock = FileLock(path)
                if lock.try_acquire():
                    lock.release()
        return swept

    def close(self) -> None:
        """Remove this process's own work folder and let go of its lock; `begin` makes a new one."""
        if self._syncers is not None:
            self._syncers.shutdown()
            self._syncers = None
        if self._alive.held:
            shutil.rmtree(self.root / ".tmp" / self._token, ignore_errors=True)
            self._alive.release()

    def _set_aside(self, path: Path) -> None:
        with storage_errors(f"cannot set the corrupt {path} aside"):
            aside = self.root / ".corrupt"
            aside.mkdir(exist_ok=True)
            try:
                path.rename(aside / f"{path.name}.{secrets.token_hex(4)}")
            except FileNotFoundError:
                # Another process was faster.
                pass


def _open(path: Path) -> Artifact:
    """`Artifact.open`, with the record itself checked too: its key, its digest, the names of its files."""
    try:
        artifact = Artifact.open(path)
    except CorruptArtifact as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno not in _BROKEN_RECORD:
            # Out of file handles, say: that tells nothing about the artifact.
            raise cause from None
        raise
    record = artifact.record
    for name in record.files:
        if not _plain(name):
            raise CorruptArtifact(f"{path / RECORD_NAME} names a file outside of it.")
    if record.key != path.name or record.digest != content_digest(record.files, record.output):
        raise CorruptArtifact(f"{path / RECORD_NAME} does not describe this artifact.")
    return artifact


def _plain(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and ".." not in parts and not name.startswith("/") and "\\" not in name and "\0" not in name


def _seal(temp: Path, made: Provenance, output: dict[str, Any], seconds: float) -> tuple[ArtifactRecord, list[Path]]:
    """Hash all files and write the record; returns it, and all that must be made durable before the rename."""
    files: dict[str, FileRecord] = {}
    folders: list[Path] = []
    for folder, subfolders, names in os.walk(temp):
        folders.append(Path(folder))
        for name in names:
            file = Path(folder, name)
            if not stat.S_ISREG(file.lstat().st_mode) or name == RECORD_NAME:
                raise BadOutput(f"{made.tool}/{made.engine} wrote {name!r}, which is not a plain file of its own.")
            files[file.relative_to(temp).as_posix()] = FileRecord(size=file.stat().st_size, sha256=hash_file(file))
        for name in subfolders:
            if Path(folder, name).is_symlink():
                raise BadOutput(f"{made.tool}/{made.engine} wrote {name!r}, which is a link.")
    files = dict(sorted(files.items()))
    record = ArtifactRecord(
        **vars(made), files=files, output=output, digest=content_digest(files, output), seconds=round(seconds, 4)
    )
    (temp / RECORD_NAME).write_bytes(sealed(record.model_dump_json(indent=1).encode()))
    return record, [*(temp / name for name in files), temp / RECORD_NAME, *folders]
