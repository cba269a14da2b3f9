"""The knowledge base: sources, the index derived from them, and the retriever that reads it.

The index follows the sources: before each retrieval what is new, changed or gone is seen by size and time. Where
only our own documents are there, the index lies in the user's cache, made once for this machine; else below `home`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from knowledge.documents_folder import DOCUMENTS_DIR
from knowledge.embedding.embedder import Embedder
from knowledge.embedding.opened_later import EmbedderLater
from knowledge.hybrid import Wanted, rank
from knowledge.index.chroma_store import ChromaStore
from knowledge.index.files import IndexFiles
from knowledge.index.lock import owned
from knowledge.index.snapshot import Snapshot, empty_snapshot
from knowledge.passage import Passage
from knowledge.problems import KnowledgeBusy, NoWeights
from knowledge.sources import Look, Sources

__all__ = ["KnowledgeBase", "Refreshed"]

AT_ONCE = 24
"""Passages that a turn waits for to be embedded (some 0.3 s); more are done beside it, and the turn finds by words."""
BATCH = 32
BY_WORDS = "found by words, not by meaning"
TURN_WAIT_S = 0.5
COMMAND_WAIT_S = 60.0


@dataclass(frozen=True)
class Refreshed:
    """What bringing the index up to date came to."""

    documents: int
    passages: int
    embedded: int
    seconds: float


class KnowledgeBase:
    """A `Retriever` over everything the studio knows.

    Args:
        home: where added documents, past generations and the index lie (`settings.knowledge_home`).
        documents: folder of our own documents.
        embedder: the embedding model, shared with who else compares meaning; None is one of its own.
        chroma_server: see `ChromaStore`.
    """

    def __init__(
        self,
        home: Path,
        *,
        documents: Path = DOCUMENTS_DIR,
        embedder: EmbedderLater | None = None,
        chroma_server: str = "",
    ) -> None:
        self.home = home
        self.sources = Sources(documents, home)
        self.files = IndexFiles(home)
        self.chroma = ChromaStore(home / "index" / "chroma", chroma_server)
        self._remarks: list[str] = []
        self.embedder = embedder or EmbedderLater()
        self._guard = threading.RLock()
        self._beside: threading.Thread | None = None
        self._held: set[Path] = set()

    @property
    def remarks(self) -> list[str]:
        """What is to be told of the last retrieval, one line each: that it went by words alone, that the index was
        damaged and made again, that a document could not be read."""
        return list(self._remarks)

    def retrieve(
        self,
        query: str,
        *,
        names: Sequence[str] = (),
        limit: int = 5,
        kinds: Sequence[str] = (),
        characters: Sequence[str] = (),
    ) -> list[Passage]:
        """See `Retriever`. Never waits long: what cannot be had soon is found by words, and `remarks` tells it."""
        with self._guard:
            snapshot = self._current(wait=False)
            query = query[:4000]
            vector = None
            if len(snapshot.missing):
                self._complete_beside()
            elif len(snapshot) and query.strip():
                embedder = self._embedder()
                vector = embedder.encode([query])[0] if embedder else None
            return rank(snapshot, query, vector, Wanted(names, limit, kinds, characters))

    def refresh(self) -> Snapshot:
        """The index, up to date and with every vector that can be had; waits for both.

        Raises:
            KnowledgeBusy: another process is at it, for a minute.
            OSError: it cannot be written.
        """
        with self._guard:
            return self._current(wait=True)

    def store(self) -> Snapshot:
        """Bring the index and Chroma up to date.

        Raises:
            KnowledgeBusy, OSError: see `refresh`.
            KnowledgeProblem: Chroma cannot be written to.
        """
        if self._embedder():
            # A second of work that needs no lock: others wait that much less.
            self.chroma.import_library()
        # One hold for both: who waits for Chroma alone may come with an index that another has added to since.
        with self._guard, self._owned(self._chroma_lock, wait=True):
            snapshot = self._current(wait=True)
            # Without vectors there is nothing that Chroma could be asked for.
            if snapshot.embedded.any():
                self.chroma.sync(snapshot)
            return snapshot

    def rebuild(self) -> Refreshed:
        """Make the index and Chroma anew from the sources; nothing of an earlier one is taken.

        Raises:
            KnowledgeBusy, OSError, KnowledgeProblem: see `store`.
        """
        start = time.monotonic()
        with self._guard, self._owned(self._chroma_lock, wait=True):
            self.chroma.drop()
            self._remarks = []
            snapshot = self._made(self.files.path(self.sources.look().state), wait=True, anew=True)
            self._remark(snapshot)
            remarks = self._remarks
            self.store()
            self._remarks = remarks
        embedded = len(snapshot) - len(snapshot.missing)
        return Refreshed(len(snapshot.documents), len(snapshot), embedded, time.monotonic() - start)

    def _current(self, *, wait: bool) -> Snapshot:
        self._remarks = []
        self.files.damaged.clear()
        found = self.sources.look()
        path = self.files.path(found.state)
        snapshot = self.files.read(path)
        if snapshot is None or snapshot.state != found.state or self._lacks(snapshot, wait):
            snapshot = self._made(path, wait)
        self._remark(snapshot)
        return snapshot

    def _made(self, path: Path, wait: bool, *, anew: bool = False) -> Snapshot:
        """The index of this file brought up to date and kept; `anew`: from the sources alone."""
        while True:
            with self._owned(self.files.lock(path), wait) as mine:
                # While the lock was waited for sources may have come, and whoever held it have indexed them: what was
                # seen before that is older than the index, and would take them out of it.
                found = self.sources.look()
                lock, path = self.files.lock(path), self.files.path(found.state)
                if lock != self.files.lock(path):
                    continue
                before = None if anew else self.files.read(path)
                start = None if anew else before or self.files.nearest(path)
                snapshot = self._with_vectors(self._brought(start or empty_snapshot(), found), wait)
                if mine and snapshot is not before:
                    self._keep(path, snapshot, wait)
                return snapshot

    @property
    def _chroma_lock(self) -> Path:
        return self.files.lock(self.home / "index" / "chroma")

    @contextmanager
    def _owned(self, lock: Path, wait: bool) -> Iterator[bool]:
        """Hold the lock, which may be held already; a turn goes on without it, a command must have it."""
        if lock in self._held:
            yield True
            return
        with _owned(lock, wait) as mine:
            if mine:
                self._held.add(lock)
            try:
                yield mine
            finally:
                self._held.discard(lock)

    def _keep(self, path: Path, snapshot: Snapshot, wait: bool) -> None:
        try:
            self.files.keep(path, snapshot)
        except OSError as error:
            if wait:
                raise
            self._remarks.append(f"the index could not be kept: {error.strerror or error}")

    def _remark(self, snapshot: Snapshot) -> None:
        self._remarks += [*self.files.damaged, *self.sources.problems]
        self._remarks += [f"{one.source} could not be read: {one.problem}" for one in snapshot.documents if one.problem]

    def _brought(self, snapshot: Snapshot, found: Look) -> Snapshot:
        """Up to date with the sources, vectors aside."""
        changed = [key for key, digest in found.state.items() if snapshot.state.get(key) != digest]
        gone = {key for key in snapshot.state if key not in found.state}
        if not changed and not gone:
            return snapshot
        return snapshot.updated(gone.union(changed), [self.sources.read(found.sources[key]) for key in changed])

    def _lacks(self, snapshot: Snapshot, wait: bool) -> bool:
        """Whether vectors are missing that can be had now."""
        if not len(snapshot) or (not wait and len(snapshot.missing) > AT_ONCE):
            return False
        embedder = self._embedder()
        return embedder is not None and (snapshot.embedder != embedder.name or len(snapshot.missing) > 0)

    def _with_vectors(self, snapshot: Snapshot, wait: bool) -> Snapshot:
        if not self._lacks(snapshot, wait):
            return snapshot
        embedder = self._embedder()
        assert embedder is not None
        if snapshot.embedder != embedder.name:
            snapshot = snapshot.with_vectors(embedder.name, [], snapshot.vectors[:0])
        if wait and len(snapshot.missing) > AT_ONCE:
            snapshot = self._recalled(snapshot, embedder.name)
        rows = snapshot.missing
        if not len(rows) or (not wait and len(rows) > AT_ONCE):
            return snapshot
        return snapshot.with_vectors(embedder.name, rows, embedder.encode(snapshot.texts(rows)))

    def _recalled(self, snapshot: Snapshot, embedder: str) -> Snapshot:
        """With the vectors that Chroma still has: embedding a library anew takes minutes."""
        known = self.chroma.vectors(embedder)
        rows = [row for row in snapshot.missing.tolist() if snapshot.digests[row].tobytes() in known]
        if not rows:
            return snapshot
        return snapshot.with_vectors(embedder, rows, [known[snapshot.digests[row].tobytes()] for row in rows])

    def _embedder(self) -> Embedder | None:
        try:
            return self.embedder.get()
        except NoWeights as problem:
            told = f"{BY_WORDS}: {problem}"
            if told not in self._remarks:
                self._remarks.append(told)
            return None

    def _complete_beside(self) -> None:
        """Embed what is missing while the turn goes on."""
        # Where it was already asked for and is not here, that was told.
        if not any(remark.startswith(BY_WORDS) for remark in self._remarks) and self._embedder_is_there():
            self._remarks.append(
                "found by words: the index by meaning is being made; the next request finds by meaning"
            )
            if self._beside is None or not self._beside.is_alive():
                other = KnowledgeBase(self.home, documents=self.sources.documents, embedder=self.embedder)
                self._beside = threading.Thread(target=other._complete, name="knowledge-index")
                self._beside.start()

    def _embedder_is_there(self) -> bool:
        try:
            self.embedder.find()
        except NoWeights as problem:
            self._remarks.append(f"{BY_WORDS}: {problem}")
            return False
        return True

    def _complete(self) -> None:
        found = self.sources.look()
        path = self.files.path(found.state)
        with owned(self.files.lock(path), wait_s=0) as mine:
            snapshot = self.files.read(path) if mine else None
            embedder = self._embedder() if snapshot else None
            if snapshot is None or embedder is None:
                return
            # The process ends when its turn is done: what is not embedded by then is left for the next one.
            done = 0
            while len(snapshot.missing) and threading.main_thread().is_alive():
                rows = snapshot.missing[:BATCH]
                snapshot = snapshot.with_vectors(embedder.name, rows, embedder.encode(snapshot.texts(rows)))
                done += 1
                if done % 8 == 0:
                    self._keep(path, snapshot, wait=False)
            self._keep(path, snapshot, wait=False)


@contextmanager
def _owned(lock: Path, wait: bool) -> Iterator[bool]:
    """Hold the lock; a turn goes on without it, a command must have it."""
    try:
        with owned(lock, wait_s=COMMAND_WAIT_S if wait else TURN_WAIT_S) as mine:
            if wait and not mine:
                raise KnowledgeBusy(f"another process is changing the index {lock.parent}.", hint="Try again later.")
            yield mine
    except PermissionError:
        if wait:
            raise
        yield False
