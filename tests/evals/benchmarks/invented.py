"""Runs of benchmarks that never were, with the noise that real ones have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from evals.benchmarks.record import BenchRow, BenchRun, Commit, Machine
from evals.benchmarks.row import Row

FIGURES = {
    "startup": [
        ("studio --help", "s", 0.2, 0.5, 0.014, "python -c pass"),
        ("import agent", "s", 0.95, 1.0, 0.8, "langgraph"),
    ],
    "film": [
        ("8 s film", "s", 17.0, 20.0, 21.0, "one worker"),
        ("peak memory", "MB", 545.0, 1000.0, 350.0, "one worker"),
    ],
    "journal": [("CPU a call", "ms", 0.018, 0.1, 0.7, "a LangGraph node")],
}  # fmt: skip


def machine(**but: Any) -> Machine:
    given = {
        "system": "Linux x86_64", "processor": "A processor", "cores": 2, "memory_gb": 7.8, "gpu": "",
        "python": "CPython 3.11.7", "libraries": {"numpy": "2.4.6"},
    }  # fmt: skip
    return Machine(**given | but)


def run(
    seed: int = 0,
    *,
    slower: dict[str, float] | None = None,
    speed: float = 1.0,
    noise: float = 0.04,
    load: float = 0.2,
    title: str = "",
) -> BenchRun:
    """A run.

    Args:
        seed: of its noise, and its place in time.
        slower: figures that take so many times as long.
        speed: of the machine: everything timed takes so many times as long.
        noise: standard deviation of a repeat, as a share.
        load: of the machine before it.
    """
    dice = Random(seed)
    rows = []
    for benchmark, figures in FIGURES.items():
        for name, unit, value, goal, against, what in figures:
            by = (slower or {}).get(name, 1.0) * (speed if unit != "MB" else 1.0)
            ours = [value * by * max(0.5, dice.gauss(1, noise)) for _ in range(5)]
            theirs = [against * (speed if unit != "MB" else 1.0) * max(0.5, dice.gauss(1, noise)) for _ in range(5)]
            row = Row.of(name, ours, unit, goal=goal, against=theirs, compared_with=what)
            rows.append(BenchRow(**row.as_json(), benchmark=benchmark, yardstick_ms=10.0 * speed, load=load))
    exact = Row("loading / bound", 1.0 * (slower or {}).get("loading / bound", 1.0), "x", 1.1, exact=True)
    rows.append(BenchRow(**exact.as_json(), benchmark="schedule"))
    rows.append(BenchRow(**Row("cycle", None, "s", 0.8, not_run="torch sees no card").as_json(), benchmark="gpu"))
    date = datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=seed)
    commit = Commit(id=f"{dice.getrandbits(160):040x}", date=date, title=title or f"Step {seed}", changed=False)
    return BenchRun(
        date=date, took_s=300.0, machine=machine(), commit=commit, load_before=[load, 0.2, 0.2],
        load_after=[1.0, 0.5, 0.3], quiet=load < 1.0,
        warnings=[] if load < 1.0 else ["others kept this machine busy"], rows=rows,
    )  # fmt: skip
