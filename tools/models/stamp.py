"""Whether weights on disk are still those that were read: told from names, sizes and times of change, at any size."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["stamp_of"]


def stamp_of(source: str) -> str:
    """A digest of a file or folder of weights by names, sizes and times of change; no content is read.

    Args:
        source: as a model's entry has it.

    Returns:
        16 hex digits; empty where `source` is no path, as of a server, or nothing is there.
    """
    path = Path(source).expanduser() if source else None
    try:
        if path is None or not path.exists():
            return ""
        files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        digest = hashlib.sha256()
        for one in files:
            known = one.stat()
            name = one.relative_to(path).as_posix() if path.is_dir() else one.name
            digest.update(f"{name}\0{known.st_size}\0{known.st_mtime_ns}\n".encode())
    except (OSError, ValueError):
        # No name that a file could have, or it went away meanwhile.
        return ""
    return digest.hexdigest()[:16]
