"""The history of the benchmarks: a file of JSON lines, one a run, the newest last."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from evals.benchmarks.record import BenchRun
from tools.errors import InvalidInput, StorageFailed

__all__ = ["KEPT", "append", "older", "read"]

KEPT = 200
"""Runs that a history holds; when there are twice as many, the older half moves to the file beside it."""
MOST_BYTES = 200_000_000


def older(path: Path) -> Path:
    """Where runs go that are no longer in the history: `bench.jsonl` -> `bench.older.jsonl`."""
    return path.with_name(f"{path.stem}.older{path.suffix}")


def append(path: Path, run: BenchRun, *, kept: int = KEPT) -> None:
    """Write a run at the end; what is there stays, also where it cannot be read.

    Raises:
        StorageFailed: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        line = run.model_dump_json() + "\n"
        if _torn(path):
            # A run that was killed while it wrote: its half line stays one of its own.
            line = "\n" + line
        with path.open("a", encoding="utf-8") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        _rotate(path, kept)
    except OSError as error:
        raise StorageFailed(f"the history {path} cannot be written: {error.strerror or error}.") from error


def _torn(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"
    except OSError:
        # Not there, or empty.
        return False


def _rotate(path: Path, kept: int) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if len(lines) < 2 * kept:
        return
    # First there, then not here: killed between, a run stands twice and none is lost.
    with older(path).open("a", encoding="utf-8") as file:
        file.writelines(lines[:-kept])
        file.flush()
        os.fsync(file.fileno())
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text("".join(lines[-kept:]), encoding="utf-8")
    os.replace(fresh, path)


def read(path: Path) -> tuple[list[BenchRun], int]:
    """The runs in the order they were written, and how many lines are none (torn, or of another version).

    Raises:
        InvalidInput: there is no such file, or it is no text.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InvalidInput(f"{path} is too large for a history of benchmarks.")
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        hint = "`studio bench --history FILE` begins one."
        raise InvalidInput(f"no history can be read at {path}: {error.strerror or error}.", hint=hint) from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is no history of benchmarks: it is no text.") from error
    runs, unread = [], 0
    for line in lines:
        if not line.strip():
            continue
        try:
            runs.append(BenchRun.model_validate_json(line))
        except ValidationError:
            unread += 1
    return runs, unread
