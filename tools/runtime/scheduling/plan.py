"""An order of loads, evictions and calls, with what it is predicted to take and what no order takes less than."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tools.runtime.scheduling.problem import Problem, peak_bytes
from tools.runtime.scheduling.timing import Evict, Load, Run, Step, clock

__all__ = ["BrokenPlan", "Evict", "Load", "Plan", "Run", "Step", "check_plan", "make_plan"]

_TOLERANCE_S = 1e-5
"""Costs are counted in whole microseconds while searching."""
_GIB = 2**30


class BrokenPlan(ValueError):
    """A plan that must not be carried out: a bug of whoever made it."""


@dataclass(frozen=True)
class Plan:
    """What will run.

    Attributes:
        problem: what was to be ordered.
        steps: in the order in which they start. A load starts when the calls before it have ended, and goes on beside
            the calls after it until one needs the model.
        switches: loads.
        switch_s: seconds of loading, from host memory.
        bound_s: no order loads for less.
        wall_s: predicted seconds from start to end: calls of the GPU one after another, of the CPU beside them.
        peak_bytes: the most that weights and working memory take at once.
        proven: no order switches for less.
        method: what found it.
        nodes: states the search looked at; tells how hard it was.
    """

    problem: Problem = field(repr=False)
    steps: tuple[Step, ...]
    switches: int
    switch_s: float
    bound_s: float
    wall_s: float
    peak_bytes: int
    proven: bool
    method: str
    nodes: int = 0

    @property
    def gap(self) -> float:
        """switch_s / bound_s: 1 is optimal; 1.1 at most a tenth dearer than the optimum."""
        if self.switch_s <= self.bound_s + _TOLERANCE_S:
            return 1.0
        return self.switch_s / self.bound_s if self.bound_s else float("inf")

    @property
    def order(self) -> list[str]:
        """Ids of the calls in the order in which they run."""
        return [step.task for step in self.steps if isinstance(step, Run)]

    def text(self) -> str:
        """The plan for a person to read, a line for each time something is loaded."""
        return "\n".join([_summary(self), *(_line(self.problem, *group) for group in _grouped(self.steps))])


def make_plan(
    problem: Problem,
    steps: Sequence[Step],
    *,
    method: str,
    bound_s: float = 0.0,
    proven: bool = False,
    nodes: int = 0,
) -> Plan:
    """Add up what the steps take.

    Args:
        problem: what is ordered.
        steps: in order, valid.
        method: who found them.
        bound_s: seconds of loading that no order undercuts; 0: nothing is known.
        proven: no order loads for less than this one.
        nodes: states looked at.
    """
    loads = [step.model for step in steps if isinstance(step, Load)]
    switch_s = round(sum(problem.models[model].load_s for model in loads), 9)
    return Plan(
        problem=problem,
        steps=tuple(steps),
        switches=len(loads),
        switch_s=switch_s,
        # The search counts whole microseconds: what it proves is the optimum up to their rounding.
        bound_s=switch_s if proven else min(bound_s, switch_s),
        wall_s=clock(problem, steps).wall_s,
        peak_bytes=_replay(problem, steps),
        proven=proven,
        method=method,
        nodes=nodes,
    )


def check_plan(problem: Problem, plan: Plan) -> None:
    """Carry the plan out in thought, trusting nothing it says.

    Raises:
        BrokenPlan: a call runs twice, not at all, before one it needs, or without a model it needs; the budget is
            exceeded; a model is loaded that is there, or evicted that is not; or a figure of the plan is wrong.
    """
    peak = _replay(problem, plan.steps)
    missing = problem.tasks.keys() - set(plan.order)
    if missing:
        raise BrokenPlan(f"never runs: {', '.join(sorted(missing)[:6])}")
    loads = [step.model for step in plan.steps if isinstance(step, Load)]
    cost = sum(problem.models[model].load_s for model in loads)
    if plan.switches != len(loads) or abs(plan.switch_s - cost) > _TOLERANCE_S:
        raise BrokenPlan(f"says {plan.switches} switches of {plan.switch_s} s, they are {len(loads)} of {cost} s")
    if plan.peak_bytes != peak:
        raise BrokenPlan(f"says a peak of {plan.peak_bytes} bytes, it is {peak}")
    if abs(plan.wall_s - clock(problem, plan.steps).wall_s) > _TOLERANCE_S:
        raise BrokenPlan(f"says {plan.wall_s} s, the clock {clock(problem, plan.steps).wall_s} s")
    if plan.bound_s > cost + _TOLERANCE_S:
        raise BrokenPlan(f"costs {cost} s, less than its lower bound of {plan.bound_s} s")
    if plan.proven and plan.bound_s < cost - _TOLERANCE_S:
        raise BrokenPlan(f"says it is optimal at {cost} s with a lower bound of {plan.bound_s} s")


def _replay(problem: Problem, steps: Iterable[Step]) -> int:
    """Peak bytes; raises `BrokenPlan` at the first step that cannot be done."""
    resident = set(problem.resident)
    finished: set[str] = set()
    peak = 0
    for step in steps:
        if isinstance(step, Evict):
            if not resident.issuperset(step.models):
                raise BrokenPlan(f"evicts {', '.join(step.models)} while {', '.join(sorted(resident))} are resident")
            resident.difference_update(step.models)
            continue
        running: frozenset[str] = frozenset()
        if isinstance(step, Load):
            if step.model in resident or step.model not in problem.models:
                raise BrokenPlan(f"loads {step.model}, which is resident or unknown")
            resident.add(step.model)
        else:
            running = _start(problem, step.task, finished, resident)
            finished.add(step.task)
            if not running:
                continue
        used = peak_bytes(resident, running, problem.models)
        if used > problem.budget:
            raise BrokenPlan(f"{step} takes {used / _GIB:.2f} GiB, the budget is {problem.budget / _GIB:.2f}")
        peak = max(peak, used)
    return peak


def _start(problem: Problem, name: str, finished: set[str], resident: set[str]) -> frozenset[str]:
    task = problem.tasks.get(name)
    if task is None or name in finished:
        raise BrokenPlan(f"{name} is no call, or runs twice")
    for need in task.needs:
        if need in problem.tasks and need not in finished:
            raise BrokenPlan(f"{name} runs before {need}, which it needs")
    if not task.models <= resident:
        raise BrokenPlan(f"{name} runs without {', '.join(sorted(task.models - resident))}")
    return task.models


def _summary(plan: Plan) -> str:
    if plan.proven:
        quality = "no order takes less"
    elif plan.bound_s:
        quality = f"no order takes less than {plan.bound_s:.1f} s"
    else:
        quality = "how little it could be was not looked at"
    peak, budget = plan.peak_bytes / _GIB, plan.problem.budget / _GIB
    return (
        f"{_count(len(plan.order), 'call')}, {_count(plan.switches, 'switch', 'es')} of {plan.switch_s:.1f} s in all "
        f"({quality}; {plan.method}), about {plan.wall_s:.0f} s, peak {peak:.1f} of {budget:.1f} GiB"
    )


def _count(number: int, thing: str, more: str = "s") -> str:
    return f"{number} {thing}" + ("" if number == 1 else more)


def _grouped(steps: Iterable[Step]) -> list[tuple[list[str], list[str], list[str]]]:
    """Evicted, loaded, run: a new group where something is evicted or loaded after a call."""
    groups: list[tuple[list[str], list[str], list[str]]] = [([], [], [])]
    for step in steps:
        if not isinstance(step, Run) and groups[-1][2]:
            groups.append(([], [], []))
        evicted, loaded, run = groups[-1]
        if isinstance(step, Evict):
            evicted += step.models
        elif isinstance(step, Load):
            loaded.append(step.model)
        else:
            run.append(step.task)
    return groups


def _line(problem: Problem, evicted: list[str], loaded: list[str], run: list[str]) -> str:
    seconds = sum(problem.tasks[name].seconds for name in run)
    calls = ", ".join(run) if len(run) <= 4 else f"{run[0]}, {run[1]} ... {run[-1]}"
    head = f"+ {', '.join(loaded)}" if loaded else "="
    if evicted:
        head += f"  - {', '.join(evicted)}"
    cost = sum(problem.models[name].load_s for name in loaded)
    return f"  {head:<32} {cost:5.2f} s   {_count(len(run), 'call'):>9} {seconds:7.1f} s   {calls}"
