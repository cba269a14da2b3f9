"""Small problems, and what they cost at least found the dull way: by trying everything, one decision at a time."""

from __future__ import annotations

import heapq
from itertools import combinations

from hypothesis import strategies as st

from tools.runtime.scheduling.problem import Model, Problem, Task, peak_bytes

__all__ = ["cheapest_us", "problems"]

BUDGET = 12


@st.composite
def problems(draw: st.DrawFn, most_tasks: int = 9) -> Problem:
    """Up to four models, calls of none, one or two of them, any needs, some residents, at times more than fit."""
    names = "abcd"[: draw(st.integers(1, 4))]
    models = [
        Model(
            name,
            weights=draw(st.integers(1, 9)),
            working=draw(st.integers(0, 3)),
            load_s=draw(st.sampled_from([0.25, 0.5, 1.0, 2.0, 0.1])),
            cold_s=draw(st.sampled_from([0.0, 3.0])),
        )
        for name in names
    ]
    known = {model.name: model for model in models}
    tasks: list[Task] = []
    for index in range(draw(st.integers(1, most_tasks))):
        wanted = frozenset(draw(st.lists(st.sampled_from(names), max_size=2, unique=True)))
        if peak_bytes(wanted, wanted, known) > BUDGET:
            wanted = frozenset(sorted(wanted)[:1])
        earlier = [task.id for task in tasks]
        needs = draw(st.lists(st.sampled_from(earlier), max_size=3, unique=True)) if earlier else []
        tasks.append(Task(f"t{index}", wanted, tuple(needs), seconds=draw(st.sampled_from([0.0, 1.0, 2.5]))))
    resident = draw(st.lists(st.sampled_from(names), unique=True))
    return Problem.of(tasks, models, BUDGET, resident, cpu_slots=draw(st.integers(1, 2)))


def cheapest_us(problem: Problem) -> int:
    """Microseconds of loading of the best order: Dijkstra over single decisions (run one, load one, evict some)."""
    order = sorted(problem.tasks)
    start = (frozenset[str](), problem.resident)
    queue = [(0, 0, start)]
    seen: set[tuple[frozenset[str], frozenset[str]]] = set()
    count = 0
    while queue:
        cost, _, state = heapq.heappop(queue)
        if state in seen:
            continue
        seen.add(state)
        finished, resident = state
        if len(finished) == len(order):
            return cost
        following: list[tuple[int, tuple[frozenset[str], frozenset[str]]]] = []
        for name in order:
            task = problem.tasks[name]
            needs = set(task.needs) & problem.tasks.keys()
            if name not in finished and finished >= needs and task.models <= resident:
                beside = resident if task.models else frozenset[str]()
                if peak_bytes(beside, task.models, problem.models) <= problem.budget:
                    following.append((0, (finished | {name}, resident)))
        for size in range(1, len(resident) + 1):
            following += [(0, (finished, resident - set(gone))) for gone in combinations(sorted(resident), size)]
        for name in sorted(problem.models.keys() - resident):
            if peak_bytes(resident | {name}, (), problem.models) <= problem.budget:
                following.append((round(problem.models[name].load_s * 1e6), (finished, resident | {name})))
        for price, after in following:
            count += 1
            heapq.heappush(queue, (cost + price, count, after))
    raise AssertionError("cannot be finished at all")
