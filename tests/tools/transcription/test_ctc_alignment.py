"""Words are found where they are said: on emissions whose times are known, and against every possible way."""

from __future__ import annotations

from itertools import groupby, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import BadOutput, InvalidInput
from tools.transcription.ctc_alignment import WILDCARD, Alphabet, Span, align_tokens, align_words, frames_needed

BLANK, MARK = 0, 1
LETTERS = {char: index + 2 for index, char in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ'")}
ALPHABET = Alphabet(LETTERS, BLANK, MARK)
COLUMNS = 2 + len(LETTERS)


def shown(columns: list[int], noise: float, seed: int) -> np.ndarray:
    """Log probabilities `(frames, COLUMNS)` of a model that hears this column in each frame, not always surely."""
    rng = np.random.default_rng(seed)
    values = noise * rng.standard_normal((len(columns), COLUMNS))
    values[np.arange(len(columns)), columns] += 6.0
    return np.asarray(values - np.log(np.exp(values).sum(axis=1, keepdims=True)))


def spoken(gaps: list[tuple[int, int, int]]) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """(column of every frame, tokens, frames of each token) from (letter, frames of silence before it, its frames)."""
    columns: list[int] = []
    tokens: list[int] = []
    where: list[tuple[int, int]] = []
    for letter, before, long in gaps:
        column = 2 + letter
        # Two equal letters are told apart by a blank alone.
        columns += [BLANK] * max(before, int(bool(tokens) and tokens[-1] == column))
        where.append((len(columns), len(columns) + long))
        columns += [column] * long
        tokens.append(column)
    return [*columns, BLANK, BLANK], tokens, where


said = st.lists(st.tuples(st.integers(0, 26), st.integers(0, 12), st.integers(1, 4)), min_size=1, max_size=40)


@settings(max_examples=120, deadline=None)
@given(said, st.integers(0, 2**32 - 1))
def test_letters_are_found_within_a_frame(gaps: list[tuple[int, int, int]], seed: int) -> None:
    columns, tokens, where = spoken(gaps)
    spans = align_tokens(shown(columns, 0.8, seed), tokens, BLANK)
    for span, (first, end) in zip(spans, where, strict=True):
        assert abs(span.first - first) <= 1
        assert abs(span.end - end) <= 1
        assert 0.0 < span.probability <= 1.0


def test_shared_out_evenly_they_would_not_be_found() -> None:
    """The broken twin: what the test above asks for, an alignment that does not listen does not give."""
    columns, tokens, where = spoken([(index, 30 * (index > 8), 1 + index % 3) for index in range(12)])
    evenly = np.linspace(0, len(columns), len(tokens) + 1)
    assert max(abs(at - first) for at, (first, _) in zip(evenly, where, strict=False)) > 5


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([1, 2, WILDCARD]), min_size=1, max_size=3),
    st.integers(1, 6),
    st.integers(0, 2**32 - 1),
)
def test_no_way_through_is_likelier(tokens: list[int], frames: int, seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal((frames, 3))
    emissions = values - np.log(np.exp(values).sum(axis=1, keepdims=True))
    if frames_needed(tokens) > frames:
        with pytest.raises(InvalidInput, match="do not fit"):
            align_tokens(emissions, tokens, 0)
        return
    spans = align_tokens(emissions, tokens, 0)
    heard = np.concatenate([emissions, emissions[:, 1:].max(axis=1, keepdims=True)], axis=1)
    found, edge = 0.0, 0
    for token, span in zip(tokens, spans, strict=True):
        assert edge <= span.first < span.end <= frames
        found += (
            heard[edge : span.first, 0].sum() + heard[span.first : span.end, 3 if token == WILDCARD else token].sum()
        )
        edge = span.end
    found += heard[edge:, 0].sum()
    best = -np.inf
    # Every frame belongs to the blank or to one of the tokens, in order, each at least once.
    for way in product(range(-1, len(tokens)), repeat=frames):
        runs = [key for key, _ in groupby(way)]
        if [key for key in runs if key >= 0] != list(range(len(tokens))):
            continue
        if any(a >= 0 and b >= 0 and tokens[a] == tokens[b] != WILDCARD for a, b in pairwise(runs)):
            continue
        columns = [0 if at < 0 else (3 if tokens[at] == WILDCARD else tokens[at]) for at in way]
        best = max(best, float(heard[np.arange(frames), columns].sum()))
    assert found == pytest.approx(best)


def test_two_equal_letters_need_a_blank_between_them() -> None:
    columns, tokens, where = spoken([(0, 2, 2), (0, 0, 2), (1, 0, 1)])
    assert frames_needed(tokens) == 4
    spans = align_tokens(shown(columns, 0.1, 1), tokens, BLANK)
    assert [(span.first, span.end) for span in spans] == where
    with pytest.raises(InvalidInput, match="do not fit"):
        align_tokens(shown(columns[:3], 0.1, 1), tokens, BLANK)


def line(*parts: str) -> list[int]:
    """Frames of words: a letter sounds two frames, `_` is a frame of silence, a mark ends a word."""
    columns: list[int] = []
    for char in "".join(parts):
        columns += [BLANK] if char == "_" else [MARK] if char == "|" else [LETTERS[char]] * 2
    return columns


def test_words_begin_with_their_first_letter_and_end_at_the_mark() -> None:
    columns = line("____", "WE", "|", "______", "FOUND", "|", "IT", "__________")
    words = align_words(shown(columns, 0.5, 3), ["We", "found", "it."], ALPHABET)
    assert words is not None
    assert [(word.first, word.end) for word in words] == [(4, 8), (15, 25), (26, 35)]
    assert all(word.probability > 0.8 for word in words)


@pytest.mark.parametrize("text", ["25", "2", "☃", "%"])
def test_what_has_no_letter_is_a_wildcard_and_its_neighbours_keep_their_times(text: str) -> None:
    columns = line("__", "AT", "|", "__", "FIVE", "|", "__", "WE", "|", "SLEPT", "__")
    words = align_words(shown(columns, 0.5, 4), ["At", text, "we", "slept"], ALPHABET)
    assert words is not None
    assert (words[0].first, words[2].first, words[3].first) == (2, 20, 25)
    assert 7 <= words[1].first < words[1].end <= 20


def test_what_nobody_says_lies_between_its_neighbours() -> None:
    columns = line("__", "AH", "|", "NO", "__")
    words = align_words(shown(columns, 0.2, 5), ["—", "Ah", "—", "no", "..."], ALPHABET)
    assert words is not None
    edges = [edge for word in words for edge in (word.first, word.end)]
    assert edges == sorted(edges)
    assert (words[1].first, words[2].first, words[2].end) == (2, 6, 6)
    assert words[0] == Span(2, 2, 0.0)


def test_letters_are_those_of_the_model() -> None:
    small = Alphabet({"a": 2, "è": 3, "e": 4, "'": 5}, 0)
    assert small.spelled("Aèé’") == [2, 3, 4, 5]
    assert ALPHABET.spelled("È") == [LETTERS["E"]]
    assert ALPHABET.spelled("ß") == [WILDCARD]
    assert ALPHABET.spelled("co-op!") == [LETTERS[char] for char in "COOP"]
    assert ALPHABET.spelled("...") == ALPHABET.spelled("'") == []


def test_a_model_without_a_mark_between_words_will_do() -> None:
    bare = Alphabet(LETTERS, BLANK)
    words = align_words(shown(line("__", "WE", "___", "GO", "__"), 0.5, 6), ["we", "go"], bare)
    assert words is not None
    assert [word.first for word in words] == [2, 9]


def test_what_cannot_be_aligned_is_none_or_an_error() -> None:
    assert align_words(shown(line("WE"), 0.1, 1), ["we", "found", "it"], ALPHABET) is None
    assert align_words(shown(line("WE"), 0.1, 1), ["25", "—"], ALPHABET) is None
    assert align_words(np.zeros((0, COLUMNS)), ["we"], ALPHABET) is None
    assert align_tokens(np.zeros((3, COLUMNS)), [], BLANK) == []
    for bad in (np.nan, np.inf):
        emissions = shown(line("WE"), 0.1, 1)
        emissions[1, 3] = bad
        with pytest.raises(BadOutput, match="no numbers"):
            align_words(emissions, ["we"], ALPHABET)
    for tokens in ([COLUMNS], [-2]):
        with pytest.raises(InvalidInput, match="outside"):
            align_tokens(shown(line("WE"), 0.1, 1), tokens, BLANK)


def test_what_a_model_calls_impossible_is_only_unlikely() -> None:
    emissions = shown(line("_", "WE", "_"), 0.1, 1)
    emissions[:, LETTERS["W"]] = -np.inf
    words = align_words(emissions, ["we"], ALPHABET)
    assert words is not None
    assert words[0].probability < 0.6


def test_half_a_minute_is_aligned_at_once() -> None:
    rng = np.random.default_rng(1)
    text = ["".join(rng.choice(list("ABCDEFGH"), 5)) for _ in range(100)]
    columns = line("_" * 100, "|___".join("_".join(word) for word in text), "_" * 100)
    words = align_words(shown(columns, 0.5, 1), text, ALPHABET)
    assert words is not None
    assert [word.first for word in words] == [100 + 18 * index for index in range(100)]
