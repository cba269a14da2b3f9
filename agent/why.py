"""Why things are as they are: what was understood and assumed, who decided what, who made it, how it was judged."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.replies import Replies
from agent.state import AgentState, Attempt
from agent.telling_engines import tell_lineup
from agent.turns import Thought
from agent.weaknesses import tell_attempt
from tools.errors import InvalidInput

__all__ = ["tell_why"]

_PART = re.compile(r"[a-z0-9_.-]{1,80}", re.IGNORECASE)


def tell_why(state: AgentState, thoughts: Iterable[Thought] = (), part: str = "", *, preset: str = "") -> list[str]:
    """Lines that answer "why?" about the last turn.

    Args:
        state: of the conversation.
        thoughts: of its last turn.
        part: a shot (`s2`) or a call (`s2.still`, `film`) to tell of alone; empty for the whole.
        preset: of images.yaml that was asked for.

    Raises:
        InvalidInput: there is no such part.
    """
    intent, board = state.get("intent"), state.get("storyboard")
    replies = Replies(intent.language if intent else "en")
    if intent is None:
        return [replies.say("why_nothing")]
    attempts = state["work"].attempts if "work" in state else []
    if part:
        return _of_part(part, attempts, state, replies)
    lines = [replies.say("why_goal", goal=intent.goal, percent=round(100 * intent.confidence))]
    if state["assumptions"]:
        lines += [replies.say("why_assumed"), *(f"  {one}" for one in state["assumptions"])]
    if remarks := state.get("remarks"):
        lines += [replies.say("to_know", list=" ".join(remarks))]
    decided = _decided(thoughts, replies)
    if decided:
        lines += [replies.say("why_decided"), *decided]
    if board is not None and state.get("lineup") is not None:
        lines += tell_lineup(state.get("lineup"), board, replies, preset, made=True)
    sources = dict.fromkeys(one.source for one in state.get("notes") or [])
    if sources:
        lines.append(replies.say("why_read", list=", ".join(sources)))
    if board is not None and attempts:
        best = [one for one in attempts if one.best]
        lines.append(replies.say("why_scores"))
        lines += [tell_attempt(one, attempts, board, replies) for one in best]
    return lines


def _of_part(part: str, attempts: list[Attempt], state: AgentState, replies: Replies) -> list[str]:
    board = state.get("storyboard")
    known = list(dict.fromkeys(one.call for one in attempts))
    found = [one for one in attempts if one.call == part or one.call.startswith(f"{part}.")]
    if not found or board is None:
        shown = part if _PART.fullmatch(part) else "?"
        hint = f"There are: {', '.join(known[:12])}." if known else "Nothing has been judged in this turn."
        raise InvalidInput(f"nothing was made under the name {shown}.", hint=hint)
    lines = []
    for call in dict.fromkeys(one.call for one in found):
        tries = [one for one in attempts if one.call == call]
        for one in tries:
            lines.append(tell_attempt(one, tries[: tries.index(one) + 1], board, replies))
            if one.reason:
                lines.append(f"      {one.reason}")
            lines += [f"      {told}" for told in one.seen]
    return lines


def _decided(thoughts: Iterable[Thought], replies: Replies) -> list[str]:
    """Which pieces came from whom: a line for each of them, in the order they came."""
    found: dict[str, list[str]] = {}
    for one in thoughts:
        if one.kind == "piece" and one.source:
            source = replies.say("why_rules") if one.source == "offline" else one.source
            found.setdefault(source, []).append(one.label or one.text)
    return [f"  {source}: {', '.join(dict.fromkeys(labels))}" for source, labels in found.items()]
