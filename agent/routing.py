"""Where to go next: pure functions of the state."""

from __future__ import annotations

from typing import Literal

from agent.state import AgentState

__all__ = ["after_reason", "after_retrieve"]


def after_retrieve(state: AgentState) -> Literal["search", "reason"]:
    """Search only when the intent needs what knowledge does not hold."""
    intent = state["intent"]
    return "search" if intent is not None and intent.needs_search and not state["notes"] else "reason"


def after_reason(state: AgentState) -> Literal["act", "respond", "think"]:
    """Act while there are calls to make; think again when a person changed the request at the approval."""
    if state.get("restart"):
        return "think"
    return "act" if state["work"].pending else "respond"
