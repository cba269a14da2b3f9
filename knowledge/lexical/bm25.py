"""BM25: which passages hold the words of a request, rare words counting for more.

S. Robertson, H. Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009; the inverse document frequency
is the one of Lucene, which is never negative.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Postings"]

K1 = 1.2
B = 0.75

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Postings:
    """Which word stands in which passage how often, by word.

    Attributes:
        words: in the order of their numbers, each once.
        starts: `int32 [words + 1]`: where the postings of a word begin.
        passages: `int32 [postings]`: row of the passage, rising within a word.
        counts: `int32 [postings]`: how often the word stands there.
        lengths: `int32 [passages]`: words of each passage.
    """

    words: list[str]
    starts: Ints
    passages: Ints
    counts: Ints
    lengths: Ints

    @classmethod
    def of(cls, texts: Sequence[Sequence[str]]) -> Postings:
        """Postings of passages, each given as its words."""
        numbers: dict[str, int] = {}
        triples: list[tuple[int, int, int]] = []
        for row, words in enumerate(texts):
            for word, count in Counter(words).items():
                triples.append((numbers.setdefault(word, len(numbers)), row, count))
        table = np.array(triples, np.int32).reshape(-1, 3)
        lengths = np.array([len(words) for words in texts], np.int32)
        return cls._sorted(list(numbers), table[:, 0], table[:, 1], table[:, 2], lengths)

    def updated(self, kept: Sequence[int], new: Postings) -> Postings:
        """The rows `kept` of this one, in this order, and those of `new` behind them; words nobody has are dropped."""
        place = np.full(len(self.lengths), -1, np.int32)
        place[np.asarray(kept, np.int64)] = np.arange(len(kept), dtype=np.int32)
        rows = place[self.passages]
        stay = rows >= 0
        of_word = np.repeat(np.arange(len(self.words), dtype=np.int32), np.diff(self.starts))[stay]
        numbers = {word: number for number, word in enumerate(self.words)}
        theirs = np.array([numbers.setdefault(word, len(numbers)) for word in new.words], np.int32)
        new_of_word = theirs[np.repeat(np.arange(len(new.words)), np.diff(new.starts))]
        every = np.concatenate([of_word, new_of_word]).astype(np.int32)
        used, numbered = np.unique(every, return_inverse=True)
        words = list(numbers)
        return self._sorted(
            [words[number] for number in used],
            numbered.astype(np.int32),
            np.concatenate([rows[stay], new.passages + np.int32(len(kept))]).astype(np.int32),
            np.concatenate([self.counts[stay], new.counts]),
            np.concatenate([self.lengths[np.asarray(kept, np.int64)], new.lengths]),
        )

    @classmethod
    def _sorted(cls, words: list[str], of_word: Ints, passages: Ints, counts: Ints, lengths: Ints) -> Postings:
        order = np.lexsort((passages, of_word))
        starts = np.zeros(len(words) + 1, np.int32)
        np.cumsum(np.bincount(of_word, minlength=len(words)), out=starts[1:])
        return cls(words, starts, passages[order], counts[order], lengths)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    @cached_property
    def _gains(self) -> Floats:
        """What each posting adds for one word of a request, without its rarity; below `K1 + 1`."""
        mean = max(1.0, float(self.lengths.mean())) if len(self.lengths) else 1.0
        norm = (K1 * (1 - B + B * self.lengths / mean)).astype(np.float32)
        counts = self.counts.astype(np.float32)
        return counts * np.float32(K1 + 1) / (counts + norm[self.passages])

    def _rarity(self, frequency: int) -> float:
        return float(np.log(1 + (len(self.lengths) - frequency + 0.5) / (frequency + 0.5)))

    def scores(self, query: Sequence[str]) -> Floats:
        """How well each passage fits, `float32 [passages]`, 0..1: of the most that these words could give.

        A word that stands in no passage counts towards that most: one common word of ten is a weak sign.
        """
        scores = np.zeros(len(self.lengths), np.float32)
        most = 0.0
        for word in dict.fromkeys(query):
            number = self._numbers.get(word)
            first, last = (0, 0) if number is None else (int(self.starts[number]), int(self.starts[number + 1]))
            rarity = self._rarity(last - first)
            most += rarity * (K1 + 1)
            # A passage stands once among the postings of a word, so that plain addition by index is right.
            scores[self.passages[first:last]] += np.float32(rarity) * self._gains[first:last]
        return scores / np.float32(most) if most else scores
