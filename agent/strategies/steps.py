"""Where the graph meets a plan of several goals: which one is worked at, what it is made of, what comes after it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage

from agent.planners.base import Composition
from agent.replies import Replies
from agent.strategies.goals import Goal, Plan, joined, read_plan, with_reference

if TYPE_CHECKING:
    from agent.context import AgentContext
    from agent.state import AgentState
    from agent.turns import Turn

__all__ = ["begin_plan", "changed_plan", "close_goal", "goal_of", "only_plans", "plan_of", "shaped"]


def plan_of(state: AgentState) -> Plan | None:
    """The plan of this turn; that of an earlier one does not count."""
    plan = state.get("plan")
    return plan if plan is not None and plan.turn == _turn_id(state) else None


def goal_of(state: AgentState) -> Goal | None:
    """The goal that is worked at; None for a request of one step."""
    plan = plan_of(state)
    return plan.present if plan else None


def begin_plan(state: AgentState, text: str, turn: Turn) -> Plan | None:
    """The goals of a new request, told in the trace; None where it is one step."""
    plan = read_plan(text, _turn_id(state), has_board=state.get("storyboard") is not None)
    if plan is not None:
        for number, goal in enumerate(plan.goals, 1):
            needs = f", needs {', '.join(str(need + 1) for need in goal.needs)}" if goal.needs else ""
            limit = f", if {goal.condition.is_} than {goal.condition.seconds:g} s" if goal.condition else ""
            turn.think("plan", f"step {number}: {goal.text}{needs}{limit}", source="rules", label=goal.kind)
    return plan


def changed_plan(state: AgentState, text: str) -> Plan | None:
    """The plan whose present goal a person changed at the approval: the goals after it are still to be done."""
    plan = state.get("plan")
    if plan is None or plan.present is None:
        return None
    now = plan.present.model_copy(
        update={"text": text, "kind": "change" if plan.present.kind == "join" else plan.present.kind}
    )
    goals = [now if at == plan.at else goal for at, goal in enumerate(plan.goals)]
    return plan.model_copy(update={"turn": _turn_id(state), "goals": goals})


def only_plans(state: AgentState, context: AgentContext) -> bool:
    """Whether nothing is drawn now: this run stops at the storyboard, or the present goal does."""
    plan = plan_of(state)
    return context.options.plan_only or (plan is not None and plan.present is not None and plan.planned)


def shaped(state: AgentState, written: Composition) -> Composition:
    """What was written, joined with or referring to what earlier goals made."""
    plan, goal = plan_of(state), goal_of(state)
    if plan is None or goal is None:
        return written
    needed = [plan.goals[need] for need in goal.needs]
    if goal.kind == "join" and (boards := [one.board for one in needed if one.board is not None]):
        board, left = joined(boards)
        replies = _replies(state)
        said = [replies.say("joined_in_part", shots=replies.count("shot", left))] if left else []
        return replace(written, storyboard=board, remarks=[*written.remarks, *said])
    if goal.kind == "reference" and needed:
        return replace(written, storyboard=with_reference(written.storyboard, needed[0]))
    return written


def close_goal(state: AgentState, delta: dict[str, Any], text: str, context: AgentContext) -> dict[str, Any]:
    """The end of a goal, and with the last one of the turn: what is said to the user.

    Args:
        state: of the turn.
        delta: what the node changes.
        text: what came of this goal, to the user.
        context: of the turn.
    """
    plan, goal = plan_of(state), goal_of(state)
    if plan is None or goal is None:
        return {**delta, "messages": [AIMessage(text)]}
    paper = only_plans(state, context)
    status = "done" if (state.get("composed") if paper else delta.get("made")) else "failed"
    files: dict[str, str] = delta.get("files") or {}
    pictures = {label.partition("/")[2]: path for label, path in files.items() if label.startswith("stills/")}
    after = plan.over(status, text, state.get("storyboard"), pictures)  # type: ignore[arg-type]
    turn = context.turn(state)
    turn.think("plan", f"step {plan.at + 1} {status}", source="rules", label=goal.kind)
    for number, one in enumerate(after.goals[plan.at + 1 : after.at], plan.at + 2):
        turn.think("plan", f"step {number} left out", source="rules", label=one.kind)
    if after.present is not None:
        return {**delta, "plan": after}
    return {**delta, "plan": after, "messages": [AIMessage(_told(state, after))]}


def _told(state: AgentState, plan: Plan) -> str:
    replies = _replies(state)
    lines = []
    for number, goal in enumerate(plan.goals, 1):
        text = goal.told
        if goal.status == "skipped":
            lost = plan.lost(goal)
            board = next((one.board for one in reversed(plan.goals[: number - 1]) if one.board), None)
            if lost is not None:
                text = replies.say("step_lost", n=lost + 1)
            elif goal.condition is not None and board is not None:
                seconds, limit = f"{board.duration_s:g}", f"{goal.condition.seconds:g}"
                text = replies.say("step_not_needed", seconds=seconds, limit=limit)
        lines.append(replies.say("step", n=number, text=text))
    return "\n".join(lines)


def _replies(state: AgentState) -> Replies:
    intent = state.get("intent")
    return Replies(intent.language if intent else "en")


def _turn_id(state: AgentState) -> str:
    messages = state.get("messages") or []
    return next((str(one.id) for one in reversed(messages) if one.type == "human"), "")
