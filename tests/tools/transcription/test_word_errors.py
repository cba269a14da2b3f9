from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.transcription.word_errors import normal_words, word_errors


@pytest.mark.parametrize(
    ("written", "heard", "language"),
    [
        ("Silenzio, Bruno!", "silenzio bruno", "it"),
        ("Don't go, I'm here.", "do not go I am here", "en"),
        ("We can’t, we won't!", "We cannot. We will not.", "en"),
        ("There were 25 boats.", "There were twenty-five boats.", "en"),
        ("Their boat is over there.", "There boat is over their.", "en"),
        ("It costs 1,000 lire, OK?", "It costs 1000 lire, okay", "en"),
        ("Ho 25 barche.", "Ho venticinque barche", "it"),
        ("Où est l'été?", "où est l’été", "fr"),
        ("Wir haben 3 Boote.", "Wir haben drei Boote.", "de"),
        ("Tengo dos amigos.", "Tengo 2 amigos", "es"),
        ("everyone is here", "every one is here", "en"),
    ],
)
def test_what_is_only_spelling_is_no_error(written: str, heard: str, language: str) -> None:
    assert word_errors(written, heard, language).errors == 0
    # The broken twin: word by word, as it stands.
    assert written.split() != heard.split()


@pytest.mark.parametrize(
    ("written", "heard", "rate"),
    [
        ("where is the boat", "where is the goat", 0.25),
        ("where is the boat", "where is boat", 0.25),
        ("where is the boat", "where oh where is the boat", 0.5),
        ("where is the boat", "", 1.0),
        ("where is the boat", "I like pizza with cheese very much", 1.75),
        ("25 boats", "26 boats", 0.5),
    ],
)
def test_errors_are_counted(written: str, heard: str, rate: float) -> None:
    found = word_errors(written, heard, "en")
    assert found.rate == pytest.approx(rate)
    assert found.missed


def test_without_ears_for_a_language_only_letters_count() -> None:
    assert word_errors("2 barcos", "dois barcos", "pt").errors == 1
    assert word_errors("their boat", "there boat", "en", lambda _text, _language: "").errors == 1


@given(st.text(max_size=60))
def test_any_text_is_its_own_transcript(text: str) -> None:
    assert word_errors(text, text.upper() if text.upper().casefold() == text.casefold() else text, "en").errors == 0
    assert all(word == word.casefold() for word in normal_words(text, "en"))
