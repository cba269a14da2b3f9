"""Plain lookup: passages of documents about the named ids, and of documents whose words stand in the request."""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.documents_folder import Document, DocumentsFolder
from knowledge.passage import Passage

__all__ = ["LookupRetriever"]


class LookupRetriever:
    """A `Retriever` without an index: exact ids first, then whole words."""

    def __init__(self, folder: DocumentsFolder | None = None) -> None:
        self._folder = folder or DocumentsFolder()

    def retrieve(
        self,
        query: str,
        *,
        names: Sequence[str] = (),
        limit: int = 5,
        kinds: Sequence[str] = (),
        characters: Sequence[str] = (),
    ) -> list[Passage]:
        """See `Retriever`. A passage scores 1 for a named id, less for each word it is found by."""
        words = set(re.findall(r"\w+", query[:4000].casefold()))
        ranked: list[tuple[int, float, Passage]] = []
        for doc in self._folder.documents:
            if (kinds and doc.kind not in kinds) or (characters and not set(doc.about) & set(characters)):
                continue
            scored = [(_score(doc, heading, words, names), text) for heading, text in doc.sections]
            for rank, (score, text) in enumerate(sorted(scored, key=lambda pair: -pair[0])):
                if score > 0:
                    source = f"knowledge/documents/{doc.id}.md"
                    ranked.append((rank, -score, Passage(text=text, source=source, title=doc.title, score=score)))
        # By rank first: two characters each get their best passage before one of them gets a second.
        ranked.sort(key=lambda entry: entry[:2])
        return [passage for _, _, passage in ranked[:limit]]


def _score(doc: Document, heading: str, words: set[str], names: Sequence[str]) -> float:
    score = 1.0 if set(doc.about) & set(names) else 0.0
    hits = words & {word.casefold() for word in [*doc.words, *doc.about]}
    score += min(0.6, 0.3 * len(hits))
    if score and words & set(re.findall(r"\w{4,}", heading.casefold())):
        score += 0.2
    return score
