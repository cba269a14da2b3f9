"""One interface to the model, whichever way it is run on this machine."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding.weights import Weights, find_weights
from knowledge.problems import NoWeights

__all__ = ["Embedder", "Way", "open_embedder"]

Way = Literal["onnx", "sentence_transformers", "numpy"]


class Embedder(Protocol):
    """Texts become vectors.

    Attributes:
        name: model, weights and width: vectors of the same name may be compared.
        way: how it is run, in words.
    """

    @property
    def name(self) -> str: ...

    @property
    def way(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector of length 1 a text, `float32 [n, 384]`; of a long text, of its first 256 tokens."""
        ...


def open_embedder(shelf: Path | None = None, way: Way | Literal[""] = "") -> Embedder:
    """The model, ready to run.

    Args:
        shelf: folder of the model on the models shelf; None: it has none.
        way: which one; '' takes the first that is installed, of ONNX Runtime (the same vectors in a tenth of the
            time, without torch), sentence-transformers and numpy.

    Raises:
        NoWeights: the model, or what runs it, is not here; names the command that mends it.
    """
    weights = find_weights(shelf)
    ways: list[Way] = [way] if way else ["onnx", "sentence_transformers", "numpy"]
    missing = ""
    for one in ways:
        try:
            return _open(weights, one)
        except ImportError as error:
            missing = error.name or str(error)
    raise NoWeights(f"what runs the embedding model is not installed: {missing}.", hint="pip install tokenizers")


def _open(weights: Weights, way: Way) -> Embedder:
    from knowledge.embedding import ways

    if way == "onnx":
        return ways.OnnxEmbedder(weights)
    if way == "sentence_transformers":
        if importlib.util.find_spec("sentence_transformers") is None:
            raise ImportError("sentence-transformers", name="sentence_transformers")
        return ways.SentenceTransformersEmbedder(weights)
    return ways.NumpyEmbedder(weights)
