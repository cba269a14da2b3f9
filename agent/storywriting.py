"""Writes or changes the storyboard of a turn: what `reason` does before there are calls to plan."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from agent.compiler import unspoken_lines
from agent.context import AgentContext
from agent.intent import Intent
from agent.nodes.think import FULL_FILM, plan_request
from agent.planners.base import Composition
from agent.replies import Replies
from agent.requests import without_controls
from agent.shelf import Shelf, Version
from agent.state import AgentState, Work
from agent.strategies.composing import compose, revise
from agent.strategies.steps import shaped
from tools.errors import InvalidInput
from tools.storyboard import Storyboard

__all__ = ["is_understood", "nowhere_to_go", "write_storyboard"]

KEPT_VERSIONS = 50


def is_understood(intent: Intent) -> bool:
    """Whether there is anything to do: a change of which nothing could be read leaves all as it is."""
    return intent.kind != "edit" or bool(intent.edits) or not intent.questions


def nowhere_to_go(state: AgentState) -> str:
    """What is said to `undo` or `redo` alone where there is no step that way; empty where there is something to do."""
    intent = state["intent"]
    if intent is None or intent.kind != "edit" or state["composed"] or state.get("storyboard") is None:
        return ""
    moves = {edit.op for edit in intent.edits}
    for move, versions in (("undo", state.get("past")), ("redo", state.get("future"))):
        if moves == {move} and not versions:
            return f"nothing_to_{move}"
    return ""


def write_storyboard(state: AgentState, context: AgentContext) -> dict[str, Any]:
    """The state's delta with the storyboard of this turn, its outputs and its place on the shelf of versions."""
    intent = state["intent"]
    assert intent is not None
    shelf = Shelf(context.settings.state_dir / "storyboards")
    board = state.get("storyboard")
    past, future = list(state.get("past") or []), list(state.get("future") or [])
    outputs = _outputs(state, context, intent)
    production, request = state.get("production", ""), state.get("request", "")
    before = _version(state, board)
    if intent.kind == "scene":
        production, request = "", without_controls(plan_request(state).text)
    problems: list[str] = []

    moves = [edit.op for edit in intent.edits if edit.op in ("undo", "redo")]
    if any(edit.op == "undo" and edit.to == 1 for edit in intent.edits):
        moves = ["undo"] * max(1, _since_first_made(past, shelf, request))
    if before is not None and moves:
        now = shelf.put(before)
        for move in moves:
            taken, other = (past, future) if move == "undo" else (future, past)
            if not taken:
                problems.append("nothing_to_undo" if move == "undo" else "nothing_to_redo")
                continue
            other.append(now)
            now = taken.pop()
            version = shelf.get(now)
            board, production, outputs = version.storyboard, version.production, list(version.outputs)
            request, before = version.request, version
    for edit in intent.edits:
        if edit.op == "set_outputs" and edit.outputs:
            outputs = list(edit.outputs)

    written = shaped(state, _compose(state, context, intent, board))
    new = written.storyboard
    if before is not None and new != board:
        past = [*past, shelf.put(before)]
        future = []
    replies = Replies(intent.language)
    silences = [replies.say("silence", text=text) for text in unspoken_lines(new)]
    return {
        "storyboard": new,
        "outputs": outputs,
        "burn_subtitles": _burned(state, context, intent),
        "variations": intent.variations
        if intent.kind == "scene"
        else max(intent.variations, state.get("variations", 1)),
        "production": production,
        "request": request,
        "past": past[-KEPT_VERSIONS:],
        "future": future[-KEPT_VERSIONS:],
        "composed": True,
        "changed": before is not None and new != state.get("storyboard"),
        "work": Work(),
        "assumptions": list(dict.fromkeys([*state["assumptions"], *written.assumptions, *silences])),
        "remarks": list(dict.fromkeys([*state.get("remarks", []), *written.remarks])),
        "problems": [*state["problems"], *problems, *written.problems],
        "trace": [*state["trace"], f"reason: storyboard with {len(new.shots)} shots, {new.duration_s:g} s"],
    }


def _since_first_made(past: list[str], shelf: Shelf, request: str) -> int:
    """How many changes were made since the present request was first carried out."""
    return sum(1 for _ in takewhile(lambda key: shelf.get(key).request == request, reversed(past)))


def _version(state: AgentState, board: Storyboard | None) -> Version | None:
    """The storyboard as it is before this turn, with all that must come back with it."""
    if board is None:
        return None
    production, request = state.get("production", ""), state.get("request", "")
    return Version(storyboard=board, production=production, outputs=state.get("outputs") or FULL_FILM, request=request)


def _outputs(state: AgentState, context: AgentContext, intent: Intent) -> list[str]:
    """What this turn makes. A change to a scene of which only pieces were asked for changes those pieces."""
    kept = (state.get("outputs") or []) if intent.kind == "edit" else []
    if kept and "video" not in kept and not context.options.outputs:
        return list(kept)
    # A film follows its storyboard: a change may have brought the first line, and with it voices.
    return list(intent.outputs or kept or FULL_FILM)


def _compose(state: AgentState, context: AgentContext, intent: Intent, board: Storyboard | None) -> Composition:
    if context.options.given is not None and intent.kind == "scene" and intent.brief is None:
        return Composition(storyboard=context.options.given)
    if intent.kind == "scene":
        return compose(state, context, intent, plan_request(state, context.turn(state)))
    if board is None:
        raise InvalidInput("there is no storyboard to change yet", hint="Ask for a scene first.")
    changes = [edit for edit in intent.edits if edit.op not in ("undo", "redo", "set_outputs")]
    if not changes:
        return Composition(storyboard=board)
    request = plan_request(state, context.turn(state))
    return revise(board, state, context, intent.model_copy(update={"edits": changes}), request)


def _burned(state: AgentState, context: AgentContext, intent: Intent) -> bool:
    kept = intent.kind == "edit" and state.get("burn_subtitles", False)
    return intent.burn_subtitles or context.options.burn_subtitles or kept
