"""Orders that others take, as the plans they come to: what ours is compared with.

All of them react: they look at what is ready now, and evict what was used longest ago.
"""

from __future__ import annotations

from tools.runtime.scheduling.plan import Plan, make_plan
from tools.runtime.scheduling.problem import Problem, peak_bytes
from tools.runtime.scheduling.timing import Evict, Load, Run, Step

__all__ = ["greedy_affinity", "insertion_order", "one_call_at_a_time"]


def insertion_order(problem: Problem) -> Plan:
    """The first ready call in the order of insertion, least recently used models evicted: as ComfyUI runs a graph."""
    device = _Device(problem)
    while device.ready:
        device.run(device.ready[0])
    return make_plan(problem, device.steps, method="insertion order + LRU")


def greedy_affinity(problem: Problem) -> Plan:
    """All that is ready for what is resident; then the models that most ready calls wait for, by seconds to load."""
    device = _Device(problem)
    while device.ready:
        run = next((name for name in device.ready if device.runs_now(name)), None)
        device.run(run or _most_wanted(device))
    return make_plan(problem, device.steps, method="greedy affinity")


def one_call_at_a_time(problem: Problem, mind: str) -> Plan:
    """The first ready call in the order of insertion, and a model that decides on the next one before each of them.

    Args:
        problem: what is ordered.
        mind: the model that decides; a call of the CPU is decided on too.
    """
    device = _Device(problem)
    while device.ready:
        device.bring(frozenset({mind}))
        device.run(device.ready[0])
    return make_plan(problem, device.steps, method="one call at a time")


def _most_wanted(device: _Device) -> str:
    problem = device.problem
    waiting: dict[frozenset[str], int] = {}
    for name in device.ready:
        models = problem.tasks[name].models
        waiting[models] = waiting.get(models, 0) + 1

    def worth(name: str) -> float:
        models = problem.tasks[name].models
        cost = sum(problem.models[model].load_s for model in models - set(device.used))
        return waiting[models] / max(cost, 1e-9)

    return max(device.ready, key=worth)


class _Device:
    """What is resident, what is ready in the order of insertion, and the steps so far."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.steps: list[Step] = []
        self.used: dict[str, None] = dict.fromkeys(sorted(problem.resident))
        """Residents, least recently used first."""
        self._rank = {name: index for index, name in enumerate(problem.tasks)}
        self._waiting = {name: len(set(task.needs) & problem.tasks.keys()) for name, task in problem.tasks.items()}
        self._followers: dict[str, list[str]] = {name: [] for name in problem.tasks}
        for name, task in problem.tasks.items():
            for need in set(task.needs) & problem.tasks.keys():
                self._followers[need].append(name)
        self.ready = [name for name, count in self._waiting.items() if count == 0]

    def runs_now(self, name: str) -> bool:
        """Whether a call needs nothing loaded or evicted."""
        models = self.problem.tasks[name].models
        return not models or (models <= self.used.keys() and self._fits(set(self.used), models))

    def run(self, name: str) -> None:
        """Run a ready call, with what has to be evicted and loaded for it."""
        if models := self.problem.tasks[name].models:
            self.bring(models)
        self.steps.append(Run(name))
        self.ready.remove(name)
        for follower in self._followers[name]:
            self._waiting[follower] -= 1
            if self._waiting[follower] == 0:
                self.ready.append(follower)
        self.ready.sort(key=self._rank.__getitem__)

    def bring(self, models: frozenset[str]) -> None:
        """Have models resident, with room for their working memory."""
        gone = []
        for name in [name for name in self.used if name not in models]:
            if self._fits(self.used.keys() | models, models):
                break
            del self.used[name]
            gone.append(name)
        if gone:
            self.steps.append(Evict(tuple(sorted(gone))))
        for name in sorted(models):
            if name in self.used:
                del self.used[name]
            else:
                self.steps.append(Load(name))
            self.used[name] = None

    def _fits(self, resident: set[str], models: frozenset[str]) -> bool:
        return peak_bytes(resident, models, self.problem.models) <= self.problem.budget
