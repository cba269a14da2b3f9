"""Where traces lie: `<production>/traces/<UTC time>.json`, the newest few, with `studio.prom` beside them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tools.artifact import write_atomic
from tools.errors import InvalidInput
from tools.runtime.storage.disk import storage_errors
from tools.runtime.telemetry.chrome import from_chrome, to_chrome
from tools.runtime.telemetry.record import Record

__all__ = ["FOLDER", "KEPT", "METRICS", "find_trace", "read_trace", "trace_path", "traces", "write_trace"]

FOLDER, METRICS = "traces", "studio.prom"
KEPT = 20
"""Traces of a production; older ones are removed."""
_LARGEST = 32_000_000
"""Bytes of a file that we would read."""


def trace_path(production: Path, wall: float) -> Path:
    """A free name for the trace of a run that began at this time (seconds since 1970)."""
    stem = datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    folder = production / FOLDER
    names = (stem if number == 1 else f"{stem}_{number}" for number in range(1, 1_000_000))
    return next(path for name in names if not (path := folder / f"{name}.json").exists())


def write_trace(path: Path, record: Record) -> None:
    """Write the trace atomically and remove all but the newest `KEPT` beside it.

    Raises:
        StorageFailed: the disk refuses; what was there is still there.
    """
    write_atomic(path, to_chrome(record))
    for old in traces(path.parent.parent)[KEPT:]:
        if old != path:
            with suppress(OSError):
                # One too many is no reason to stop; the next run tries again.
                old.unlink()
                old.with_suffix(".svg").unlink(missing_ok=True)


def traces(production: Path) -> list[Path]:
    """The traces of a production, the newest first. Names sort by time."""
    try:
        found = [path for path in (production / FOLDER).glob("*.json") if not path.name.startswith(".")]
    except OSError:
        return []
    return sorted(found, key=_age, reverse=True)


def _age(path: Path) -> tuple[str, int]:
    stem, _, number = path.stem.partition("_")
    return stem, int(number) if number.isdigit() else 1


def find_trace(name: str, folders: Sequence[Path]) -> Path:
    """The trace that a person means: a file, or a production's newest.

    Args:
        name: a path, or the name of a production below one of `folders`.

    Raises:
        InvalidInput: there is none.
    """
    try:
        if Path(name).is_file():
            return Path(name)
        for production in [folder / name for folder in folders] + [Path(name)]:
            if production.is_dir() and (found := traces(production)):
                return found[0]
            if production.is_dir() and (production / "manifest.json").is_file():
                raise InvalidInput(f"nothing was recorded of {name!r} yet.", hint="Change a line and render it.")
    except (OSError, ValueError):
        # Too long for a name, say.
        pass
    raise InvalidInput(f"there is no trace {name[:200]!r}.", hint="`studio trace` lists them.")


def read_trace(path: Path) -> Record:
    """Read a trace.

    Raises:
        InvalidInput: it is no trace of ours, or damaged.
        StorageFailed: it cannot be read.
    """
    with storage_errors(f"cannot read {path}"):
        if path.stat().st_size > _LARGEST:
            raise InvalidInput("is too large for a trace.", where=str(path))
        data = path.read_bytes()
    return from_chrome(data, str(path))
