"""search: the web, only when the request needs what the knowledge base does not hold and the network is allowed."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.context import AgentContext
from agent.nodes.think import plan_request
from agent.state import AgentState

__all__ = ["search"]


def search(state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
    """Ask the web; what it did not do it says, and the work goes on."""
    answer = runtime.context.search.search(plan_request(state).text)
    delta: dict[str, Any] = {"search": answer.status, "trace": [*state["trace"], f"search: {answer.status}"]}
    if answer.passages:
        delta["notes"] = [*state["notes"], *answer.passages]
    elif answer.reason:
        delta["assumptions"] = [*state["assumptions"], answer.reason]
    return delta
