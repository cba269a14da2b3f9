"""BM25 against its formula, and an index that is updated against one that is made anew."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexical.bm25 import K1, B, Postings
from knowledge.lexical.words import fold_word, words_of

texts = st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=12), max_size=8)
queries = st.lists(st.sampled_from("abcdefghxyz"), max_size=6)


def plain_scores(passages: list[list[str]], query: list[str]) -> list[float]:
    """The formula, word by word."""
    mean = max(1.0, sum(map(len, passages)) / len(passages)) if passages else 1.0
    most = 0.0
    scores = [0.0] * len(passages)
    for word in dict.fromkeys(query):
        have = sum(word in passage for passage in passages)
        rarity = math.log(1 + (len(passages) - have + 0.5) / (have + 0.5))
        most += rarity * (K1 + 1)
        for number, passage in enumerate(passages):
            count = passage.count(word)
            scores[number] += rarity * count * (K1 + 1) / (count + K1 * (1 - B + B * len(passage) / mean))
    return [score / most for score in scores] if most else scores


@given(texts, queries)
def test_scores_are_those_of_the_formula_and_lie_between_0_and_1(passages: list[list[str]], query: list[str]) -> None:
    scores = Postings.of(passages).scores(query)
    np.testing.assert_allclose(scores, plain_scores(passages, query), atol=1e-5)
    assert ((scores >= 0) & (scores <= 1)).all()


@given(texts, texts, queries, st.data())
def test_an_updated_index_is_the_one_made_anew(
    before: list[list[str]], new: list[list[str]], query: list[str], data: st.DataObject
) -> None:
    kept = [row for row in range(len(before)) if data.draw(st.booleans())]
    updated = Postings.of(before).updated(kept, Postings.of(new))
    made = Postings.of([*(before[row] for row in kept), *new])
    np.testing.assert_allclose(updated.scores(query), made.scores(query), atol=1e-6)
    assert set(updated.words) == set(made.words), "words nobody has any more are dropped"


def test_a_rare_word_counts_for_more_and_a_longer_passage_for_less() -> None:
    postings = Postings.of([["sea", "boy"], ["sea", "gull"], ["sea", *["sand"] * 20]])
    scores = postings.scores(["sea", "gull"])
    assert scores[1] > scores[0] > scores[2] > 0


def test_english_and_italian_forms_of_one_word_are_one() -> None:
    for forms in (
        "scene scenes", "running run runs", "movie movies", "city cities", "voiced voice voices", "slowly slow",
        "spiaggia spiagge", "bosco boschi", "Città citta CITTÀ", "ragazzo ragazzi ragazza", "strasse straße",
    ):  # fmt: skip
        assert len(set(words_of(forms))) == 1, (forms, words_of(forms))
    assert words_of("the of and il la che") == []
    assert words_of("l'acqua dell'isola") == words_of("acqua isola")


def test_different_words_stay_different() -> None:
    words = [
        "sea",
        "see",
        "boat",
        "boot",
        "light",
        "night",
        "rain",
        "train",
        "red",
        "ring",
        "king",
        "sing",
        "bed",
        "fly",
    ]
    assert len({fold_word(word) for word in words}) == len(words)


@given(st.text(max_size=200))
def test_any_text_is_folded_and_always_alike(text: str) -> None:
    words = words_of(text)
    assert words == words_of(text.upper().lower()) or text.upper().lower() != text.lower()
    assert all(0 < len(word) <= 64 for word in words)
