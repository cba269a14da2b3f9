"""What was asked and read before, so that the same question does not go out twice: a folder of small JSON files.

Nothing in it is a source of anything: it may be removed at any time, and what is damaged or too old counts as not
there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from knowledge.user_cache import replace_file

__all__ = ["WebCache"]

Kind = Literal["search", "page"]

MOST_AGE_S: dict[Kind, float] = {"search": 24 * 3600.0, "page": 7 * 24 * 3600.0}
_MOST_ENTRY = 2_000_000


class WebCache:
    """Answers of searches for a day, and what pages say for a week.

    Args:
        folder: where it lies.
        most_bytes: of all entries; the oldest go first.
        clock: seconds since 1970.
    """

    def __init__(self, folder: Path, *, most_bytes: int = 50_000_000, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._clock = clock

    def get(self, kind: Kind, key: str) -> Any:
        """What was put there; None where it is missing, too old or damaged."""
        path = self._path(kind, key)
        try:
            if path.stat().st_size > _MOST_ENTRY:
                return None
            entry = json.loads(path.read_bytes())
            age = self._clock() - float(entry["at"])
            return entry["value"] if entry["key"] == key and 0 <= age <= MOST_AGE_S[kind] else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def put(self, kind: Kind, key: str, value: Any) -> bool:
        """Keep something; False where the disk does not take it, which costs no more than asking again."""
        data = json.dumps({"key": key, "at": self._clock(), "value": value}, ensure_ascii=False).encode()
        if len(data) > _MOST_ENTRY:
            return False
        try:
            replace_file(self._path(kind, key), data, durable=False)
            self._shrink()
        except OSError:
            return False
        return True

    def _path(self, kind: Kind, key: str) -> Path:
        # What was asked stands in no file name, and no address becomes a path.
        return self.folder / f"{kind}-{hashlib.sha256(key.encode()).hexdigest()}.json"

    def _shrink(self) -> None:
        """Remove the oldest entries until what is left fits."""
        found = []
        for path in self.folder.glob("*-*.json"):
            with contextlib.suppress(OSError):
                found.append((path.stat().st_mtime, path.stat().st_size, path))
        size = sum(entry[1] for entry in found)
        for _, bytes_, path in sorted(found):
            if size <= self._most_bytes:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            size -= bytes_
