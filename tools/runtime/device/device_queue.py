"""The calls of one run that wait for the device, and which of them is next."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from tools.errors import InvalidInput, MissingPrerequisite
from tools.runtime.device.foresight import Decision, Foresight
from tools.runtime.device.lane import Lane
from tools.runtime.events import DeviceEvent, PlanFigures
from tools.runtime.graph import CallGraph, Node
from tools.runtime.scheduling.plan import Plan
from tools.runtime.scheduling.problem import Model, Task, peak_bytes
from tools.runtime.storage.store import Provenance

__all__ = ["Chooser", "ChooserFactory", "DeviceQueue"]


class Chooser(Protocol):
    """Decides what the device does next; see `Foresight`, which is ours. The simulation compares it with others."""

    def correct(self, model: Model) -> None: ...

    def next(
        self, ready: Collection[str], settled: Collection[str], resident: frozenset[str], *, others_work: bool = False
    ) -> Decision | None: ...


ChooserFactory = Callable[[Mapping[str, Task], Mapping[str, Model], int, int, Callable[[Plan], None]], Chooser]
"""From tasks, models, budget, CPU slots and who is told of plans."""


class DeviceQueue:
    """Calls with models, in the order of the plan.

    Args:
        graph: of the run.
        lane: the device.
        cpu_slots: calls of the CPU that may run at once.
        tell: told of plans.
        choose: makes what decides.

    Raises:
        MissingPrerequisite: an engine needs a model of which nothing is known.
        InvalidInput: the models of a call do not fit the device together.
    """

    def __init__(
        self,
        graph: CallGraph,
        lane: Lane,
        cpu_slots: int,
        tell: Callable[[DeviceEvent], None],
        choose: ChooserFactory = Foresight,
    ) -> None:
        self._lane, self._tell = lane, tell
        self._waiting: dict[str, tuple[Node, Provenance]] = {}
        self.busy = False
        """Whether a call of this run has the device, or is on its way to it."""
        tasks = {name: _task(node, lane) for name, node in graph.nodes.items()}
        self._is_slow = lane.device == "cpu" and any(node.engine.device == "gpu" for node in graph.nodes.values())
        self._tasks, self._models = tasks, {name: lane.ledger.model(name).within(lane.budget) for name in lane.entries}
        models = dict(self._models)
        self._chooser = choose(tasks, models, lane.budget, cpu_slots, self._show)

    def _show(self, plan: Plan) -> None:
        figures = PlanFigures(
            calls=len(plan.order),
            switches=plan.switches,
            switch_s=plan.switch_s,
            bound_s=plan.bound_s,
            wall_s=plan.wall_s,
            peak_bytes=plan.peak_bytes,
            budget_bytes=self._lane.budget,
            proven=plan.proven,
        )
        head, line, rest = plan.text().partition("\n")
        if self._is_slow:
            head += "; engines that are made for a GPU run on the CPU, many times slower"
        told = DeviceEvent(
            self._lane.device, "plan", "", plan.wall_s, plan.peak_bytes, head + line + rest, plan=figures
        )
        self._tell(told)

    def _correct(self, model: Model) -> None:
        """Plan with what was measured, unless a call would not fit the device by it: it is planned as before then, for
        the device itself says so when its turn comes, and the ladder knows what to do."""
        if self._models[model.name] == model:
            return
        after = {**self._models, model.name: model}
        calls = (task.models for task in self._tasks.values() if model.name in task.models)
        if any(peak_bytes(models, models, after) > self._lane.budget for models in set(calls)):
            return
        self._models = after
        self._chooser.correct(model)

    def add(self, node: Node, made: Provenance) -> None:
        """All that this call needs is there."""
        self._waiting[node.call.id] = (node, made)

    def clear(self) -> None:
        """Nothing more is to be made."""
        self._waiting.clear()

    def take(self, settled: Collection[str], *, others_work: bool) -> tuple[Node, Provenance, Decision] | None:
        """The next call, if the device should make one now.

        Args:
            settled: ids of the calls that are finished, however they ended.
            others_work: whether calls of the CPU are under way.
        """
        if self.busy or not self._waiting:
            return None
        for name in self._lane.entries:
            self._correct(self._lane.ledger.model(name).within(self._lane.budget))
        decision = self._chooser.next(self._waiting, settled, self._lane.expected, others_work=others_work)
        if decision is None:
            return None
        self.busy = True
        return *self._waiting.pop(decision.call), decision


def _task(node: Node, lane: Lane) -> Task:
    for name in node.engine.models:
        if name in lane.absent:
            raise InvalidInput(f"{node.engine.tool}/{node.engine.name} cannot run here: {lane.absent[name]}.")
        if name not in lane.entries:
            raise MissingPrerequisite(
                f"{node.engine.tool}/{node.engine.name} needs the model {name!r}, which models.yaml does not list.",
                command="studio doctor",
            )
    return Task(node.call.id, frozenset(node.engine.models), node.needs, node.cost)
