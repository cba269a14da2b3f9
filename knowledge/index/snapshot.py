"""The index that queries read: passages, vectors and BM25 postings in one file, whole or not at all.

A file is: magic, sha256 of all that follows, length of the header, header as JSON, the arrays. It is read once,
verified, and from then on held in memory: what happens to the file later can harm nobody, and another process's new
file is seen by its inode and time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.lexical.bm25 import Postings
from knowledge.lexical.words import words_of
from knowledge.user_cache import replace_file

__all__ = ["Damaged", "IndexedDocument", "Piece", "Snapshot", "empty_snapshot", "read_snapshot", "write_snapshot"]

MAGIC = b"studio knowledge\n"
FORMAT = 2
"""Raised when passages are cut or kept in another way: earlier files are then made again."""
DIM = 384


class Damaged(Exception):
    """A snapshot is torn, changed or of another version; it is made again from the documents."""


@dataclass(frozen=True)
class IndexedDocument:
    """A document of the index.

    Attributes:
        key: which one it is: `builtin/luca.md`, `added/3f...`, `generation/...`.
        digest: of its content; another digest is another content.
        source: as it is shown.
        title, kind, about: as in its front matter.
        origin: `builtin`, `added` or `generation`: can be filtered by as a kind can.
        problem: why it could not be read; it then has no passages.
    """

    key: str
    digest: str
    source: str
    title: str
    kind: str
    origin: str
    about: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Piece:
    """A passage that is not yet in an index."""

    heading: str
    text: str
    embedded: str
    """What is embedded: title, heading, text."""
    words: tuple[str, ...]
    """Further words it is found by."""

    @property
    def digest(self) -> bytes:
        """16 bytes that tell whether a vector is of this text."""
        return hashlib.sha256(self.embedded.encode("utf-8", "replace")).digest()[:16]


@dataclass(frozen=True)
class Snapshot:
    """Everything a query needs.

    Attributes:
        embedder: whose vectors they are; '' where there are none.
        documents: in order.
        document_of: `int32 [n]`: which document a passage is of.
        starts, blob: where in the blob the JSON `[heading, text, embedded]` of a passage begins.
        digests: `uint8 [n, 16]`: of the embedded texts.
        vectors: `float32 [n, 384]`; zeros where a passage has none yet.
        embedded: `bool [n]`: which passages have a vector.
        postings: BM25.
    """

    embedder: str
    documents: tuple[IndexedDocument, ...]
    document_of: NDArray[np.int32]
    starts: NDArray[np.int64]
    blob: bytes
    digests: NDArray[np.uint8]
    vectors: NDArray[np.float32]
    embedded: NDArray[np.bool_]
    postings: Postings

    def __len__(self) -> int:
        return len(self.document_of)

    @cached_property
    def state(self) -> dict[str, str]:
        """Digest of every document, by key."""
        return {document.key: document.digest for document in self.documents}

    def piece(self, row: int) -> tuple[str, str, str]:
        """Heading, text, and what is embedded of a passage."""
        heading, text, embedded = json.loads(self.blob[self.starts[row] : self.starts[row + 1]])
        return heading, text, embedded

    def texts(self, rows: NDArray[np.int64]) -> list[str]:
        """What is embedded of these passages."""
        return [self.piece(int(row))[2] for row in rows]

    @cached_property
    def centroids(self) -> NDArray[np.float32]:
        """What each document is about: the direction of its passages' vectors together, `float32 [documents, 384]`;
        zeros for one that has none yet.
        """
        sums = np.zeros((len(self.documents), DIM), np.float32)
        if len(self):
            order = np.argsort(self.document_of, kind="stable")
            present, starts = np.unique(self.document_of[order], return_index=True)
            sums[present] = np.add.reduceat(self.vectors[order], starts, axis=0)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centroids: NDArray[np.float32] = sums / np.maximum(lengths, np.float32(1e-9))
        return centroids

    @property
    def missing(self) -> NDArray[np.int64]:
        """Rows of the passages without a vector."""
        return np.flatnonzero(~self.embedded)

    def with_vectors(self, embedder: str, rows: Sequence[int] | NDArray[np.int64], vectors: Any) -> Snapshot:
        """The same with vectors of this embedder for some rows; those of another embedder are dropped."""
        every = self.vectors.copy() if embedder == self.embedder else np.zeros_like(self.vectors)
        have = self.embedded.copy() if embedder == self.embedder else np.zeros_like(self.embedded)
        every[rows], have[rows] = vectors, True
        return replace(self, embedder=embedder, vectors=every, embedded=have)

    def updated(self, gone: set[str], new: Iterable[tuple[IndexedDocument, list[Piece]]]) -> Snapshot:
        """Without the documents of these keys, and with new ones; a text that had a vector keeps it.

        Args:
            gone: keys of documents that are no more, or that come in anew.
            new: documents with their passages.
        """
        documents = [document for document in self.documents if document.key not in gone]
        numbers = {document.key: number for number, document in enumerate(documents)}
        place = np.array([numbers.get(document.key, -1) for document in self.documents], np.int32)
        of = place[self.document_of] if len(self) else self.document_of
        kept = np.flatnonzero(of >= 0)
        pieces: list[Piece] = []
        of_new: list[int] = []
        for document, its in new:
            of_new += [len(documents)] * len(its)
            documents.append(document)
            pieces += its
        lines = [self.blob[self.starts[row] : self.starts[row + 1]] for row in kept]
        lines += [json.dumps([one.heading, one.text, one.embedded], ensure_ascii=True).encode() for one in pieces]
        known = {self.digests[row].tobytes(): row for row in np.flatnonzero(self.embedded)}
        vectors = np.zeros((len(pieces), DIM), np.float32)
        have = np.zeros(len(pieces), bool)
        for number, piece in enumerate(pieces):
            if (row := known.get(piece.digest)) is not None:
                vectors[number], have[number] = self.vectors[row], True
        fresh = Postings.of([[*words_of(piece.embedded), *piece.words] for piece in pieces])
        digests = np.frombuffer(b"".join(piece.digest for piece in pieces), np.uint8).reshape(-1, 16)
        return Snapshot(
            embedder=self.embedder,
            documents=tuple(documents),
            document_of=np.concatenate([of[kept], np.array(of_new, np.int32)]).astype(np.int32),
            starts=np.concatenate([[0], np.cumsum([len(line) for line in lines], dtype=np.int64)]).astype(np.int64),
            blob=b"".join(lines),
            digests=np.concatenate([self.digests[kept], digests]),
            vectors=np.concatenate([self.vectors[kept], vectors]),
            embedded=np.concatenate([self.embedded[kept], have]),
            postings=self.postings.updated(kept.tolist(), fresh),
        )


def empty_snapshot() -> Snapshot:
    """An index of nothing."""
    return Snapshot(
        "", (), np.zeros(0, np.int32), np.zeros(1, np.int64), b"", np.zeros((0, 16), np.uint8),
        np.zeros((0, DIM), np.float32), np.zeros(0, bool), Postings.of([]),
    )  # fmt: skip


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write it in one piece.

    Raises:
        OSError: the disk is full or read-only; the file is then as it was.
    """
    postings = snapshot.postings
    arrays: dict[str, NDArray[Any]] = {
        "document_of": snapshot.document_of,
        "starts": snapshot.starts,
        "blob": np.frombuffer(snapshot.blob, np.uint8),
        "digests": snapshot.digests,
        "vectors": snapshot.vectors,
        "embedded": snapshot.embedded.astype(np.uint8),
        "word_starts": postings.starts,
        "word_passages": postings.passages,
        "word_counts": postings.counts,
        "lengths": postings.lengths,
    }
    header = {
        "format": FORMAT,
        "embedder": snapshot.embedder,
        "documents": [asdict(document) for document in snapshot.documents],
        "words": postings.words,
        "arrays": [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()],
    }
    head = json.dumps(header, ensure_ascii=True).encode()
    # Arrays begin at multiples of 64 bytes, so that they can be used where they lie.
    head += b" " * (-(len(MAGIC) + 40 + len(head)) % 64)
    parts = [len(head).to_bytes(8, "little"), head]
    for array in arrays.values():
        data = np.ascontiguousarray(array).tobytes()
        parts.append(data + b"\0" * (-len(data) % 64))
    body = b"".join(parts)
    replace_file(path, MAGIC + hashlib.sha256(body).digest() + body)


