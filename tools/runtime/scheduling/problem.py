"""What is to be ordered: calls with the models they need, models with their sizes, and where things stand.

Sizes are bytes of device memory, times are seconds. A call of no model runs on the CPU, beside whatever is on the GPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tools.errors import InvalidInput

__all__ = ["Insertion", "Model", "Problem", "Task", "peak_bytes"]


@dataclass(frozen=True, slots=True)
class Model:
    """A set of weights that is on the device as a whole, or not.

    Attributes:
        name: unique.
        weights: bytes it takes while resident.
        working: bytes that a call of it may need besides, while it runs.
        load_s: seconds from host memory (or from asleep) to the device: what each switch to it costs.
        cold_s: seconds more the first time, from disk to host memory. Paid once in any order, so no order is better
            for it; it counts in the predicted time alone.
    """

    name: str
    weights: int
    working: int = 0
    load_s: float = 1.0
    cold_s: float = 0.0

    def within(self, budget: int) -> Model:
        """No larger than a device of so many bytes. Where it is, whoever loads or runs it is told, not who plans."""
        weights = min(self.weights, budget)
        return replace(self, weights=weights, working=min(self.working, budget - weights))


@dataclass(frozen=True, slots=True)
class Task:
    """One call.

    Attributes:
        id: unique.
        models: all of them are resident while it runs; empty for the CPU.
        needs: ids of tasks that come first.
        seconds: how long it runs.
    """

    id: str
    models: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Insertion:
    """Calls that a finished call brings into being, such as another attempt that a verdict asks for.

    Attributes:
        tasks: the new calls; one with the id of a known call takes its place.
        waits: for calls that are there already, what they need besides from now on.
    """

    tasks: tuple[Task, ...]
    waits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """Tasks to order on one device.

    Attributes:
        tasks: by id, in the order of insertion. Needs that are no task here count as finished.
        models: by name.
        budget: bytes of the device that may be used: the weights of all residents and the largest working memory among
            the models of the call that runs never exceed it.
        resident: names of models that are on the device at the start.
        cpu_slots: CPU tasks that may run at once.
    """

    tasks: Mapping[str, Task]
    models: Mapping[str, Model]
    budget: int
    resident: frozenset[str] = field(default=frozenset())
    cpu_slots: int = 1

    @classmethod
    def of(
        cls,
        tasks: Iterable[Task],
        models: Iterable[Model],
        budget: int,
        resident: Iterable[str] = (),
        cpu_slots: int = 1,
    ) -> Problem:
        """Check and make.

        Raises:
            InvalidInput: an id twice, a model that is not there, a circle, or a call whose models together do not fit.
        """
        known = {model.name: model for model in models}
        by_id: dict[str, Task] = {}
        for task in tasks:
            if task.id in by_id:
                raise InvalidInput("two calls have this id", where=task.id)
            by_id[task.id] = task
            for name in sorted(task.models - known.keys()):
                raise InvalidInput(f"needs the model {name!r}, of which nothing is known", where=task.id)
            peak = peak_bytes(task.models, task.models, known)
            if peak > budget:
                raise InvalidInput(
                    f"{', '.join(sorted(task.models))} take {peak / 2**30:.1f} GiB, the budget is {budget / 2**30:.1f}",
                    where=task.id,
                )
        problem = cls(by_id, known, budget, frozenset(name for name in resident if name in known), max(1, cpu_slots))
        problem.order()
        return problem

    def fits(self, task: Task, resident: Iterable[str] | None = None) -> bool:
        """Whether a call can run on what is resident (at the start, or as given), within the budget."""
        models = self.resident if resident is None else frozenset(resident)
        if not task.models:
            return True
        return task.models <= models and peak_bytes(models, task.models, self.models) <= self.budget

    def inserted(self, insertion: Insertion) -> Problem:
        """With new calls in it; they stand at the end, as whoever plans adds them.

        Raises:
            InvalidInput: see `of`.
        """
        tasks = {
            name: replace(task, needs=(*task.needs, *insertion.waits[name])) if name in insertion.waits else task
            for name, task in self.tasks.items()
        }
        tasks |= {task.id: task for task in insertion.tasks}
        return self.of(tasks.values(), self.models.values(), self.budget, self.resident, self.cpu_slots)

    def order(self) -> list[str]:
        """Ids so that each comes after what it needs; among equals, the order of insertion.

        Raises:
            InvalidInput: the tasks form a circle.
        """
        waiting = {name: sum(need in self.tasks for need in set(task.needs)) for name, task in self.tasks.items()}
        later: dict[str, list[str]] = {name: [] for name in self.tasks}
        for name, task in self.tasks.items():
            for need in set(task.needs) & self.tasks.keys():
                later[need].append(name)
        order = [name for name, count in waiting.items() if count == 0]
        for name in order:
            for other in later[name]:
                waiting[other] -= 1
                if waiting[other] == 0:
                    order.append(other)
        if len(order) < len(self.tasks):
            stuck = [name for name in self.tasks if waiting[name] > 0]
            raise InvalidInput(f"these calls wait for one another: {', '.join(stuck[:6])}")
        return order


def peak_bytes(resident: Iterable[str], running: Iterable[str], models: Mapping[str, Model]) -> int:
    """Bytes on the device while a call of the models `running` runs beside the residents."""
    weights = sum(models[name].weights for name in resident)
    return weights + max((models[name].working for name in running), default=0)
