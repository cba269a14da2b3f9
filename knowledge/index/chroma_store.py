"""The passages and their vectors in Chroma: the store that lasts, and that other programs can ask.

Queries do not need it (importing chromadb takes a second): they read the snapshot. Chroma is brought up to date by the
`studio knowledge` commands, and gives the vectors back when the snapshot was lost.

Embedded, its files belong to one process at a time, the holder of the index lock. It notices damage late or by
crashing (7 of 12 cut files made it unusable), so the hash of every file is written down when it is closed and compared
before it is opened: what differs is thrown away and made anew.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.index.snapshot import Snapshot
from knowledge.problems import KnowledgeProblem
from knowledge.user_cache import replace_file

__all__ = ["ChromaStore"]

COLLECTION = "passages"
BATCH = 1_000
"""Records of one call; Chroma refuses more than some 5,000."""

Vectors = dict[bytes, NDArray[np.float32]]


class ChromaStore:
    """One collection with every passage of a snapshot that has a vector.

    Args:
        folder: of the embedded store; beside it lies `chroma.json`, the hashes of its files.
        server: `host:port` of a server on this machine (`chroma run`) to use instead of files; '' is embedded.
    """

    def __init__(self, folder: Path, server: str = "") -> None:
        self.folder = folder
        self.server = server
        self._seal = folder.with_suffix(".json")

    def import_library(self) -> None:
        """Import what this store needs, which takes a second the first time."""
        import chromadb  # noqa: F401

    def sync(self, snapshot: Snapshot) -> int:
        """Make the collection equal to the snapshot; the caller holds the index lock.

        Returns:
            How many records were written or removed.

        Raises:
            KnowledgeProblem: the server does not answer, or Chroma refuses even a new folder.
        """
        wanted = _records(snapshot)
        with self._collection(snapshot.embedder) as collection:
            found = _every(collection, ["metadatas"], lambda got: got["metadatas"])
            there = {key: (meta or {}).get("check") for key, meta in found}
            gone = [key for key in there if key not in wanted]
            new = [key for key, row in wanted.items() if there.get(key) != _check(snapshot, row)]
            for at in range(0, len(gone), BATCH):
                collection.delete(ids=gone[at : at + BATCH])
            for at in range(0, len(new), BATCH):
                some = new[at : at + BATCH]
                rows = [wanted[key] for key in some]
                collection.upsert(
                    ids=some,
                    embeddings=snapshot.vectors[rows],
                    documents=[snapshot.piece(row)[1] for row in rows],
                    metadatas=[_metadata(snapshot, row) for row in rows],
                )
        return len(gone) + len(new)

    def vectors(self, embedder: str) -> Vectors:
        """The vectors of this embedder by digest of their text, those that are whole; none where there is no store.

        Never raises for a damaged store: there is then nothing to be had from it.
        """
        if not self.server and not self._sound():
            return {}
        found: Vectors = {}
        try:
            with self._collection(embedder) as collection:
                parts = ["metadatas", "embeddings"]
                for _, (meta, vector) in _every(collection, parts, _meta_and_vector):
                    row = np.asarray(vector, np.float32)
                    digest = bytes.fromhex(str((meta or {}).get("check", "")).partition("-")[0])
                    if (meta or {}).get("check") == f"{digest.hex()}-{_sum(row)}":
                        found[digest] = row
        except (KnowledgeProblem, ValueError):
            return {}
        return found

    def drop(self) -> None:
        """Remove the embedded store; a server keeps its own until the next `sync` makes it equal."""
        self._seal.unlink(missing_ok=True)
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _sound(self) -> bool:
        """Whether the files are those that were there when it was last closed."""
        try:
            sealed = json.loads(self._seal.read_bytes())
        except (OSError, ValueError):
            return False
        return bool(sealed == self._hashes())

    def _hashes(self) -> dict[str, str]:
        hashes = {}
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                with path.open("rb") as stream:
                    hashes[path.relative_to(self.folder).as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
        return hashes

    @contextmanager
    def _collection(self, embedder: str) -> Iterator[Any]:
        """The collection, open; made anew where its files are not sound or its vectors are of another embedder."""
        if self.server:
            with self._opened(embedder) as collection:
                yield collection
            return
        if not self._sound():
            self.drop()
        # From here to the end it is open: whoever finds no seal knows that it was not closed.
        self._seal.unlink(missing_ok=True)
        with self._opened(embedder) as collection:
            yield collection
        replace_file(self._seal, json.dumps(self._hashes(), indent=0).encode())

    @contextmanager
    def _opened(self, embedder: str) -> Iterator[Any]:
        client: Any = None
        try:
            client = self._client()
            names = {one.name for one in client.list_collections()}
            if COLLECTION in names:
                collection = client.get_collection(COLLECTION, embedding_function=None)
                if (collection.metadata or {}).get("embedder") != embedder:
                    client.delete_collection(COLLECTION)
                    names.remove(COLLECTION)
            if COLLECTION not in names:
                # Inner product: for vectors of length 1 it is the cosine, and they are kept bit by bit.
                collection = client.create_collection(
                    COLLECTION,
                    metadata={"embedder": embedder},
                    configuration={"hnsw": {"space": "ip"}},
                    embedding_function=None,
                )
            yield collection
        except (OSError, KnowledgeProblem):
            raise
        except Exception as error:
            where = f"the Chroma server at {self.server}" if self.server else f"Chroma in {self.folder}"
            mend = "chroma run --host 127.0.0.1" if self.server else "studio knowledge rebuild"
            hint = f"The documents are kept, and found; Chroma gets them with the next command. To mend it: {mend}"
            told = (str(error) or repr(error)).splitlines()[0].rstrip(".?! ")
            raise KnowledgeProblem(f"{where}: {told}.", hint=hint) from error
        finally:
            if client is not None:
                client.close()

    def _client(self) -> Any:
        import chromadb
        from chromadb.config import Settings

        if not self.server:
            self.folder.mkdir(parents=True, exist_ok=True)
            return chromadb.PersistentClient(str(self.folder), settings=Settings(anonymized_telemetry=False))
        host, _, port = self.server.rpartition(":")
        if not _is_loopback(host) or not port.isdigit():
            raise KnowledgeProblem(
                f"{self.server} is no host:port on this machine.", hint="For example 127.0.0.1:8000."
            )
        return chromadb.HttpClient(host, int(port), settings=Settings(anonymized_telemetry=False))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _every(collection: Any, include: list[str], rows: Any) -> Iterator[tuple[str, Any]]:
    """Every record's id with what `rows` takes of an answer, page by page."""
    at = 0
    while True:
        got = collection.get(limit=BATCH, offset=at, include=include)
        if not got["ids"]:
            return
        yield from zip(got["ids"], rows(got), strict=True)
        at += len(got["ids"])


