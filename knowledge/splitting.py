"""Documents are cut into passages: by headings, then between sentences, some 200 tokens each, with a small overlap."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["MAX_TOKENS", "OVERLAP_TOKENS", "count_tokens", "split_text", "without_controls"]

MAX_TOKENS = 200
"""Of one passage; title and heading are embedded with it, and the model reads 256."""
OVERLAP_TOKENS = 30
"""A passage begins with the last sentences of the one before it, up to this many tokens."""
CHARS_A_TOKEN = 6
"""Of long words; what looks like one word may be pages of base64."""

# Signs of Chinese, Japanese and Korean are a token each.
_TOKEN = re.compile(r"[\u2e80-\U0003ffff]|[^\W\u2e80-\U0003ffff]+|[^\w\s]")
_SENTENCE_END = re.compile(r"(?<=[.!?…:;])[\"'»”)\]]*\s+|\n\s*\n|\n(?=\s*(?:[-*•|#]|\d+[.)])\s)")
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def without_controls(text: str) -> str:
    """The text without what could command a terminal, turn the direction of writing or hide in it; lines stay lines."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n"))


def count_tokens(text: str) -> int:
    """About as many tokens as the embedding model sees; counted without it, so that passages never depend on it."""
    return sum(1 + (len(token) - 1) // CHARS_A_TOKEN for token in _TOKEN.findall(text))


def split_text(text: str, *, most: int = MAX_TOKENS, overlap: int = OVERLAP_TOKENS) -> list[str]:
    """Pieces of a text, in order; every word of it stands in one of them at least.

    Args:
        text: of one section.
        most: tokens of a piece, at most (see `count_tokens`).
        overlap: tokens that a piece repeats from the one before it, at most; whole sentences only.
    """
    pieces: list[str] = []
    held: list[tuple[str, int]] = []
    fresh = False
    for sentence in _sentences(text, most):
        size = count_tokens(sentence)
        if held and sum(tokens for _, tokens in held) + size > most:
            if fresh:
                pieces.append(" ".join(part for part, _ in held))
            held = _tail(held, min(overlap, most - size))
            fresh = False
        held.append((sentence, size))
        fresh = True
    if held and fresh:
        pieces.append(" ".join(part for part, _ in held))
    return pieces


def _sentences(text: str, most: int) -> Iterator[str]:
    for sentence in _ends(text):
        if count_tokens(sentence) <= most:
            yield sentence
        else:
            yield from _cut(sentence.split(), most)


def _ends(text: str) -> Iterator[str]:
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if sentence := text[start : match.end()].strip():
            yield sentence
        start = match.end()
    if sentence := text[start:].strip():
        yield sentence


def _cut(words: Iterable[str], most: int) -> Iterator[str]:
    """A sentence that is too long, cut between words, and a word that is too long, anywhere."""
    held: list[str] = []
    size = 0
    for word in words:
        tokens = count_tokens(word)
        if held and size + tokens > most:
            yield " ".join(held)
            held, size = [], 0
        if tokens > most:
            # No character is more than a token.
            yield from (word[at : at + most] for at in range(0, len(word), most))
        else:
            held.append(word)
            size += tokens
    if held:
        yield " ".join(held)


def _tail(held: list[tuple[str, int]], most: int) -> list[tuple[str, int]]:
    kept: list[tuple[str, int]] = []
    for sentence, size in reversed(held):
        most -= size
        if most < 0:
            break
        kept.insert(0, (sentence, size))
    return kept
