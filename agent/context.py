"""What the nodes are handed: everything they may use, and nothing global."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from langgraph.runtime import Runtime

from agent.options import RunOptions
from agent.planners.base import Planner
from agent.state import AgentState
from configs.settings import Settings
from knowledge.passage import Retriever, WebSearch

if TYPE_CHECKING:
    from agent.toolbox import Toolbox

__all__ = ["AgentContext", "RunOptions", "handed"]


@dataclass(frozen=True)
class AgentContext:
    """Everything the nodes may use."""

    settings: Settings
    planner: Planner
    toolbox: Toolbox
    retriever: Retriever
    search: WebSearch
    options: RunOptions = field(default_factory=RunOptions)
    cancel: threading.Event = field(default_factory=threading.Event)


class HandedNode(Protocol):
    """A node as LangGraph calls it."""

    def __call__(self, state: AgentState, *, runtime: Runtime[RunOptions]) -> dict[str, Any]: ...


def handed(default: AgentContext, node: Callable[[AgentState, Runtime[AgentContext]], dict[str, Any]]) -> HandedNode:
    """The node, handed everything it may use.

    LangGraph's own context of a run is its `RunOptions`, plain data that a person can set in LangGraph's tools or leave
    out; code may pass a whole `AgentContext` instead.
    """

    def run(state: AgentState, *, runtime: Runtime[RunOptions]) -> dict[str, Any]:
        given: Any = runtime.context
        if isinstance(given, RunOptions):
            given = replace(default, options=given)
        whole: Any = given or default
        return node(state, cast(Runtime[AgentContext], runtime.override(context=whole)))

    run.__name__ = node.__name__
    return run
