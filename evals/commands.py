"""What `studio eval` does: run, list, compare, draw again."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.printing import open_console, tell
from configs.evals import load_evals
from configs.settings import Settings
from evals.printing import tell_run, tell_summary
from evals.report.writing import results_file, write_report
from evals.result import EvalResult, ScenarioResult, ScenarioRun
from evals.results_folder import RESULT, SO_FAR, make_folder, new_folder, this_machine, versions
from evals.run.comparing import Comparison, compare
from evals.run.runner import Plan, run_all
from evals.run.summing import average_metrics, summarise
from evals.scenario import SCENARIOS_DIR, Scenario, load_scenarios
from tools.errors import InvalidInput, MissingPrerequisite, StorageFailed
from tools.runtime.storage.locks import FileLock

__all__ = ["compare_results", "draw_again", "list_scenarios", "live_roles", "run_scenarios"]


def run_scenarios(
    patterns: Sequence[str],
    *,
    folder: Path | None = None,
    planner: str = "scripted",
    repeat: int = 1,
    jobs: int = 0,
    threshold: float | None = None,
    out: Path | None = None,
    keep: bool = False,
    as_json: bool = False,
) -> bool:
    """Run what the patterns choose, print progress and a table, and keep results.json; whether enough passed.

    Raises:
        InvalidInput: nothing is chosen. YamlProblem: a scenario file is wrong.
        MissingPrerequisite: the planner is live, and no chat model is named.
    """
    config = load_evals()
    chosen = _chosen(patterns, folder)
    live = live_roles() if planner == "live" else None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    at_once = jobs or config.jobs or cores
    started = datetime.now(UTC)
    place = (out or new_folder(Path(config.results), started, config.history)).absolute()
    make_folder(place)
    lock = FileLock(place / ".running")
    if not lock.try_acquire():
        raise InvalidInput(f"another studio eval is at work in {place}.", where="--out", hint="Name another: --out.")
    try:
        return _run_in(place, chosen, started, config.threshold if threshold is None else threshold,
                       Asked(patterns, planner, repeat, at_once, cores, live, keep, as_json))  # fmt: skip
    finally:
        lock.release()


@dataclass(frozen=True)
class Asked:
    """What a run was asked for."""

    patterns: Sequence[str]
    planner: str
    repeat: int
    jobs: int
    cores: int
    live: dict[str, Any] | None
    keep: bool
    as_json: bool


def _run_in(place: Path, chosen: list[Scenario], started: datetime, threshold: float, asked: Asked) -> bool:
    planner, repeat, at_once, as_json = asked.planner, asked.repeat, asked.jobs, asked.as_json
    console = open_console(stderr=as_json)
    plan = Plan(folder=place, planner=planner, repeat=repeat, jobs=at_once, live=asked.live, keep=asked.keep)
    start, count, total = time.monotonic(), 0, len(chosen) * repeat
    so_far: dict[str, ScenarioResult] = {}

    def summed(results: list[ScenarioResult]) -> EvalResult:
        return EvalResult(
            started=started.isoformat(timespec="seconds"),
            planner=planner,
            patterns=list(asked.patterns),
            repeat=repeat,
            jobs=at_once,
            studio=versions(),
            machine=this_machine(asked.cores),
            seconds=round(time.monotonic() - start, 1),
            threshold=threshold,
            summary=summarise(results),
            metrics=average_metrics(results),
            scenarios=results,
        )

    def told(scenario: Scenario, run: ScenarioRun) -> None:
        nonlocal count
        count += 1
        name = scenario.name + (f" ({run.repeat})" if repeat > 1 else "")
        tell_run(console, run, name, f"{count:>{len(str(total))}}/{total}")
        kept = so_far.setdefault(
            scenario.name, ScenarioResult(name=scenario.name, about=scenario.about, tags=list(scenario.tags), runs=[])
        )
        kept.runs.append(run)
        summed(list(so_far.values())).save(place / SO_FAR)

    result = summed(run_all(chosen, plan, told))
    result.save(place / RESULT)
    (place / SO_FAR).unlink(missing_ok=True)
    if as_json:
        print(result.model_dump_json(indent=1))
    else:
        tell_summary(console, result, place / RESULT)
    _draw(console, place / RESULT, result)
    return result.passed


def list_scenarios(patterns: Sequence[str], folder: Path | None, *, as_json: bool) -> None:
    """Name the scenarios that the patterns choose."""
    chosen = _chosen(patterns, folder)
    if as_json:
        print(json.dumps([one.model_dump(mode="json", include={"name", "about", "tags"}) for one in chosen], indent=1))
        return
    console = open_console()
    for one in chosen:
        tell(console, f"{one.name}  [{', '.join(one.tags)}]")
        tell(console, f"    {one.about}", "dim")


def compare_results(before: Path, after: Path, *, as_json: bool) -> int:
    """Print what differs between two results, and draw the later one with it; 0 where nothing got worse, else 4.

    Raises:
        InvalidInput: one of them is no result.
    """
    results = results_file(after)
    old, new = EvalResult.load(results_file(before)), EvalResult.load(results)
    found = compare(old, new)
    console = open_console(stderr=as_json)
    if as_json:
        print(found.model_dump_json(indent=1))
    else:
        for line in found.lines():
            tell(console, line)
    # What was asked for is told above; two results that cannot be written to can still be compared.
    _draw(console, results, new, found)
    return 4 if found.worse else 0


def draw_again(results: Path) -> None:
    """Draw the report of a result anew, and tell where it lies.

    Raises:
        InvalidInput: it is no result. StorageFailed: its folder cannot be written to.
    """
    tell(open_console(), f"Report: {write_report(results_file(results))}", whole=True)


def _draw(console: Any, results: Path, result: EvalResult, compared: Comparison | None = None) -> None:
    """Write the report; where that fails it is told, and the result stands."""
    try:
        tell(console, f"Report:  {write_report(results, result, compared)}", whole=True)
    except StorageFailed as error:
        tell(console, f"No report was written: {error.message}", "yellow")


def _chosen(patterns: Sequence[str], folder: Path | None) -> list[Scenario]:
    if folder is not None and not folder.is_dir():
        raise InvalidInput(f"there is no folder {folder}.", where="--scenarios")
    chosen = load_scenarios(folder or SCENARIOS_DIR, patterns)
    if not chosen and not patterns:
        raise InvalidInput(f"there is no scenario in {folder}.", where="--scenarios", hint="They are *.yaml files.")
    if not chosen:
        raise InvalidInput("no scenario is meant by that.", hint="studio eval --list names them all with their tags.")
    return chosen


def live_roles() -> dict[str, Any]:
    """What a live run takes over of the person's own settings.

    Raises:
        MissingPrerequisite: no chat model is named.
    """
    settings = Settings()
    if not settings.primary:
        raise MissingPrerequisite(
            "a live run needs a chat model, and none is named", command="export STUDIO_PRIMARY=ollama/qwen2.5:14b"
        )
    return {
        "primary": settings.primary,
        "vision": settings.vision,
        "coder": settings.coder,
        "network": settings.network,
    }
