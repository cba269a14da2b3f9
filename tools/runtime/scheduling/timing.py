"""When each step of a plan starts and ends: a lane for calls of the GPU, one for loads, a few for the CPU."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from tools.runtime.scheduling.problem import Problem

__all__ = ["Clock", "Evict", "Load", "Run", "Span", "Step", "clock"]


@dataclass(frozen=True, slots=True)
class Evict:
    """Take models off the device. Costs nothing: weights never change, the host has them."""

    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """Bring a model to the device."""

    model: str


@dataclass(frozen=True, slots=True)
class Run:
    """Carry out a call."""

    task: str


Step = Evict | Load | Run


@dataclass(frozen=True, slots=True)
class Span:
    """A step on the clock.

    Attributes:
        step: which.
        lane: `gpu`, `load`, or `cpu 0`, `cpu 1` ...
        start, end: seconds from the start of the plan.
    """

    step: Step
    lane: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Clock:
    """All steps but evictions, in the order of the plan, and when the last one ends (seconds)."""

    spans: tuple[Span, ...]
    wall_s: float


def clock(problem: Problem, steps: Sequence[Step]) -> Clock:
    """Predict when each step happens.

    A load waits for the load before it and for the calls of the GPU that stand before it: it may need their memory. A
    call waits for the GPU, for what it needs and for its models, but not for loads that it does not need.

    Args:
        problem: with seconds and seconds to load.
        steps: a valid order.
    """
    spans: list[Span] = []
    ended: dict[str, float] = {}
    loaded: dict[str, float] = {}
    warm = set(problem.resident)
    gpu = copy = 0.0
    cpu = [(0.0, lane) for lane in range(problem.cpu_slots)]
    for step in steps:
        if isinstance(step, Load):
            model = problem.models[step.model]
            start = max(gpu, copy)
            copy = start + model.load_s + (0.0 if step.model in warm else model.cold_s)
            warm.add(step.model)
            loaded[step.model] = copy
            spans.append(Span(step, "load", start, copy))
        elif isinstance(step, Run):
            task = problem.tasks[step.task]
            start = max((ended.get(need, 0.0) for need in task.needs), default=0.0)
            if task.models:
                start = max(start, gpu, *(loaded.get(name, 0.0) for name in task.models))
                gpu = ended[step.task] = start + task.seconds
                spans.append(Span(step, "gpu", start, gpu))
            else:
                free, lane = heapq.heappop(cpu)
                start = max(start, free)
                ended[step.task] = start + task.seconds
                heapq.heappush(cpu, (ended[step.task], lane))
                spans.append(Span(step, f"cpu {lane}", start, ended[step.task]))
    return Clock(tuple(spans), max((span.end for span in spans), default=0.0))
