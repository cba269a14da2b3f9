"""The calls of a state: its storyboard compiled, every variation, with what the quality loop changed."""

from __future__ import annotations

from agent.compiler import compile_calls
from agent.context import AgentContext
from agent.state import AgentState
from tools.base import Call

__all__ = ["planned_calls"]


def planned_calls(state: AgentState, context: AgentContext) -> list[Call]:
    """The storyboard of the state as calls, every variation, with what the quality loop changed."""
    board = state.get("storyboard")
    assert board is not None
    return [
        call
        for variation in range(1, state.get("variations", 1) + 1)
        for call in compile_calls(
            board,
            state["outputs"],
            seed=context.settings.seed,
            variation=variation,
            burn_subtitles=state.get("burn_subtitles", False),
            overrides=state["work"].overrides,
            lost=state["work"].failures,
            lineup=state.get("lineup"),
            preset=context.options.preset,
        )
    ]
