"""search: the web, only when the request needs what the knowledge base does not hold and the network is allowed."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.context import AgentContext
from agent.intent import Intent
from agent.nodes.think import plan_request
from agent.replies import Replies
from agent.searching import sum_up
from agent.state import AgentState
from knowledge.passage import SearchAnswer
from knowledge.web.problems import Stopped
from tools.errors import Cancelled

__all__ = ["search", "tell_outcome"]


def search(state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
    """Ask the web and sum up what it says; what it did not say is told, and the work goes on.

    Raises:
        Cancelled: a person stopped it.
    """
    context, intent = runtime.context, state["intent"]
    assert intent is not None
    turn = context.turn(state)
    words = intent.search_words or plan_request(state).text
    runtime.stream_writer({"node": "search", "text": words})
    try:
        answer = context.search.search(words)
    except Stopped:
        raise Cancelled("stopped while the web was asked") from None
    turn.think("observation", f"{answer.status}: {answer.reason or words}", source="search_web", label="web search")
    delta: dict[str, Any] = {
        "search": answer.status,
        "synthesis": None,
        "trace": [*state["trace"], f"search: {answer.status}"],
        "remarks": [*state.get("remarks", []), tell_outcome(answer, intent, words)],
    }
    if answer.passages:
        synthesis, why = sum_up(words, answer.passages, model=context.thinker(turn), embedder=context.embedder)
        if why:
            told = Replies(intent.language).say("web_not_by", why=why)
            delta["remarks"].append(told)
        delta |= {"notes": [*state["notes"], *answer.passages], "synthesis": synthesis}
    return delta


def tell_outcome(answer: SearchAnswer, intent: Intent, words: str) -> str:
    """What the search came to, in one line to the user."""
    replies = Replies(intent.language)
    if answer.status == "found":
        return replies.say("web_used", words=words if len(words) <= 80 else f"{words[:77]}...")
    return replies.say(f"web_{answer.status}", why=answer.reason)
