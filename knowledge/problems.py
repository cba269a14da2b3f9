"""What can go wrong in the knowledge base, in words for a person. The agent turns these into its own errors."""

from __future__ import annotations

__all__ = ["BadDocument", "KnowledgeBusy", "KnowledgeProblem", "NoWeights"]


class KnowledgeProblem(Exception):
    """Base of them.

    Args:
        message: what happened, to which file, in one line.
        hint: what to do about it, in one line; empty where the message says it all.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class BadDocument(KnowledgeProblem):
    """A document cannot be taken in: damaged, too large, empty, or of a kind that is not read."""


class KnowledgeBusy(KnowledgeProblem):
    """Another process is changing the knowledge base, and the time to wait for it is over."""


class NoWeights(KnowledgeProblem):
    """The embedding model is not on this machine, or its files are not what they should be."""
