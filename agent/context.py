"""What the nodes are handed: everything they may use, and nothing global."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from langgraph.runtime import Runtime

from agent.planners.base import Planner
from agent.state import AgentState
from configs.settings import Settings
from knowledge.passage import Retriever, WebSearch
from tools.storyboard import Storyboard

if TYPE_CHECKING:
    from agent.toolbox import Toolbox

__all__ = ["AgentContext", "RunOptions", "handed"]


@dataclass(frozen=True)
class RunOptions:
    """What one run is told beside the message: LangGraph's run context.

    Attributes:
        plan_only: stop at the storyboard.
        approve: show storyboard and draft stills, and wait for a person before the long work begins.
        given: a storyboard to make as it stands; the message is then not read.
        given_path: the file `given` was read from, if any.
        out: the production's folder; None lets the studio choose one below `settings.productions`.
        outputs: what to make, instead of what the message asks for.
        burn_subtitles: also draw the subtitles into the picture.
    """

    plan_only: bool = False
    approve: bool = False
    given: Storyboard | None = None
    given_path: Path | None = None
    out: Path | None = None
    outputs: tuple[str, ...] = ()
    burn_subtitles: bool = False


@dataclass(frozen=True)
class AgentContext:
    """Everything the nodes may use."""

    settings: Settings
    planner: Planner
    toolbox: Toolbox
    retriever: Retriever
    search: WebSearch
    options: RunOptions = RunOptions()
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
