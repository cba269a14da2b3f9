"""What the nodes are handed: everything they may use, and nothing global."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

from langgraph.runtime import Runtime

from agent.chat_models.chat import Chat
from agent.chat_models.roles import ChatModels
from agent.options import RunOptions
from agent.planners.base import Planner
from agent.state import AgentState
from agent.turns import Turn, Turns
from configs.settings import Settings
from knowledge.embedding.opened_later import EmbedderLater
from knowledge.generations import Generations
from knowledge.passage import Retriever, WebSearch
from knowledge.preferences import Preferences
from tools.errors import InvalidInput

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
    models: ChatModels
    turns: Turns
    embedder: EmbedderLater = field(default_factory=EmbedderLater)
    options: RunOptions = field(default_factory=RunOptions)
    cancel: threading.Event = field(default_factory=threading.Event)

    @property
    def generations(self) -> Generations:
        """What was made before, and what helped."""
        return Generations(self.settings.knowledge_home)

    @property
    def preferences(self) -> Preferences:
        """What the person always wants."""
        return Preferences.at(self.settings.knowledge_home)

    def turn(self, state: AgentState) -> Turn:
        """The turn that a state is in: the one that its last human message began."""
        messages = state.get("messages") or []
        turn = self.turns.of(next((str(one.id) for one in reversed(messages) if one.type == "human"), "turn"))
        turn.spending.cancel = self.cancel
        return turn

    def thinker(self, turn: Turn) -> Chat | None:
        """The primary chat model within a turn; None where there is none, where rules are to plan, and where the one
        that is named cannot be asked (its planner says why).

        Raises:
            InvalidInput: it cannot be asked, and the settings want a chat model to plan.
        """
        if self.settings.planner == "offline":
            return None
        try:
            return self.models.of("primary", turn)
        except InvalidInput:
            if self.settings.planner == "chat_model":
                raise
            return None


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
        # Thoughts are told as they come, by way of the node that has them.
        whole.turn(state).tell = runtime.stream_writer
        return node(state, cast(Runtime[AgentContext], runtime.override(context=whole)))

    run.__name__ = node.__name__
    return run
