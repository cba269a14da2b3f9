"""Which passages are taken: by meaning and by words together, those about what was named first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.index.snapshot import Snapshot
from knowledge.lexical.words import is_italian, words_of
from knowledge.passage import Passage

__all__ = ["Wanted", "fused_scores", "rank"]

MEANING = 0.45
"""Weight of the vectors, the rest is that of the words: between 0.4 and 0.5 the questions of tests/knowledge found
their document most often among the first three (97 % of 95; by words alone 87 %, by meaning alone 84 %)."""
MEANING_ITALIAN = 0.2
"""The same for a request in Italian: the model read English alone, and finds all that sounds Italian."""
OF_DOCUMENT = 0.5
"""How much of a passage's meaning is that of its whole document: what a request says in other words is often said all
over the right document, and clearly in none of its passages. Half and half; of 30 questions that share no word with
their document 17 have it among the first three, without this 12, and no other sort of question loses by it."""
FLOOR, CEILING = 0.05, 0.75
"""Cosines of this model between what has nothing in common, and between a request and its very answer."""
LEAST = 0.12
"""A passage that fits less is no answer."""
REPEATED = 0.8
"""Each further passage of one document counts this much less than the one before it: several documents are heard."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Wanted:
    """What is looked for; see `Retriever.retrieve`."""

    names: Sequence[str] = ()
    limit: int = 5
    kinds: Sequence[str] = ()
    characters: Sequence[str] = ()


def fused_scores(snapshot: Snapshot, query: str, vector: Floats | None) -> Floats:
    """How well each passage fits, 0..1, `float32 [n]`.

    Args:
        query: in words.
        vector: of the query, `float32 [384]`; None: found by words alone.
    """
    by_words = snapshot.postings.scores(words_of(query))
    if vector is None:
        return by_words
    meaning = MEANING_ITALIAN if is_italian(query) else MEANING
    # In place: ten thousand passages are looked through at every request.
    fused: Floats = snapshot.vectors @ vector
    fused *= np.float32(1 - OF_DOCUMENT)
    fused += (np.float32(OF_DOCUMENT) * (snapshot.centroids @ vector))[snapshot.document_of]
    fused -= np.float32(FLOOR)
    fused *= np.float32(1 / (CEILING - FLOOR))
    np.clip(fused, 0.0, 1.0, out=fused)
    fused -= by_words
    fused *= np.float32(meaning)
    fused += by_words
    if not snapshot.embedded.all():
        fused[~snapshot.embedded] = by_words[~snapshot.embedded]
    return fused


def rank(snapshot: Snapshot, query: str, vector: Floats | None, wanted: Wanted) -> list[Passage]:
    """The passages that are wanted, best first; see `Retriever.retrieve`."""
    if not len(snapshot) or wanted.limit < 1:
        return []
    scores = fused_scores(snapshot, query, vector)
    allowed = _allowed(snapshot, wanted)[snapshot.document_of]
    first = _named(snapshot, scores, allowed, wanted)
    taken = set(first)
    rest = [(row, score) for row, score in _best(snapshot, scores, allowed, wanted) if row not in taken]
    ordered = [*((row, float(scores[row])) for row in first), *rest]
    return [_passage(snapshot, row, score, wanted.names) for row, score in ordered[: wanted.limit]]


def _allowed(snapshot: Snapshot, wanted: Wanted) -> NDArray[np.bool_]:
    kinds, characters = set(wanted.kinds), set(wanted.characters)
    return np.array(
        [
            (not kinds or document.kind in kinds or document.origin in kinds)
            and (not characters or not characters.isdisjoint(document.about))
            for document in snapshot.documents
        ],
        bool,
    )


def _named(snapshot: Snapshot, scores: Floats, allowed: NDArray[np.bool_], wanted: Wanted) -> list[int]:
    """For each name the best passage of what is about it; two characters each have one before one has a second."""
    first: list[int] = []
    for name in dict.fromkeys(wanted.names):
        about = np.array([name in document.about for document in snapshot.documents], bool)
        # A document about fewer says more of each: a character's own sheet before a film with the whole cast.
        width = np.array([1.0 / max(1, len(document.about)) for document in snapshot.documents], np.float32)
        rows = np.flatnonzero(about[snapshot.document_of] & allowed)
        rows = rows[~np.isin(rows, first)]
        if len(rows):
            first.append(int(rows[np.argmax(scores[rows] + width[snapshot.document_of[rows]])]))
    return first


def _best(snapshot: Snapshot, scores: Floats, allowed: NDArray[np.bool_], wanted: Wanted) -> list[tuple[int, float]]:
    """Rows from best to worst with the score that orders them: those about a name are somewhat ahead, each document's
    further ones are held back.
    """
    if names := set(wanted.names):
        named = np.array([not names.isdisjoint(document.about) for document in snapshot.documents], bool)
        scores = np.where(named[snapshot.document_of], scores + 0.2, scores)
    scores = np.where(allowed & (scores >= LEAST), scores, 0.0)
    # Enough that holding back cannot bring in one from outside, unless a single document fills them all.
    many = min(len(scores), 16 * wanted.limit)
    rows = np.argpartition(-scores, many - 1)[:many]
    rows = rows[np.lexsort((rows, -scores[rows]))]
    seen: dict[int, int] = {}
    held: list[tuple[float, int]] = []
    for row in rows.tolist():
        if scores[row] > 0:
            document = int(snapshot.document_of[row])
            held.append((-float(scores[row]) * REPEATED ** seen.get(document, 0), row))
            seen[document] = seen.get(document, 0) + 1
    return [(row, -score) for score, row in sorted(held)]


def _passage(snapshot: Snapshot, row: int, score: float, names: Sequence[str]) -> Passage:
    document = snapshot.documents[snapshot.document_of[row]]
    heading, text, _ = snapshot.piece(row)
    named = not set(names).isdisjoint(document.about)
    return Passage(
        text=text,
        source=document.source,
        title=document.title,
        heading=heading,
        kind=document.kind,
        about=document.about,
        own=document.origin == "added",
        score=round(1.0 if named else score, 4),
    )
