"""Which functions the studio has. Which of them a turn may use is settled by `agent.strategies.policy`."""

from __future__ import annotations

from agent.functions.desk import Desk
from agent.functions.knowing import KNOWING
from agent.functions.making import MAKING
from tools.functions import Function

__all__ = ["studio_functions"]


def studio_functions() -> list[Function[Desk]]:
    """The functions of the studio that a model can use, in the order they are shown.

    They are the curated ones: few, with simple arguments. The tools of the registry take whole shots and references;
    the graph calls them, and programs over MCP may (`agent.functions.bench`).
    """
    return [*KNOWING, *MAKING]
