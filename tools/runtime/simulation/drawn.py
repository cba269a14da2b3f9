"""Small productions drawn by a seed, for thousands of schedules: many shapes of graphs and of memory."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tools.runtime.scheduling.problem import Model, Problem, Task, peak_bytes

__all__ = ["draw_productions"]

_NAMES = ("paint", "eye", "mind", "voice", "ear")
_BUDGET = 12


def draw_productions(seed: int) -> tuple[Sequence[Problem], int]:
    """One to three productions with the same models, and on how many studios they are dealt out.

    Two to five models of 2 to 9 bytes share 12; 3 to 14 calls need none, one or two of them, and one another.
    """
    dice = random.Random(f"productions {seed}")
    models = [
        Model(name, dice.randint(2, 9), dice.randint(0, 3), dice.choice((0.1, 0.5, 1.0, 2.0)), dice.choice((0.0, 3.0)))
        for name in _NAMES[: dice.randint(2, 5)]
    ]
    count = dice.choice((1, 1, 2, 2, 3))
    problems = [Problem.of(_draw_tasks(dice, models), models, _BUDGET, cpu_slots=2) for _ in range(count)]
    return problems, dice.randint(1, count)


def _draw_tasks(dice: random.Random, models: Sequence[Model]) -> list[Task]:
    known = {model.name: model for model in models}
    tasks: list[Task] = []
    for number in range(dice.randint(3, 14)):
        wanted = frozenset(dice.sample(sorted(known), dice.choice((0, 1, 1, 1, 1, 2))))
        if peak_bytes(wanted, wanted, known) > _BUDGET:
            wanted = frozenset(sorted(wanted)[:1])
        earlier = [task.id for task in tasks]
        needs = tuple(dice.sample(earlier, min(len(earlier), dice.randint(0, 2))))
        tasks.append(Task(f"t{number}", wanted, needs, dice.choice((0.2, 1.0, 3.0, 8.0))))
    return tasks
