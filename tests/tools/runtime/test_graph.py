from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.runtime.conftest import ALLOW, ENGINES, tiny
from tools.base import Call
from tools.errors import InvalidInput
from tools.registry import Registry
from tools.runtime.graph import CallGraph, critical_paths

REGISTRY = Registry.load(ENGINES, allow=ALLOW)


def build(*calls: Call, known: tuple[str, ...] = ()) -> CallGraph:
    return CallGraph.build(calls, known, REGISTRY)


def problem(*calls: Call, known: tuple[str, ...] = ()) -> str:
    with pytest.raises(InvalidInput) as caught:
        build(*calls, known=known)
    return str(caught.value)


def test_wrong_graphs_are_refused_with_the_place() -> None:
    assert problem(tiny("a"), tiny("a")) == "a: two calls have this id"
    assert problem(tiny("")).startswith("'' cannot be the id")
    assert problem(tiny("a\nb")).startswith("'a\\nb' cannot be the id")
    assert problem(tiny("a", "b")) == "a: needs the result of 'b', and there is no such call"
    assert problem(tiny("a", "a")) == "these calls wait for one another: a -> a"
    assert problem(tiny("a", "c"), tiny("b", "a"), tiny("c", "b"), tiny("d", "c")).count(" -> ") == 3
    assert problem(tiny("a", file="/nowhere/x.png")) == "a: there is no file '/nowhere/x.png'"
    assert problem(tiny("a", file="/etc\0")).startswith("a: there is no file")
    assert "a.needs.0.call" in problem(Call(id="a", tool="tiny", args={"text": "", "needs": [{"call": 7, "key": ""}]}))


def test_a_reference_without_a_key_is_a_reference_too() -> None:
    graph = build(tiny("a"), Call(id="b", tool="tiny", args={"text": "b", "needs": [{"call": "a"}]}))
    assert graph.nodes["b"].needs == ("a",)
    assert graph.nodes["b"].args["needs"] == [{"call": "a", "key": ""}]


def test_known_results_count_as_there_unless_they_are_made_again() -> None:
    assert build(tiny("b", "a"), known=("a",)).nodes["b"].needs == ()
    assert build(tiny("b", "a"), tiny("a"), known=("a",)).nodes["b"].needs == ("a",)


def test_deep_arguments_are_refused_and_do_not_crash() -> None:
    deep: object = "x"
    for _ in range(5000):
        deep = [deep]
    assert problem(Call.model_construct(id="a", tool="tiny", engine="", args={"text": deep}, seed=0, stage=0))


def test_the_start_of_the_longest_chain_comes_first() -> None:
    graph = build(tiny("short"), tiny("film", "shot"), tiny("shot", "line", seconds=5.0), tiny("line"))
    order = sorted(graph.nodes.values(), key=lambda node: -node.priority)
    assert [node.call.id for node in order] == ["line", "shot", "film", "short"]
    assert graph.nodes["line"].priority == pytest.approx(0.1 + 5.11 + 0.11)


def test_predicted_time_is_between_the_bounds() -> None:
    calls = [tiny(f"c{i}", seconds=1.0) for i in range(6)]
    graph = build(*calls, tiny("end", *[call.id for call in calls], seconds=1.0))
    assert graph.predicted_s(1) == pytest.approx(6 * 1.1 + 1.16)
    assert graph.predicted_s(2) == pytest.approx(3 * 1.1 + 1.16)
    assert graph.predicted_s(100) == pytest.approx(1.1 + 1.16)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_graph_is_ordered_or_its_circle_is_named(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 14))
    names = [f"n{i}" for i in range(count)]
    needs = {name: data.draw(st.lists(st.sampled_from(names), max_size=3)) for name in names}
    costs = {name: data.draw(st.floats(0.0, 10.0)) for name in names}
    reachable = {name: set(first) for name, first in needs.items()}
    for _ in names:
        for name in names:
            reachable[name] |= {far for near in reachable[name] for far in reachable[near]}
    circular = any(name in reachable[name] for name in names)
    try:
        longest = critical_paths(needs, costs)
    except InvalidInput as error:
        assert circular
        circle = str(error).split(": ")[1].split(" -> ")
        assert circle[0] == circle[-1]
        assert len(circle) > 1
        assert all(second in needs[first] for first, second in itertools.pairwise(circle))
        return
    assert not circular
    for name in names:
        later = [longest[other] for other in names if name in needs[other]]
        assert longest[name] == pytest.approx(costs[name] + max(later, default=0.0))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_checking_does_not_depend_on_the_order_of_the_calls(seed: int) -> None:
    rng = random.Random(seed)
    calls = [tiny(f"c{i}", *{f"c{rng.randrange(i)}" for _ in range(rng.randrange(3)) if i}) for i in range(10)]
    one, other = build(*calls), build(*rng.sample(calls, len(calls)))
    assert {name: node.priority for name, node in one.nodes.items()} == pytest.approx(
        {name: node.priority for name, node in other.nodes.items()}
    )
