"""reason: observations so far become the next batch of tool calls, or the word that it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from agent.compiler import FIRST_STAGE, LAST_STAGE
from agent.context import AgentContext
from agent.planned import planned_calls
from agent.recalling import begin_with_lessons
from agent.replies import Replies
from agent.state import AgentState, Work
from agent.storywriting import is_understood, nowhere_to_go, write_storyboard
from agent.strategies.choosing import check_strategy
from agent.strategies.reflexion import reflect
from agent.strategies.replanning import replan
from agent.strategies.steps import only_plans
from agent.telling_engines import tell_lineup
from tools.base import Call
from tools.storyboard import Storyboard

__all__ = ["reason"]


def reason(state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
    """Write the storyboard if this turn has none yet; then choose the next batch of its calls."""
    context, intent = runtime.context, state["intent"]
    if intent is None or intent.kind not in ("scene", "edit") or not is_understood(intent):
        return {"work": Work()}
    if nowhere_to_go(state):
        return {"work": Work()}
    delta: dict[str, Any] = {}
    if not state["composed"]:
        context.toolbox.check_preset(context.options.preset)
        check_strategy(context.options.strategy)
        delta = write_storyboard(state, context)
        board, outputs = delta["storyboard"], delta["outputs"]
        delta["lineup"] = context.toolbox.draw_up(board, outputs, context.options.engines)
        if not only_plans(state, context):
            context.toolbox.check(planned_calls({**state, **delta}, context))  # type: ignore[typeddict-item]
            delta["production"] = context.toolbox.open_production({**state, **delta}, context.options)  # type: ignore[typeddict-item]
            name = Path(delta["production"]).name
            context.turn(state).think("note", f"works in {name}", label="production", data={"production": name})
            begin_with_lessons({**state, **delta}, context, delta)  # type: ignore[typeddict-item]
        replies = Replies(intent.language)
        told = tell_lineup(delta["lineup"], board, replies, context.options.preset)
        runtime.stream_writer({"node": "reason", "storyboard": board.model_dump(mode="json"), "engines": told})
    if only_plans(state, context):
        return delta
    if state["composed"] and (changed := replan(state, context)):
        delta |= changed
        if "storyboard" in changed:
            context.toolbox.open_production({**state, **delta}, context.options)  # type: ignore[typeddict-item]
    now: AgentState = {**state, **delta}  # type: ignore[typeddict-item]
    calls = planned_calls(now, context)
    work = next_batch(now["work"], calls)
    if context.options.approve and not work.approved and work.pending and work.stage > FIRST_STAGE:
        return _ask(now, delta, context, calls, work)
    if not work.pending and (work.attempts or work.failures):
        turn = context.turn(now)
        reflect({**now, "work": work}, context, turn, context.thinker(turn))
    return {**delta, "work": work}


def next_batch(work: Work, calls: list[Call]) -> Work:
    """The calls to make next: all of the lowest stage that are not finished; none when everything is.

    A call that needs one that failed is given up with it, so that the turn always ends.
    """
    failures = dict(work.failures)
    for stage in range(max(work.stage, FIRST_STAGE), LAST_STAGE + 1):
        pending = []
        for call in (call for call in calls if call.stage == stage and call.id not in failures):
            lost = [need for need in call.needs if need in failures]
            if lost:
                failures[call.id] = f"it needs {lost[0]}, which could not be made"
            elif call.id not in work.results:
                pending.append(call.id)
        if pending:
            return work.model_copy(update={"stage": stage, "pending": pending, "failures": failures})
    return work.model_copy(update={"pending": [], "failures": failures})


def _ask(
    state: AgentState, delta: dict[str, Any], context: AgentContext, calls: list[Call], work: Work
) -> dict[str, Any]:
    """Wait for a person: yes, a change in words, another storyboard, or stop."""
    board = state.get("storyboard")
    assert board is not None
    answer = interrupt(
        {
            "question": "approve",
            "storyboard": board.model_dump(mode="json"),
            "stills": context.toolbox.still_paths(state),
            "seconds": context.toolbox.predict_seconds(state, [call for call in calls if call.id in work.pending]),
            "assumptions": state["assumptions"],
        }
    )
    if isinstance(answer, dict) and answer.get("change"):
        return {**delta, "messages": [("human", str(answer["change"]))], "restart": True}
    if isinstance(answer, dict) and answer.get("storyboard"):
        changed = Storyboard.model_validate(answer["storyboard"])
        # Who speaks what may have changed, and with it who makes it; storyboard.yaml holds what is made.
        more: dict[str, Any] = {"lineup": context.toolbox.draw_up(changed, state["outputs"], context.options.engines)}
        fresh: AgentState = {**state, **more, "storyboard": changed, "work": Work(approved=True)}  # type: ignore[typeddict-item]
        context.toolbox.check(planned_calls(fresh, context))
        context.toolbox.open_production(fresh, context.options)
        begin_with_lessons(fresh, context, more)
        batch = next_batch(more.get("work", fresh["work"]), planned_calls({**fresh, **more}, context))  # type: ignore[typeddict-item]
        return {**delta, **more, "storyboard": changed, "work": batch}
    if answer is True or (isinstance(answer, dict) and answer.get("approve")):
        return {**delta, "work": work.model_copy(update={"approved": True})}
    stopped = [*state["problems"], "not_approved"]
    return {**delta, "problems": stopped, "work": work.model_copy(update={"pending": []})}
