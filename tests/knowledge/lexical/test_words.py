"""In which language a request is, by its small words."""

from __future__ import annotations

import pytest

from knowledge.lexical.words import is_italian


@pytest.mark.parametrize(
    "text", ["perché piove", "più mare", "Perche' Luca corre", "com'è il porto di notte", "È il mare"]
)
def test_italian_is_known_by_its_small_words_accents_and_all(text: str) -> None:
    assert is_italian(text)


@pytest.mark.parametrize("text", ["why does it rain", "a café at the harbour", "Portorosso", ""])
def test_all_else_is_not(text: str) -> None:
    assert not is_italian(text)
