"""Runs scenarios: each in a folder and a process of its own, several at once, none for longer than it may."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evals.result import Outcome, ScenarioResult, ScenarioRun, TurnRecord
from evals.run.folder import turn_files
from evals.run.stage import Job
from evals.scenario import Scenario

__all__ = ["Plan", "run_all", "run_one"]

MOST_KILLS = 10
"""Times that one scenario may kill its process."""
LOG_END = 4_000


@dataclass(frozen=True)
class Plan:
    """How scenarios are run.

    Attributes:
        folder: of the results; each run gets a folder `NAME/REPEAT` in it.
        planner: `scripted`: each as its file says; `offline`: those alone that need no chat model; `live`: chat models
            of the files are those that the person has set.
        repeat: how often each. jobs: at once.
        live: roles of the person's settings, where the planner is live.
        keep: whether the productions of runs that passed are kept.
        stage: module that plays a scenario.
    """

    folder: Path
    planner: str = "scripted"
    repeat: int = 1
    jobs: int = 1
    live: Mapping[str, Any] | None = None
    keep: bool = False
    stage: str = "evals.run.stage"
    environment: Mapping[str, str] = field(default_factory=dict)


def run_all(
    scenarios: Sequence[Scenario], plan: Plan, told: Callable[[Scenario, ScenarioRun], None] = lambda _s, _r: None
) -> list[ScenarioResult]:
    """Run them all.

    Args:
        scenarios: to run.
        plan: how.
        told: hears of each run that is over, from any thread, one at a time.
    """
    results = {
        one.name: ScenarioResult(name=one.name, about=one.about, tags=list(one.tags), runs=[]) for one in scenarios
    }
    telling = threading.Lock()
    with ThreadPoolExecutor(plan.jobs) as pool:
        work = {
            pool.submit(run_one, one, plan, repeat): one for repeat in range(1, plan.repeat + 1) for one in scenarios
        }
        try:
            for future in as_completed(work):
                scenario, run = work[future], future.result()
                with telling:
                    results[scenario.name].runs.append(run)
                    told(scenario, run)
        except BaseException:
            for future in work:
                future.cancel()
            raise
    for result in results.values():
        result.runs.sort(key=lambda run: run.repeat)
    return list(results.values())


def run_one(scenario: Scenario, plan: Plan, repeat: int = 1) -> ScenarioRun:
    """One run of one scenario; whatever its process does, this returns."""
    folder = (plan.folder / scenario.name / str(repeat)).absolute()
    short = f"{scenario.name}/{repeat}"
    not_run = _why_not(scenario, plan)
    if not_run:
        return ScenarioRun(repeat=repeat, folder=short, outcome="not_run", why=not_run)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    live = dict(plan.live) if plan.live is not None and scenario.world.model is not None else None
    job = Job(scenario=scenario, folder=folder, repeat=repeat, live=live)
    (folder / "job.json").write_text(job.model_dump_json(exclude_unset=True), encoding="utf-8")
    start = time.monotonic()
    ended = _play(folder, scenario.time_limit_s, plan)
    run = _read(folder, repeat, ended, time.monotonic() - start)
    run = run.model_copy(update={"folder": short, "log": _log(folder) if run.outcome != "passed" else ""})
    if run.outcome == "passed" and not plan.keep:
        _thin(folder)
    return run


def _why_not(scenario: Scenario, plan: Plan) -> str:
    if plan.planner == "offline" and scenario.world.model is not None:
        return "it needs a chat model, and the planner is offline"
    return ""


def _play(folder: Path, limit_s: float, plan: Plan) -> str:
    """Run its process, again as often as it killed itself on purpose; how it ended: empty: as it should."""
    deadline = time.monotonic() + limit_s
    for _ in range(MOST_KILLS + 1):
        killed = _killed(folder)
        code = _once(folder, deadline - time.monotonic(), plan)
        if code is None:
            return "timed_out"
        if code == 0:
            return ""
        if _killed(folder) == killed:
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            last = _last_error(folder)
            return f"its process ended with {name}" + (f": {last}" if last else "")
    return "it killed its process again and again"


def _once(folder: Path, limit_s: float, plan: Plan) -> int | None:
    """One process, to its end: its exit code; None where it took too long. It ends with us, however we end."""
    reading, writing = os.pipe()
    try:
        with (folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", plan.stage, str(folder / "job.json"), str(reading)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[reading],
                env=_environment(plan.environment),
            )
        try:
            return process.wait(timeout=max(0.1, limit_s))
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                _end(process)
    finally:
        os.close(reading)
        os.close(writing)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started: it leads a session of its own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def _killed(folder: Path) -> int:
    """How often it killed itself on purpose so far."""
    return sum(path.read_text(encoding="utf-8").count('"killed"') for path in folder.glob("turn*.events.jsonl"))


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    found = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([root, found] if found else [root])
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONPATH": path, "PYTHONHASHSEED": "0", **more}


def _read(folder: Path, repeat: int, ended: str, seconds: float) -> ScenarioRun:
    """What the process left."""
    path = folder / "run.json"
    if not ended and path.exists():
        try:
            return ScenarioRun.model_validate_json(path.read_bytes()).model_copy(update={"seconds": seconds})
        except ValidationError as error:
            ended = f"its result cannot be read: {error.errors()[0]['msg']}"
    outcome: Outcome = "timed_out" if ended == "timed_out" else "crashed"
    why = "it took longer than its time limit" if ended == "timed_out" else ended or "it left no result"
    turns = []
    for one in turn_files(folder):
        try:
            turns.append(TurnRecord.model_validate_json(one.read_bytes()))
        except ValidationError:
            # Cut off, or of another version: what comes after it says nothing either.
            break
    return ScenarioRun(repeat=repeat, folder="", outcome=outcome, why=why, seconds=seconds, turns=turns)


def _log(folder: Path) -> str:
    path = folder / "log.txt"
    return path.read_text(encoding="utf-8", errors="replace")[-LOG_END:] if path.exists() else ""


def _last_error(folder: Path) -> str:
    """The line of its log that names what it ended of."""
    lines = (line.strip() for line in reversed(_log(folder).splitlines()))
    return next((line[:300] for line in lines if re.match(r"[\w.]*(Error|Exception|Problem|Warning)\b", line)), "")


def _thin(folder: Path) -> None:
    """Keep of a run that passed what the report shows: pictures and traces."""
    for production in (folder / "productions").glob("*/artifacts"):
        shutil.rmtree(production, ignore_errors=True)
    for name in ("world", "models", "knowledge", "papers"):
        shutil.rmtree(folder / name, ignore_errors=True)
