"""What the disk's refusals mean to a person."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from tools.errors import StorageFailed

__all__ = ["is_storage_error", "storage_errors", "storage_failure"]

_HINTS = {
    errno.ENOSPC: "Free some space and run the same command again; what is finished is kept.",
    errno.EDQUOT: "Your quota is used up; free some space and run the same command again.",
    errno.EFBIG: "The file is larger than this disk or your limits allow; see `ulimit -f`.",
    errno.EROFS: "The disk is read-only; choose another folder with --out.",
    errno.EACCES: "Choose a folder you may write to with --out.",
    errno.EPERM: "Choose a folder you may write to with --out.",
    errno.EMFILE: "Too many open files; raise the limit with `ulimit -n`.",
    errno.ENFILE: "Too many open files on this machine; close some programs.",
    errno.EIO: "The disk reports an error; choose another folder with --out.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}


def is_storage_error(error: BaseException) -> bool:
    """Whether an error is the disk's, and not one of a program that named a wrong file."""
    return isinstance(error, OSError) and error.errno in _HINTS


def storage_failure(doing: str, error: OSError) -> StorageFailed:
    """An OSError as `StorageFailed`: what was being done, why it failed, what to do about it."""
    reason = error.strerror or type(error).__name__
    return StorageFailed(f"{doing}: {reason}.", hint=_HINTS.get(error.errno or 0, ""))


@contextmanager
def storage_errors(doing: str) -> Iterator[None]:
    """Turn any OSError inside into `StorageFailed`."""
    try:
        yield
    except OSError as error:
        raise storage_failure(doing, error) from error
