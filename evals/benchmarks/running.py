"""Runs benchmarks one after the other and puts what they found into one record."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from evals.benchmarks.machine import commit_of, find_machine, load_averages, yardstick_ms
from evals.benchmarks.record import BenchRow, BenchRun
from evals.benchmarks.row import Row
from evals.benchmarks.stated import Claim, load_stated
from tools.errors import MissingPrerequisite

__all__ = ["run_benchmarks"]

ROOT = Path(__file__).parent.parent.parent
BUSY = 0.5
"""Load by core, before a run, from which on the machine is called busy: others have half of it."""


def run_benchmarks(names: Sequence[str], told: Callable[[str], None] = lambda _line: None) -> BenchRun:
    """Run them.

    Args:
        names: modules here, each with `measure() -> list[Row]`.
        told: hears a line as each begins.
    """
    began, start, before = datetime.now(UTC), time.perf_counter(), load_averages()
    stated, machine = load_stated().benchmarks, find_machine()
    rows: list[BenchRow] = []
    failed: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        told(f"{name} ({number} of {len(names)})")
        load = load_averages()[:1]
        speed = [yardstick_ms()]
        measured, why = _measured(name)
        speed.append(yardstick_ms())
        if why.startswith("failed"):
            failed[name] = why.removeprefix("failed: ")
        more = {"benchmark": name, "yardstick_ms": round(sum(speed) / 2, 3), "load": load[0] if load else None}
        found = [BenchRow(**row.as_json(), **more) for row in [*measured, *_absent(stated[name], measured, why)]]
        rows += found
    after = load_averages()
    return BenchRun(
        date=began.replace(microsecond=0),
        took_s=round(time.perf_counter() - start, 1),
        machine=machine,
        commit=commit_of(ROOT),
        load_before=before,
        load_after=after,
        quiet=not _busy(before, machine.cores),
        warnings=_warnings(before, after, machine.cores, rows),
        rows=rows,
        failed=failed,
    )


def _measured(name: str) -> tuple[list[Row], str]:
    """The figures; where there are none, why. One benchmark that breaks does not take the others along."""
    try:
        module: Any = import_module(f"evals.benchmarks.{name}")
        rows: list[Row] = module.measure()
    except MissingPrerequisite as lacking:
        return [], str(lacking)
    except Exception as error:
        return [], f"failed: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
    why = getattr(module, "lacking", lambda: "")() if not rows else ""
    return rows, why or "this run did not measure it"


def _absent(claims: Sequence[Claim], measured: Sequence[Row], why: str) -> list[Row]:
    """What is stated and was not run: it stands in the record with its goal, and without a number."""
    return [
        Row(claim.figure.rstrip(" ,"), None, claim.unit, claim.goal, not_run=why)
        for claim in claims
        if not any(row.name.startswith(claim.figure) for row in measured)
    ]


def _busy(load: Sequence[float], cores: int) -> bool:
    return bool(load) and load[0] > BUSY * cores


def _warnings(before: Sequence[float], after: Sequence[float], cores: int, rows: Sequence[BenchRow]) -> list[str]:
    told = []
    if _busy(before, cores):
        told.append(
            f"others kept this machine busy when the run began (load {before[0]:g} on {cores} cores): "
            "times are too long; ratios were taken side by side and hold better."
        )
    elif after and after[0] > 2 * cores:
        told.append(f"the machine was busy at the end (load {after[0]:g} on {cores} cores): others may have begun.")
    speeds = [row.yardstick_ms for row in rows if row.yardstick_ms]
    if speeds and max(speeds) > 1.3 * min(speeds):
        told.append(f"the machine's speed changed by {max(speeds) / min(speeds):.1f} x during the run.")
    return told
