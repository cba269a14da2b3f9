"""think: the request, the conversation and the present storyboard become an `Intent`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.runtime import Runtime

from agent.context import AgentContext
from agent.intent import Intent, OutputKind
from agent.planners.base import PlanRequest
from agent.preferring import TOPIC, hear_wishes, prefer
from agent.remembering import fold_history
from agent.requests import clean_request
from agent.state import AgentState, Work
from agent.strategies.composing import understand
from agent.strategies.steps import begin_plan, changed_plan, goal_of, plan_of
from agent.turns import Turn
from tools.storyboard import Language

__all__ = ["plan_request", "think"]

FULL_FILM: list[OutputKind] = ["image", "voice", "music", "subtitles", "video"]
HISTORY = 20
"""Messages of the conversation that the planner is shown."""
OWN_FITS = 0.4
"""A passage of the person's own documents that fits this well may be the answer; what has nothing to do with a question
stays below 0.3 (measured with the questions of tests/knowledge)."""


def think(state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
    """Read the last message; a storyboard that was given is taken as it stands.

    Raises:
        InvalidInput: the message is empty or too long.
    """
    context = runtime.context
    folded = fold_history(state, context)
    if folded:
        gone = {one.id for one in folded["messages"]}
        kept = [one for one in state["messages"] if one.id not in gone]
        state = {**state, "summary": folded["summary"], "messages": kept}
    # What a person says at the approval is about the storyboard that was given.
    given = context.options.given if not state.get("restart") else None
    request = plan_request(state, context.turn(state))
    plan = plan_of(state) if given is None and not state.get("restart") else None
    if given is None:
        request = replace(request, text=clean_request(request.text))
        if state.get("restart"):
            plan = changed_plan(state, request.text)
        if plan is None and (plan := begin_plan(state, request.text, context.turn(state))) and plan.present:
            request = replace(request, text=plan.present.text)
    if given is not None:
        names = [member.id for member in given.cast]
        unknown = [member.name for member in given.cast if not member.known]
        goal = f"make the storyboard “{given.title}” as it stands"
        intent = Intent(kind="scene", goal=goal, characters=names, unknown_names=unknown, outputs=FULL_FILM)
    elif plan is not None and plan.present is not None and plan.present.kind == "join":
        making = [one for one in FULL_FILM if one in (state.get("outputs") or FULL_FILM)]
        intent = Intent(kind="edit", goal=plan.present.text, outputs=making, language=_language(state))
    else:
        heard = hear_wishes(request.text, context)
        if heard.only:
            intent = Intent(kind="smalltalk", goal="remember what is preferred", topic=TOPIC, language=heard.language)
        else:
            request = replace(request, text=heard.rest)
            intent = understand(request, context, context.turn(state))
        intent, preferred = prefer(intent, request.text, heard, context)
        told = {
            "assumptions": [*intent.assumptions, *preferred],
            "remarks": [*intent.remarks, *heard.sentences],
        }
        intent = intent.model_copy(update=told)
    if context.options.outputs:
        intent = Intent.model_validate({**intent.model_dump(), "outputs": context.options.outputs})
    runtime.stream_writer({"node": "think", "text": intent.goal})
    return {
        **folded,
        "plan": plan,
        "intent": intent,
        "notes": [],
        "search": "",
        "composed": False,
        "changed": False,
        "restart": False,
        "made": False,
        "work": Work(),
        "assumptions": list(intent.assumptions),
        "remarks": list(intent.remarks),
        "problems": [],
        "files": {},
        "scores": {},
        "trace": [f"think: {intent.kind}, confidence {intent.confidence:.2f}: {intent.goal}"],
    }


def _language(state: AgentState) -> Language:
    before = state.get("intent")
    return before.language if before is not None else "en"


def plan_request(state: AgentState, turn: Turn | None = None) -> PlanRequest:
    """The last human message with what came before it, as a planner wants it."""
    messages = state.get("messages") or []
    spoken = [(m.type, str(m.text)) for m in messages if isinstance(m, HumanMessage | AIMessage)]
    last = max((i for i, (role, _) in enumerate(spoken) if role == "human"), default=-1)
    earlier: tuple[tuple[str, str], ...] = tuple(spoken[max(0, last - HISTORY) : last]) if last > 0 else ()
    if summary := state.get("summary"):
        earlier = (("summary", summary), *earlier)
    goal = goal_of(state)
    notes = state.get("notes") or []
    return PlanRequest(
        text=goal.text if goal is not None else spoken[last][1] if last >= 0 else "",
        history=earlier,
        storyboard=state.get("storyboard"),
        notes=tuple(passage.text for passage in notes),
        own_note=next((one.text for one in notes if one.own and one.score >= OWN_FITS), ""),
        turn=turn,
    )
