"""The web search of a studio without a network: it asks nobody and says so."""

from __future__ import annotations

from knowledge.passage import SearchAnswer

__all__ = ["OfflineSearch"]


class OfflineSearch:
    """Answers every search with `offline`."""

    def search(self, query: str, *, limit: int = 5) -> SearchAnswer:  # noqa: ARG002
        """Say that the web was not asked."""
        return SearchAnswer(status="offline", reason="The studio works offline, so the web was not asked.")
