"""The rules by which a model's arguments are made right or refused, one by one and over random input."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.functions.coercion import BadArguments, coerce, nearest_word, read_arguments

MOOD = {"type": "string", "enum": ["calm", "cheerful", "melancholy", "tense"]}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "count": {"type": "integer"},
        "size": {"type": "number"},
        "loud": {"type": "boolean"},
        "text": {"type": "string"},
        "mood": MOOD,
        "names": {"type": "array", "items": {"type": "string"}},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "look": {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]},
        "maybe": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        "level": {"type": "integer", "enum": [1, 2, 3]},
        "free": {"type": "object", "additionalProperties": {"type": "number"}},
        "fixed": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
    },
}


def one(name: str, value: Any) -> Any:
    return coerce({name: value}, SCHEMA).get(name, "left out")


@pytest.mark.parametrize(
    ("name", "sent", "wanted"),
    [
        ("count", "3", 3), ("count", " 3 ", 3), ("count", 3.0, 3), ("count", "-3.0", -3), ("count", [3], 3),
        ("size", "2.5", 2.5), ("size", "1e3", 1000.0), ("size", 3, 3), ("size", ".5", 0.5),
        ("loud", "true", True), ("loud", "False", False), ("loud", "yes", True), ("loud", 0, False),
        ("text", 3, "3"), ("text", 2.5, "2.5"), ("text", ["hi"], "hi"), ("text", "", ""), ("text", "none", "none"),
        ("mood", "Calm ", "calm"), ("mood", "CHEER-FUL", "cheerful"), ("mood", "clam", "calm"),
        ("mood", "melancoly", "melancholy"), ("mood", ["tense"], "tense"),
        ("names", "luca", ["luca"]), ("names", '["a", "b"]', ["a", "b"]), ("numbers", "3", [3]),
        ("numbers", ["1", 2.0], [1, 2]), ("numbers", "[1, 2]", [1, 2]),
        ("look", '{"age": "9"}', {"age": 9}), ("maybe", "x", "x"), ("maybe", 3, 3), ("maybe", "3", "3"),
        ("level", "2", 2), ("free", {"a": "1.5"}, {"a": 1.5}), ("fixed", ["1", 2], [1, "2"]),
        ("count", None, "left out"), ("mood", "none", "left out"), ("look", "null", "left out"),
        ("mood", "", "left out"), ("names", None, "left out"),
    ],
)  # fmt: skip
def test_what_is_meant_is_made_right(name: str, sent: Any, wanted: Any) -> None:
    found = one(name, sent)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("name", "sent", "says"),
    [
        ("count", "3.5", "whole number"), ("count", "three", "whole number"), ("count", True, "whole number"),
        ("count", "9" * 16, "whole number"), ("count", 10**400, "whole number"), ("count", [1, 2], "whole number"),
        ("size", "NaN", "a number"), ("size", math.inf, "a number"), ("size", math.nan, "a number"),
        ("size", "1e999", "a number"), ("size", 10**400, "a number"), ("loud", "maybe", "true or false"),
        ("loud", 2, "true or false"), ("text", True, "must be text"), ("text", {"a": 1}, "must be text"),
        ("text", "x" * 20_001, "20,000 are allowed"), ("mood", "angry", "one of calm, cheerful"),
        ("mood", "cal", "one of"), ("mood", 3, "one of"), ("names", {"a": [1]}, "must be text"),
        ("numbers", "[1, NaN]", "no JSON"), ("numbers", "[1", "no JSON"),
        ("look", {"age": 1, "agee": 2}, "did you mean 'age'"),
        ("look", {}, "look.age: is missing"), ("look", 3, "must be an object"),
        ("numbers", [1] * 1001, "1,000 are allowed"),
        ("level", 4, "one of 1, 2, 3"), ("wat", 1, "no such field"), ("mod", 1, "did you mean 'mood'"),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_refused_with_what_is_wanted(name: str, sent: Any, says: str) -> None:
    with pytest.raises(BadArguments) as caught:
        one(name, sent)
    told = str(caught.value)
    assert says in told
    assert "\n" not in told
    assert len(told) < 700


def test_all_problems_are_told_at_once_but_not_too_many() -> None:
    with pytest.raises(BadArguments) as caught:
        coerce({f"x{n}": 1 for n in range(50)}, SCHEMA)
    assert len(caught.value.problems) == 50
    assert "and 46 more" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("sunset", "sunset"), (" SunSet.", "sunset"), ("sunst", "sunset"), ("sunet", "sunset"), ("suset", "sunset"),
        ("sun", None), ("dat", None), ("dawnn", "dawn"), ("midnight", None), ("night time", None), ("", None),
    ],
)  # fmt: skip
def test_near_misses_are_taken_within_the_stated_distance_only(said: str, meant: str | None) -> None:
    assert nearest_word(said, ["dawn", "day", "sunset", "night"]) == meant


def test_a_word_between_two_is_not_guessed() -> None:
    assert nearest_word("boar", ["boat", "bear", "soar"]) is None


def test_deep_and_huge_values_are_refused_before_anything_walks_through_them() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(BadArguments, match="nests too deeply"):
        coerce({"any": deep}, {"type": "object", "properties": {"any": {}}})
    with pytest.raises(BadArguments, match="too many values"):
        coerce({"any": [[0] * 999] * 999}, {"type": "object", "properties": {"any": {}}})


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [(None, {}), ("", {}), (" null ", {}), ('{"a": 1}', {"a": 1}), ('"{\\"a\\": 1}"', {"a": 1}), ({1: 2}, {"1": 2})],
)
def test_arguments_are_read_from_whatever_holds_them(raw: Any, wanted: dict[str, Any]) -> None:
    assert read_arguments(raw) == wanted


@pytest.mark.parametrize(
    "raw", ["[]", "3", "{", '{"a": Infinity}', "{" * 5_000, 3, [1], "x" * 200_001, '{"a": ' + "9" * 5000 + "}"]
)
def test_what_holds_none_is_refused(raw: Any) -> None:
    with pytest.raises(BadArguments):
        read_arguments(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "other"]), JSON, max_size=6))
def test_whatever_comes_out_fits_the_schema_and_stays_as_it_is(arguments: dict[str, Any]) -> None:
    try:
        found = coerce(arguments, SCHEMA)
    except BadArguments as error:
        one_line = "\n" not in str(error)
        assert one_line
        return
    json.dumps(found, allow_nan=False)
    assert coerce(found, SCHEMA) == found, "what was made right is right"
    for name, kind in (("count", int), ("loud", bool), ("text", str), ("names", list), ("look", dict)):
        assert type(found.get(name)) in (kind, type(None))
    assert found.get("mood") in (None, *MOOD["enum"])


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_any_text_as_arguments_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(read_arguments(text), dict)
    except BadArguments as error:
        assert str(error)  # noqa: PT017


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=12))
def test_a_word_is_only_taken_for_one_that_is_near(said: str) -> None:
    from rapidfuzz.distance import OSA

    found = nearest_word(said, MOOD["enum"])
    if found is not None:
        plain = said.casefold().replace("-", "").replace("_", "").replace(" ", "").strip(".\"'")
        assert OSA.distance("".join(plain.split()), found) <= 2
