"""A production's own journal: every batch of the agent is on it before it runs, and damage to it stops nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.runtime.conftest import Bench, tiny
from tools.artifact import Artifact
from tools.errors import EngineFailed, InvalidInput
from tools.runtime.jobs import journaled
from tools.runtime.jobs.journal import read_journal
from tools.runtime.jobs.journaled import open_work_journal, run_journaled


def test_a_batch_is_written_down_with_how_its_calls_ended(bench: Bench, tmp_path: Path) -> None:
    calls = [tiny("a"), tiny("b", "a", deed="bug"), tiny("c", "a")]
    with open_work_journal(tmp_path) as journal:
        results = run_journaled(bench.executor, journal, calls)
    assert isinstance(results["b"], EngineFailed)
    history = read_journal(tmp_path, "work")
    assert isinstance(results["a"], Artifact)
    assert history.committed["a"] == results["a"].key
    assert set(history.committed) == {"a", "c"}
    assert set(history.failed) == {"b"}


def test_a_wrong_batch_leaves_the_journal_as_it_was(bench: Bench, tmp_path: Path) -> None:
    with open_work_journal(tmp_path) as journal, pytest.raises(InvalidInput):
        run_journaled(bench.executor, journal, [tiny("a", "nowhere")])
    assert not read_journal(tmp_path, "work").calls


def test_the_same_batch_again_is_not_written_again(bench: Bench, tmp_path: Path) -> None:
    sizes = []
    for _ in range(3):
        with open_work_journal(tmp_path) as journal:
            run_journaled(bench.executor, journal, [tiny(name) for name in "abcdefgh"])
        sizes.append((tmp_path / "work.journal").stat().st_size)
    assert sizes[2] - sizes[1] < sizes[0] / 2


@pytest.mark.parametrize("damage", [b"", b"rubbish\n" * 50, b"\0" * 4096])
def test_a_damaged_journal_is_put_aside(bench: Bench, tmp_path: Path, damage: bytes) -> None:
    with open_work_journal(tmp_path) as journal:
        run_journaled(bench.executor, journal, [tiny("a"), tiny("b")])
    path = tmp_path / "work.journal"
    whole = path.read_bytes()
    path.write_bytes(damage + whole[len(whole) // 3 :])
    with open_work_journal(tmp_path) as journal:
        assert isinstance(run_journaled(bench.executor, journal, [tiny("a")])["a"], Artifact)
    assert "a" in read_journal(tmp_path, "work").committed


def test_a_journal_that_grew_too_large_begins_anew(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journaled, "_LARGEST", 10)
    for name in "ab":
        with open_work_journal(tmp_path) as journal:
            run_journaled(bench.executor, journal, [tiny(name)])
    assert set(read_journal(tmp_path, "work").calls) == {"b"}
    assert (tmp_path / "work.journal.old").exists()
