"""The way in: a request of a turn becomes a storyboard or an answer, by the strategy that suits it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.intent import Intent
from agent.planners.base import Composition, Planner, PlanRequest
from agent.strategies.base import Job, Strategy, StrategyName, offline_planner
from agent.strategies.bounding import bound_board, bound_intent, origins_of
from agent.strategies.chain_of_thought import ChainOfThought
from agent.strategies.choosing import Choice, choose, facts_of
from agent.strategies.policy import Policy, asks, fix_policy
from agent.strategies.react import React, answer_question
from agent.strategies.reflexion import Reflexion, reflections
from agent.strategies.tree_of_thoughts import TreeOfThoughts
from tools.storyboard import Storyboard

if TYPE_CHECKING:
    from agent.context import AgentContext
    from agent.functions.desk import Desk
    from agent.functions.table import FunctionTable
    from agent.mcp.foreign import ForeignServers
    from agent.state import AgentState
    from agent.turns import Turn

__all__ = ["answer", "compose", "job_of", "policy_of", "revise", "understand"]


class Plain:
    """The planner alone."""

    name: StrategyName = "plain"

    def compose(self, job: Job) -> Composition:
        """See `Strategy`."""
        return job.planner.compose(job.intent, job.request)


_STRATEGIES: dict[StrategyName, Callable[[], Strategy]] = {
    "plain": Plain,
    "react": React,
    "chain_of_thought": ChainOfThought,
    "tree_of_thoughts": TreeOfThoughts,
    "reflexion": Reflexion,
}


def policy_of(request: PlanRequest, context: AgentContext) -> Policy:
    """The rights of a turn: of the user's message, the settings and the options, and of nothing else."""
    return fix_policy(request.text, context.settings, context.options)


def understand(request: PlanRequest, context: AgentContext, turn: Turn) -> Intent:
    """Read a request; what only the user may ask for is read by rules.

    Passages of an earlier turn are not shown to who reads this one.
    """
    if not any(one.kind == "request" for one in turn.thoughts):
        turn.think("request", request.text, source="user")
    own = replace(request, notes=())
    intent = context.planner.understand(own)
    if context.thinker(turn) is None:
        return intent
    floor = offline_planner().understand(replace(own, turn=None, history=_said(own)))
    return bound_intent(intent, floor, policy_of(own, context), turn)


def _said(request: PlanRequest) -> tuple[tuple[str, str], ...]:
    return tuple(one for one in request.history if one[0] == "human")


def job_of(state: AgentState, context: AgentContext, intent: Intent, request: PlanRequest) -> Job:
    """Everything that a strategy works with."""
    turn = context.turn(state)
    policy = policy_of(request, context)

    @contextmanager
    def table() -> Iterator[FunctionTable[Desk]]:
        from agent.functions.desk import desk_of
        from agent.functions.offer import studio_functions
        from agent.functions.table import FunctionTable

        functions = studio_functions()
        with ExitStack() as leaving:
            foreign = _foreign_servers(policy, context)
            if foreign is not None:
                # From here on: a turn may be stopped while the second of them is still asked what it offers.
                leaving.callback(foreign.close)
                more, problems = foreign.functions(context.cancel)
                functions += more
                for one in problems:
                    turn.think("note", one, source="mcp", label="functions")
            allowed = policy.allowed(functions)
            desk = desk_of(state, context, turn.tell, offline_planner())
            # A turn of several goals opens a table for each of them; the limit is the turn's.
            limit = max(0, context.settings.max_tool_calls - turn.spending.used_calls)
            opened = FunctionTable(
                functions, desk, allowed=allowed, guard=policy.guard, limit=limit, root=desk.productions, tell=turn.tell
            )
            try:
                yield opened
            finally:
                turn.spending.used_calls += len(opened.records)

    names = [*intent.characters, *_places(intent)]
    lessons = reflections(context).similar(request.text, names) if intent.kind == "scene" else []
    return Job(
        intent=intent,
        request=request,
        passages=state.get("notes") or [],
        planner=context.planner,
        policy=policy,
        settings=context.settings,
        turn=turn,
        model=context.thinker(turn),
        table=table,
        lessons=lessons,
    )


def _foreign_servers(policy: Policy, context: AgentContext) -> ForeignServers | None:
    """The servers of mcp.yaml, where this turn may ask others at all; they are off unless a person turned them on."""
    if "network" not in policy.effects:
        return None
    from agent.mcp.foreign import ForeignServers

    return ForeignServers(network=context.settings.network)


def _places(intent: Intent) -> list[str]:
    return [beat.location for beat in intent.brief.beats if beat.location] if intent.brief else []


def chosen(job: Job, context: AgentContext) -> Choice:
    """The strategy of a job, told in the trace."""
    facts = facts_of(
        job.intent,
        job.request.text,
        given=context.options.given is not None,
        model=job.model is not None,
        looks_up=asks("network", job.policy.text),
        failed_before=bool(job.lessons),
    )
    choice = choose(facts, flag=context.options.strategy, setting=context.settings.strategy)
    data = {"strategy": choice.name, "facts": sorted(facts)}
    job.turn.think("note", f"strategy {choice.name}: {choice.why}", source="rules", label="strategy", data=data)
    return choice


def compose(state: AgentState, context: AgentContext, intent: Intent, request: PlanRequest) -> Composition:
    """The storyboard of a scene, by the strategy that suits it, within the policy.

    Raises:
        Cancelled: a person stopped the turn.
    """
    job = job_of(state, context, intent, request)
    written = _STRATEGIES[chosen(job, context).name]().compose(job)
    if job.model is None:
        return written
    return _bounded(job, written, lambda planner: planner.compose(intent, replace(request, turn=None, notes=())), None)


def revise(
    board: Storyboard, state: AgentState, context: AgentContext, intent: Intent, request: PlanRequest
) -> Composition:
    """A change to the present storyboard, as it was asked for, within the policy."""
    job = job_of(state, context, intent, request)
    written = context.planner.revise(board, intent, request)
    if job.model is None:
        return written
    plain = replace(request, turn=None, notes=())
    return _bounded(job, written, lambda planner: planner.revise(board, intent, plain), board)


def _bounded(
    job: Job, written: Composition, by_rules: Callable[[Planner], Composition], before: Storyboard | None
) -> Composition:
    floor = by_rules(offline_planner())
    return bound_board(
        written, floor, origins_of(job.policy, job.request, job.foreign, floor.storyboard), job.turn, before
    )


def answer(state: AgentState, context: AgentContext, intent: Intent, request: PlanRequest) -> str:
    """The answer to a question or to small talk: by a model with functions, else as the planner gives it.

    Raises:
        Cancelled: a person stopped the turn.
    """
    job = job_of(state, context, intent, request)
    if intent.kind == "question":
        choice = chosen(job, context)
        if choice.name == "react" and (found := answer_question(job)):
            return found
    return context.planner.answer(intent, request)
