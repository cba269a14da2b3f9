"""The embedding model, opened when meaning is first compared, and shared by all who compare it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from knowledge.embedding.embedder import Embedder, Way
    from knowledge.web.ranking import Embed

__all__ = ["EmbedderLater"]


class EmbedderLater:
    """One model for the knowledge base and the web of a studio: 90 MB, and a tenth of a second to open. Threads may
    share it; until it is asked for nothing is imported or read.

    Args:
        shelf: gives the folder of the model on the models shelf, None where it has none; asked when needed.
        way: how the model is run; '' takes the first that is installed.
    """

    def __init__(self, shelf: Callable[[], Path | None] | None = None, way: Way | Literal[""] = "") -> None:
        self._shelf = shelf
        self._way = way
        self._lock = threading.Lock()
        self._open: Embedder | None = None

    def get(self) -> Embedder:
        """The model, ready to run.

        Raises:
            NoWeights: the model, or what runs it, is not here; the next call looks again.
        """
        from knowledge.embedding.embedder import open_embedder

        with self._lock:
            if self._open is None:
                self._open = open_embedder(self._shelf() if self._shelf else None, self._way)
            return self._open

    def embed(self) -> Embed | None:
        """What makes vectors of texts; None where the model is not here, and words must do."""
        from knowledge.problems import NoWeights

        try:
            return self.get().encode
        except NoWeights:
            return None

    def find(self) -> None:
        """See that the model is here, without opening it.

        Raises:
            NoWeights: it is not.
        """
        from knowledge.embedding.weights import find_weights

        find_weights(self._shelf() if self._shelf else None)
