from __future__ import annotations

import random
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.runtime.scheduling.small import cheapest_us, problems
from tools.runtime.scheduling.bound import Allowance, Bound, GroupBound, LimitMet
from tools.runtime.scheduling.condensed import Condensed, Pricing, bits
from tools.runtime.scheduling.instances import layered, scene
from tools.runtime.scheduling.problem import Problem

State = tuple[int, int, int]


def walk(problem: Problem, seed: int) -> tuple[Condensed, list[State]]:
    """States (finished, ready, resident) along a random way through a problem, its start included."""
    graph, dice = Condensed(problem), random.Random(seed)
    pricing = Pricing(graph, (1 << len(graph.names)) - 1)
    states = [(0, graph.ready, graph.resident)]
    resident = graph.resident
    finished, ready = pricing.close(*states[0])
    while finished != graph.everything:
        states.append((finished, ready, resident))
        _, resident = dice.choice(pricing.moves(ready, resident))
        finished, ready = pricing.close(finished, ready, resident)
    return graph, states


def left_of(graph: Condensed, state: State) -> Problem:
    """What is still to be done in a state, as a problem of its own."""
    finished, _, resident = state
    done = {name for index in bits(finished) for name in graph.members[index]}
    problem = graph.problem
    tasks = [task for name, task in problem.tasks.items() if name not in done]
    return Problem.of(tasks, problem.models.values(), problem.budget, graph.models(resident))


def breaks(bound: Bound, problem: Problem, seed: int) -> bool:
    """Whether a bound is somewhere above what the rest really costs."""
    graph, states = walk(problem, seed)
    return any(bound.at(*state) > cheapest_us(left_of(graph, state)) for state in states[:4])


@settings(max_examples=80, deadline=None)
@given(problems(most_tasks=7), st.integers(0, 99), st.integers(1, 4))
def test_never_above_the_optimum_wherever_a_schedule_stands(problem: Problem, seed: int, largest: int) -> None:
    bound = Bound(Condensed(problem), largest=largest)
    assert not breaks(bound, problem, seed)
    bound.refine()
    assert not breaks(bound, problem, seed)


@settings(max_examples=100, deadline=None)
@given(problems())
def test_with_every_model_in_one_group_it_is_the_optimum(problem: Problem) -> None:
    graph = Condensed(problem)
    group = GroupBound(graph, graph.wanted(0))
    assert group.at(0, graph.ready, graph.resident) == cheapest_us(problem)


def test_a_bound_that_counts_a_model_twice_is_found_out() -> None:
    class Overlapping(Bound):
        """Broken on purpose: all pairs of models, not a partition of them."""

        def __init__(self, graph: Condensed) -> None:
            super().__init__(graph)
            pairs = combinations(bits(graph.wanted(0)), 2)
            self.partition = [GroupBound(graph, 1 << a | 1 << b) for a, b in pairs]

    graphs = [layered(9, seed, layers=3) for seed in range(3)]
    assert not any(breaks(Bound(Condensed(problem)), problem, 0) for problem in graphs)
    assert all(breaks(Overlapping(Condensed(problem)), problem, 0) for problem in graphs)


def test_free_models_still_push_residents_out() -> None:
    """What makes it tight: a call of a model outside the group, between two of one inside, costs the group a load."""
    problem = scene(3, seed=1).known
    graph = Condensed(problem)
    once = sum(graph.cost)
    singles = sum(GroupBound(graph, 1 << model).at(0, graph.ready, 0) for model in bits(graph.wanted(0)))
    assert singles > 1.3 * once


@pytest.mark.parametrize("states", [0, 5, 60, 800])
def test_with_less_allowed_it_is_lower_but_still_a_bound(states: int) -> None:
    problem = layered(60, seed=1, layers=6)
    graph = Condensed(problem)
    free = Bound(graph)
    allowance = Allowance(states)
    cut = Bound(graph, allowance)
    full = free.at(0, graph.ready, graph.resident)
    assert cut.at(0, graph.ready, graph.resident) <= full
    if states < 800:
        assert allowance.states < 0
        with pytest.raises(LimitMet):
            allowance.spend()
    before = full
    free.refine()
    assert free.at(0, graph.ready, graph.resident) >= before


def test_many_models_are_grouped_too() -> None:
    problem = layered(60, seed=2, layers=6)
    graph = Condensed(problem)
    bound = Bound(graph, largest=2)
    assert sorted(model for group in bound.partition for model in bits(group.group)) == list(range(8))
    assert all(group.group.bit_count() <= 2 for group in bound.partition)
