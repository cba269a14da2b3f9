from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings

from tests.tools.runtime.scheduling.small import problems
from tools.errors import InvalidInput
from tools.runtime.scheduling.instances import scene
from tools.runtime.scheduling.plan import BrokenPlan, Evict, Load, Run, Step, check_plan, make_plan
from tools.runtime.scheduling.policies import greedy_affinity, insertion_order, one_call_at_a_time
from tools.runtime.scheduling.problem import Model, Problem, Task
from tools.runtime.scheduling.search import plan_order
from tools.runtime.scheduling.timing import Span, clock

A, B = frozenset("a"), frozenset("b")


def two_models(budget: int = 10, **more: int) -> Problem:
    """Three calls one after another, of a, b and a; both models fit only if the budget is 14 or more."""
    models = [Model("a", 6, working=2, load_s=1.0, cold_s=3.0), Model("b", 5, working=1, load_s=2.0)]
    tasks = [Task("x", A, (), 4.0), Task("y", B, ("x",), 5.0), Task("z", A, ("y",), 6.0)]
    return Problem.of(tasks, models, budget, **more)


GOOD: list[Step] = [
    Load("a"),
    Run("x"),
    Evict(("a",)),
    Load("b"),
    Run("y"),
    Evict(("b",)),
    Load("a"),
    Run("z"),
]


def test_what_a_good_plan_adds_up_to() -> None:
    plan = make_plan(two_models(), GOOD, method="by hand", bound_s=3.0)
    check_plan(two_models(), plan)
    assert (plan.switches, plan.switch_s, plan.peak_bytes) == (3, 4.0, 8)
    assert plan.wall_s == 1 + 3 + 4 + 2 + 5 + 1 + 6
    assert plan.gap == 4.0 / 3.0
    assert plan.order == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (GOOD[:2] + GOOD[3:], "takes 0.00 GiB"),  # no eviction: over budget
        (GOOD[1:], "runs without a"),
        (GOOD[:-1], "never runs: z"),
        ([*GOOD, Run("z")], "runs twice"),
        ([*GOOD, Run("q")], "is no call"),
        ([*GOOD, Load("a")], "is resident or unknown"),
        ([*GOOD, Load("q")], "is resident or unknown"),
        ([*GOOD, Evict(("b",))], "evicts b while a"),
        ([Load("b"), Run("y"), Evict(("b",)), Load("a"), Run("x"), Run("z")], "y runs before x"),
    ],
)
def test_a_broken_order_is_found_out(steps: list[Step], told: str) -> None:
    good = make_plan(two_models(), GOOD, method="by hand")
    with pytest.raises(BrokenPlan, match=told):
        check_plan(two_models(), replace(good, steps=tuple(steps)))


def test_over_budget_by_working_memory_alone_is_found_out() -> None:
    # 6 + 5 of weights fit in 12; the working memory of x, 2 more, does not.
    steps: list[Step] = [Load("a"), Load("b"), Run("x"), Run("y"), Run("z")]
    plan = make_plan(two_models(budget=13), steps, method="by hand")
    with pytest.raises(BrokenPlan, match="takes"):
        check_plan(two_models(budget=12), plan)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"switches": 2}, "says 2 switches"),
        ({"switch_s": 3.5}, "switches of 3.5 s"),
        ({"peak_bytes": 7}, "peak of 7"),
        ({"wall_s": 1.0}, "says 1.0 s"),
        ({"bound_s": 9.0}, "less than its lower bound"),
        ({"proven": True}, "says it is optimal"),
    ],
)
def test_wrong_figures_are_found_out(wrong: dict[str, float], told: str) -> None:
    good = make_plan(two_models(), GOOD, method="by hand", bound_s=3.0)
    with pytest.raises(BrokenPlan, match=told):
        check_plan(two_models(), replace(good, **wrong))


