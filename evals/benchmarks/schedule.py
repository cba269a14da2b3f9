"""Seconds of loading models, planned, beside a lower bound that no order undercuts and beside the orders others take.

Arithmetic alone: nothing is loaded. Each figure is over many seeds, the worst of them where a goal is stated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from statistics import median

from evals.benchmarks.row import Row
from tools.runtime.scheduling.instances import PRESETS, Scene, layered, scene, scene_of_size
from tools.runtime.scheduling.online import Replanner
from tools.runtime.scheduling.plan import Plan, check_plan
from tools.runtime.scheduling.policies import greedy_affinity, insertion_order, one_call_at_a_time
from tools.runtime.scheduling.problem import Problem
from tools.runtime.scheduling.search import plan_order
from tools.runtime.scheduling.timing import Load, Run

__all__ = ["loading_s_unknown", "measure"]

SEEDS = 10
SIZES = (30, 50, 100, 200)
LAYERS = (4, 10, 20)


def measure() -> list[Row]:
    """Scenes of 30 to 200 calls, independent shots and linked ones; random graphs; the presets against other orders."""
    scenes = [
        scene_of_size(size, seed, linked=linked, thorough=thorough).known
        for size in SIZES
        for linked in (1, 3)
        for thorough in (False, True)
        for seed in range(SEEDS)
    ]
    random_graphs = [layered(100, seed, layers=layers) for layers in LAYERS for seed in range(SEEDS)]
    rows = _against_bound("scenes, n <= 200", scenes, 1.10)
    rows += _against_bound("random layered, n = 100", random_graphs, 1.25)
    rows += _proof([problem for problem in scenes if len(problem.tasks) <= 100])
    for name, goal in zip(PRESETS, (5.0, 10.0), strict=True):
        rows += _against_others(name, goal)
    # All but milliseconds is arithmetic: the same on any machine.
    return [row if row.unit == "ms" else replace(row, exact=True) for row in [*rows, *_unknown()]]


def _against_bound(title: str, problems: Iterable[Problem], goal: float) -> list[Row]:
    plans = [_checked(problem, plan_order(problem)) for problem in problems]
    others = [_checked(plan.problem, greedy_affinity(plan.problem)) for plan in plans]
    gaps = [plan.switch_s / plan.bound_s for plan in plans]
    greedy = [other.switch_s / plan.bound_s for other, plan in zip(others, plans, strict=True)]
    unproven = 1 - sum(plan.proven for plan in plans) / len(plans)
    return [
        Row(f"loading / bound, {title}, worst", max(gaps), "x", goal, max(greedy), "greedy affinity"),
        Row(f"loading / bound, {title}, median", median(gaps), "x", None, median(greedy), "greedy affinity"),
        Row(f"not proven optimal, {title}", 100 * unproven, "%"),
    ]


def _proof(problems: Iterable[Problem]) -> list[Row]:
    times = []
    for problem in problems:
        start = time.perf_counter()
        plan = plan_order(problem)
        # What is not proven has not met the goal, however fast it was.
        times.append((time.perf_counter() - start) * 1000 if plan.proven else float("inf"))
    return [
        Row("planned and proven, scenes, n <= 100, worst", max(times), "ms", 250.0),
        Row("planned and proven, scenes, n <= 100, median", median(times), "ms"),
    ]


def _against_others(name: str, factor: float) -> list[Row]:
    """Sums over seeds: insertion order must take at least `factor` times as long, so we at most 1 / factor of it."""
    problems = [scene(PRESETS[name], seed).known for seed in range(SEEDS)]
    ours = sum(_checked(problem, plan_order(problem)).switch_s for problem in problems) / SEEDS

    def taken(order: Callable[[Problem], Plan]) -> float:
        return sum(_checked(problem, order(problem)).switch_s for problem in problems) / SEEDS

    insertion = taken(insertion_order)
    worst = max(plan_order(problem).switch_s / insertion_order(problem).switch_s for problem in problems)
    return [
        Row(f"loading, {name}", ours, "s", insertion / factor, insertion, "insertion order + LRU"),
        Row(f"loading, {name}", ours, "s", None, taken(lambda p: one_call_at_a_time(p, "llm")), "one call at a time"),
        Row(f"loading, {name}", ours, "s", None, taken(greedy_affinity), "greedy affinity"),
        Row(f"loading / insertion order + LRU, {name}, worst", worst, "x", 1 / factor),
    ]


def _unknown() -> list[Row]:
    rows = []
    for title, linked, thorough in (
        ("pictures judged", 1, False),
        ("pictures, clips, lines judged", 1, True),
        ("the same, shots linked", 3, True),
    ):
        ratios, blind = [], []
        for shots in PRESETS.values():
            for seed in range(SEEDS):
                instance = scene(shots, seed, linked=linked, thorough=thorough)
                # Divided by the bound where the optimum is not proven: never flattering.
                optimum = plan_order(instance.known).bound_s
                ratios.append(loading_s_unknown(instance) / optimum)
                blind.append(loading_s_unknown(instance, foresight=False) / optimum)
        name = f"loading / optimum that knew the retries, {title}, worst"
        rows.append(Row(name, max(ratios), "x", 1.15, max(blind), "planning for what is known alone"))
    return rows


def loading_s_unknown(instance: Scene, *, foresight: bool = True) -> float:
    """Seconds of loading when each verdict is only known once it is there.

    Args:
        instance: a scene and its verdicts.
        foresight: open verdicts are planned for; else retries are thought of only when they are asked for.
    """
    replanner = Replanner(instance.first, instance.feared if foresight else None)
    seconds, ran = 0.0, set()
    while (step := replanner.next()) is not None:
        brought = None
        if isinstance(step, Load):
            seconds += instance.first.models[step.model].load_s
        elif isinstance(step, Run):
            ran.add(step.task)
            brought = instance.insertions.get(step.task)
        replanner.done(step, brought)
    if ran != instance.known.tasks.keys():
        raise RuntimeError(f"{len(ran)} of {len(instance.known.tasks)} calls ran")
    return seconds


def _checked(problem: Problem, plan: Plan) -> Plan:
    check_plan(problem, plan)
    return plan
