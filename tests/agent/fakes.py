"""Hands that make nothing: the graph's own behaviour is tested with them, in milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from agent.context import RunOptions
from agent.state import AgentState
from agent.toolbox import Toolbox
from configs.settings import Settings
from tools.artifact import Artifact, ArtifactRecord, artifact_key
from tools.base import Call
from tools.errors import Cancelled, EngineFailed, ToolError

__all__ = ["FakeToolbox"]


class FakeToolbox(Toolbox):
    """Returns artifacts without files; scores are scripted.

    Args:
        scores: by call id, the score of each attempt in turn; the last one stays. Unlisted calls score 1.
        failing: ids of calls that fail.
        levers: by call id, what its failed check asks to be changed; unlisted ones ask for a wider picture each time.
    """

    def __init__(
        self,
        settings: Settings,
        scores: dict[str, list[float]] | None = None,
        failing: set[str] | None = None,
        levers: dict[str, dict[str, float]] | None = None,
    ) -> None:
        super().__init__(settings)
        self.scores = scores or {}
        self.failing = failing or set()
        self.levers = levers or {}
        self.made: list[Call] = []
        self.artifacts: dict[str, Artifact] = {}

    def open_production(self, state: AgentState, options: RunOptions) -> str:
        """A name; nothing is written."""
        return "fake"

    def run(
        self, state: AgentState, calls: list[Call], tell: Callable[[Any], None], cancel: threading.Event
    ) -> Mapping[str, Artifact | ToolError]:
        """Every call at once, in order."""
        if cancel.is_set():
            return {call.id: Cancelled("stopped") for call in calls}
        return {call.id: self._make(call) for call in calls}

    def _make(self, call: Call) -> Artifact | ToolError:
        if call.id in self.failing:
            return EngineFailed("broke")
        if call.tool != "review_artifact":
            self.made.append(call)
        output: dict[str, Any] = {"duration_s": 1.0}
        if call.tool == "review_artifact":
            output = self._review(call.args["subject"]["call"])
        times = sum(made.id == call.id for made in self.made)
        key = artifact_key(
            tool=call.tool, engine="fake", version="1", args=call.args, seed=call.seed, inputs={"n": str(times)}
        )
        args = dict(call.args)
        record = ArtifactRecord(
            key=key, tool=call.tool, engine="fake", version="1", args=args, seed=call.seed,
            files={}, output=output, digest=key, seconds=0.0,
        )  # fmt: skip
        self.artifacts[key] = Artifact(Path("fake"), record)
        return self.artifacts[key]

    def _review(self, subject: str) -> dict[str, Any]:
        attempt = sum(made.id == subject for made in self.made)
        scripted = self.scores.get(subject, [1.0])
        score = scripted[min(attempt, len(scripted)) - 1]
        failed = {
            "name": "face_in_frame.luca",
            "status": "failed",
            "score": score,
            "detail": "it is as before" if subject in self.levers else f"the face is cut, try {attempt}",
            "fix": self.levers.get(subject, {"zoom": 0.9 - 0.1 * attempt}),
        }
        return {"score": score, "passed": score >= 0.7, "checks": [failed] if score < 0.7 else []}

    def durations(self, state: AgentState) -> dict[str, float]:
        """A second a shot."""
        return {name: 1.0 for name in state["work"].results if name.endswith(".motion")}

    def predict_seconds(self, state: AgentState, calls: list[Call]) -> float:
        """A second a call."""
        return float(len(calls))

    def still_paths(self, state: AgentState) -> list[str]:
        """One name a still."""
        return [name for name in state["work"].results if name.endswith(".still")]

    def publish(self, state: AgentState) -> dict[str, Any]:
        """Labels only."""
        files = {"film": "fake/film.mp4"} if "film" in state["work"].results else {}
        if "script" in state["outputs"]:
            # No call makes it: it is written from the storyboard, also where nothing else was asked for.
            files["script"] = "fake/script.md"
        return {"files": files, "made": bool(files) or bool(state["work"].results)}

    def shown_folder(self, state: AgentState) -> str:
        """A name."""
        return "fake"
