"""Small productions drawn by a seed, for thousands of schedules: many shapes of graphs, of memory and of machines."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tools.runtime.retry import Rules
from tools.runtime.scheduling.problem import Model, Problem, Task, peak_bytes
from tools.runtime.simulate import ROUGH, Faults, Machine, Report, simulate

__all__ = ["Drawn", "draw"]

_NAMES = ("paint", "eye", "mind", "voice", "ear")
_BUDGET = 12


@dataclass(frozen=True)
class Drawn:
    """A machine and what is made on it.

    Attributes:
        seed: that drew it.
        problems: productions, all with the same models.
        studios: on how many processes they are dealt out.
        one_worker: whether all models live in one process.
        host_budget: bytes of host memory for weights in each studio; None is unlimited.
        truth: models that turn out smaller and slower to load than predicted, by name.
    """

    seed: int
    problems: Sequence[Problem]
    studios: int
    one_worker: bool
    host_budget: int | None
    truth: Mapping[str, Model]

    def run(self, faults: Faults = ROUGH, rules: Rules | None = None, make_machine: type[Machine] = Machine) -> Report:
        """Simulate it, with the seed that drew it."""
        return simulate(
            self.problems,
            seed=self.seed,
            faults=faults,
            studios=self.studios,
            rules=rules,
            one_worker=self.one_worker,
            host_budget=self.host_budget,
            truth=self.truth,
            make_machine=make_machine,
        )


def draw(seed: int) -> Drawn:
    """One to three productions of 3 to 14 calls, each of none, one or two of up to five models that share 12 bytes."""
    dice = random.Random(f"productions {seed}")
    models = [
        Model(name, dice.randint(2, 9), dice.randint(0, 3), dice.choice((0.1, 0.5, 1.0, 2.0)), dice.choice((0.0, 3.0)))
        for name in _NAMES[: dice.randint(2, 5)]
    ]
    count = dice.choice((1, 1, 2, 2, 3))
    problems = [Problem.of(_draw_tasks(dice, models), models, _BUDGET, cpu_slots=2) for _ in range(count)]
    pairs = max(sum(model.weights for model in pair) for pair in zip(models, [*models[1:], models[0]], strict=True))
    host_budget = dice.choice((None, None, max(pairs, 2 * _BUDGET - 4)))
    studios, one_worker = dice.randint(1, count), dice.random() < 0.6
    smaller = [model for model in models if model.weights > 2 and dice.random() < 0.25]
    truth = {one.name: replace(one, weights=dice.randint(1, one.weights), load_s=2 * one.load_s) for one in smaller}
    return Drawn(seed, problems, studios, one_worker, host_budget, truth)


def _draw_tasks(dice: random.Random, models: Sequence[Model]) -> list[Task]:
    known = {model.name: model for model in models}
    tasks: list[Task] = []
    for number in range(dice.randint(3, 14)):
        wanted = frozenset(dice.sample(sorted(known), dice.choice((0, 1, 1, 1, 1, 2))))
        if peak_bytes(wanted, wanted, known) > _BUDGET:
            wanted = frozenset(sorted(wanted)[:1])
        earlier = [task.id for task in tasks]
        needs = tuple(dice.sample(earlier, min(len(earlier), dice.randint(0, 2))))
        tasks.append(Task(f"t{number}", wanted, needs, dice.choice((0.2, 1.0, 3.0, 8.0, 25.0))))
    return tasks
