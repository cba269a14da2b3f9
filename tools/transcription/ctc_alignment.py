"""When each word of a known text is said, from what a CTC recogniser hears in every moment: forced alignment.

A CTC model (Graves et al. 2006) tells for each frame how likely each letter is, or none (the blank). Of all ways to
say the text's letters in order, blanks between them, the likeliest is found (Viterbi over the text's letters with a
blank around each); where its letters lie is when they are said. The method is WhisperX's (Bain et al. 2023, section
2.4, https://arxiv.org/abs/2303.00747) and that of torchaudio's tutorial "Forced Alignment with Wav2Vec2"; here the
whole of CTC's topology is searched, so that two equal letters need a blank between them. What the model has no letter
for, as a digit, is a wildcard: any letter will do. Needs numpy alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.errors import BadOutput, InvalidInput

__all__ = ["WILDCARD", "Alphabet", "Span", "align_tokens", "align_words", "frames_needed"]

WILDCARD = -1
"""A token that stands for any letter."""
TAIL_FRAMES = 5
"""A letter is shown in a frame or two when it is heard; it sounds on, if no other comes, for about so long (0.1 s)."""
_NEVER = -1e4
"""Log probability of what a model calls impossible: low, but no infinity, so that sums stay numbers."""


@dataclass(frozen=True)
class Span:
    """Frames `first <= frame < end` in which a token is heard, and how likely it is there on average, 0..1."""

    first: int
    end: int
    probability: float


@dataclass(frozen=True)
class Alphabet:
    """What a CTC model can hear.

    Attributes:
        letters: single characters, by their column of the emissions.
        blank: column of "no letter".
        delimiter: column of the mark between words; None where the model has none.
    """

    letters: Mapping[str, int]
    blank: int
    delimiter: int | None = None

    def spelled(self, word: str) -> list[int]:
        """A word as columns; `WILDCARD` for what is said and has no letter here; empty where nothing is said."""
        tokens: list[int] = []
        for char in unicodedata.normalize("NFC", word):
            found = self._letter(char)
            if found is not None:
                tokens.append(found)
            elif unicodedata.category(char)[0] in "LNS" or char in "&%@#":
                tokens.append(WILDCARD)
        return tokens if any(char.isalnum() for char in word) or WILDCARD in tokens else []

    def _letter(self, char: str) -> int | None:
        # A model knows capitals or small letters; an accent that it does not know is heard as the letter below it.
        plain = unicodedata.normalize("NFD", char)[0]
        for one in (char, char.lower(), char.upper(), plain.lower(), plain.upper(), "'" if char in "’‘" else char):
            if one in self.letters:
                return self.letters[one]
        return None


def frames_needed(tokens: Sequence[int]) -> int:
    """The fewest frames in which these tokens can be said: one each, and a blank between two equal ones."""
    return len(tokens) + sum(a == b != WILDCARD for a, b in pairwise(tokens))


def align_tokens(
    emissions: npt.NDArray[np.floating[Any]], tokens: Sequence[int], blank: int, any_of: Sequence[int] | None = None
) -> list[Span]:
    """The likeliest frames of each token.

    Args:
        emissions: `(frames, columns)` log probabilities.
        tokens: columns in the order in which they are said, or `WILDCARD`.
        blank: the column of none.
        any_of: columns that a wildcard stands for; all but the blank by default.

    Returns:
        One span a token, in order, not overlapping.

    Raises:
        BadOutput: emissions that are no numbers.
        InvalidInput: there are more tokens than the frames can hold, or one that has no column.
    """
    count, columns = emissions.shape
    if np.isnan(emissions).any() or np.isposinf(emissions).any():
        raise BadOutput("the aligner answered with values that are no numbers.")
    if not tokens:
        return []
    if any(not (token == WILDCARD or 0 <= token < columns) for token in tokens) or not 0 <= blank < columns:
        raise InvalidInput(f"a letter outside of the model's {columns} columns", where="tokens")
    if frames_needed(tokens) > count:
        raise InvalidInput(f"{len(tokens)} letters do not fit into {count} frames", where="tokens")
    heard = np.maximum(emissions.astype(np.float64), _NEVER)
    chosen = [column for column in range(columns) if column != blank] if any_of is None else list(any_of)
    # The wildcard is as likely as the likeliest letter of its frame.
    heard = np.concatenate([heard, heard[:, chosen].max(axis=1, keepdims=True)], axis=1)
    labels = np.full(2 * len(tokens) + 1, blank)
    labels[1::2] = [columns if token == WILDCARD else token for token in tokens]
    path = _likeliest(heard, labels, wildcard=columns)
    spans = []
    for index in range(len(tokens)):
        frames = np.flatnonzero(path == 2 * index + 1)
        told = float(np.exp(heard[frames, labels[2 * index + 1]].mean()))
        spans.append(Span(int(frames[0]), int(frames[-1]) + 1, min(1.0, told)))
    return spans


def _likeliest(heard: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], wildcard: int) -> npt.NDArray[np.int64]:
    """`(frames,)` positions in `labels` (blank, letter, blank, letter, ... blank), never falling."""
    count, size = len(heard), len(labels)
    position = np.arange(size)
    # From a letter straight to the next one, unless they are equal: then only a blank tells that there are two.
    may_skip = np.zeros(size, dtype=bool)
    may_skip[3::2] = (labels[3::2] != labels[1:-2:2]) | (labels[3::2] == wildcard)
    score = np.full(size, -np.inf)
    score[:2] = heard[0, labels[:2]]
    steps = np.zeros((count, size), dtype=np.int8)
    came = np.full((3, size), -np.inf)
    for frame in range(1, count):
        came[0] = score
        came[1, 1:] = score[:-1]
        came[2, 2:] = np.where(may_skip[2:], score[:-2], -np.inf)
        step = came.argmax(axis=0)
        steps[frame] = step
        score = came[step, position] + heard[frame, labels]
    at = size - 1 if score[-1] >= score[-2] else size - 2
    path = np.empty(count, dtype=np.int64)
    for frame in range(count - 1, -1, -1):
        path[frame] = at
        at -= int(steps[frame, at])
    return path


def align_words(
    emissions: npt.NDArray[np.floating[Any]], words: Sequence[str], alphabet: Alphabet
) -> list[Span] | None:
    """The frames of each word.

    A word begins with its first letter and ends where the mark between words is heard, at the latest `TAIL_FRAMES`
    after its last letter began to fade. What nobody says, as a dash, gets no time: it lies where the word before ends.

    Args:
        emissions: `(frames, columns)` log probabilities.
        words: as they are written.

    Returns:
        One span a word; None where the model knows none of the letters, or there are more than the frames can hold.

    Raises:
        BadOutput: emissions that are no numbers.
    """
    tokens: list[int] = []
    owners: list[int] = []
    for index, word in enumerate(words):
        spelled = alphabet.spelled(word)
        if spelled and tokens and alphabet.delimiter is not None:
            tokens.append(alphabet.delimiter)
            owners.append(-1)
        tokens += spelled
        owners += [index] * len(spelled)
    known = any(token != WILDCARD for token, owner in zip(tokens, owners, strict=True) if owner >= 0)
    if not known or frames_needed(tokens) > len(emissions):
        return None
    spans = align_tokens(emissions, tokens, alphabet.blank, sorted(alphabet.letters.values()))
    found: dict[int, Span] = {}
    for place, owner in enumerate(owners):
        if owner < 0 or (place + 1 < len(owners) and owners[place + 1] == owner):
            continue
        first = owners.index(owner)
        follows = spans[place + 1].first if place + 1 < len(spans) else len(emissions)
        probability = float(np.mean([span.probability for span in spans[first : place + 1]]))
        found[owner] = Span(spans[first].first, min(follows, spans[place].end + TAIL_FRAMES), probability)
    edge = min(span.first for span in found.values())
    placed: list[Span] = []
    for index in range(len(words)):
        span = found.get(index, Span(edge, edge, 0.0))
        edge = span.end
        placed.append(span)
    return placed
