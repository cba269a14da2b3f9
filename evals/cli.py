"""`studio eval [PATTERN...]`: scripted scenarios through the whole agent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

__all__ = ["eval_command"]

BELOW = 4
"""Exit code where fewer scenarios pass than the threshold asks."""


def eval_command(
    patterns: Annotated[
        list[str] | None, typer.Argument(metavar="[PATTERN]...", help="Names (with * and ?) or tags; none runs all.")
    ] = None,
    planner: Annotated[
        str, typer.Option(help="scripted: as the files say; offline: those without a chat model; live: with your own.")
    ] = "scripted",
    repeat: Annotated[int, typer.Option(min=1, max=100, help="How often each: pass@1 and pass^k.")] = 1,
    jobs: Annotated[int, typer.Option(min=0, max=64, help="Scenarios at once; 0 is one per CPU core.")] = 0,
    threshold: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Part that must pass, instead of configs/evals.yaml.")
    ] = None,
    scenarios: Annotated[
        Path | None, typer.Option(help="Folder of scenario files, instead of the studio's own.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder of the results.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep all that was made, of runs that passed, too.")] = False,
    list_only: Annotated[bool, typer.Option("--list", help="Name the scenarios that would run.")] = False,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Compare two results (folder or results.json) instead of running.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Draw report.html of a result (folder or results.json) anew, run nothing.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")] = False,
) -> None:
    """Run scripted scenarios and hold the agent against what they expect."""
    from evals.commands import compare_results, draw_again, list_scenarios, run_scenarios
    from tools.errors import InvalidInput

    if compare is not None:
        raise typer.Exit(compare_results(*compare, as_json=as_json))
    if report is not None:
        draw_again(report)
        return
    if list_only:
        list_scenarios(patterns or [], scenarios, as_json=as_json)
        return
    planners: tuple[Literal["offline", "scripted", "live"], ...] = ("offline", "scripted", "live")
    if planner not in planners:
        raise InvalidInput(f"there is no planner {planner!r}.", where="--planner", hint=f"Take {', '.join(planners)}.")
    asked: dict[str, Any] = {"planner": planner, "repeat": repeat, "jobs": jobs, "threshold": threshold}
    passed = run_scenarios(patterns or [], folder=scenarios, out=out, keep=keep, as_json=as_json, **asked)
    raise typer.Exit(0 if passed else BELOW)
