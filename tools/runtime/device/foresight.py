"""Which call the device makes next, and what has to move for it. Pure: the plan of `scheduling`, kept up with events.

What is ready on what is resident runs at once. When nothing is, the plan says what to load and what to evict; it is
made anew whenever things went another way than it reckoned with (a result was in the store, a call failed, a model was
lost, the judge sent work back).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from tools.runtime.scheduling.plan import Evict, Load, Plan, Run
from tools.runtime.scheduling.problem import Model, Problem, Task, peak_bytes
from tools.runtime.scheduling.search import plan_order

__all__ = ["Decision", "Foresight"]

_LIMIT_NODES = 5_000
"""States that the search looks at before it takes a beam: about a second at most. Scenes need some hundreds; a limit in
seconds would make the order depend on how busy the machine is."""


@dataclass(frozen=True)
class Decision:
    """What the device does next.

    Attributes:
        call: id of the call it makes.
        evict, load: what moves before, in this order.
        prefetch: model that may be loaded while the call runs, for what comes after it; empty for none.
    """

    call: str
    evict: tuple[str, ...] = ()
    load: tuple[str, ...] = ()
    prefetch: str = ""


class Foresight:
    """The plan of one run on one device.

    Args:
        tasks: every call of the run, those of the CPU as well.
        models: by name.
        budget: bytes.
        cpu_slots: calls of the CPU that may run at once.
        on_plan: told of every new plan.
    """

    def __init__(
        self,
        tasks: Mapping[str, Task],
        models: Mapping[str, Model],
        budget: int,
        cpu_slots: int = 1,
        on_plan: Callable[[Plan], None] = lambda _plan: None,
    ) -> None:
        self._tasks = dict(tasks)
        self._models = dict(models)
        self._budget = budget
        self._cpu_slots = cpu_slots
        self._on_plan = on_plan
        self._plan: Plan | None = None
        self._step = 0
        self.plans = 0
        """How many were made."""

    def correct(self, model: Model) -> None:
        """A model turned out to have other sizes or times: the plan is made anew before the next load."""
        if self._models.get(model.name) != model:
            self._models[model.name] = model
            self._plan = None

    def next(
        self, ready: Collection[str], settled: Collection[str], resident: frozenset[str], *, others_work: bool = False
    ) -> Decision | None:
        """What an idle device does now.

        Args:
            ready: ids of calls with models whose needs are all there.
            settled: ids of calls that are finished, however they ended.
            resident: names of models on the device.
            others_work: whether calls of the CPU are under way, for which it may be worth to wait.

        Returns:
            None where it waits for calls of the CPU, or where nothing is ready.
        """
        if not ready:
            return None
        here = [name for name in ready if self._tasks[name].models <= resident]
        if here:
            call = min(here, key=self._place)
            return self._ahead(call, settled, resident)
        if not self._is_valid(settled, resident):
            self._make(settled, resident)
        decision = self._moves(ready, settled)
        return decision if decision is not None or others_work else self._without_waiting(ready, resident)

    def _without_waiting(self, ready: Collection[str], resident: frozenset[str]) -> Decision:
        """The plan waits for a call that nobody makes (what it needed failed, say): take what is ready."""
        call = min(ready, key=self._place)
        wanted = self._tasks[call].models
        taken = peak_bytes(resident | wanted, wanted, self._models)
        evict = []
        for name in sorted(resident - wanted, key=lambda name: (self._models[name].load_s, name)):
            if taken <= self._budget:
                break
            evict.append(name)
            taken -= self._models[name].weights
        return Decision(call, tuple(evict), tuple(sorted(wanted - resident)))

    def make_plan(self, settled: Collection[str], resident: frozenset[str]) -> Plan:
        """The plan as things stand; for showing it before anything runs."""
        if self._plan is None or not self._is_valid(settled, resident):
            self._make(settled, resident)
        assert self._plan is not None
        return self._plan

    def _make(self, settled: Collection[str], resident: frozenset[str]) -> None:
        left = [task for name, task in self._tasks.items() if name not in settled]
        problem = Problem.of(left, self._models.values(), self._budget, resident, self._cpu_slots)
        self._plan, self._step = plan_order(problem, limit_nodes=_LIMIT_NODES), 0
        self._order = {step.task: place for place, step in enumerate(self._plan.steps) if isinstance(step, Run)}
        self.plans += 1
        self._on_plan(self._plan)

    def _place(self, name: str) -> int:
        return self._order.get(name, 0) if self._plan is not None else 0

    def _is_valid(self, settled: Collection[str], resident: frozenset[str]) -> bool:
        """Go past what is done; then the plan holds if the rest and the residents are what it expects here."""
        if self._plan is None:
            return False
        steps = self._plan.steps
        expected = set(self._resident_before(self._step))
        while self._step < len(steps):
            step = steps[self._step]
            if isinstance(step, Run):
                if step.task not in settled and self._tasks[step.task].models:
                    break
            elif isinstance(step, Load):
                if step.model not in resident:
                    break
                expected.add(step.model)
            elif any(model in resident for model in step.models):
                break
            else:
                expected -= set(step.models)
            self._step += 1
        return expected == resident and self._still_serves(settled, resident)

    def _still_serves(self, settled: Collection[str], resident: frozenset[str]) -> bool:
        """Whether the rest of the plan makes every call that is left, and loads nothing for calls that are done."""
        assert self._plan is not None
        left = {name for name in self._tasks if name not in settled}
        useless: set[str] = set()
        for step in self._plan.steps[self._step :]:
            if isinstance(step, Run):
                if step.task in left:
                    left.discard(step.task)
                    useless -= self._tasks[step.task].models
            elif isinstance(step, Load):
                if step.model not in resident:
                    useless.add(step.model)
            elif useless & set(step.models):
                return False
        return not left and not useless

    def _resident_before(self, index: int) -> frozenset[str]:
        assert self._plan is not None
        resident = set(self._plan.problem.resident)
        for step in self._plan.steps[:index]:
            if isinstance(step, Load):
                resident.add(step.model)
            elif isinstance(step, Evict):
                resident -= set(step.models)
        return frozenset(resident)

    def _moves(self, ready: Collection[str], settled: Collection[str]) -> Decision | None:
        """The moves that come next in the plan, with the first call after them."""
        assert self._plan is not None
        evict: list[str] = []
        load: list[str] = []
        for step in self._plan.steps[self._step :]:
            if isinstance(step, Evict):
                evict.extend(step.models)
            elif isinstance(step, Load):
                load.append(step.model)
            elif not self._tasks[step.task].models:
                if not load and not evict and step.task not in settled:
                    return None
            elif step.task in settled:
                continue
            elif step.task in ready:
                wanted = self._tasks[step.task].models
                beside = next((model for model in load if model not in wanted), "")
                return Decision(step.task, tuple(evict), tuple(model for model in load if model in wanted), beside)
            else:
                return None
        return None

    def _ahead(self, call: str, settled: Collection[str], resident: frozenset[str]) -> Decision:
        """The call, with the next load of the plan beside it where that fits, and what is to leave for it first."""
        if not self._is_valid(settled, resident):
            return Decision(call)
        assert self._plan is not None
        evict: list[str] = []
        for step in self._plan.steps[self._step :]:
            if isinstance(step, Run):
                if step.task != call and step.task not in settled:
                    break
            elif isinstance(step, Evict):
                evict.extend(step.models)
            else:
                wanted = self._tasks[call].models
                after = (resident - set(evict)) | wanted | {step.model}
                fits = peak_bytes(after, wanted, self._models) <= self._budget
                if step.model in resident or not fits or wanted & set(evict):
                    break
                return Decision(call, tuple(evict), prefetch=step.model)
        return Decision(call)
