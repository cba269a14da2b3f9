"""The state that a turn ended with, as plain data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evals.result import TurnRecord

if TYPE_CHECKING:
    from agent.context import AgentContext

__all__ = ["read_state"]


def read_state(state: dict[str, Any], record: TurnRecord, folder: Path, context: AgentContext) -> None:
    """Take over what the state says.

    Args:
        state: of the graph, after the turn.
        record: of the turn; it is filled in.
        folder: of the scenario; paths are told relative to it.
        context: of the turn; holds its thoughts and what was spent.
    """
    intent, board, lineup, work = (state.get(name) for name in ("intent", "storyboard", "lineup", "work"))
    record.message = state["messages"][-1].text if state.get("messages") else ""
    record.intent = _intent(intent) if intent else None
    record.storyboard = board.model_dump(mode="json") if board else None
    record.lineup = lineup.model_dump(mode="json") if lineup else None
    record.made = bool(state.get("made"))
    record.production = _relative(state.get("production", ""), folder)
    record.files = {label: _relative(path, folder) for label, path in (state.get("files") or {}).items()}
    record.scores = dict(state.get("scores") or {})
    record.attempts = [one.model_dump(mode="json") for one in work.attempts] if work else []
    record.failures = dict(work.failures) if work else {}
    record.assumptions = [*(state.get("assumptions") or []), *(state.get("remarks") or [])]
    record.problems = list(state.get("problems") or [])
    record.trace = list(state.get("trace") or [])
    record.notes = [{"source": one.source, "kind": one.kind, "title": one.title} for one in state.get("notes") or []]
    record.search = state.get("search") or ""
    synthesis = state.get("synthesis")
    record.sources = [one.url for one in synthesis.sources] if synthesis else []
    record.exit = _exit(record, state)
    turn = context.turn(state)  # type: ignore[arg-type]
    record.thoughts = [one.model_dump(mode="json") for one in turn.thoughts]
    record.steps, record.tokens = turn.spending.used_steps, turn.spending.used_tokens


def _intent(intent: Any) -> dict[str, Any]:
    return {**intent.model_dump(mode="json"), "ops": [edit.op for edit in intent.edits]}


def _exit(record: TurnRecord, state: dict[str, Any]) -> int:
    """What `studio make` would return; see `agent.terminal.MakeCommand.run`."""
    kind = record.intent["kind"] if record.intent else ""
    if kind in ("question", "smalltalk"):
        return 0
    return 1 if not state.get("made") else 3 if record.failures else 0


def _relative(path: str, folder: Path) -> str:
    whole = Path(path)
    return str(whole.relative_to(folder)) if path and whole.is_relative_to(folder) else path
