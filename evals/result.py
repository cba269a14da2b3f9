"""What is kept of a run: plain data, one JSON file; the report, the tables and the comparison read this alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "CallSeen",
    "Check",
    "EvalResult",
    "Metric",
    "Outcome",
    "Picture",
    "ScenarioResult",
    "ScenarioRun",
    "TurnRecord",
]

Outcome = Literal["passed", "failed", "crashed", "timed_out", "not_run"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Check(_Model):
    """One expectation, held against what was seen.

    Attributes:
        name: what was looked at, as `storyboard.places`, `trajectory.must`, `artifacts[film.mp4].seconds`.
        turn: its number from 1; 0: the whole scenario.
        expected, found: as JSON data.
        note: more, in words.
    """

    name: str
    turn: int
    passed: bool
    expected: Any = None
    found: Any = None
    note: str = ""


class Metric(_Model):
    """A figure; `value` None: it could not be measured, and `why` says why. Never a 0 or a 1 in its place. Where there
    is a value, `why` says what it holds for, if that is not plain: the device, who listened, over how many runs."""

    name: str
    value: float | None = None
    unit: str = ""
    why: str = ""

    @property
    def measured(self) -> bool:
        """Whether there is a value."""
        return self.value is not None


class CallSeen(_Model):
    """One tool call of a turn, as it was seen from outside.

    Attributes:
        id, tool, engine: of the call. args: it was called with. attempt: which try of the quality loop, from 1.
        status: how it ended. key: of its artifact. seconds: it took. text: why it failed.
        device: that it computed on; empty: the CPU.
    """

    id: str
    tool: str
    engine: str = ""
    args: dict[str, Any] = Field(default_factory=dict)
    attempt: int = 1
    status: str = ""
    key: str = ""
    seconds: float = 0.0
    text: str = ""
    device: str = ""


class Picture(_Model):
    """A small picture of what a turn made: `file` below the run's folder, or empty, and `note` says why; `of` what."""

    of: str
    file: str = ""
    note: str = ""


class TurnRecord(_Model):
    """What was seen of one turn.

    Attributes:
        number: from 1. said: the request, or what else the person did. thread: of the conversation.
        message: the agent's. error: kind and text of the error that ended it. exit: what the command would return.
        intent, storyboard, lineup: as JSON data. production: folder, relative to the scenario's.
        files: published, by label, relative to the scenario's folder.
        scores, attempts, failures, assumptions, problems, notes, search, sources, trace: of the state.
        nodes: entered, in order. calls: made, in order of their beginning. again: retries by rule.
        devices: events (load, evict, step_down, ...). thoughts: as JSON data.
        asked_model: pieces that the chat model was asked for, with how it was answered (status); None where it was
            the person's own, and nobody watched.
        asked_person: questions for approval. kills: how often the process was killed in it.
        steps, tokens: spent on chat models. seconds: wall; cpu_seconds: of this process and its workers.
        cancelled: a person stopped it. shown: small pictures of what it made.
        command: as it was typed, where it was one; output, stderr: what it printed. meanwhile: commands that were typed
            beside it, as {command, exit, output, stderr}.
        asked_mcp: what an MCP client asked, where it was one; data: JSON that the command printed, or the structured
            content of the answer; contents: kinds of its parts; progress: told of it, as {fraction, text}.
    """

    number: int
    said: str
    thread: str = "main"
    message: str = ""
    error: dict[str, str] | None = None
    exit: int | None = None
    made: bool = False
    intent: dict[str, Any] | None = None
    storyboard: dict[str, Any] | None = None
    lineup: dict[str, Any] | None = None
    production: str = ""
    files: dict[str, str] = Field(default_factory=dict)
    scores: dict[str, float] = Field(default_factory=dict)
    attempts: list[dict[str, Any]] = Field(default_factory=list)
    failures: dict[str, str] = Field(default_factory=dict)
    assumptions: list[str] = Field(default_factory=list)
    problems: list[str] = Field(default_factory=list)
    notes: list[dict[str, Any]] = Field(default_factory=list)
    search: str = ""
    sources: list[str] = Field(default_factory=list)
    trace: list[str] = Field(default_factory=list)
    nodes: list[str] = Field(default_factory=list)
    calls: list[CallSeen] = Field(default_factory=list)
    again: int = 0
    devices: list[dict[str, Any]] = Field(default_factory=list)
    thoughts: list[dict[str, Any]] = Field(default_factory=list)
    asked_model: list[dict[str, Any]] | None = None
    asked_person: list[dict[str, Any]] = Field(default_factory=list)
    web_asked: list[str] = Field(default_factory=list)
    pages_fetched: list[str] = Field(default_factory=list)
    kills: int = 0
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    cancelled: bool = False
    shown: list[Picture] = Field(default_factory=list)
    command: str = ""
    output: str = ""
    stderr: str = ""
    meanwhile: list[dict[str, Any]] = Field(default_factory=list)
    asked_mcp: dict[str, Any] | None = None
    data: Any = None
    contents: list[str] = Field(default_factory=list)
    progress: list[dict[str, Any]] = Field(default_factory=list)


