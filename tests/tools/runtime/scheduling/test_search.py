from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.runtime.scheduling.small import cheapest_us, problems
from tools.runtime.scheduling import search
from tools.runtime.scheduling.bound import Bound
from tools.runtime.scheduling.instances import layered, scene_of_size
from tools.runtime.scheduling.plan import check_plan
from tools.runtime.scheduling.problem import Model, Problem, Task
from tools.runtime.scheduling.search import plan_order


@settings(max_examples=200, deadline=None)
@given(problems())
def test_what_is_proven_is_the_optimum(problem: Problem) -> None:
    plan = plan_order(problem)
    check_plan(problem, plan)
    assert plan.proven
    assert plan.gap == 1.0
    assert round(plan.switch_s * 1e6) == cheapest_us(problem)


@settings(max_examples=100, deadline=None)
@given(problems(), st.integers(0, 3))
def test_cut_short_it_is_still_an_order_and_the_bound_a_bound(problem: Problem, limit_nodes: int) -> None:
    plan = plan_order(problem, limit_nodes=limit_nodes)
    check_plan(problem, plan)
    optimum = cheapest_us(problem)
    assert round(plan.bound_s * 1e6) <= optimum <= round(plan.switch_s * 1e6)
    assert not plan.proven or optimum == round(plan.switch_s * 1e6)


def test_an_inadmissible_bound_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Doubled(Bound):
        """Broken on purpose: counts every group twice."""

        def at(self, finished: int, ready: int, resident: int) -> int:
            return 2 * super().at(finished, ready, resident)

    def claims_too_much(problem: Problem) -> bool:
        plan = plan_order(problem)
        return plan.proven and round(plan.switch_s * 1e6) > cheapest_us(problem)

    graphs = [_shuffled(seed) for seed in range(12)]
    assert not any(claims_too_much(problem) for problem in graphs)
    monkeypatch.setattr(search, "Bound", Doubled)
    monkeypatch.setattr(search, "QUICK_WIDTH", 1)
    assert any(claims_too_much(problem) for problem in graphs)


def _shuffled(seed: int) -> Problem:
    """Ten calls of the scene's eight models, at times badly served by the first order that comes to mind."""
    return layered(11, seed, layers=4)


@pytest.mark.parametrize("linked", [1, 3])
@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize("calls", [30, 100, 200])
def test_scenes_are_proven_optimal(calls: int, linked: int, thorough: bool) -> None:
    problem = scene_of_size(calls, seed=7, linked=linked, thorough=thorough).known
    plan = plan_order(problem)
    check_plan(problem, plan)
    assert plan.proven


@pytest.mark.parametrize("layers", [4, 10, 20])
def test_random_graphs_come_close_to_their_bound(layers: int) -> None:
    problem = layered(100, seed=3, layers=layers)
    plan = plan_order(problem, limit_nodes=4000)
    check_plan(problem, plan)
    assert plan.gap <= 1.25


@pytest.mark.parametrize(("seed", "layers"), [(11, 6), (1, 3), (2, 4), (3, 10)])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_narrow_beam_always_comes_to_an_end(
    monkeypatch: pytest.MonkeyPatch, width: int, seed: int, layers: int
) -> None:
    monkeypatch.setattr(search, "QUICK_WIDTH", width)
    problem = layered(60, seed, layers=layers)
    check_plan(problem, plan_order(problem, limit_nodes=1))


def test_a_limit_of_time_is_kept() -> None:
    problem = layered(400, seed=0, layers=8)
    start = time.monotonic()
    plan = plan_order(problem, limit_s=0.2, limit_nodes=10**9)
    # The first order has to be found in any case; the rest of it is slack for a busy machine.
    assert time.monotonic() - start < 3.0
    check_plan(problem, plan)
    assert not plan.proven
    assert 1.0 < plan.gap < 2.0


def test_ten_thousand_calls_are_no_trouble() -> None:
    models = [Model("a", 6, load_s=1.0), Model("b", 6, load_s=2.0)]
    tasks = [
        Task(f"{model}{number}", frozenset(model), (f"a{number}",) if model == "b" else ())
        for number in range(5000)
        for model in "ab"
    ]
    plan = plan_order(Problem.of(tasks, models, 10))
    assert plan.proven
    assert plan.switch_s == 3.0
    assert len(plan.order) == 10_000


def test_nothing_to_do_is_a_plan_of_nothing() -> None:
    plan = plan_order(Problem.of([], [Model("a", 1)], 10))
    assert plan.steps == ()
    assert plan.proven
    only_cpu = Problem.of([Task("x", seconds=2.0), Task("y", needs=("x", "finished long ago"), seconds=1.0)], [], 0)
    plan = plan_order(only_cpu)
    assert (plan.order, plan.switch_s, plan.wall_s) == (["x", "y"], 0.0, 3.0)


def test_goes_on_from_what_is_resident_and_finished() -> None:
    models = [Model("a", 6, load_s=1.0), Model("b", 6, load_s=1.0)]
    tasks = [Task("one", frozenset("a")), Task("two", frozenset("b"))]
    assert plan_order(Problem.of(tasks, models, 10, resident="b")).order == ["two", "one"]
    assert plan_order(Problem.of(tasks, models, 10, resident="a")).order == ["one", "two"]
    assert plan_order(Problem.of(tasks[1:], models, 10, resident="b")).switches == 0


def test_the_same_problem_has_the_same_plan_in_every_process() -> None:
    script = (
        "from tools.runtime.scheduling.instances import layered, scene\n"
        "from tools.runtime.scheduling.search import plan_order\n"
        "for problem in (layered(40, 1, layers=6), scene(4, 1, linked=2, thorough=True).known):\n"
        "    print(plan_order(problem, limit_nodes=50).steps)\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


def test_odd_times_do_not_add_up_to_doubt() -> None:
    models = [Model("a", 6, load_s=1 / 3), Model("b", 6, load_s=0.1234564)]
    tasks = [Task(f"t{n}", frozenset("ab"[n % 2]), (f"t{n - 1}",) if n else ()) for n in range(400)]
    problem = Problem.of(tasks, models, 10)
    plan = plan_order(problem)
    check_plan(problem, plan)
    assert plan.proven
    assert plan.gap == 1.0
    assert plan.switches == 400
