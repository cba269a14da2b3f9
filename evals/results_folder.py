"""Where the results of `studio eval` lie, and what they are of: this version, on this machine."""

from __future__ import annotations

import platform
import shutil
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tools.errors import StorageFailed

__all__ = ["RESULT", "SO_FAR", "make_folder", "new_folder", "this_machine", "versions"]

RESULT = "results.json"
SO_FAR = "so_far.json"
"""What is there while it runs, in the form of results.json; it stays where the run was stopped."""


def new_folder(folder: Path, started: datetime, history: int) -> Path:
    """A new folder by the time; of the earlier results the oldest beyond the history go."""
    earlier = sorted(path for path in folder.glob("20*") if (path / RESULT).is_file())
    for old in earlier[: max(0, len(earlier) + 1 - history)]:
        shutil.rmtree(old, ignore_errors=True)
    name, number = started.strftime("%Y%m%d-%H%M%S"), 1
    while True:
        # Two that begin in one second each have a folder of their own.
        place = folder / (name if number == 1 else f"{name}-{number}")
        try:
            place.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError:
            return place  # whoever makes it tells why it cannot be
        else:
            return place


def make_folder(place: Path) -> None:
    """Make the folder of a result.

    Raises:
        StorageFailed: it cannot be made.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageFailed(
            f"cannot make the folder {place}: {error.strerror}.", hint="Name another: --out."
        ) from error


def this_machine(cores: int) -> dict[str, str]:
    """What a result was measured on.

    Args:
        cores: that this process may use.
    """
    from evals.benchmarks.machine import find_machine

    found = find_machine()
    return {
        "system": platform.platform(),
        "processor": found.processor,
        "cores": str(cores),
        "memory": f"{found.memory_gb:g} GiB",
        "gpu": found.gpu or "none",
        "python": found.python,
    }


def versions() -> dict[str, str]:
    """Of the studio, and of what its agent stands on."""
    found = {}
    for name in ("animation-studio", "langgraph", "langchain-core"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
