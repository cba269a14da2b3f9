"""Jobs that are a whole scene: a storyboard, or a request in words, carried out by the agent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.state import AgentState
from agent.toolbox import Toolbox
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import Cancelled, EngineFailed, InvalidInput, ToolError
from tools.runtime.jobs.journal import Journal
from tools.runtime.jobs.runner import JobOutcome, RunningJob
from tools.storyboard import Storyboard

if TYPE_CHECKING:
    from agent.terminal import Session
    from tools.runtime.events import CallEvent
    from tools.runtime.executor import Executor
    from tools.runtime.storage.store import ArtifactStore

__all__ = ["SceneJob", "SceneKind", "StudioWorkplace"]


class SceneJob(BaseModel):
    """The payload of such a job: all that it needs, so that a file edited later does not change what was accepted.

    Attributes:
        request: what to make, in words; or
        storyboard: what to make, shot by shot.
        storyboard_path: the file it was read from; one in a production's folder is made in that production.
        out: the production's folder; empty lets the studio choose.
        seed: None takes the setting's.
        burn_subtitles: also draw the subtitles into the picture.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    request: str = ""
    storyboard: Storyboard | None = None
    storyboard_path: str = ""
    out: str = ""
    seed: int | None = Field(None, ge=0, le=2**31 - 1)
    burn_subtitles: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> SceneJob:
        if bool(self.request) == (self.storyboard is not None):
            raise ValueError("a scene is made from a request or from a storyboard")
        return self

    def run_options(self) -> dict[str, Any]:
        """The fields of `RunOptions`. Nobody is there to approve anything."""
        return {
            "given": self.storyboard,
            "given_path": Path(self.storyboard_path) if self.storyboard_path else None,
            "out": Path(self.out) if self.out else None,
            "burn_subtitles": self.burn_subtitles,
        }


class SceneKind:
    """Carries them out, each with workers of its own: when it returns, their memory is given back."""

    def carry_out(self, job: RunningJob) -> JobOutcome:
        """Make the scene, or what is left of it. The same job finds its production and its pieces again."""
        from dataclasses import replace

        from agent.terminal import Session

        try:
            scene = SceneJob.model_validate(job.spec.payload)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InvalidInput(f"job {job.id}: {where}: {first['msg']}") from error
        session = Session(seed=scene.seed, options=scene.run_options(), kept=False)
        try:
            toolbox = _JournaledToolbox(session, job.journal)
            session.context = replace(session.context, toolbox=toolbox)
            state = _final_state(session, scene.request or "Render the storyboard", job)
        finally:
            session.close()
        return _outcome(state, toolbox.failures)

    def free(self) -> None:
        """Nothing is kept between two jobs."""


def _final_state(session: Session, text: str, job: RunningJob) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for mode, chunk in session.stream({"messages": text}, f"job {job.id}", job.cancel):
        if mode == "custom":
            job.tell(chunk)
        else:
            state = chunk
        if job.cancel.is_set() and mode == "values":
            raise Cancelled("stopped")
    return state


def _outcome(state: Mapping[str, Any], errors: Mapping[str, ToolError]) -> JobOutcome:
    said = state["messages"][-1].text
    facts = {"production": state.get("production", ""), "files": state.get("files", {}), "said": said[:1000]}
    if state["intent"].kind in ("question", "smalltalk"):
        return JobOutcome(facts=facts)
    told = state["work"].failures if "work" in state else {}
    failures = {name: errors.get(name) or EngineFailed(text) for name, text in told.items()}
    if not failures and not state.get("made"):
        failures = {"scene": InvalidInput(said[:500])}
    return JobOutcome(failures, facts)


class StudioWorkplace:
    """The workers and devices of a toolbox, for jobs that are calls alone."""

    def __init__(self, toolbox: Toolbox) -> None:
        self._toolbox = toolbox

    def executor(
        self, store: ArtifactStore, on_event: Callable[[CallEvent], None], cancel: threading.Event
    ) -> Executor:
        """An executor on this store."""
        from tools.runtime.executor import Executor

        toolbox = self._toolbox
        return Executor(toolbox.registry, store, toolbox.pool, on_event, cancel, toolbox.lane, pace=toolbox.pace)

    def close(self) -> None:
        """End the workers; `executor` starts new ones."""
        self._toolbox.close()


class _JournaledToolbox(Toolbox):
    """A toolbox that writes each batch into the job's journal before it is begun, and what becomes of it."""

    def __init__(self, session: Session, journal: Journal) -> None:
        super().__init__(session.settings, pool=session.pool)
        self.failures: dict[str, ToolError] = {}
        self._journal = journal

    def run(
        self, state: AgentState, calls: list[Call], tell: Callable[[Any], None], cancel: threading.Event
    ) -> Mapping[str, Artifact | ToolError]:
        """`Toolbox.run`, written down."""
        self._journal.accept(calls)
        begun: set[str] = set()

        def hear(event: dict[str, Any]) -> None:
            if event["node"] != "act":
                tell(event)
                return
            if event["status"] == "running" and event["call_id"] not in begun:
                begun.add(event["call_id"])
                self._journal.started(event["call_id"])
            elif event["key"]:
                self._journal.committed(event["call_id"], event["key"])
            tell(event)

        outcome = super().run(state, calls, hear, cancel)
        for name, result in outcome.items():
            self.failures.pop(name, None)
            if isinstance(result, ToolError) and not isinstance(result, Cancelled):
                self.failures[name] = result
                self._journal.failed(name, result)
        return outcome
