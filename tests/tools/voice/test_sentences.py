from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.voice.sentences import parts_of


@given(st.text(alphabet="abc ,.!?;…-  ", max_size=400), st.integers(10, 120))
def test_nothing_is_lost_and_nothing_is_too_long(text: str, most: int) -> None:
    parts = parts_of(text, most)
    assert all(0 < len(part) <= most for part in parts)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("text", "most", "parts"),
    [
        ("", 20, []),
        ("One. Two. Three.", 40, ["One. Two. Three."]),
        ("The sea is calm. We go. Come on!", 24, ["The sea is calm. We go.", "Come on!"]),
        ("We go to the sea, and then we come home", 20, ["We go to the sea,", "and then we come", "home"]),
        ("a" * 25, 10, ["a" * 10, "a" * 10, "a" * 5]),
    ],
)
def test_it_is_cut_where_one_would_breathe(text: str, most: int, parts: list[str]) -> None:
    assert parts_of(text, most) == parts
