"""The whole topology on one screen.

START -> think -> retrieve -> (search) -> reason <-> act -> judge -> respond -> END
           ^                                 ^               |          |
           |                                 +---------------+          |
           +------------ the next goal of a request of several ---------+
"""

from __future__ import annotations

from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

from agent.context import AgentContext, RunOptions, handed
from agent.nodes.act import act
from agent.nodes.judge import judge
from agent.nodes.reason import reason
from agent.nodes.respond import respond
from agent.nodes.retrieve import retrieve
from agent.nodes.search import search
from agent.nodes.think import think
from agent.routing import after_reason, after_respond, after_retrieve
from agent.state import AgentInput, AgentState

__all__ = ["build_graph"]

NETWORK = RetryPolicy(max_attempts=2, retry_on=ConnectionError)
"""Only the network is tried again by the graph; calls have retry rules of their own in the executor."""


def build_graph(default: AgentContext) -> StateGraph[AgentState, RunOptions, AgentInput, AgentState]:
    """Nodes, edges and policies; compile it with a checkpointer to run it (`agent.wiring` does).

    Args:
        default: what the nodes are handed; `invoke(..., context=)` may replace its options, or all of it.
    """
    graph = StateGraph(AgentState, context_schema=RunOptions, input_schema=AgentInput)
    graph.add_node("think", handed(default, think))
    graph.add_node("retrieve", handed(default, retrieve))
    graph.add_node("search", handed(default, search), retry_policy=NETWORK)
    graph.add_node("reason", handed(default, reason))
    graph.add_node("act", handed(default, act))
    graph.add_node("judge", handed(default, judge))
    graph.add_node("respond", handed(default, respond))

    graph.add_edge(START, "think")
    graph.add_edge("think", "retrieve")
    graph.add_conditional_edges("retrieve", after_retrieve, ["search", "reason"])
    graph.add_edge("search", "reason")
    graph.add_conditional_edges("reason", after_reason, ["act", "respond", "think"])
    graph.add_edge("act", "judge")
    graph.add_edge("judge", "reason")
    graph.add_conditional_edges("respond", after_respond, {"think": "think", "end": END})
    return graph
