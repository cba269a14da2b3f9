"""Long conversations: what lies far back is kept as a summary, so that a thread neither grows nor forgets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, RemoveMessage, SystemMessage
from pydantic import Field

from agent.chat_models.base import ChatModel, Piece
from agent.chat_models.errors import ChatFailed
from agent.context import AgentContext
from agent.requests import without_controls
from agent.state import AgentState

__all__ = ["LONGEST_CONVERSATION", "fold_history"]

LONGEST_CONVERSATION = 40
"""Messages that a thread holds; as a turn begins, what is beyond is folded into the summary."""
KEPT = 20
"""Messages that stay as they are when older ones are folded."""
LONGEST_SUMMARY = 1_500
_PROMPT = Path(__file__).parent / "prompts" / "summary.md"
LONGEST_REQUEST = 160


class Summary(Piece):
    """What was said in the earlier part of a conversation."""

    summary: str = Field(
        min_length=1,
        max_length=LONGEST_SUMMARY,
        description="what was asked for and made, what the user likes or refused; facts alone",
    )


def fold_history(state: AgentState, context: AgentContext) -> dict[str, Any]:
    """The state's delta that shortens a long conversation; empty where it is short.

    A chat model writes the summary where there is one; else it is the requests themselves, shortened.
    """
    messages = list(state.get("messages") or [])
    if len(messages) <= LONGEST_CONVERSATION:
        return {}
    old = messages[:-KEPT]
    before = state.get("summary") or ""
    turn = context.turn(state)
    model = context.thinker(turn)
    summary = ""
    if model is not None:
        try:
            summary = _written(model, before, old)
        except ChatFailed:
            # It has been told; the rules below never fail.
            summary = ""
    summary = summary or _listed(before, old)
    turn.think(
        "note", f"{len(old)} messages of long ago are kept as a summary", source=model.name if model else "offline"
    )
    return {"summary": summary, "messages": [RemoveMessage(id=str(one.id)) for one in old]}


def _written(model: ChatModel, before: str, old: Sequence[AnyMessage]) -> str:
    told = "\n".join(f"{_who(one)}: {without_controls(str(one.text))[:600]}" for one in old)
    question = f"Summary so far:\n{before or '(none)'}\n\nConversation that follows it:\n{told}"
    role = _PROMPT.read_text(encoding="utf-8")
    found = model.piece(Summary, [SystemMessage(role), HumanMessage(question)], label="summary", temperature=0.0)
    return found.summary.strip()


def _listed(before: str, old: Sequence[AnyMessage]) -> str:
    """The requests one after another; where that is too long, the first and the latest stay."""
    asked = [" ".join(str(one.text).split()) for one in old if isinstance(one, HumanMessage)]
    short = [text if len(text) <= LONGEST_REQUEST else text[:LONGEST_REQUEST].rstrip() + "…" for text in asked]
    lines = [*before.splitlines(), *(f"“{text}”" for text in short if text)]
    while len(lines) > 2 and len("\n".join(lines)) > LONGEST_SUMMARY:
        del lines[1]
    return without_controls("\n".join(lines))[:LONGEST_SUMMARY]


def _who(message: AnyMessage) -> str:
    return "user" if isinstance(message, HumanMessage) else "studio"
