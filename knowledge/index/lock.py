"""One owner at a time changes an index. The kernel gives the lock back, however its holder ends."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["owned"]

PAUSE_S = 0.02


@contextlib.contextmanager
def owned(path: Path, *, wait_s: float) -> Iterator[bool]:
    """Hold the lock file `path` while the block runs; gives False where somebody else kept it for `wait_s`.

    Raises:
        OSError: the file cannot be made.
    """
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        yield _taken(fd, time.monotonic() + wait_s, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(fd)


def _taken(fd: int, until: float, how: int) -> bool:
    import fcntl

    while True:
        try:
            fcntl.flock(fd, how)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(PAUSE_S)
