"""The studio with one thing broken, for the tests to find out: `python -m tests.agent.broken_studio TWIN make ...`."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import ClassVar

from agent.__main__ import main
from tests.tools.runtime.job import NaiveStore
from tools.artifact import Artifact, ArtifactRecord
from tools.runtime.storage import production
from tools.runtime.storage.store import ArtifactStore

__all__ = ["TWINS"]


class ForgettingStore(ArtifactStore):
    """Twin: knows only what this process has made, and makes all else again."""

    ours: ClassVar[set[str]] = set()

    def get(self, key: str) -> Artifact | None:
        return super().get(key) if key in self.ours else None

    def _place(self, temp: Path, path: Path, record: ArtifactRecord) -> Artifact:
        if path.exists():
            shutil.rmtree(path)
        self.ours.add(record.key)
        return super()._place(temp, path, record)


def copied_in_place(source: Path, folder: int, name: str) -> None:
    """Twin: writes the published file where it will be read, piece by piece as a large one takes its time."""
    data = source.read_bytes()
    opened = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644, dir_fd=folder)
    with os.fdopen(opened, "wb") as stream:
        for start in range(0, len(data), len(data) // 2 + 1):
            stream.write(data[start : start + len(data) // 2 + 1])
            stream.flush()
            time.sleep(0.3)


def naive_store() -> None:
    """Results are made under their final names."""
    production.ArtifactStore = NaiveStore  # type: ignore[misc]


def forgets() -> None:
    """What lies in the store is not looked at."""
    production.ArtifactStore = ForgettingStore  # type: ignore[misc]


def publishes_in_place() -> None:
    """Published files grow where they are read."""
    production._replace_by_link = copied_in_place


TWINS = {"naive-store": naive_store, "makes-again": forgets, "publishes-in-place": publishes_in_place}


if __name__ == "__main__":
    TWINS[sys.argv.pop(1)]()
    main()