@settings(max_examples=150, deadline=None)
@given(problems(most_tasks=14))
def test_every_order_is_valid_and_prefetching_never_later(problem: Problem) -> None:
    plain, ahead = plan_order(problem, prefetch=False), plan_order(problem)
    mind = min(problem.models)
    orders = [plain, ahead, insertion_order(problem), greedy_affinity(problem), one_call_at_a_time(problem, mind)]
    for plan in orders:
        check_plan(problem, plan)
        assert plan.text()
    assert ahead.wall_s <= plain.wall_s + 1e-9
    assert ahead.switch_s == plain.switch_s <= min(plan.switch_s for plan in orders) + 1e-9
    for plan in orders:
        _never_two_at_once(problem, plan.steps)


def _never_two_at_once(problem: Problem, steps: tuple[Step, ...]) -> None:
    """In each lane one thing after another, needs before what needs them, no call before its models are there."""
    spans = clock(problem, steps).spans
    lanes: dict[str, list[Span]] = {}
    ended: dict[str, float] = {}
    loaded: dict[str, float] = {}
    for span in spans:
        lanes.setdefault(span.lane, []).append(span)
        if isinstance(span.step, Load):
            loaded[span.step.model] = span.end
        elif isinstance(span.step, Run):
            task = problem.tasks[span.step.task]
            ended[task.id] = span.end
            assert all(span.start >= ended[need] for need in task.needs)
            assert all(span.start >= loaded.get(model, 0.0) for model in task.models)
    for lane in lanes.values():
        assert all(later.start >= earlier.end for earlier, later in pairwise(lane))


def test_a_load_goes_on_beside_calls_where_both_fit() -> None:
    plan = plan_order(two_models(budget=14))
    assert plan.steps[:3] == (Load("a"), Load("b"), Run("x"))
    # Cold start of a: 1 + 3; b comes while x runs.
    assert plan.wall_s == 4 + 4 + 5 + 6
    assert plan_order(two_models(budget=14), prefetch=False).wall_s == 4 + 4 + 2 + 5 + 6
    waits = plan_order(two_models(budget=14), verdicts=["x"])
    assert waits.steps[:3] == (Load("a"), Run("x"), Load("b"))


def test_calls_of_the_cpu_go_on_beside_the_gpu() -> None:
    tasks = [
        Task("slow", seconds=9.0),
        Task("quick", seconds=1.0),
        Task("gpu", A, (), 8.0),
        Task("end", A, ("slow",), 1.0),
    ]
    problem = Problem.of(tasks, [Model("a", 6, load_s=1.0)], 10, cpu_slots=1)
    plan = plan_order(problem)
    assert plan.wall_s == 10.0
    assert plan.order.index("slow") < plan.order.index("quick")  # more waits for it


def test_what_is_of_no_more_use_stays_while_there_is_room() -> None:
    models = [Model("a", 4, load_s=1.0), Model("b", 4, load_s=1.0), Model("c", 9, load_s=1.0)]
    tasks = [Task("x", frozenset("a")), Task("y", frozenset("b"), ("x",))]
    plan = plan_order(Problem.of(tasks, models, 10))
    assert not [step for step in plan.steps if isinstance(step, Evict)]
    plan = plan_order(Problem.of([*tasks, Task("z", frozenset("c"), ("y",))], models, 10))
    assert [step for step in plan.steps if isinstance(step, Evict)] == [Evict(("a", "b"))]


def test_a_person_can_read_what_will_run() -> None:
    plan = plan_order(scene(12, seed=0).known)
    head, *lines = plan.text().splitlines()
    assert head.startswith(
        f"{len(plan.order)} calls, {plan.switches} switches of {plan.switch_s:.1f} s in all (no order"
    )
    assert sum(len(line) <= 120 for line in [head, *lines]) == len(lines) + 1
    assert any("+ judge" in line and "calls" in line for line in lines)
    assert "was not looked at" in insertion_order(scene(2, seed=0).known).text()


def test_wrong_problems_are_refused() -> None:
    with pytest.raises(InvalidInput, match="the budget is"):
        two_models(budget=7)
    with pytest.raises(InvalidInput, match="nothing is known"):
        Problem.of([Task("x", A)], [], 10)
    with pytest.raises(InvalidInput, match="two calls"):
        Problem.of([Task("x"), Task("x")], [], 10)
    with pytest.raises(InvalidInput, match="wait for one another: x, y"):
        Problem.of([Task("x", needs=("y",)), Task("y", needs=("x",))], [], 10)
