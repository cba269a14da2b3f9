"""`studio bench [NAME...] [--json] [--history FILE]`, `studio bench page`, `studio bench compare`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tools.errors import InvalidInput

if TYPE_CHECKING:
    from evals.benchmarks.compare import Change
    from evals.benchmarks.record import BenchRow, BenchRun

__all__ = ["BENCHMARKS", "bench"]

BENCHMARKS = [
    "startup", "frame", "film", "schedule", "journal", "telemetry", "simulation", "knowledge", "chat", "web",
    "scenarios", "gpu_swap", "gpu",
]  # fmt: skip
"""A benchmark is a module here with `measure() -> list[Row]`, and what it is for in stated.yaml."""
HISTORY = Path("bench.jsonl")
ACTIONS = ("page", "compare", "stated")


def bench(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Which; none runs them all. `page` draws the history, `compare` its last two runs (or two by number), "
            "`stated` lists every speed that is stated and what measures it.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")] = False,
    history: Annotated[
        Path | None, typer.Option("--history", help="File of JSON lines that this run is appended to.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where `page` goes.")] = Path("bench.html"),
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of a run, and measure nothing.")] = (
        False
    ),
) -> None:
    """Measure what the project states as speed, each figure beside a comparison of the same run."""
    chosen = list(names or [])
    if schema:
        from evals.benchmarks.record import BenchRun

        print(json.dumps(BenchRun.model_json_schema(), indent=2))
    elif chosen[:1] == ["page"]:
        _page(history or HISTORY, out)
    elif chosen[:1] == ["compare"]:
        _compare(history or HISTORY, chosen[1:], as_json)
    elif chosen == ["stated"]:
        _print_stated()
    else:
        _measure(chosen or BENCHMARKS, as_json, history)


def _measure(names: list[str], as_json: bool, history: Path | None) -> None:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        hint = f"There are: {', '.join([*BENCHMARKS, *ACTIONS])}."
        raise InvalidInput(f"there is no benchmark {unknown[0]!r}.", hint=hint)
    from evals.benchmarks.running import run_benchmarks

    run = run_benchmarks(names, lambda line: print(f"bench: {line}", file=sys.stderr, flush=True))
    if history is not None:
        from evals.benchmarks.history import append

        append(history, run)
    if as_json:
        print(json.dumps(run.as_json(), indent=2))
    else:
        _print_run(run)
    for warning in run.warnings:
        print(f"bench: {warning}", file=sys.stderr)
    for name, why in run.failed.items():
        print(f"bench: {name} failed: {why}", file=sys.stderr)
    if run.failed:
        raise typer.Exit(1)


def _page(history: Path, out: Path) -> None:
    from evals.benchmarks.history import read
    from evals.benchmarks.page import draw_page
    from tools.errors import StorageFailed

    runs, unread = read(history)
    if not runs:
        raise InvalidInput(f"{history} holds no run.", hint="`studio bench --history FILE` adds one.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(draw_page(runs, unread=unread), encoding="utf-8")
    except OSError as error:
        raise StorageFailed(f"{out} cannot be written: {error.strerror or error}.") from error
    print(out)


def _compare(history: Path, chosen: list[str], as_json: bool) -> None:
    """Exit code 1 where something got slower by more than the noise."""
    from dataclasses import asdict

    from evals.benchmarks.compare import compare
    from evals.benchmarks.history import read

    runs, _ = read(history)
    before, after = _two_of(runs, chosen, history)
    changes = compare(before, after)
    if as_json:
        print(json.dumps([asdict(one) for one in changes], indent=2))
    else:
        _print_changes(before, after, changes)
    if any(one.verdict == "slower" for one in changes):
        raise typer.Exit(1)


def _two_of(runs: list[BenchRun], chosen: list[str], history: Path) -> tuple[BenchRun, BenchRun]:
    """The last two, or those of these numbers: 1 is the first of the history, -1 the last.

    Raises:
        InvalidInput: there are no such two.
    """
    wanted = chosen or ["-2", "-1"]
    hint = f"{history} holds {len(runs)} runs. studio bench compare 1 -- -1: the first and the last."
    try:
        numbers = [int(one) for one in wanted]
        before, after = (runs[one - 1 if one > 0 else one] for one in numbers)
    except (ValueError, IndexError):
        raise InvalidInput("two runs are compared, by their numbers.", hint=hint) from None
    return before, after


def _print_run(run: BenchRun) -> None:
    from rich.console import Console
    from rich.table import Table

    from evals.benchmarks.charts import in_words

    table = Table(header_style="dim")
    for column in ("figure", "value", "goal", "against", "ratio"):
        table.add_column(column, justify="left" if column in ("figure", "against") else "right", overflow="fold")
    benchmark = ""
    for row in run.rows:
        if benchmark and row.benchmark != benchmark:
            table.add_section()
        benchmark = row.benchmark
        goal = "" if row.goal is None else f"<= {row.goal:g} {row.unit}"
        against = "" if row.against is None else f"{in_words(row.against, row.unit)}: {row.compared_with}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        style = "dim" if row.value is None else "yellow" if row.met is False else ""
        table.add_row(row.name, _shown(row), goal, against or row.not_run, ratio, style=style)
    Console().print(table)
    commit = f"{run.commit.id[:9]}{' with changes' if run.commit.changed else ''}" if run.commit else "unknown"
    load = ", ".join(f"{one:g}" for one in run.load_before) or "unknown"
    print(f"commit {commit}; {run.machine.cores} cores, {run.machine.python}; load before {load}; {run.took_s:g} s")


def _shown(row: BenchRow) -> str:
    from evals.benchmarks.charts import in_words

    if row.value is None:
        return "not run"
    spread = row.repeats
    apart = [in_words(one, "").strip() for one in (spread.min, spread.max)] if spread and spread.count > 1 else []
    return in_words(row.value, row.unit) + (f" ({' to '.join(apart)})" if apart else "")


def _print_changes(before: BenchRun, after: BenchRun, changes: list[Change]) -> None:
    from rich.console import Console

    from evals.benchmarks.charts import in_words

    console = Console(highlight=False)
    console.print(f"{before.label}  ->  {after.label}", markup=False)
    for run in (before, after):
        if not run.quiet:
            console.print(f"  {run.label}: the machine was busy (load {run.load_before[0]:g})", markup=False)
    styles = {"slower": "yellow", "faster": "green", "gone": "dim", "new": "dim"}
    for one in (one for one in changes if one.verdict != "same"):
        was, now = ("not run" if value is None else in_words(value, one.unit) for value in (one.before, one.after))
        by = f", {one.change:.2f} x at equal speed (noise {one.noise:.0%})" if one.change is not None else ""
        line = f"  {one.verdict:7} {one.benchmark}: {one.name}: {was} -> {now}{by}"
        console.print(line, style=styles[one.verdict], markup=False, soft_wrap=True)
    same = sum(one.verdict == "same" for one in changes)
    console.print(f"  {same} of {len(changes)} figures are the same within the noise", markup=False)


def _print_stated() -> None:
    from evals.benchmarks.stated import load_stated

    stated = load_stated()
    for name, claims in stated.benchmarks.items():
        print(name)
        for claim in claims:
            goal = "" if claim.goal is None else f" (<= {claim.goal:g} {claim.unit})"
            print(f"  {claim.claim}: {claim.figure}{goal}")
    print("elsewhere")
    for what, how in stated.elsewhere.items():
        print(f"  {what}: {how}")
