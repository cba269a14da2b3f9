"""Who else could decide what the device does next: the reactive orders that ours is compared with.

They look at what is ready now, load what it needs, and evict what was used longest ago. `insertion`: the first call as
the plan was written down, as node editors run a graph. `greedy`: all that is ready for what is resident, then the
models for which most calls wait by seconds to load. `react`: one call at a time, and before each the language model is
asked what comes next, as an agent's loop does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Literal

from tools.errors import InvalidInput
from tools.runtime.device.device_queue import ChooserFactory
from tools.runtime.device.foresight import Decision, Foresight
from tools.runtime.scheduling.plan import Plan
from tools.runtime.scheduling.problem import Model, Problem, Task, peak_bytes

__all__ = ["POLICIES", "GreedyAffinity", "InsertionOrder", "Policy", "as_react_loop", "chooser_of"]

Policy = Literal["ours", "insertion", "greedy", "react"]
POLICIES: dict[Policy, str] = {
    "ours": "planned (ours)",
    "greedy": "greedy affinity",
    "insertion": "insertion order, LRU",
    "react": "ReAct loop",
}
"""What they are called in tables."""


class InsertionOrder:
    """The first ready call in the order of insertion; models used longest ago make room.

    Args: as `Foresight`.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        models: Mapping[str, Model],
        budget: int,
        cpu_slots: int = 1,  # noqa: ARG002 - chosen over, whatever the CPU does
        on_plan: Callable[[Plan], None] = lambda _plan: None,  # noqa: ARG002 - there is no plan
    ) -> None:
        self._tasks, self._models, self._budget = tasks, dict(models), budget
        self._rank = {name: place for place, name in enumerate(tasks)}
        self._used: dict[str, None] = {}
        """Models, the one used longest ago first."""

    def correct(self, model: Model) -> None:
        """A model turned out to have other sizes or times."""
        self._models[model.name] = model

    def next(
        self,
        ready: Collection[str],
        settled: Collection[str],  # noqa: ARG002
        resident: frozenset[str],
        *,
        others_work: bool = False,  # noqa: ARG002 - nobody waits for what may come
    ) -> Decision | None:
        """What an idle device does now; see `Foresight.next`."""
        if not ready:
            return None
        call = self._choose(sorted(ready, key=self._rank.__getitem__), resident)
        wanted = self._tasks[call].models
        for name in sorted(wanted):
            self._used.pop(name, None)
            self._used[name] = None
        return Decision(call, self._make_room(wanted, resident), tuple(sorted(wanted - resident)))

    def _choose(self, ready: list[str], resident: frozenset[str]) -> str:  # noqa: ARG002
        return ready[0]

    def _make_room(self, wanted: frozenset[str], resident: frozenset[str]) -> tuple[str, ...]:
        evict: list[str] = []
        order = {name: place for place, name in enumerate(self._used)}
        for name in sorted(resident - wanted, key=lambda name: (order.get(name, -1), name)):
            if peak_bytes((resident - set(evict)) | wanted, wanted, self._models) <= self._budget:
                break
            evict.append(name)
        return tuple(evict)


class GreedyAffinity(InsertionOrder):
    """What is ready for what is resident, then the models for which most ready calls wait, by seconds to load."""

    def _choose(self, ready: list[str], resident: frozenset[str]) -> str:
        here = next((name for name in ready if self._tasks[name].models <= resident), None)
        if here is not None:
            return here
        waiting: dict[frozenset[str], int] = {}
        for name in ready:
            models = self._tasks[name].models
            waiting[models] = waiting.get(models, 0) + 1

        def worth(name: str) -> float:
            models = self._tasks[name].models
            return waiting[models] / max(sum(self._models[model].load_s for model in models - resident), 1e-9)

        return max(ready, key=worth)


def chooser_of(policy: Policy) -> ChooserFactory:
    """What decides over the device."""
    if policy == "ours":
        return Foresight
    return GreedyAffinity if policy == "greedy" else InsertionOrder


def as_react_loop(problem: Problem, mind: str, think_s: float = 0.0) -> Problem:
    """The same calls one after another, and before each of them a thought on the model `mind`.

    Args:
        problem: the calls.
        mind: the language model.
        think_s: seconds of a thought; nothing by default, so that only its switches count.

    Raises:
        InvalidInput: there is no such model.
    """
    if mind not in problem.models:
        raise InvalidInput("there is no such model to think with", where=mind)
    tasks: dict[str, Task] = {}
    before: tuple[str, ...] = ()
    for number, name in enumerate(problem.order()):
        thought = Task(f"thought_{number}", frozenset({mind}), before, think_s)
        tasks[thought.id] = thought
        tasks[name] = replace(problem.tasks[name], needs=(*problem.tasks[name].needs, thought.id))
        before = (name,)
    return replace(problem, tasks=tasks)
