"""retrieve: what the knowledge base holds about the characters, places and style of the request."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.context import AgentContext
from agent.nodes.think import plan_request
from agent.recalling import past_generations
from agent.state import AgentState

__all__ = ["retrieve"]

LIMIT = 5
KINDS = ("character", "place", "style", "guide", "film", "added")
"""Past generations are chosen apart: by what was made, not by the words of the request, which they all repeat."""


def retrieve(state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
    """Look up passages; none is a fine answer."""
    intent = state["intent"]
    assert intent is not None
    names = list(intent.characters)
    if intent.brief is not None:
        names += [beat.location for beat in intent.brief.beats if beat.location]
        names += [intent.brief.style] if intent.brief.style else []
    request = plan_request(state)
    retriever = runtime.context.retriever
    passages = retriever.retrieve(request.text, names=list(dict.fromkeys(names)), limit=LIMIT, kinds=KINDS)
    passages = [*passages, *past_generations(intent, runtime.context)]
    sources = ", ".join(dict.fromkeys(passage.source for passage in passages)) or "nothing"
    told = [f"retrieve: {sources}", *(f"retrieve: {remark}" for remark in retriever.remarks)]
    return {"notes": passages, "trace": [*state["trace"], *told]}
