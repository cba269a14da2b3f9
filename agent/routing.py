"""Where to go next: pure functions of the state."""

from __future__ import annotations

from typing import Literal

from agent.state import AgentState
from agent.strategies.steps import goal_of

__all__ = ["after_reason", "after_respond", "after_retrieve"]


def after_retrieve(state: AgentState) -> Literal["search", "reason"]:
    """Search where a person asked for it, else only when the intent needs what knowledge does not hold."""
    intent = state["intent"]
    if intent is None or not intent.needs_search:
        return "reason"
    return "search" if intent.search_words or not state["notes"] else "reason"


def after_reason(state: AgentState) -> Literal["act", "respond", "think"]:
    """Act while there are calls to make; think again when a person changed the request at the approval."""
    if state.get("restart"):
        return "think"
    return "act" if state["work"].pending else "respond"


def after_respond(state: AgentState) -> Literal["think", "end"]:
    """Think of the next goal of a request of several steps; else the turn is over."""
    return "think" if goal_of(state) is not None else "end"
