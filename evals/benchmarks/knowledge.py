"""How fast the knowledge base answers at 10,000 passages, beside Chroma's own search over the same vectors."""

from __future__ import annotations

import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evals.benchmarks.row import Row
from tools.errors import MissingPrerequisite

__all__ = ["measure"]

PASSAGES = 10_000
DOCUMENTS = 100
QUERIES = 100
NEAREST = 10


def measure() -> list[Row]:
    """Medians over 100 questions, asked in turn of ours and of Chroma, so that a busy machine slows both alike.

    What a question takes of a processor is told beside the clock: on a machine with other work the clock shows that.

    Chroma is embedded, with its default settings, and is handed the vector of the question; ours is measured end to end
    (look at the sources, embedding, both searches, passages) and for the search of vectors alone.
    """
    from knowledge.embedding.embedder import open_embedder
    from knowledge.problems import NoWeights

    try:
        embedder = open_embedder()
    except NoWeights as problem:
        raise MissingPrerequisite(problem.message, command="studio models pull minilm") from None
    with tempfile.TemporaryDirectory() as folder:
        base, snapshot = _filled(Path(folder), embedder)
        questions = _questions(snapshot)
        vectors = embedder.encode(questions)
        with _Chroma(Path(folder) / "chroma", snapshot) as collection:
            return _compared(base, snapshot, embedder, collection, questions, vectors)


def _filled(folder: Path, embedder: Any) -> tuple[Any, Any]:
    """A knowledge base of 10,000 passages in 100 documents, of the words of our own documents.

    Embedding them takes a minute and is not what is measured: a tenth is embedded, and the others are mixtures of two.
    """
    import numpy as np

    from knowledge.base import KnowledgeBase
    from knowledge.documents_folder import DocumentsFolder
    from knowledge.index.snapshot import IndexedDocument, Piece, empty_snapshot, write_snapshot
    from knowledge.sources import Sources

    documents = folder / "documents"
    documents.mkdir()
    dice = random.Random(0)
    text = " ".join(text for one in DocumentsFolder().documents for _, text in one.sections)
    words = re.findall(r"[a-z]+", text.casefold())
    made = []
    for number in range(DOCUMENTS):
        texts = [" ".join(dice.choices(words, k=90)) for _ in range(PASSAGES // DOCUMENTS)]
        file = documents / f"{number:04}.md"
        file.write_text(f"---\ntitle: T{number}\nkind: guide\n---\n## S\n{texts[0]}\n", encoding="utf-8")
        made.append((file, [Piece("S", text, f"T{number} - S\n{text}", ()) for text in texts]))
    found = Sources(documents, folder / "home").look().sources
    snapshot = empty_snapshot().updated(
        set(),
        [
            (IndexedDocument(key, found[key].digest, file.name, file.stem, "guide", "builtin", ()), pieces)
            for file, pieces in made
            for key in [f"builtin/{file.name}"]
        ],
    )
    some = embedder.encode(snapshot.texts(np.arange(PASSAGES // 10)))
    pairs = np.random.default_rng(0).integers(0, len(some), (PASSAGES, 2))
    mixed = some[pairs[:, 0]] + np.float32(0.8) * some[pairs[:, 1]]
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    snapshot = snapshot.with_vectors(embedder.name, np.arange(PASSAGES), mixed)
    base = KnowledgeBase(folder / "home", documents=documents)
    path = folder / "index.snapshot"
    write_snapshot(path, snapshot)
    base.files.path = lambda _: path  # type: ignore[assignment] # the user's cache is left alone
    return base, snapshot


def _questions(snapshot: Any) -> list[str]:
    dice = random.Random(1)
    rows = [dice.randrange(len(snapshot)) for _ in range(QUERIES)]
    return [" ".join(dice.sample(snapshot.piece(row)[1].split(), 9)) for row in rows]


class _Chroma:
    """A collection with these vectors in a new folder."""

    def __init__(self, folder: Path, snapshot: Any) -> None:
        import chromadb
        from chromadb.config import Settings

        self._client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
        self._snapshot = snapshot

    def __enter__(self) -> Any:
        collection = self._client.create_collection("passages", embedding_function=None)
        for at in range(0, len(self._snapshot), 1000):
            rows = range(at, min(at + 1000, len(self._snapshot)))
            collection.add(ids=[str(row) for row in rows], embeddings=self._snapshot.vectors[at : at + 1000])
        return collection

    def __exit__(self, *_: object) -> None:
        self._client.close()


def _compared(
    base: Any, snapshot: Any, embedder: Any, collection: Any, questions: list[str], vectors: Any
) -> list[Row]:
    import numpy as np

    times: dict[str, list[float]] = {name: [] for name in ("whole", "processor", "ours", "theirs", "embedding", "both")}
    missed = {"ours": 0, "theirs": 0}

    def asked(vector: Any) -> Any:
        return collection.query(query_embeddings=[vector], n_results=NEAREST)

    for number, question in enumerate([*questions[:5], *questions]):
        vector = vectors[max(0, number - 5)]
        before = time.thread_time()
        if not _timed(times["whole"], base.retrieve, question):
            raise RuntimeError(f"nothing was found for {question!r}")
        times["processor"].append(time.thread_time() - before)
        ours = _timed(times["ours"], _nearest, snapshot.vectors, vector)
        theirs = _timed(times["theirs"], asked, vector)
        _timed(times["embedding"], embedder.encode, [question])
        _timed(times["both"], lambda text: asked(embedder.encode([text])[0]), question)
        if number >= 5:
            cosines = snapshot.vectors.astype(np.float64) @ vector
            # Of equals any will do.
            least = np.sort(cosines)[-NEAREST] - 1e-6
            missed["ours"] += int((cosines[ours] < least).sum())
            missed["theirs"] += int((cosines[[int(one) for one in theirs["ids"][0]]] < least).sum())
    whole, processor, ours_ms, theirs_ms, embedding, both = (
        statistics.median(measured[5:]) * 1000 for measured in times.values()
    )
    slow, both_slow = (statistics.quantiles(times[name][5:], n=20)[-1] * 1000 for name in ("whole", "both"))
    every = QUERIES * NEAREST
    size = f"{PASSAGES:,} passages of {DOCUMENTS} documents"
    return [
        Row(f"question end to end, {size}", whole, "ms", 5.0, both, "the same embedding, then Chroma: no words"),
        Row("of this on the processor", processor, "ms"),
        Row("95 of 100 questions within", slow, "ms", None, both_slow, "the same embedding, then Chroma"),
        Row("of this the embedding", embedding, "ms"),
        Row(f"{NEAREST} nearest vectors", ours_ms, "ms", None, theirs_ms, "Chroma's HNSW, default settings"),
        Row(f"missed of the {NEAREST} nearest", 100 * missed["ours"] / every, "%", 0.0,
            100 * missed["theirs"] / every, "Chroma's HNSW"),
    ]  # fmt: skip


def _nearest(vectors: Any, vector: Any) -> list[int]:
    """The search of vectors as `knowledge.hybrid` does it: all of them, exactly."""
    import numpy as np

    cosines = vectors @ vector
    best = np.argpartition(-cosines, NEAREST)[:NEAREST]
    found: list[int] = best[np.argsort(-cosines[best])].tolist()
    return found


def _timed(times: list[float], work: Callable[..., Any], *args: Any) -> Any:
    start = time.perf_counter()
    found = work(*args)
    times.append(time.perf_counter() - start)
    return found
