from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.runtime.scheduling.small import problems
from tools.errors import InvalidInput
from tools.runtime.scheduling.instances import Scene, scene
from tools.runtime.scheduling.online import Replanner
from tools.runtime.scheduling.plan import Load, Run, Step, check_plan, make_plan
from tools.runtime.scheduling.policies import insertion_order
from tools.runtime.scheduling.problem import Insertion, Model, Problem, Task
from tools.runtime.scheduling.search import plan_order


def carried_out(instance: Scene, *, foresight: bool = True) -> list[Step]:
    """Every step when a verdict is known only once it is there."""
    replanner = Replanner(instance.first, instance.feared if foresight else None)
    steps: list[Step] = []
    while (step := replanner.next()) is not None:
        assert replanner.next() == step
        steps.append(step)
        replanner.done(step, instance.insertions.get(step.task) if isinstance(step, Run) else None)
    return steps


@pytest.mark.parametrize("linked", [1, 2])
@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize("foresight", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_retries_that_nobody_knew_of(linked: int, thorough: bool, foresight: bool, seed: int) -> None:
    instance = scene(8, seed, linked=linked, thorough=thorough)
    # What was done is a valid plan of the problem with all its retries: every call once, all needs, never over budget.
    done = make_plan(instance.known, carried_out(instance, foresight=foresight), method="step by step")
    check_plan(instance.known, done)
    if foresight:
        assert done.switch_s <= 1.15 * plan_order(instance.known).switch_s


def test_what_is_feared_is_planned_for_and_not_run() -> None:
    models = [Model(name, 4, load_s=1.0) for name in "abc"]
    tasks = [Task("speak", frozenset("a")), Task("judge", frozenset("b"), ("speak",)), Task("other", frozenset("c"))]
    problem = Problem.of(tasks, models, 8)
    again = Insertion((Task("speak again", frozenset("a"), ("judge",)),), {})
    replanner = Replanner(problem, {"judge": again})
    ran: list[str] = []
    loads: list[str] = []
    while (step := replanner.next()) is not None:
        ran += [step.task] if isinstance(step, Run) else []
        loads += [step.model] if isinstance(step, Load) else []
        replanner.done(step)
    assert ran == ["speak", "judge", "other"] or ran == ["other", "speak", "judge"]
    assert sorted(loads) == ["a", "b", "c"]
    assert "speak again" not in replanner.plan().order


def test_a_step_that_was_not_asked_for_is_taken_into_account() -> None:
    models = [Model("a", 6), Model("b", 6)]
    problem = Problem.of([Task("x", frozenset("a")), Task("y", frozenset("b"))], models, 10)
    replanner = Replanner(problem)
    asked = replanner.next()
    assert isinstance(asked, Load)
    other = "b" if asked.model == "a" else "a"
    replanner.done(Load(other))
    assert replanner.left.resident == {other}
    assert replanner.next() == Run("y" if other == "b" else "x")


def test_death_of_a_worker_and_calls_given_up() -> None:
    instance = scene(3, seed=0)
    replanner = Replanner(instance.first)
    for _ in range(4):
        step = replanner.next()
        assert step is not None
        replanner.done(step)
    replanner.resize(resident=())
    first = replanner.next()
    assert isinstance(first, Load)
    gone = [name for name in replanner.left.tasks if name.startswith(("animate_2", "cut", "review"))]
    replanner.drop(gone)
    order = replanner.plan().order
    assert not set(gone) & set(order)
    assert "animate_1" in order
    with pytest.raises(InvalidInput, match="the budget is"):
        replanner.resize(budget=9_000_000_000)
    assert replanner.left.budget == instance.first.budget
    with pytest.raises(InvalidInput, match="nothing is known"):
        replanner.insert(Insertion((Task("odd", frozenset({"no such model"})),)))
    assert "odd" not in replanner.left.tasks


@settings(max_examples=80, deadline=None)
@given(problems(), st.data())
def test_any_order_of_events_leads_to_the_end(problem: Problem, data: st.DataObject) -> None:
    """Calls inserted at random moments, models lost at random moments: every call still runs once, after its needs."""
    replanner = Replanner(problem)
    ran: list[str] = []
    needs = {name: task.needs for name, task in problem.tasks.items()}
    events = 0
    while (step := replanner.next()) is not None:
        replanner.done(step)
        if isinstance(step, Run):
            assert step.task not in ran
            assert all(need in ran for need in needs[step.task])
            ran.append(step.task)
        if events < 4 and data.draw(st.integers(0, 3)) == 0:
            events += 1
            if data.draw(st.booleans()):
                like = data.draw(st.sampled_from(sorted(problem.tasks)))
                new = replace(problem.tasks[like], id=f"new {events}", needs=tuple(ran[-1:]))
                needs[new.id] = new.needs
                replanner.insert(Insertion((new,)))
            else:
                replanner.resize(resident=sorted(replanner.left.resident)[1:])
    assert sorted(ran) == sorted(needs)


def test_one_call_more_costs_no_more_than_it_has_to() -> None:
    """A retry that comes while its model is still there is run there and then."""
    models = [Model("a", 6), Model("b", 6)]
    tasks = [Task("x", frozenset("a")), Task("w", frozenset("a")), Task("y", frozenset("b"), ("x",))]
    replanner = Replanner(Problem.of(tasks, models, 10))
    for _ in range(2):
        step = replanner.next()
        assert step is not None
        replanner.done(step)
    replanner.insert(Insertion((Task("x again", frozenset("a"), ("x",)),), {"y": ("x again",)}))
    steps: list[Step] = []
    while (step := replanner.next()) is not None:
        replanner.done(step)
        steps.append(step)
    assert sum(isinstance(step, Load) for step in steps) == 1
    assert steps.index(Run("x again")) < steps.index(Run("y"))


def test_far_below_the_order_that_others_take() -> None:
    for shots, factor in ((12, 5.0), (24, 10.0)):
        for seed in range(4):
            problem = scene(shots, seed).known
            assert insertion_order(problem).switch_s >= factor * plan_order(problem).switch_s
