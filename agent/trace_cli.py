"""`studio trace`: where the time of a run went, as tables, as a picture, as JSON, as metrics.

Only Typer and the standard library are imported here; the command imports what it needs.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from tools.runtime.telemetry.record import Record
    from tools.runtime.telemetry.summary import PlanSummary, Summary

__all__ = ["trace"]

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="A production (its newest trace) or a trace file; none lists them.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="Where the picture goes, instead of beside the trace.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]
AsThoughts = Annotated[
    bool, typer.Option("--thoughts", help="What was thought: of a production's last turn, or of the last turn of all.")
]
AsMetrics = Annotated[bool, typer.Option("--metrics", help="Print Prometheus metrics of this run alone.")]


def trace(
    run: Run = "",
    out: Out = None,
    as_json: AsJson = False,
    metrics: AsMetrics = False,
    thoughts: AsThoughts = False,
) -> None:
    """See where the time of a run went: tables here, a picture beside the trace."""
    from configs.settings import Settings
    from tools.runtime.telemetry.files import find_trace, read_trace

    settings = Settings()
    productions = settings.productions
    if thoughts:
        from agent.thoughts_cli import show_thoughts

        show_thoughts(run, productions, settings.state_dir / "thoughts", as_json=as_json)
        return
    if not run:
        _list(productions, as_json=as_json)
        return
    path = find_trace(run, [productions])
    record = read_trace(path)
    if metrics:
        from tools.runtime.telemetry.metrics import metrics_of, metrics_text

        print(metrics_text(metrics_of(record)).decode(), end="")
    picture = out or path.with_suffix(".svg")
    if out is not None or not (as_json or metrics):
        _draw(record, picture)
    if as_json:
        drawn = str(picture) if out is not None else ""
        print(json.dumps(_as_json(path, record, drawn), ensure_ascii=False, indent=2))
    elif not metrics:
        _tell(record, path, picture)


def _list(productions: Path, *, as_json: bool) -> None:
    """A line a production that has traces: the newest, and how many there are."""
    from agent.printing import open_console, tell
    from tools.runtime.telemetry.figures import seconds_text
    from tools.runtime.telemetry.files import traces

    rows = [_row(found) for folder in sorted(productions.glob("*")) if (found := traces(folder))]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    console = open_console()
    if not rows:
        tell(console, f"Nothing was recorded in {productions} yet; a run is, when it makes something.")
        return
    for row in rows:
        tell(console, row["production"], "bold", whole=True)
        told = f"{row['began']}  {seconds_text(row['wall_s'])}, {row['calls']} calls"
        more = f"  ({row['traces'] - 1} earlier)" if row["traces"] > 1 else ""
        tell(console, f"  {row['problem'] or told}{more}")


def _row(found: list[Path]) -> dict[str, Any]:
    from tools.errors import ToolError
    from tools.runtime.telemetry.files import read_trace
    from tools.runtime.telemetry.summary import summarise

    row: dict[str, Any] = {"production": found[0].parent.parent.name, "trace": str(found[0]), "traces": len(found)}
    try:
        record = read_trace(found[0])
    except ToolError as error:
        return {**row, "began": "", "wall_s": 0.0, "calls": 0, "problem": str(error)}
    summary = summarise(record)
    calls = sum(summary.calls.values())
    return {**row, "began": _when(record), "wall_s": round(summary.wall_s, 3), "calls": calls, "problem": ""}


def _when(record: Record) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(record.wall, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _draw(record: Record, picture: Path) -> None:
    from tools.artifact import write_atomic
    from tools.errors import InvalidInput
    from tools.runtime.telemetry.picture import draw

    if picture.is_dir():
        raise InvalidInput(f"{picture} is a folder; name a file.", where="--out")
    write_atomic(picture, draw(record).encode())


def _as_json(path: Path, record: Record, picture: str) -> dict[str, Any]:
    from tools.runtime.telemetry.summary import summarise

    about = {"title": record.title, "production": record.production, "began": _when(record)}
    return {"trace": str(path), "picture": picture, **about, "summary": asdict(summarise(record))}


# -- tables -----------------------------------------------------------------------------------------------------------


def _tell(record: Record, path: Path, picture: Path) -> None:
    from agent.printing import open_console, tell
    from agent.progress import near
    from tools.runtime.telemetry.figures import summary_text
    from tools.runtime.telemetry.summary import summarise

    console, summary = open_console(), summarise(record)
    tell(console, record.title or record.production, "bold")
    tell(console, f"{_when(record)}  ·  {summary_text(summary)}")
    console.print()
    _show_parts(console, summary)
    if summary.devices:
        _show_devices(console, summary)
    _show_engines(console, summary)
    if summary.plan is not None:
        _show_plan(console, summary.plan)
    tell(console, f"picture  {near(str(picture))}", whole=True)
    tell(console, f"trace    {near(str(path))}", whole=True)
    tell(console, "The trace opens in ui.perfetto.dev and in chrome://tracing, too.", "dim")


def _table(*columns: str, numbers: int = 0) -> Table:
    """A table whose last columns hold numbers."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(header_style="dim", box=SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place >= len(columns) - numbers else "left", overflow="fold")
    return table


def _show_parts(console: Console, summary: Summary) -> None:
    from tools.runtime.telemetry.figures import seconds_text

    table = _table("where the time went", "", "", numbers=2)
    for name, seconds in summary.parts.items():
        table.add_row(name, seconds_text(seconds), f"{100 * seconds / max(1e-9, summary.wall_s):.0f} %")
    console.print(table)


def _show_devices(console: Console, summary: Summary) -> None:
    from tools.runtime.telemetry.figures import bytes_text, seconds_text

    table = _table("device", *summary.devices, numbers=len(summary.devices))
    devices = summary.devices.values()
    table.add_row("models loaded", *(str(one.switches) for one in devices))
    for field in ("loading_s", "beside_s", "evicting_s", "computing_s", "waiting_s", "idle_s"):
        name = "loading beside calls" if field == "beside_s" else field.removesuffix("_s")
        table.add_row(name, *(seconds_text(getattr(one, field)) for one in devices))
    table.add_row("peak", *(bytes_text(one.peak_bytes) for one in devices))
    table.add_row("budget", *(bytes_text(one.budget_bytes) if one.budget_bytes else "" for one in devices))
    console.print(table)


def _show_engines(console: Console, summary: Summary) -> None:
    from agent.printing import plain
    from tools.runtime.telemetry.figures import seconds_text

    table = _table("calls", "", "seconds", "each", "longest", "predicted", numbers=5)
    for one in summary.engines:
        times = (one.seconds, one.seconds / one.calls, one.longest_s, one.predicted_s)
        table.add_row(plain(f"{one.tool}/{one.engine}"), str(one.calls), *(seconds_text(time) for time in times))
    console.print(table)


def _show_plan(console: Console, plan: PlanSummary) -> None:
    from tools.runtime.telemetry.figures import seconds_text

    table = _table("", "planned", "real", numbers=2)
    table.add_row("loads", str(plan.switches), str(plan.real_switches))
    table.add_row("loading", seconds_text(plan.switch_s), seconds_text(plan.real_switch_s))
    table.add_row("in all", seconds_text(plan.wall_s), seconds_text(plan.real_wall_s))
    console.print(table)
    if plan.proven:
        console.print("No order of these calls loads less.")
    else:
        told = f"No order loads for less than {seconds_text(plan.bound_s)}; this one for {plan.gap:.2f} x as much."
        console.print(told)
    if plan.again:
        console.print(f"The rest was planned anew {plan.again} times.")
