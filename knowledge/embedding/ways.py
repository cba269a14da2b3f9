"""The ways to run the model, all with the same weights: ONNX Runtime, sentence-transformers, numpy alone."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.embedding.graph import DIM, HEADS, LAYERS, Width, encoder_graph
from knowledge.embedding.weights import WEIGHTS_SHA256, Weights, read_tensors

__all__ = ["MAX_TOKENS", "NumpyEmbedder", "OnnxEmbedder", "SentenceTransformersEmbedder"]

MAX_TOKENS = 256
BATCH_TOKENS = 4096
"""Tokens of one batch, padding counted: memory stays small however long the texts are."""
Vectors = NDArray[np.float32]


class _OwnEmbedder(ABC):
    """What the two ways of our own share: words to token ids, batches of like length, the rows of the word table."""

    def __init__(self, weights: Weights) -> None:
        from tokenizers import Tokenizer

        tokenizer: Any = Tokenizer.from_file(str(weights.tokenizer))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer = tokenizer
        self._tensors = read_tensors(weights.tensors)
        self._words = self._tensors["embeddings.word_embeddings.weight"]
        kind = self._tensors["embeddings.token_type_embeddings.weight"][0]
        self._places = self._tensors["embeddings.position_embeddings.weight"][:MAX_TOKENS] + kind

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One vector of length 1 a text, `float32 [n, 384]`."""
        vectors = np.empty((len(texts), DIM), np.float32)
        plain = [_plain(text) for text in texts]
        # A batch goes to threads of the tokenizer's own: for one text to wake them costs more than it takes.
        one = len(plain) == 1
        encodings = [self._tokenizer.encode(plain[0])] if one else self._tokenizer.encode_batch(plain)
        ids = [encoding.ids for encoding in encodings]
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        batches: list[list[int]] = []
        for index in order:
            if not batches or (len(batches[-1]) + 1) * len(ids[index]) > BATCH_TOKENS:
                batches.append([])
            batches[-1].append(index)
        for batch in batches:
            vectors[batch] = self._encode_batch([ids[index] for index in batch])
        return vectors

    def _encode_batch(self, ids: list[list[int]]) -> Vectors:
        longest = max(map(len, ids))
        padded = np.zeros((len(ids), longest), np.int64)
        mask = np.zeros((len(ids), longest), np.float32)
        for row, one in enumerate(ids):
            padded[row, : len(one)] = one
            mask[row, : len(one)] = 1.0
        return self._run(self._words[padded] + self._places[:longest], mask)

    @abstractmethod
    def _run(self, embedded: Vectors, mask: Vectors) -> Vectors:
        """`float32 [texts, 384]` of embedded words `[texts, words, 384]` and of which are words, `[texts, words]`."""


class OnnxEmbedder(_OwnEmbedder):
    """By ONNX Runtime; `int8` takes a third of the time of `fp32` and finds the same passages."""

    def __init__(self, weights: Weights, width: Width = "int8", *, threads: int = 1) -> None:
        super().__init__(weights)
        # Since 1.29 its builds send to Microsoft what runs on them, unless this is set before it is loaded:
        # https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        self.name = f"all-MiniLM-L6-v2 {WEIGHTS_SHA256[:12]} {width}"
        self.way = f"onnxruntime, {width}"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        graph = encoder_graph(self._tensors, width)
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def _run(self, embedded: Vectors, mask: Vectors) -> Vectors:
        vectors: Vectors = self._session.run(["vectors"], {"embedded": embedded, "mask": mask})[0]
        return vectors


class NumpyEmbedder(_OwnEmbedder):
    """By numpy alone: slower, and needs nothing but the tokenizer."""

    def __init__(self, weights: Weights) -> None:
        super().__init__(weights)
        self.name = f"all-MiniLM-L6-v2 {WEIGHTS_SHA256[:12]} fp32"
        self.way = "numpy"

    def _run(self, embedded: Vectors, mask: Vectors) -> Vectors:
        n, s, _ = embedded.shape
        hidden = self._norm(embedded, "embeddings.LayerNorm")
        bias = ((1.0 - mask) * -1e9)[:, None, None, :]

        def heads(part: Vectors) -> Vectors:
            return part.reshape(n, s, HEADS, DIM // HEADS).transpose(0, 2, 1, 3)

        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            query, key, value = (
                heads(self._linear(hidden, f"{name}.attention.self.{part}")) for part in ("query", "key", "value")
            )
            scores = query @ key.transpose(0, 1, 3, 2) * np.float32((DIM // HEADS) ** -0.5) + bias
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            attended = (scores / scores.sum(-1, keepdims=True)) @ value
            joined = attended.transpose(0, 2, 1, 3).reshape(n, s, DIM)
            out = self._linear(joined, f"{name}.attention.output.dense")
            hidden = self._norm(out + hidden, f"{name}.attention.output.LayerNorm")
            inner = _gelu(self._linear(hidden, f"{name}.intermediate.dense"))
            out = self._linear(inner, f"{name}.output.dense")
            hidden = self._norm(out + hidden, f"{name}.output.LayerNorm")
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
        vectors: Vectors = mean / np.linalg.norm(mean, axis=-1, keepdims=True)
        return vectors

    def _linear(self, hidden: Vectors, name: str) -> Vectors:
        out: Vectors = hidden @ self._tensors[f"{name}.weight"].T + self._tensors[f"{name}.bias"]
        return out

    def _norm(self, hidden: Vectors, name: str) -> Vectors:
        centred = hidden - hidden.mean(-1, keepdims=True)
        scale = np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(1e-12))
        out: Vectors = centred / scale * self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"]
        return out


class SentenceTransformersEmbedder:
    """By the library sentence-transformers, where it is installed; it brings torch."""

    def __init__(self, weights: Weights) -> None:
        # The weights lie here: nothing has to be asked of the network.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        from sentence_transformers import SentenceTransformer

        self._model: Any = SentenceTransformer(str(weights.folder), device="cpu")
        self._model.max_seq_length = MAX_TOKENS
        self.name = f"all-MiniLM-L6-v2 {WEIGHTS_SHA256[:12]} fp32"
        self.way = "sentence-transformers"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One vector of length 1 a text, `float32 [n, 384]`."""
        if not texts:
            return np.empty((0, DIM), np.float32)
        encoded = self._model.encode(
            [_plain(text) for text in texts], normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(encoded, np.float32)


def _plain(text: str) -> str:
    """What the tokenizer takes: a lone surrogate cannot be written as UTF-8; of a book, its beginning is enough."""
    return text[: MAX_TOKENS * 40].encode("utf-8", "replace").decode()


def _gelu(x: Vectors) -> Vectors:
    """x * Phi(x), with erf by Abramowitz and Stegun 7.1.26 (absolute error below 1.5e-7)."""
    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1.0 / (1.0 + np.float32(0.3275911) * z)
    poly = np.zeros_like(t)
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        poly = (poly + np.float32(factor)) * t
    erf = 1.0 - poly * np.exp(-z * z)
    out: Vectors = (0.5 * x * (1.0 + np.copysign(erf, x))).astype(np.float32)
    return out
