"""What is let in as a request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.requests import MAX_CHARACTERS, clean_request
from tools.errors import InvalidInput


@pytest.mark.parametrize("text", ["", "   \n\t ", "\x00\x01\x02", "\u202e\u200b", "\ufeff"])
def test_nothing_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InvalidInput, match="empty") as caught:
        clean_request(text)
    assert "\n" not in str(caught.value)


def test_a_manuscript_is_refused() -> None:
    with pytest.raises(InvalidInput, match="1,000,000 characters"):
        clean_request("a" * 1_000_000)
    assert clean_request("a" * MAX_CHARACTERS)


def test_lone_surrogates_and_controls_are_dropped_and_newlines_kept() -> None:
    assert clean_request("Luca:\n\udcff ciao\x07 \u202eevil") == "Luca:\n ciao evil"
    assert clean_request("a beach\x1b[31m with \x1b[0;1mLuca") == "a beach with Luca", "not 31 minutes"


@given(st.text(max_size=200))
def test_what_comes_out_is_stable_and_encodable(text: str) -> None:
    try:
        cleaned = clean_request(text)
    except InvalidInput:
        return
    assert clean_request(cleaned) == cleaned
    cleaned.encode("utf-8")
