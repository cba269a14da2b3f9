"""The scenarios as a task of inspect_ai: the same files, the same runner, its logs and its viewer.

    inspect eval evals/inspect_tasks.py -T pattern=fast
    inspect view

No model is asked by inspect_ai itself: the studio is what is tried, with the chat model that each scenario names, or
(`-T planner=live`) your own. Source of the interface: https://inspect.aisi.org.uk (tasks, solvers, scorers).
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import transcript
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, Content, ContentImage, ContentText, ModelOutput
from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import concurrency
from inspect_ai.viewer import ViewerConfig

from evals.commands import live_roles
from evals.result import Check, ScenarioRun, TurnRecord
from evals.run.runner import Plan, run_one
from evals.scenario import SCENARIOS_DIR, Scenario, load_scenarios
from evals.turn import Turn
from tools.errors import InvalidInput

__all__ = ["checks", "measures", "play", "scenarios"]

NO_MODEL = "mockllm/model"
"""inspect_ai wants one; it is never asked."""
_RUN = "scenario_run"


@task  # type: ignore[untyped-decorator]
def scenarios(
    pattern: str | list[str] = "", planner: str = "scripted", folder: str = "", out: str = "", pictures: bool = True
) -> Task:
    """Each scenario that the pattern chooses is a sample.

    Args:
        pattern: names (with * and ?), tags or folders, with commas; empty: all.
        planner: scripted, offline, or live, as for `studio eval`.
        folder: of scenario files, instead of the studio's own.
        out: folder that keeps what the runs made; empty: nothing is kept beside the log.
        pictures: whether what was made is put into the log, small.

    Raises:
        InvalidInput: nothing is chosen, or there is no such planner. YamlProblem: a scenario file is wrong.
        MissingPrerequisite: the planner is live, and no chat model is named.
    """
    if planner not in ("scripted", "offline", "live"):
        raise InvalidInput(f"there is no planner {planner!r}.", where="planner", hint="Take scripted, offline or live.")
    patterns = [part for part in (pattern.split(",") if isinstance(pattern, str) else pattern) if part]
    chosen = load_scenarios(Path(folder) if folder else SCENARIOS_DIR, patterns)
    if not chosen:
        raise InvalidInput("no scenario is meant by that.", hint="studio eval --list names them all with their tags.")
    # What others wrote (pages, a live model's words) is shown as text alone; it would be drawn as Markdown.
    viewer = ViewerConfig(trust_content=False) if planner == "live" else None
    return Task(
        dataset=MemoryDataset([_sample(one) for one in chosen], name="scenarios"),
        solver=play(chosen, planner, out=out, pictures=pictures),
        scorer=[checks(), measures()],
        model=NO_MODEL,
        metadata={"planner": planner, "pattern": ",".join(patterns)},
        viewer=viewer,
    )


@solver  # type: ignore[untyped-decorator]
def play(chosen: Sequence[Scenario], planner: str = "scripted", *, out: str = "", pictures: bool = True) -> Solver:
    """Runs the scenario of the sample as `studio eval` does, in a folder and a process of its own."""
    by_name = {one.name: one for one in chosen}
    live = live_roles() if planner == "live" else None

    async def solve(state: TaskState, generate: Generate) -> TaskState:  # noqa: ARG001 - no model is asked here
        scenario = by_name[str(state.sample_id)]
        async with concurrency("studio", os.cpu_count() or 1):
            with _place(out) as place:
                plan = Plan(folder=place, planner=planner, live=live, keep=bool(out))
                run = await anyio.to_thread.run_sync(run_one, scenario, plan, state.epoch)
                state.messages = _conversation(run, place if pictures else None)
        for turn in run.turns:
            transcript().info(_trace(turn), source=f"turn {turn.number}")
        state.metadata["outcome"] = run.outcome
        state.store.set(_RUN, run.model_dump(mode="json", exclude={"turns"}))
        said = next((turn.message for turn in reversed(run.turns) if turn.message), run.why)
        state.output = ModelOutput.from_content("studio", said)
        state.completed = True
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()])  # type: ignore[untyped-decorator]
def checks() -> Scorer:
    """Whether every expectation held; the explanation says which did not, and what was found instead."""

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001 - the expectations stand in the file
        run = _run_of(state)
        if run.outcome == "not_run":
            return Score.unscored(reason="not_run", explanation=run.why)
        held = len(run.checks) - len(run.differed)
        lines = [f"{run.outcome}: {held} of {len(run.checks)} checks hold"]
        if run.outcome in ("crashed", "timed_out"):
            lines.append(run.why)
        lines += [_told(one) for one in run.differed]
        return Score(
            value=CORRECT if run.outcome == "passed" else INCORRECT,
            answer=run.outcome,
            explanation="\n".join(lines),
            metadata={"checks": [one.model_dump(mode="json") for one in run.checks], "seconds": run.seconds},
        )

    return score


@scorer(metrics={"*": [mean()]})  # type: ignore[untyped-decorator]
def measures() -> Scorer:
    """The metrics of evals/metrics, and the part of the checks that held; what was not measured has no value."""

    async def score(state: TaskState, target: Target) -> Score:  # noqa: ARG001 - as above
        run = _run_of(state)
        if run.outcome == "not_run":
            return Score.unscored(reason="not_run", explanation=run.why)
        found: dict[str, float] = {one.name: float("nan") if one.value is None else one.value for one in run.metrics}
        if run.checks:
            found["checks_held"] = 1.0 - len(run.differed) / len(run.checks)
        absent = [f"{one.name}: not measured, {one.why}" for one in run.metrics if not one.measured]
        return Score(value=dict(sorted(found.items())), explanation="\n".join(absent) or "all were measured")

    return score


@contextmanager
def _place(out: str) -> Iterator[Path]:
    """The folder of the results: as named, or one that goes when the run is in the log."""
    if out:
        yield Path(out).absolute()
        return
    with tempfile.TemporaryDirectory(prefix="scenario-") as folder:
        yield Path(folder)


def _sample(one: Scenario) -> Sample:
    said = [ChatMessageUser(content=_deed(turn)) for turn in one.turns]
    return Sample(
        id=one.name, input=list(said), target=one.about, metadata={"about": one.about, "tags": list(one.tags)}
    )


def _deed(turn: Turn) -> str:
    words = {"render": "(a storyboard as it stands)", "edit": "(changes by hand)"}
    return words.get(turn.deed, turn.deed)


def _run_of(state: TaskState) -> ScenarioRun:
    return ScenarioRun.model_validate(state.store.get(_RUN))


def _conversation(run: ScenarioRun, place: Path | None) -> list[ChatMessageUser | ChatMessageAssistant]:
    """What was said by either side, with the pictures that were made."""
    said: list[ChatMessageUser | ChatMessageAssistant] = []
    for turn in run.turns:
        error = f"{turn.error.get('kind')}: {turn.error.get('says')}" if turn.error else ""
        content: list[Content] = [
            ContentText(text="\n".join(one for one in (*_said(turn), error) if one) or "(nothing)")
        ]
        for picture in turn.shown if place is not None else ():
            content.append(ContentText(text="\n\n" + " ".join(one for one in (picture.of, picture.note) if one)))
            if picture.file and place is not None:
                data = base64.b64encode((place / run.folder / picture.file).read_bytes()).decode()
                content.append(ContentImage(image=f"data:image/jpeg;base64,{data}"))
        said += [ChatMessageUser(content=turn.said), ChatMessageAssistant(content=content, model="studio")]
    return said


def _said(turn: TurnRecord) -> list[str]:
    """What came back: the agent's message, or what a command printed, and its exit code."""
    if not turn.command:
        return [turn.message]
    beside = [f"meanwhile $ {one['command']}\n{one['output']}{one['stderr']}".rstrip() for one in turn.meanwhile]
    return [turn.output.rstrip(), turn.stderr.rstrip(), *beside, f"exit code {turn.exit}"]


def _trace(turn: TurnRecord) -> dict[str, Any]:
    """What a reader of the log asks first; results.json of `studio eval` holds all of it."""
    calls = [
        f"{one.id} {one.tool}/{one.engine} {one.status} {one.seconds:.2f} s {one.text}".rstrip() for one in turn.calls
    ]
    thoughts = [f"{one.get('kind')}: {str(one.get('text', ''))[:600]}" for one in turn.thoughts]
    return {
        "nodes": turn.nodes,
        "trace": turn.trace,
        "calls": calls,
        "thoughts": thoughts,
        "storyboard": turn.storyboard,
        "scores": turn.scores,
        "failures": turn.failures,
        "asked_model": turn.asked_model,
        "asked_mcp": turn.asked_mcp,
        "progress": turn.progress,
        "seconds": round(turn.seconds, 2),
    }


def _told(check: Check) -> str:
    where = f"turn {check.turn}: " if check.turn else ""
    expected, found = (json.dumps(one, ensure_ascii=False)[:600] for one in (check.expected, check.found))
    return f"{where}{check.name}: expected {expected}, found {found} {check.note}".rstrip()
