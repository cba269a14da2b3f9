"""`studio simulate`: the runtime on virtual time, our order beside those that others take; or many rough schedules."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tools.runtime.scheduling.plan import Plan
    from tools.runtime.simulate import Report

__all__ = ["compare", "simulate", "stress"]

_MOST_SHOTS = 500
_GB = 1e9


@dataclass(frozen=True)
class Compared:
    """One order of one scene.

    Attributes:
        name: of the order, for people.
        report: of its simulation.
        ratio: its seconds of switching / what no order undercuts.
    """

    name: str
    report: Report
    ratio: float

    def as_json(self) -> dict[str, Any]:
        """The figures, without what the device saw step by step."""
        report = self.report
        return {
            "policy": report.policy,
            "name": self.name,
            "switches": report.switches,
            "switch_s": report.switch_s,
            "ratio": round(self.ratio, 4),
            "wall_s": round(report.wall_s, 3),
            "loading_s": round(report.loading_s, 3),
            "computing_s": round(report.computing_s, 3),
            "waiting_s": round(report.waiting_s, 3),
            "peak_bytes": report.peak,
            "finished": report.finished,
            "failed": report.failed,
            "struck": dict(report.struck),
            "violations": [str(violation) for violation in report.violations],
        }


def compare(shots: int, seed: int, *, faults: bool = False, studios: int = 1) -> tuple[Plan, list[Compared]]:
    """The scene of so many shots in every order; the plan tells what no order undercuts.

    Args:
        shots: of the scene that facts of the scheduler are stated on (`tools.runtime.scheduling.instances`).
        seed: of the judge's verdicts, and of what goes wrong.
        faults: whether anything goes wrong.
        studios: how many make such a scene at once, on one device.
    """
    from tools.runtime.scheduling.instances import scene
    from tools.runtime.scheduling.search import plan_order
    from tools.runtime.simulate import CALM, WEAR
    from tools.runtime.simulate import simulate as simulated
    from tools.runtime.simulation.orders import POLICIES

    problem = scene(shots, seed).known
    plan = plan_order(problem)
    compared = []
    for policy, name in POLICIES.items():
        problems = [problem] * studios
        report = simulated(problems, policy=policy, seed=seed, faults=WEAR if faults else CALM, studios=studios)
        compared.append(Compared(name, report, report.switch_s / (plan.bound_s * studios or 1.0)))
    return plan, compared


def stress(schedules: int, seed: int) -> dict[str, Any]:
    """So many small schedules in which everything goes wrong; counts what must never happen."""
    from configs.retries import load_retries
    from tools.runtime.simulation.drawn import draw

    rules = load_retries().calls
    struck, broken, ended = Counter[str](), Counter[str](), Counter[str]()
    seeds = []
    for number in range(seed, seed + schedules):
        report = draw(number).run(rules=rules)
        struck.update(report.struck)
        ended.update(finished=report.finished, failed=report.failed)
        broken.update(violation.kind for violation in report.violations)
        if report.violations:
            seeds.append(number)
    kinds = ("overlap", "over_budget", "leak", "deadlock")
    violations = {kind: broken[kind] for kind in (*kinds, *sorted(set(broken) - set(kinds)))}
    return {
        "schedules": schedules,
        "calls": dict(ended),
        "struck": dict(sorted(struck.items())),
        "violations": violations,
        "seeds": seeds,
    }


def simulate(
    shots: Annotated[int, typer.Option(min=1, max=_MOST_SHOTS, help="Of the scene: 12, 24, or any other number.")] = 12,
    seed: Annotated[int, typer.Option(help="Of the judge's verdicts, and of what goes wrong.")] = 1,
    studios: Annotated[int, typer.Option(min=1, max=8, help="So many make the scene at once, on one device.")] = 1,
    faults: Annotated[
        bool, typer.Option("--faults", help="Out of memory, cancels, hangs and deaths, drawn by the seed.")
    ] = False,
    schedules: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Instead: so many small schedules in which everything goes wrong.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")] = False,
) -> None:
    """Run a scene on a simulated device of 15.5 GB in virtual time: our order beside those that others take."""
    if schedules:
        counted = stress(schedules, seed)
        print(json.dumps(counted, indent=2) if as_json else _stress_text(counted))
        raise typer.Exit(1 if counted["seeds"] else 0)
    plan, compared = compare(shots, seed, faults=faults, studios=studios)
    if as_json:
        data = {
            "shots": shots,
            "seed": seed,
            "studios": studios,
            "calls": len(plan.problem.tasks),
            "bound_s": plan.bound_s,
            "proven": plan.proven,
            "planned_wall_s": round(plan.wall_s, 3),
            "orders": [one.as_json() for one in compared],
        }
        print(json.dumps(data, indent=2))
    else:
        _print(shots, studios, plan, compared, faults=faults)
    if any(one.report.violations for one in compared):
        raise typer.Exit(1)


def _stress_text(counted: dict[str, Any]) -> str:
    calls, struck = counted["calls"], counted["struck"]
    lines = [
        f"{counted['schedules']} schedules: {calls.get('finished', 0)} calls finished, {calls.get('failed', 0)} failed",
        "struck:  " + ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in struck.items()),
        "seen:    " + ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counted["violations"].items()),
    ]
    if counted["seeds"]:
        lines.append(f"seeds:   {', '.join(map(str, counted['seeds'][:20]))}")
    return "\n".join(lines)


def _print(shots: int, studios: int, plan: Plan, compared: list[Compared], *, faults: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    who = f", made by {studios} studios at once" if studios > 1 else ""
    console.print(
        f"{shots} shots, {len(plan.problem.tasks)} calls{who}; budget {plan.problem.budget / _GB:.1f} GB; "
        f"no order switches for less than {plan.bound_s * studios:.2f} s"
        + (" (each studio alone)" if studios > 1 else "")
    )
    table = Table(header_style="dim", box=None, padding=(0, 1, 0, 0))
    columns = ["order", "loads", "cost s", "x bound", "wall s", "idle s", "peak GB"]
    columns += ["failed", "struck"] if faults else []
    for column in columns:
        table.add_column(column, justify="left" if column == "order" else "right", no_wrap=True)
    for one in compared:
        report = one.report
        cells = [
            one.name,
            str(report.switches),
            f"{report.switch_s:.2f}",
            f"{one.ratio:.2f}",
            f"{report.wall_s:.0f}",
            f"{report.waiting_s:.1f}",
            f"{report.peak / _GB:.1f}",
        ]
        cells += [str(report.failed), str(sum(report.struck.values()))] if faults else []
        table.add_row(*cells)
    console.print(table)
    for one in compared:
        for violation in one.report.violations:
            console.print(f"[red]{one.name}: {violation}[/red]", markup=True)
