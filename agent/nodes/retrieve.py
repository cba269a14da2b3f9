"""retrieve: what the knowledge base holds about the characters, places and style of the request."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.context import AgentContext
from agent.nodes.think import plan_request
from agent.state import AgentState

__all__ = ["retrieve"]

LIMIT = 5


def retrieve(state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
    """Look up passages; none is a fine answer."""
    intent = state["intent"]
    assert intent is not None
    names = list(intent.characters)
    if intent.brief is not None:
        names += [beat.location for beat in intent.brief.beats if beat.location]
        names += [intent.brief.style] if intent.brief.style else []
    request = plan_request(state)
    passages = runtime.context.retriever.retrieve(request.text, names=list(dict.fromkeys(names)), limit=LIMIT)
    sources = ", ".join(dict.fromkeys(passage.source for passage in passages)) or "nothing"
    return {"notes": passages, "trace": [*state["trace"], f"retrieve: {sources}"]}
