"""A conversation's past: its turns, going back to one of them, and going on from one under another name.

    turns = list_turns(agent, "beach")
    go_back(agent, "beach", 2)              # as it was two turns ago; what came after stays on the thread's history
    branch(agent, "beach", "beach_at_night")

What was made is never touched: productions and their results lie in the store, whatever a conversation goes on from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langgraph.types import StateSnapshot

from tools.errors import InvalidInput

if TYPE_CHECKING:
    from agent.wiring import Agent

__all__ = ["PastTurn", "branch", "go_back", "list_turns"]


@dataclass(frozen=True)
class PastTurn:
    """A finished turn.

    Attributes:
        number: 1 is the latest.
        request: what the user said.
        title: of the storyboard as it was then; empty where there was none.
        shots, seconds: of that storyboard.
        at: when, as ISO 8601; empty where it is not known.
    """

    number: int
    request: str
    title: str
    shots: int
    seconds: float
    at: str


def list_turns(agent: Agent, thread: str) -> list[PastTurn]:
    """The finished turns of a conversation that can be gone back to, the latest first."""
    found = []
    for number, snapshot in enumerate(_ends(agent, thread), start=1):
        board = snapshot.values.get("storyboard")
        said = [str(one.text) for one in snapshot.values.get("messages") or [] if one.type == "human"]
        found.append(
            PastTurn(
                number=number,
                request=said[-1] if said else "",
                title=board.title if board else "",
                shots=len(board.shots) if board else 0,
                seconds=board.duration_s if board else 0.0,
                at=snapshot.created_at or "",
            )
        )
    return found


def go_back(agent: Agent, thread: str, turns: int = 1) -> PastTurn | None:
    """Make a conversation go on from where it was some turns ago.

    Args:
        turns: how many turns to leave behind; 1 leaves the latest.

    Returns:
        the turn it now stands after; None where it stands before the first one.

    Raises:
        InvalidInput: it does not go back that far.
    """
    ends = list(_ends(agent, thread))
    if turns < 1 or turns > len(ends):
        told = "nothing was said yet" if not ends else f"it goes back {len(ends)} turns"
        raise InvalidInput(f"the conversation cannot go back {turns} turns: {told}.")
    if turns == len(ends):
        agent.update_state(_config(thread), _nothing_said(ends[0].values), as_node="respond")
        return None
    # A step that follows the old one: the line of steps forks there, and the thread stands at its new end.
    agent.update_state(ends[turns].config, {"restart": False}, as_node="respond")
    return list_turns(agent, thread)[0]


def branch(agent: Agent, thread: str, name: str, turns: int = 0) -> None:
    """Begin another conversation that has the past of this one.

    Args:
        name: of the new conversation.
        turns: how many turns of this one to leave out.

    Raises:
        InvalidInput: there is such a conversation already, or this one is empty or shorter than that.
    """
    if not name or name == thread or agent.get_state(_config(name)).values:
        raise InvalidInput(f"there is a conversation {name!r} already.", hint="Choose another name.")
    ends = list(_ends(agent, thread))
    if turns >= len(ends):
        raise InvalidInput("there is nothing to branch from: nothing was said yet, or less than that.")
    for end in reversed(ends[turns:]):  # Each turn anew, so that the branch can go back as far.
        agent.update_state(_config(name), dict(end.values), as_node="respond")


def _ends(agent: Agent, thread: str) -> Iterator[StateSnapshot]:
    """The states at the end of turns that led to the present one, the latest first.

    Their messages are those that the present state begins with; a turn that was gone back from has others.
    """
    here = {str(one.id) for one in agent.get_state(_config(thread)).values.get("messages") or []}
    for snapshot in agent.get_state_history(_config(thread)):
        messages = snapshot.values.get("messages") or []
        if not snapshot.next and messages and messages[-1].type == "ai" and str(messages[-1].id) in here:
            # Going back leaves a copy of the turn it went back to.
            here.remove(str(messages[-1].id))
            yield snapshot


def _nothing_said(values: dict[str, Any]) -> dict[str, Any]:
    """The delta that empties what lives on from turn to turn; all else is set anew by the next turn."""
    from langchain_core.messages import RemoveMessage

    gone = [RemoveMessage(id=str(one.id)) for one in values["messages"]]
    lists: dict[str, Any] = {name: [] for name in ("outputs", "past", "future")}
    words = dict.fromkeys(("production", "request", "summary"), "")
    return {"messages": gone, "storyboard": None, "burn_subtitles": False, "variations": 1, **lists, **words}


def _config(thread: str) -> Any:
    return {"configurable": {"thread_id": thread}}
