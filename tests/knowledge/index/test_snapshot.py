"""The index file: what was written comes back, and nothing else ever does."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import numpy as np
import pytest

from knowledge.index.snapshot import (
    MAGIC,
    Damaged,
    IndexedDocument,
    Piece,
    Snapshot,
    empty_snapshot,
    read_snapshot,
    write_snapshot,
)


def document(key: str, *texts: str) -> tuple[IndexedDocument, list[Piece]]:
    pieces = [Piece("Heading é", text, f"{key}\n{text}", ("word",)) for text in texts]
    return IndexedDocument(key, f"digest of {texts}", f"{key}.md", key, "guide", "added", ("luca",)), pieces


def small() -> Snapshot:
    made = empty_snapshot().updated(
        set(), [document("a", "one sea", "two boats"), document("b", "three\ngulls \u2028é")]
    )
    vectors = np.random.default_rng(0).normal(size=(3, 384)).astype(np.float32)
    return made.with_vectors("model", [0, 1, 2], vectors)


def same(one: Snapshot, other: Snapshot) -> bool:
    return (
        one.documents == other.documents
        and [one.piece(row) for row in range(len(one))] == [other.piece(row) for row in range(len(other))]
        and one.vectors.tobytes() == other.vectors.tobytes()
        and one.postings.scores(["sea", "gull", "word"]).tobytes()
        == other.postings.scores(["sea", "gull", "word"]).tobytes()
    )


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    for made in (small(), empty_snapshot()):
        write_snapshot(tmp_path / "s", made)
        assert same(read_snapshot(tmp_path / "s"), made)
        first = (tmp_path / "s").read_bytes()
        write_snapshot(tmp_path / "s", made)
        assert (tmp_path / "s").read_bytes() == first, "the same index is the same bytes"


def damages(data: bytes, count: int) -> list[bytes]:
    """Cut files and files with one bit turned, at places all over the file."""
    dice = random.Random(7)
    places = [dice.randrange(len(data)) for _ in range(count)]
    cuts = [data[:place] for place in (0, 1, len(MAGIC), len(data) - 1, *places)]
    flips = [
        data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :] for at in (0, len(data) - 1, *places)
    ]
    return [*cuts, *flips, data + b"\0", b"\0" * len(data)]


def test_every_damage_is_found(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "s", small())
    data = (tmp_path / "s").read_bytes()
    for broken in damages(data, 100):
        (tmp_path / "s").write_bytes(broken)
        with pytest.raises(Damaged):
            read_snapshot(tmp_path / "s")
    (tmp_path / "s").write_bytes(data)
    assert same(read_snapshot(tmp_path / "s"), small()), "the control: the whole file is taken"


def test_without_the_hash_damage_would_go_unseen(tmp_path: Path) -> None:
    """The broken twin: the same damage, and a hash that fits it, as a reader that does not check would see it."""
    write_snapshot(tmp_path / "s", small())
    data = (tmp_path / "s").read_bytes()
    start = len(MAGIC) + 32
    wrong = 0
    for broken in damages(data[start:], 60):
        (tmp_path / "s").write_bytes(MAGIC + hashlib.sha256(broken).digest() + broken)
        try:
            wrong += not same(read_snapshot(tmp_path / "s"), small())
        except Exception:
            wrong += 1
    assert wrong > 60


def test_a_changed_document_is_replaced_and_a_known_text_keeps_its_vector() -> None:
    before = small()
    after = before.updated({"a"}, [document("a", "two boats", "a new one")])
    assert [after.piece(row)[1] for row in range(len(after))] == ["three\ngulls \u2028é", "two boats", "a new one"]
    assert after.embedded.tolist() == [True, True, False]
    assert after.vectors[1].tobytes() == before.vectors[1].tobytes()
    assert after.state["a"] != before.state["a"]
    assert not before.with_vectors("another model", [], before.vectors[:0]).embedded.any()
