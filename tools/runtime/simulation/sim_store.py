"""The store without a disk: finished results of one production, kept when a process is killed, its locks are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.artifact import Artifact, ArtifactRecord
from tools.errors import Cancelled
from tools.runtime.simulation.site import Site
from tools.runtime.storage.locks import FileLock
from tools.runtime.storage.store import ArtifactStore, Provenance

__all__ = ["Shelf", "SimStore"]

_LOOK_EVERY_S = 0.05


class Shelf:
    """What lies on the disk of a production."""

    def __init__(self) -> None:
        self.artifacts: dict[str, Artifact] = {}
        self.locked: dict[str, Site] = {}
        self.twice: list[str] = []
        """Names of calls that were begun again after their result lay here."""


class SimStore(ArtifactStore):
    """A process's view of a shelf.

    Args:
        shelf: of the production.
        site: the process.
    """

    def __init__(self, shelf: Shelf, site: Site) -> None:
        super().__init__(Path("/nowhere"))
        self._shelf, self._site = shelf, site
        site.on_death(self._drop_locks)

    def _drop_locks(self) -> None:
        for key in [key for key, owner in self._shelf.locked.items() if owner is self._site]:
            del self._shelf.locked[key]

    def get(self, key: str) -> Artifact | None:
        return self._shelf.artifacts.get(key)

    def lock(self, key: str) -> FileLock:
        return _KeyLock(self._shelf, self._site, key)

    def begin(self, key: str) -> Path:
        if key in self._shelf.artifacts:
            self._shelf.twice.append(str(self._shelf.artifacts[key].record.args.get("name", key)))
        return self.root / key

    def discard(self, temp: Path) -> None:
        """There is nothing to remove."""

    def commit(self, temp: Path, made: Provenance, output: dict[str, Any], seconds: float) -> Artifact:
        record = ArtifactRecord(**vars(made), files={}, output=output, digest=made.key, seconds=seconds)
        return self._shelf.artifacts.setdefault(made.key, Artifact(temp, record))


class _KeyLock(FileLock):
    def __init__(self, shelf: Shelf, site: Site, key: str) -> None:
        super().__init__(Path("/nowhere") / key)
        self._shelf, self._site, self._key = shelf, site, key

    def acquire(self, is_cancelled: Callable[[], bool] = lambda: False) -> None:
        while self._key in self._shelf.locked:
            if is_cancelled():
                raise Cancelled("stopped while another process was making the same result")
            self._site.clock.pause(_LOOK_EVERY_S)
        self._shelf.locked[self._key] = self._site

    def release(self) -> None:
        if not self._site.killed:
            self._shelf.locked.pop(self._key, None)
