"""A retriever that is opened when something is first looked for: a studio that only answers a greeting needs none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from knowledge.passage import Passage, Retriever

__all__ = ["OpenedLater"]


class OpenedLater:
    """A `Retriever` that `opens` gives.

    Args:
        opens: called once, at the first retrieval; what it imports is not imported before.
    """

    def __init__(self, opens: Callable[[], Retriever]) -> None:
        self._opens = opens

    @cached_property
    def _retriever(self) -> Retriever:
        return self._opens()

    @property
    def remarks(self) -> list[str]:
        """See `Retriever`."""
        return self._retriever.remarks

    def retrieve(
        self,
        query: str,
        *,
        names: Sequence[str] = (),
        limit: int = 5,
        kinds: Sequence[str] = (),
        characters: Sequence[str] = (),
    ) -> list[Passage]:
        """See `Retriever`."""
        return self._retriever.retrieve(query, names=names, limit=limit, kinds=kinds, characters=characters)
