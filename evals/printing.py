"""What `studio eval` prints of a run and of its result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent.printing import tell
from evals.result import EvalResult, ScenarioRun

__all__ = ["tell_run", "tell_summary"]

_SIGNS = {"passed": "green", "failed": "red", "crashed": "red", "timed_out": "red", "not_run": "yellow"}
_SHOWN = 6
"""Differences of one run that are printed; the report has all."""


def tell_run(console: Any, run: ScenarioRun, name: str, number: str) -> None:
    """One run: how it ended, and what differed.

    Args:
        name: of the scenario, with the repeat where there are several.
        number: of the run and of how many, as ` 3/12`.
    """
    tell(console, f"{number}  {run.outcome:<9} {run.seconds:6.1f} s  {name}", _SIGNS[run.outcome])
    if run.outcome in ("crashed", "timed_out", "not_run"):
        tell(console, f"       {run.why}", "yellow")
    for check in run.differed[:_SHOWN]:
        where = f"turn {check.turn}: " if check.turn else ""
        expected, found = (json.dumps(one, ensure_ascii=False) for one in (check.expected, check.found))
        tell(
            console,
            f"       {where}{check.name}: expected {_short(expected)}, found {_short(found)} {check.note}",
            "yellow",
        )
    if len(run.differed) > _SHOWN:
        tell(console, f"       and {len(run.differed) - _SHOWN} more", "yellow")


def _short(text: str, most: int = 240) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def tell_summary(console: Any, result: EvalResult, results: Path) -> None:
    """The figures of a result as a table, whether enough passed, and where it lies."""
    from rich.table import Table

    table = Table(header_style="dim")
    for column in ("figure", "value", "unit", ""):
        table.add_column(column, justify="right" if column == "value" else "left", overflow="fold")
    for name, value in result.summary.items():
        table.add_row(
            name, "-" if value is None else f"{value:g}" if isinstance(value, int) else f"{value:.3g}", "", ""
        )
    for metric in (one for one in result.metrics if one.measured or "." not in one.name):
        shown = "not measured" if metric.value is None else f"{metric.value:.3g}"
        table.add_row(metric.name, shown, metric.unit if metric.measured else "", metric.why)
    console.print(table)
    rate = result.summary.get("pass@1")
    told = "none was run" if rate is None else f"{rate:.1%} passed"
    asked = f"{result.threshold:.0%} are asked for"
    left = result.summary.get("not_run")
    told += f", {left} not run" if left and rate is not None else ""
    tell(console, f"{told}, {asked}: {'good' if result.passed else 'not enough'}; {result.seconds:.0f} s.")
    tell(console, f"Results: {results}", whole=True)
