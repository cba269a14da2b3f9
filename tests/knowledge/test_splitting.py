"""Cutting into passages: nothing is lost, nothing too long, nothing that commands a terminal."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from knowledge.splitting import MAX_TOKENS, OVERLAP_TOKENS, count_tokens, split_text, without_controls

prose = st.lists(
    st.sampled_from(["sun", "sea", "Luca", "x" * 30, "end.", "why?", "\n\n", "\n- ", "Ahoy!", "one;"]), max_size=300
)


@given(st.one_of(prose.map(" ".join), st.text(max_size=3000)), st.integers(8, 60))
def test_every_character_is_kept_and_no_piece_is_too_long(text: str, most: int) -> None:
    pieces = split_text(text, most=most, overlap=most // 5)
    assert all(count_tokens(piece) <= most for piece in pieces)
    assert all(piece.strip() for piece in pieces)
    # With no overlap the pieces are the text, spaces aside.
    plain = split_text(text, most=most, overlap=0)
    assert "".join("".join(plain).split()) == "".join(text.split())


@given(prose.map(" ".join))
def test_the_overlap_is_whole_sentences_of_the_piece_before(text: str) -> None:
    pieces = split_text(text, most=40, overlap=12)
    alone = split_text(text, most=40, overlap=0)
    assert len(pieces) >= len(alone) or not text.strip()
    for before, piece in pairwise(pieces):
        shared = max(
            (n for n in range(len(piece)) if before.endswith(piece[:n].rstrip()) and piece[:n].strip()), default=0
        )
        assert count_tokens(piece[:shared]) <= 12 or before in piece or len(set(text.split())) < 12


def test_passages_of_a_long_text_are_near_their_length_and_repeat_a_little() -> None:
    text = " ".join(f"Sentence number {n} tells about the sea, the boat and who is in it." for n in range(200))
    pieces = split_text(text)
    sizes = [count_tokens(piece) for piece in pieces[:-1]]
    assert min(sizes) > MAX_TOKENS * 0.7
    for before, piece in pairwise(pieces):
        first = piece.split(". ")[0]
        assert first in before, "a passage begins with the end of the one before it"
        assert count_tokens(first) <= OVERLAP_TOKENS


def test_a_page_without_spaces_is_cut() -> None:
    assert max(map(len, split_text("A" * 100_000))) <= 6 * MAX_TOKENS
    assert max(map(len, split_text("海" * 10_000))) <= MAX_TOKENS, "of such signs each is a token"


def test_controls_and_hidden_characters_are_dropped_and_lines_stay() -> None:
    hostile = "a\x1b[31mb\r\nc\u202ed\u200be\x00f\tg\x0ch" + chr(0xE0041)
    assert without_controls(hostile) == "a[31mb\ncdef\tg\n\nh"
