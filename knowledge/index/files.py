"""Where the index lies, how it is read and kept: in the user's cache where it is of our own documents alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.index.snapshot import FORMAT, Damaged, Snapshot, read_snapshot, write_snapshot
from knowledge.user_cache import user_cache

__all__ = ["IndexFiles"]

KEPT = 4
"""Indexes of our own documents that are kept in the user's cache: of this version and of some others."""


@dataclass
class IndexFiles:
    """Reads and writes the index of one knowledge base; one that was read stays in memory until its file changes.

    Attributes:
        home: of the knowledge base.
        damaged: what was found damaged since this was last emptied, one line each.
    """

    home: Path
    damaged: list[str] = field(default_factory=list)
    _path: tuple[Mapping[str, str], Path] | None = None
    _loaded: tuple[Path, tuple[int, int, int], Snapshot] | None = None

    def path(self, state: Mapping[str, str]) -> Path:
        """The file for sources of this state (digest by key)."""
        if self._path is None or self._path[0] is not state:
            self._path = (state, self._file(state))
        return self._path[1]

    def _file(self, state: Mapping[str, str]) -> Path:
        if any(not key.startswith("builtin/") for key in state):
            return self.home / "index" / "passages.snapshot"
        name = hashlib.sha256(json.dumps([FORMAT, sorted(state.items())]).encode()).hexdigest()[:24]
        return user_cache() / "knowledge" / f"{name}.snapshot"

    def lock(self, path: Path) -> Path:
        """The lock of whoever writes this file."""
        return path.with_name("index.lock")

    def read(self, path: Path) -> Snapshot | None:
        """The index; None where there is none, or none that is whole."""
        try:
            status = path.stat()
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
            if self._loaded is None or self._loaded[:2] != (path, stamp):
                self._loaded = (path, stamp, read_snapshot(path))
            return self._loaded[2]
        except FileNotFoundError:
            return None
        except (OSError, Damaged) as error:
            told = f"the index was damaged and is made anew from its documents ({error})"
            if told not in self.damaged:
                self.damaged.append(told)
            return None

    def nearest(self, path: Path) -> Snapshot | None:
        """Another index that most of the vectors can be taken from, the newest one."""
        try:
            others = sorted(
                (other for other in (user_cache() / "knowledge").glob("*.snapshot") if other != path),
                key=lambda other: -other.stat().st_mtime_ns,
            )
        except OSError:
            return None
        for other in others[:KEPT]:
            try:
                return read_snapshot(other)
            except (OSError, Damaged):
                continue
        return None

    def keep(self, path: Path, snapshot: Snapshot) -> None:
        """Write it; of indexes in the user's cache the oldest are removed.

        Raises:
            OSError: the disk is full or read-only.
        """
        write_snapshot(path, snapshot)
        if path.parent == user_cache() / "knowledge":
            found = sorted(path.parent.glob("*.snapshot"), key=lambda other: -other.stat().st_mtime_ns)
            for old in found[KEPT:]:
                old.unlink(missing_ok=True)
