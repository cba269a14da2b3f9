"""Expected values: every operator holds and fails, and a wrong one is refused when the file is read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.expect.matching import OPERATORS, check_matcher, matches

CASES: list[tuple[Any, Any, Any]] = [
    # expected, what fits, what does not
    ({"equals": 3}, 3, 4),
    ({"one_of": ["dusk", "dawn"]}, "dawn", "day"),
    ({"at_least": 2}, 2, 1.9),
    ({"at_most": 2}, 2.0, 3),
    ({"near": [2.0, 0.1]}, 2.05, 2.2),
    ({"contains": "Sources"}, "the sources: [1]", "nothing"),
    ({"contains": ["a", "b"]}, ["b", "a", "c"], ["a"]),
    ({"contains_any": ["x", "boat"]}, "a Boat", "a ship"),
    ({"contains_none": ["boat"]}, "a ship", "a boat"),
    ({"matches": "^I made"}, "Yes.\nI made it.", "He made it."),
    ({"same_items": ["a", "b"]}, ["b", "a"], ["a", "b", "b"]),
    ({"length": {"at_least": 2}}, ["a", "b"], ["a"]),
    ({"every": {"at_least": 0.5}}, {"s1": 0.5, "s2": 1.0}, {"s1": 0.4, "s2": 1.0}),
    ({"some": {"at_least": 0.5}}, [0.1, 0.6], [0.1, 0.2]),
    ({"absent": True}, [], ["a"]),
    ({"absent": False}, "a", ""),
    ({"not": {"contains": "a"}}, "b", "a"),
    ({"at_least": 1, "at_most": 2}, 1.5, 3),
    (["a", "b"], ["a", "b"], ["b", "a"]),
    (True, True, 1),
    (1, 1, True),
    (None, None, "None"),
]


@pytest.mark.parametrize(("wanted", "right", "wrong"), CASES, ids=lambda one: repr(one)[:40])
def test_an_operator_holds_and_fails(wanted: Any, right: Any, wrong: Any) -> None:
    assert check_matcher(wanted) == wanted
    assert matches(right, wanted)
    assert not matches(wrong, wanted)


def test_every_operator_has_a_case() -> None:
    assert set(OPERATORS) == {name for wanted, _, _ in CASES if isinstance(wanted, dict) for name in wanted}


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"least": 1}, {"at_least": "many"}, {"near": 3}, {"near": [1]}, {"one_of": "a"}, {"matches": "("},
        {"matches": 3}, {"absent": "yes"}, {"length": {"bigger": 2}}, {"at_least": True},
        # What holds whatever is found:
        {"contains": ""}, {"contains": []}, {"contains_none": []}, {"contains_any": [""]}, {"matches": ".*"},
        {"matches": "a?"}, {"at_least": 0}, {"at_most": float("inf")}, {"near": [1, float("inf")]},
        {"length": {"at_least": 0}}, {"not": {"contains": []}},
    ],
    ids=repr,
)  # fmt: skip
def test_a_wrong_operator_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError):
        check_matcher(wrong)


@pytest.mark.parametrize(
    "wanted",
    [{"every": {"at_least": 0.5}}, {"contains_none": ["boat"]}, {"same_items": []}, {"matches": "a"}],
    ids=repr,
)
def test_nothing_is_not_as_wanted(wanted: Any) -> None:
    assert not matches(None, wanted)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(json_values, st.sampled_from([wanted for wanted, _, _ in CASES]))
def test_whatever_is_found_an_operator_answers(found: Any, wanted: Any) -> None:
    assert matches(found, wanted) in (True, False)