class ScenarioRun(_Model):
    """One run of one scenario.

    Attributes:
        repeat: number of the run, from 1. folder: where all of it lies, relative to the folder of the results.
        outcome: and `why`, where it is not `passed`.
        checks, metrics, turns: what was held, measured and seen.
        pictures: files worth showing, relative to `folder`. log: end of what the process said.
    """

    repeat: int
    folder: str
    outcome: Outcome
    why: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    checks: list[Check] = Field(default_factory=list)
    metrics: list[Metric] = Field(default_factory=list)
    turns: list[TurnRecord] = Field(default_factory=list)
    pictures: list[str] = Field(default_factory=list)
    log: str = ""

    @property
    def differed(self) -> list[Check]:
        """The checks that did not hold."""
        return [check for check in self.checks if not check.passed]


class ScenarioResult(_Model):
    """A scenario with all its runs."""

    name: str
    about: str
    tags: list[str]
    runs: list[ScenarioRun]

    @property
    def counted(self) -> list[ScenarioRun]:
        """The runs that took place."""
        return [run for run in self.runs if run.outcome != "not_run"]

    @property
    def passes(self) -> int:
        """How many of them passed."""
        return sum(run.outcome == "passed" for run in self.counted)


class EvalResult(_Model):
    """A run of many scenarios: results.json.

    Attributes:
        schema_version: of this form.
        started: ISO 8601, UTC. planner, patterns, repeat, jobs, seed: as it was asked.
        studio, machine: versions and what it ran on.
        seconds: wall. threshold: part of the scenarios that must pass.
        summary: figures over all (pass@1, pass^k, counts), by name.
        metrics: averages over the runs in which they were measured.
        scenarios: by name.
    """

    schema_version: Literal[1] = 1
    started: str
    planner: str
    patterns: list[str] = Field(default_factory=list)
    repeat: int = 1
    jobs: int = 1
    studio: dict[str, str] = Field(default_factory=dict)
    machine: dict[str, str] = Field(default_factory=dict)
    seconds: float = 0.0
    threshold: float
    summary: dict[str, float | int | None] = Field(default_factory=dict)
    metrics: list[Metric] = Field(default_factory=list)
    scenarios: list[ScenarioResult] = Field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether enough of them passed. Where none was run, nothing has."""
        rate = self.summary.get("pass@1")
        return rate is not None and rate >= self.threshold

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        from tools.artifact import write_atomic

        write_atomic(path, (self.model_dump_json(indent=1) + "\n").encode())

    @classmethod
    def load(cls, path: Path) -> EvalResult:
        """Read it.

        Raises:
            InvalidInput: it is not there, or no result of this version.
        """
        from pydantic import ValidationError

        from tools.errors import InvalidInput

        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", where=str(path)) from error
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise InvalidInput(
                f"is no result of studio eval: {field + ': ' if field else ''}{first['msg']}", where=str(path)
            ) from error
