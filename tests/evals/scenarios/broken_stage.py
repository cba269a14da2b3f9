"""Stages with one thing broken, for the tests: `python -m tests.evals.scenarios.broken_stage JOB.json LIFELINE`.

Which one stands in `EVAL_TWIN`: parts of the studio that the scenarios must find out, and ways in which a stage
ends that the runner must survive.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from evals.run.stage import Job, main

__all__ = ["TWINS"]


def node() -> None:
    """A node: what is known is not looked up."""
    import agent.graph

    def retrieve(state: Any, _runtime: Any) -> dict[str, Any]:
        return {"notes": [], "trace": [*state["trace"], "retrieve: none"]}

    agent.graph.retrieve = retrieve


def tool() -> None:
    """A tool: the picture leaves out the last one who stands in it."""
    import evals.world.engines
    import evals.world.toolbox

    real = evals.world.engines.world_engines
    allowed = (*evals.world.engines.ALLOWED, "tests.evals.scenarios.")

    def broken(registry: Any, world: Any) -> Any:
        made = real(registry, world)
        entry = made.entries.tools["generate_image"]
        path = "tests.evals.scenarios.broken_engines:LeavesOneOut"
        engines = {**entry.engines, "draft": entry.engines["draft"].model_copy(update={"engine": path})}
        tools = {**made.entries.tools, "generate_image": entry.model_copy(update={"engines": engines})}
        made.entries = made.entries.model_copy(update={"tools": tools})
        made.allow = allowed
        return made

    evals.world.toolbox.world_engines = broken
    evals.world.toolbox.ALLOWED = allowed  # type: ignore[assignment]


def judge() -> None:
    """The judge: whatever it sees, it asks for nothing."""
    import agent.nodes.judge

    agent.nodes.judge._retry = lambda *_: None


def planner() -> None:
    """The planner: it is always day."""
    import agent.storywriting

    real = agent.storywriting.write_storyboard

    def broken(*given: Any) -> Any:
        delta = real(*given)
        for shot in delta["storyboard"].shots:
            shot.time_of_day = "day"
        return delta

    import agent.nodes.reason

    agent.nodes.reason.write_storyboard = broken


def store() -> None:
    """The store: what was made before is not looked at."""
    from tests.agent.broken_studio import forgets

    forgets()


def reply() -> None:
    """The answer: another language than the person's."""
    import agent.nodes.respond

    real = agent.nodes.respond.Replies
    agent.nodes.respond.Replies = lambda _language: real("de")  # type: ignore[misc,assignment]


def _dies() -> None:
    os.kill(os.getpid(), 11)


def _leaves() -> None:
    os._exit(3)


def _hangs() -> None:
    time.sleep(60)


def _lies() -> None:
    import sys

    job = Job.model_validate_json(Path(sys.argv[1]).read_bytes())
    (job.folder / "run.json").write_text('{"outcome": "passed"}', encoding="utf-8")
    os._exit(0)


def _says_nothing() -> None:
    os._exit(0)


TWINS = {
    "node": node, "tool": tool, "judge": judge, "planner": planner, "store": store, "reply": reply, "dies": _dies,
    "leaves": _leaves, "hangs": _hangs, "lies": _lies, "says_nothing": _says_nothing,
}  # fmt: skip


if __name__ == "__main__":
    TWINS[os.environ["EVAL_TWIN"]]()
    main()
