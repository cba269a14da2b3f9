"""Checkpoints are made once a machine: kept by the hash of what makes them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

__all__ = ["cached"]

HERE = Path(__file__).parent
LIBRARIES = ("torch", "diffusers", "transformers")


def cached(name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make` filled, now or in an earlier run of the tests.

    Args:
        name: unique among the checkpoints.
        make: fills an empty folder.
    """
    digest = hashlib.sha256()
    for source in sorted(HERE.glob("*.py")):
        digest.update(source.read_bytes())
    digest.update(" ".join(version(library) for library in LIBRARIES).encode())
    folder = Path(tempfile.gettempdir()) / f"studio-checkpoints-{os.getuid()}" / digest.hexdigest()[:16] / name
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent))
        make(draft)
        try:
            draft.rename(folder)
        except OSError:
            # Another process was faster.
            shutil.rmtree(draft)
    return folder
