"""From what is resident when to the steps in full: which calls run in which stint, in which order, what is prefetched.

A stint is the time between two changes of what is resident. Models that are no longer of use stay as long as there is
room: a retry that comes later may still want them.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Sequence

from tools.runtime.scheduling.problem import Problem, peak_bytes
from tools.runtime.scheduling.timing import Evict, Load, Run, Step

__all__ = ["prefetched", "steps_of", "tails"]


def tails(problem: Problem) -> dict[str, float]:
    """For each call the seconds from its start to the end of the longest chain of calls that need it."""
    longest = {name: task.seconds for name, task in problem.tasks.items()}
    for name in reversed(problem.order()):
        for need in problem.tasks[name].needs:
            if need in longest:
                longest[need] = max(longest[need], problem.tasks[need].seconds + longest[name])
    return longest


def steps_of(problem: Problem, residents: Iterable[frozenset[str]]) -> list[Step]:
    """Steps of a schedule that has these models resident, one set after another.

    Args:
        problem: what is ordered.
        residents: which models each stint has; before the first, as much as can be runs on what is resident at the
            start. What is in no set of them is evicted when its room is needed.
    """
    writer = _Writer(problem)
    writer.stint(frozenset(problem.resident))
    for models in residents:
        writer.stint(models)
    return writer.steps


class _Writer:
    """Writes steps, stint by stint."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._rank = {name: index for index, name in enumerate(problem.tasks)}
        self._tails = tails(problem)
        self._waiting = dict.fromkeys(problem.tasks, 0)
        self._followers: dict[str, list[str]] = {name: [] for name in problem.tasks}
        for name, task in problem.tasks.items():
            for need in set(task.needs) & problem.tasks.keys():
                self._waiting[name] += 1
                self._followers[need].append(name)
        self._ready = {name for name, count in self._waiting.items() if count == 0}
        self._demand: dict[str, int] = dict.fromkeys(problem.models, 0)
        for task in problem.tasks.values():
            for model in task.models:
                self._demand[model] += 1
        self._resident = set(problem.resident)
        self._ended: dict[str, float] = {}
        self._gpu = 0.0
        self._cpu = [0.0] * problem.cpu_slots
        self.steps: list[Step] = []

    def stint(self, models: frozenset[str]) -> None:
        """Have these models resident, and run all that becomes ready on them."""
        missing = sorted(models - self._resident)
        runs = self._collect(models)
        working = max((self._working(name) for name in runs), default=0)
        self._make_room(models, working)
        for name in missing:
            self._resident.add(name)
            self._gpu += self._problem.models[name].load_s
            self.steps.append(Load(name))
        self._schedule(runs)

    def _working(self, name: str) -> int:
        return peak_bytes((), self._problem.tasks[name].models, self._problem.models)

    def _collect(self, models: frozenset[str]) -> set[str]:
        """Calls that can run in this stint, one after another; they are marked as done."""
        collected: set[str] = set()
        go = sorted(self._ready)
        while go:
            name = go.pop()
            task = self._problem.tasks[name]
            if not self._problem.fits(task, models):
                continue
            collected.add(name)
            self._ready.discard(name)
            for model in task.models:
                self._demand[model] -= 1
            for follower in self._followers[name]:
                self._waiting[follower] -= 1
                if self._waiting[follower] == 0:
                    self._ready.add(follower)
                    go.append(follower)
        return collected

    def _make_room(self, models: frozenset[str], working: int) -> None:
        """Evict what is not of this stint, as far as its room is needed: first what nothing wants any more."""
        known = self._problem.models
        others = sorted(
            self._resident - models,
            key=lambda name: (self._demand[name] > 0, known[name].load_s / max(1, known[name].weights), name),
        )
        evicted = []
        used = sum(known[name].weights for name in self._resident | models) + working
        for name in others:
            if used <= self._problem.budget:
                break
            used -= known[name].weights
            evicted.append(name)
        if evicted:
            self._resident.difference_update(evicted)
            self.steps.append(Evict(tuple(sorted(evicted))))

    def _schedule(self, runs: set[str]) -> None:
        """Order the calls of a stint: what can start first, and of those what has the longest chain behind it."""
        counts = {name: len({need for need in self._problem.tasks[name].needs if need in runs}) for name in runs}
        lanes = (_Lane(), _Lane())  # the CPU, the GPU
        for name in sorted(runs, key=self._rank.__getitem__):
            if counts[name] == 0:
                self._offer(lanes, name)
        while lanes[0] or lanes[1]:
            gpu = lanes[1].starts_at(self._gpu)
            on_gpu = gpu <= lanes[0].starts_at(self._cpu[0])
            start, name = lanes[on_gpu].take(self._gpu if on_gpu else self._cpu[0])
            ended = self._ended[name] = start + self._problem.tasks[name].seconds
            if on_gpu:
                self._gpu = ended
            else:
                heapq.heapreplace(self._cpu, ended)
            self.steps.append(Run(name))
            for follower in self._followers[name]:
                if follower in counts:
                    counts[follower] -= 1
                    if counts[follower] == 0:
                        self._offer(lanes, follower)

    def _offer(self, lanes: tuple[_Lane, _Lane], name: str) -> None:
        task = self._problem.tasks[name]
        earliest = max((self._ended.get(need, 0.0) for need in task.needs), default=0.0)
        lanes[bool(task.models)].offer(earliest, -self._tails[name], self._rank[name], name)


