"""Locks between processes that a dead holder gives back by itself.

A lock is `flock` on an open file: the kernel drops it when the last handle closes, however the holder ended. A process
id may be written inside for people to read, never to decide anything: ids are used again and differ between containers.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tools.errors import Cancelled
from tools.runtime.storage.disk import storage_errors

if sys.platform == "win32":  # pragma: no cover
    raise ImportError("the studio's runtime needs a POSIX system; on Windows run it inside WSL")
import fcntl

__all__ = ["FileLock"]


class FileLock:
    """An exclusive lock named by a file. Two locks on one path exclude each other, also within one process.

    Args:
        path: the lock file; its folder must exist. The file is removed when the lock is given back.
        signed: write the process id into it, for `holder` (some ms, so not for locks taken at every call).
    """

    def __init__(self, path: Path, *, signed: bool = False) -> None:
        self.path = path
        self._signed = signed
        self._fd = -1

    @property
    def held(self) -> bool:
        return self._fd >= 0

    def try_acquire(self) -> bool:
        """Take the lock if it is free, without waiting.

        Raises:
            StorageFailed: the file cannot be made.
        """
        with storage_errors(f"cannot take the lock {self.path}"):
            return self._try_acquire()

    def _try_acquire(self) -> bool:
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The holder before us removes the file as it lets go: a lock on a removed file excludes nobody.
            if os.fstat(fd).st_ino != self.path.stat().st_ino:
                raise BlockingIOError
        except (BlockingIOError, FileNotFoundError):
            os.close(fd)
            return False
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        if self._signed:
            self._sign()
        return True

    def _sign(self) -> None:
        try:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, str(os.getpid()).encode(), 0)
        except OSError:
            # A full disk: the lock holds without a name in it.
            pass

    def acquire(self, is_cancelled: Callable[[], bool] = lambda: False) -> None:
        """Wait until the lock is free and take it.

        Raises:
            Cancelled: `is_cancelled` became true first.
            StorageFailed: the file cannot be made.
        """
        pause = 0.002
        while not self.try_acquire():
            if is_cancelled():
                raise Cancelled("stopped while another process was making the same result")
            time.sleep(pause)
            pause = min(pause * 2, 0.1)

    def holder(self) -> int:
        """The process id written by the present holder; 0 where it cannot be read."""
        try:
            return int(self.path.read_text() or 0)
        except (OSError, ValueError):
            return 0

    def release(self) -> None:
        """Give the lock back; nothing happens where it is not held."""
        if self._fd < 0:
            return
        try:
            self.path.unlink(missing_ok=True)
        except OSError:
            # A read-only disk keeps the file; the lock itself is dropped below.
            pass
        fd, self._fd = self._fd, -1
        os.close(fd)

    def __enter__(self) -> FileLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
