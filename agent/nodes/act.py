"""act: hands the batch to the executor and reports what came of it."""

from __future__ import annotations

from typing import Any

from langgraph.runtime import Runtime

from agent.context import AgentContext
from agent.planned import planned_calls
from agent.state import AgentState
from tools.artifact import Artifact
from tools.errors import Cancelled

__all__ = ["act"]


def act(state: AgentState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
    """Run the pending calls. A call that fails is an observation, not the end of the run.

    Raises:
        Cancelled: a person stopped it; what is finished lies in the store.
    """
    context, work = runtime.context, state["work"]
    pending = set(work.pending)
    batch = [call for call in planned_calls(state, context) if call.id in pending]
    outcome = context.toolbox.run(state, batch, runtime.stream_writer, context.cancel)
    results, failures = dict(work.results), dict(work.failures)
    for call_id, result in outcome.items():
        if isinstance(result, Artifact):
            results[call_id] = result.key
        elif isinstance(result, Cancelled):
            raise result
        else:
            failures[call_id] = str(result)
    done = len(pending) - len(pending & failures.keys())
    return {
        "work": work.model_copy(update={"results": results, "failures": failures}),
        "trace": [*state["trace"], f"act: stage {work.stage}, {done} of {len(pending)} calls made"],
    }
