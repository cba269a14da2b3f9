"""`studio bench [NAME...] [--json]`."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Annotated

import typer

from evals.benchmarks.row import Row
from tools.errors import InvalidInput

__all__ = ["BENCHMARKS", "bench"]

BENCHMARKS = ["startup", "frame", "film", "schedule", "journal", "knowledge", "gpu_swap", "gpu"]
"""A benchmark is a module here with `measure() -> list[Row]`."""


def bench(
    names: Annotated[list[str] | None, typer.Argument(help="Which; none runs them all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")] = False,
) -> None:
    """Measure what the README states as speed, each figure beside a comparison of the same run."""
    chosen = names or BENCHMARKS
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        raise InvalidInput(f"there is no benchmark {unknown[0]!r}.", hint=f"There are: {', '.join(BENCHMARKS)}.")
    rows: list[Row] = []
    for name in chosen:
        rows += import_module(f"evals.benchmarks.{name}").measure()
    if as_json:
        print(json.dumps([row.as_json() for row in rows], indent=2))
    else:
        _print(rows)


def _print(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(header_style="dim")
    for column in ("figure", "value", "goal", "against", "ratio"):
        table.add_column(column, justify="left" if column in ("figure", "against") else "right", overflow="fold")
    for row in rows:
        goal = "" if row.goal is None else f"<= {row.goal:g} {row.unit}"
        against = "" if row.against is None else f"{row.against:.3g} {row.unit}: {row.compared_with}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.name, f"{row.value:.3g} {row.unit}", goal, against, ratio)
    Console().print(table)