def read_snapshot(path: Path) -> Snapshot:
    """Read and verify it.

    Raises:
        Damaged: it is not what was written, or of another version.
        OSError: it is not there, or cannot be read.
    """
    data = path.read_bytes()
    start = len(MAGIC) + 32
    if data[: len(MAGIC)] != MAGIC or hashlib.sha256(memoryview(data)[start:]).digest() != data[len(MAGIC) : start]:
        raise Damaged(f"{path.name} is damaged")
    length = int.from_bytes(data[start : start + 8], "little")
    at = start + 8 + length
    header = json.loads(data[start + 8 : at])
    if header["format"] != FORMAT:
        raise Damaged(f"{path.name} is of another version")
    arrays: dict[str, Any] = {}
    for name, dtype, shape in header["arrays"]:
        count = int(np.prod(shape))
        arrays[name] = np.frombuffer(data, dtype, count, at).reshape(shape)
        size = count * np.dtype(dtype).itemsize
        at += size + -size % 64
    postings = Postings(
        header["words"], arrays["word_starts"], arrays["word_passages"], arrays["word_counts"], arrays["lengths"]
    )
    documents = tuple(IndexedDocument(**{**one, "about": tuple(one["about"])}) for one in header["documents"])
    return Snapshot(
        header["embedder"], documents, arrays["document_of"], arrays["starts"], arrays["blob"].tobytes(),
        arrays["digests"], arrays["vectors"], arrays["embedded"].astype(bool), postings,
    )  # fmt: skip