def _meta_and_vector(got: Any) -> Iterator[Any]:
    return zip(got["metadatas"], got["embeddings"], strict=True)


def _records(snapshot: Snapshot) -> dict[str, int]:
    """Row by id: the key of the document and the number of the passage in it."""
    rows: dict[str, int] = {}
    counts: dict[int, int] = {}
    for row, number in enumerate(snapshot.document_of.tolist()):
        counts[number] = counts.get(number, 0) + 1
        if snapshot.embedded[row]:
            rows[f"{snapshot.documents[number].key}#{counts[number]}"] = row
    return rows


def _check(snapshot: Snapshot, row: int) -> str:
    """Tells whether a record is of this text and its vector whole."""
    return f"{snapshot.digests[row].tobytes().hex()}-{_sum(snapshot.vectors[row])}"


def _sum(vector: NDArray[np.float32]) -> str:
    return hashlib.sha256(np.ascontiguousarray(vector, np.float32).tobytes()).hexdigest()[:16]


def _metadata(snapshot: Snapshot, row: int) -> dict[str, str]:
    document = snapshot.documents[snapshot.document_of[row]]
    return {
        "check": _check(snapshot, row),
        "document": document.key,
        "source": document.source,
        "title": document.title,
        "heading": snapshot.piece(row)[0],
        "kind": document.kind,
        "origin": document.origin,
        "about": ",".join(document.about),
    }
