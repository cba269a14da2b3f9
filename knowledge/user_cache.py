"""Where this machine keeps what can be made again at any time: the ready model and the index of our own documents."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path

__all__ = ["replace_file", "user_cache"]


def user_cache() -> Path:
    """The studio's folder for caches of this user: below `XDG_CACHE_HOME`, or where the platform keeps them.

    Nothing in it is a source of anything: it may be removed at any time.
    """
    given = os.environ.get("XDG_CACHE_HOME", "")
    if given and Path(given).is_absolute():
        return Path(given) / "animation-studio"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "animation-studio"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "animation-studio" / "cache"
    return Path.home() / ".cache" / "animation-studio"


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write `data` to `path`, so that a reader sees the old file or the new one, never a part.

    Args:
        path: the file; its folders are made.
        durable: wait until the disk has it; what can be made again need not wait.

    Raises:
        OSError: the disk is full or read-only; `path` is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temp = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temp.open("xb") as stream:
            stream.write(data)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(temp, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temp.unlink(missing_ok=True)
        raise
