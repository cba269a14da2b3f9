"""Files that all users of a machine share: folders open to all, files that all may lock, and no link followed."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

from tools.errors import StorageFailed

__all__ = ["OPEN_TO_ALL", "create_for_all", "make_shared_folder", "open_shared", "open_to_read"]

OPEN_TO_ALL = 0o1777
"""Everybody may write, and remove only his own."""
_TRIES = 200
_PAUSE_S = 0.002


def make_shared_folder(path: Path) -> None:
    """A folder open to all, made if needed.

    Raises:
        StorageFailed: something else stands there, as a link that leads elsewhere.
    """
    if not path.is_symlink() and not path.exists():
        # Renamed into place when it is open to all: nobody finds it while it is ours alone.
        temp = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        temp.mkdir()
        temp.chmod(OPEN_TO_ALL)
        try:
            temp.rename(path)
        except OSError:
            # Somebody else was faster.
            temp.rmdir()
    if not stat.S_ISDIR(path.lstat().st_mode):
        hint = "Remove it, or name another folder with STUDIO_LEASES."
        raise StorageFailed(f"{path} is not a folder of its own.", hint=hint)


def open_shared(path: Path) -> int:
    """A file that all may lock: made if needed, and never removed."""
    for _ in range(_TRIES):
        try:
            # Without O_CREAT: Linux refuses that for files of others in such a folder (fs.protected_regular).
            return open_to_read(path)
        except FileNotFoundError:
            with suppress(FileExistsError):
                return create_for_all(path)
        except PermissionError:
            # Its maker, whose umask is strict, is about to open it to all.
            time.sleep(_PAUSE_S)
    raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def open_to_read(path: Path) -> int:
    """Follows no link, and does not wait for the other end of a pipe."""
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)


def create_for_all(path: Path) -> int:
    """A new file that all may read and lock, whatever our umask; ours to write."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with suppress(OSError):
        os.fchmod(fd, 0o644)
    return fd
