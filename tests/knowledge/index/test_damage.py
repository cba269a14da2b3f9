"""Whatever becomes of the files of an index, the next request is answered as before, and the damage is told.

`STUDIO_FULL=1` tries 100 damages of each sort, instead of each file once.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.added import AddedDocuments
from knowledge.base import KnowledgeBase
from knowledge.index.chroma_store import ChromaStore
from knowledge.ingest.adding import add_files
from knowledge.user_cache import user_cache
from tests.knowledge.bases import base_in, cache_with_model, needs_weights

pytestmark = needs_weights

FULL = bool(os.environ.get("STUDIO_FULL"))
QUESTION = "what sings in the deep water"


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KnowledgeBase:
    """A base with Chroma, an added document and an index of its own."""
    cache_with_model(tmp_path, monkeypatch)
    made = base_in(tmp_path)
    note = tmp_path / "lighthouse.md"
    note.write_text("# The lighthouse\nIts keeper counts the ships that pass at night.\n", encoding="utf-8")
    add_files(AddedDocuments(made.home), [note])
    made.store()
    return made


def reopened(base: KnowledgeBase) -> KnowledgeBase:
    return KnowledgeBase(base.home, documents=base.sources.documents)


def answers(base: KnowledgeBase) -> list[str]:
    return [base.retrieve(ask)[0].title for ask in (QUESTION, "who looks at vessels in the dark")]


GOOD = ["The whale", "The lighthouse"]


def cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))] if data else b"x"


def flipped(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data)) if data else 0
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :] if data else b"x"


def files_of(base: KnowledgeBase) -> list[Path]:
    """All but the embedding model, which is large, and opened once a process: tests/knowledge/embedding."""
    found = [path for folder in (base.home / "index", user_cache()) for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in found if not path.name.endswith(".onnx"))


@pytest.mark.parametrize("damage", [cut, flipped])
def test_damage_to_any_file_of_the_index_changes_no_answer(
    base: KnowledgeBase, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    dice = random.Random(3)
    files = files_of(base)
    assert {"passages.snapshot", "chroma.json", "chroma.sqlite3"} <= {path.name for path in files}
    rounds = 100 if FULL else len(files)
    for round_number in range(rounds):
        # Listed anew: what is mended has other names.
        files = files_of(base)
        path = files[round_number % len(files)]
        path.write_bytes(damage(path.read_bytes(), dice))
        again = reopened(base)
        assert answers(again) == GOOD, path
        if path.name == "passages.snapshot":
            again = reopened(base)
            path.write_bytes(damage(path.read_bytes(), dice))
            again.retrieve(QUESTION)
            assert any("damaged" in remark for remark in again.remarks)
            again.retrieve(QUESTION)
            assert again.remarks == [], "it was made anew"
    print(f"{damage.__name__}: {rounds} damages to {len(files)} files of the index, no other answer")


def test_damage_to_any_file_of_chroma_is_found_and_mended(base: KnowledgeBase) -> None:
    dice = random.Random(5)
    index = base.home / "index"
    snapshot = base.refresh()
    want = {digest.tobytes() for digest in snapshot.digests}
    rounds = 100 if FULL else 20
    for round_number in range(rounds):
        files = sorted(path for path in (index / "chroma").rglob("*") if path.is_file())
        path = files[round_number % len(files)]
        path.write_bytes((cut if round_number % 2 else flipped)(path.read_bytes(), dice))
        store = ChromaStore(index / "chroma")
        assert store.vectors(snapshot.embedder) == {}, f"{path.name} was changed, and its store taken for sound"
        assert store.sync(snapshot) == len(snapshot), "made anew, whole"
        assert set(store.vectors(snapshot.embedder)) == want
        assert store.sync(snapshot) == 0, "the control: a sound store is taken as it is"
    print(f"{rounds} damages to Chroma's files, all found and mended")


def test_a_store_that_was_not_closed_is_not_trusted(base: KnowledgeBase) -> None:
    """As after a power cut while it was written."""
    (base.home / "index" / "chroma.json").unlink()
    snapshot = base.refresh()
    assert ChromaStore(base.home / "index" / "chroma").vectors(snapshot.embedder) == {}


def test_a_lost_index_takes_its_vectors_from_chroma(base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.base.AT_ONCE", 2)
    before = base.refresh()
    (base.home / "index" / "passages.snapshot").unlink()
    shutil.rmtree(user_cache() / "knowledge", ignore_errors=True)
    again = reopened(base)

    class NeverAsked:
        name = before.embedder
        way = "none"

        def encode(self, texts: list[str]) -> None:
            raise AssertionError(f"{len(texts)} texts were embedded again")

    monkeypatch.setattr("knowledge.embedding.embedder.open_embedder", lambda *_: NeverAsked())
    after = again.refresh()
    assert sorted(digest.tobytes() for digest in after.digests) == sorted(digest.tobytes() for digest in before.digests)
    assert not len(after.missing)


def test_vectors_of_another_model_are_not_mixed_in(base: KnowledgeBase) -> None:
    from knowledge.embedding.opened_later import EmbedderLater
    from knowledge.embedding.ways import NumpyEmbedder
    from knowledge.embedding.weights import find_weights

    other = NumpyEmbedder(find_weights())
    mixed = KnowledgeBase(base.home, documents=base.sources.documents, embedder=EmbedderLater(way="numpy"))
    snapshot = mixed.refresh()
    assert snapshot.embedder == other.name != base.refresh().embedder
    assert ChromaStore(base.home / "index" / "chroma").vectors(other.name) == {}


def test_rebuild_makes_everything_anew_whatever_was_there(base: KnowledgeBase) -> None:
    for path in (base.home / "index").rglob("*"):
        if path.is_file():
            path.write_bytes(b"nonsense")
    done = reopened(base).rebuild()
    assert (done.documents, done.passages, done.embedded) == (6, 6, 6)
    assert answers(reopened(base)) == GOOD