class _Lane:
    """Calls that wait for the GPU, or for the CPU: those that could start, and those whose needs have not ended."""

    def __init__(self) -> None:
        self._later: list[tuple[float, float, int, str]] = []
        self._now: list[tuple[float, int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._now or self._later)

    def offer(self, earliest: float, rank: float, index: int, name: str) -> None:
        """Add a call that can start at `earliest`; a lower rank goes first, then a lower index."""
        heapq.heappush(self._later, (earliest, rank, index, name))

    def starts_at(self, free: float) -> float:
        """When the next call starts if the lane is free from then on; infinite if there is none."""
        if self._now:
            return free
        return max(free, self._later[0][0]) if self._later else float("inf")

    def take(self, free: float) -> tuple[float, str]:
        """The next call and when it starts."""
        start = self.starts_at(free)
        while self._later and self._later[0][0] <= start:
            _, rank, index, name = heapq.heappop(self._later)
            heapq.heappush(self._now, (rank, index, name))
        return start, heapq.heappop(self._now)[2]


def prefetched(problem: Problem, steps: Sequence[Step], verdicts: Collection[str] = ()) -> list[Step]:
    """Start each load as early within the stint before it as memory allows, so that it goes on beside calls.

    A load is moved, with the eviction before it, ahead of calls that use none of the evicted models and whose peak
    stays within the budget beside the new one, but ahead of none of the `verdicts`: their outcome may change what is
    to be loaded. What is loaded and in which order does not change.
    """
    moved: list[Step] = []
    resident = set(problem.resident)
    for step in steps:
        if not isinstance(step, Load):
            moved.append(step)
            if isinstance(step, Evict):
                resident.difference_update(step.models)
            continue
        evict = moved.pop() if moved and isinstance(moved[-1], Evict) else None
        gone = evict.models if isinstance(evict, Evict) else ()
        resident.add(step.model)
        place = len(moved)
        while place and _may_pass(problem, moved[place - 1], resident, gone, verdicts):
            place -= 1
        moved[place:place] = [step] if evict is None else [evict, step]
    return moved


def _may_pass(
    problem: Problem, earlier: Step, resident: set[str], gone: Sequence[str], verdicts: Collection[str]
) -> bool:
    if not isinstance(earlier, Run) or earlier.task in verdicts:
        return False
    models = problem.tasks[earlier.task].models
    if not models:
        return True
    return models.isdisjoint(gone) and peak_bytes(resident, models, problem.models) <= problem.budget
