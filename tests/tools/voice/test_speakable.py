from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.voice.speakable import clean_line, spoken_form, time_words, words_of


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Hello <b>there</b>", "Hello there"),
        ("Wow 😀👍🏽! ok", "Wow ! ok"),
        ("a\x00b\tc\nd", "a b c d"),
        ("\u202ehi\u202c", "hi"),
        ("*really* `now`", "really now"),
        ("3 < 5 & 20°", "3 < 5 & 20°"),
        ("<speak><prosody rate='x'>run</prosody></speak>", "run"),
        ("cafe\u0301", "café"),
    ],
)
def test_what_is_shown(text: str, clean: str) -> None:
    assert clean_line(text) == clean


def test_a_lone_dash_goes_with_the_word_before() -> None:
    assert words_of("wait — what ?") == ["wait —", "what ?"]
    assert words_of("— you!") == ["— you!"]
    assert words_of("... !? —") == []


def test_capitals_drawn_out_words_and_the_lexicon() -> None:
    lexicon = {"shh": "[[S]]", "luca": "looka"}
    form = spoken_form(["NOOOO!!!", "STOP", "Shhhh,", "Luca", "soooo", "(quietly)"], lexicon)
    assert form.text == "no! stop [[S]], looka so ,quietly, "
    assert spoken_form(["TV"], {}).text == "TV "
    assert form.word_of[0] == 0
    assert form.word_of[form.text.index("looka")] == 3


@given(st.text(max_size=200))
def test_any_text_becomes_words_that_hold_nothing_unsayable(text: str) -> None:
    line = clean_line(text)
    words = words_of(line)
    assert all(any(char.isalnum() for char in word) for word in words)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "So") and char != "°" for char in line)
    if words:
        assert " ".join(words) == line
    form = spoken_form(words, {"a": "[[a]]"})
    assert len(form.text) == len(form.word_of)
    assert list(form.word_of) == sorted(form.word_of)
    assert "<" not in form.text


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.tuples(
            st.just([f"w{i}" for i in range(n)]),
            st.lists(st.tuples(st.integers(-1, n), st.floats(0, 5)), max_size=15),
            st.lists(st.floats(0.05, 0.4), min_size=1, max_size=15),
        )
    )
)
def test_whatever_the_engine_tells_words_get_rising_times(
    case: tuple[list[str], list[tuple[int, float]], list[float]],
) -> None:
    words, starts, lengths = case
    at, sounds = 0.1, []
    for length in lengths:
        sounds.append((at, at + length))
        at += length + 0.02
    timed = time_words(words, starts, sounds)
    assert [word.text for word in timed] == words
    edge = 0.0
    for word in timed:
        assert word.start >= edge - 1e-9
        assert word.end >= word.start
        edge = word.end
    assert timed[-1].end <= sounds[-1][1] + 1e-9
