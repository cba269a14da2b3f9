"""The mind of the studio: `create_agent()` returns a compiled LangGraph graph.

Imported lazily, so that `import agent` and `studio --help` stay light.
"""

from __future__ import annotations

import os

# `typing` takes longer to import than all of this.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from agent.wiring import create_agent
    from configs.settings import Settings

__all__ = ["Settings", "create_agent"]

# LangGraph reads it once, when any part of it is imported: only types of our state are built from a checkpoint.
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"


def __getattr__(name: str) -> Any:
    if name == "create_agent":
        # Here, not above: `import agent` is to import nothing of its own.
        from agent.collecting import CollectorAtRest

        with CollectorAtRest():
            from agent.wiring import create_agent
        return create_agent
    if name == "Settings":
        from configs.settings import Settings

        return Settings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
