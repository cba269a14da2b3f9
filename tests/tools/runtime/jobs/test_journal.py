"""The journal as a file: written once, read again, one writer, small."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.tools.runtime.conftest import ENGINES, Bench, tiny
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import CorruptArtifact, EngineHung, InvalidInput, ProductionBusy, StorageFailed
from tools.runtime.jobs.journal import Journal, create_journal, read_journal
from tools.runtime.jobs.journal_file import is_held
from tools.runtime.jobs.journaled import run_journaled
from tools.runtime.jobs.records import Failure

KEY = "ab" * 20
REPOSITORY = ENGINES.parents[3]


def board_calls(count: int) -> list[Call]:
    """Calls of about the size of a storyboard's."""
    return [
        tiny(f"s{index}.still", *([f"s{index - 1}.still"] if index else []), scratch="x" * 150)
        for index in range(count)
    ]


def test_what_is_told_is_read_again(tmp_path: Path) -> None:
    calls = board_calls(3)
    with Journal.open(tmp_path, "beach") as journal:
        assert journal.state is None
        journal.accept(calls)
        assert journal.state == "accepted"
        journal.mark("running", pid=7)
        journal.started("s0.still")
        journal.committed("s0.still", KEY)
        journal.started("s1.still")
        journal.failed("s1.still", EngineHung("silence \udcff\n", hint="wait"))
        journal.started("s2.still")
    history = read_journal(tmp_path, "beach")
    assert history.graph == calls
    assert history.committed == {"s0.still": KEY}
    assert history.failed == {"s1.still": Failure("EngineHung", "silence \udcff\n", "wait")}
    assert history.running == {"s2.still"}
    assert (history.state, history.facts) == ("running", {"pid": 7})


def test_the_same_batch_again_is_not_written_again(tmp_path: Path) -> None:
    calls = board_calls(5)
    with Journal.open(tmp_path, "beach") as journal:
        journal.accept(calls)
    size = journal.path.stat().st_size
    with Journal.open(tmp_path, "beach") as journal:
        journal.accept(calls)
        assert journal.path.stat().st_size == size
        journal.accept([calls[0].model_copy(update={"seed": 9}), *calls[1:]])
        journal.committed("s0.still", KEY)
    history = read_journal(tmp_path, "beach")
    assert [call.seed for call in history.graph if call.id == "s0.still"] == [9]
    assert history.committed == {"s0.still": KEY}
    assert journal.path.stat().st_size < size * 1.5


def test_what_was_not_accepted_cannot_happen(tmp_path: Path) -> None:
    with Journal.open(tmp_path, "beach") as journal, pytest.raises(InvalidInput, match="was not accepted"):
        journal.started("s1.still")


def test_a_new_job_is_written_down_whole_and_once(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "jobs"
    assert create_journal(folder, "one", {"kind": "calls"}, board_calls(2))
    before = (folder / "one.journal").read_bytes()
    assert not create_journal(folder, "one", {"kind": "other"})
    assert (folder / "one.journal").read_bytes() == before
    assert [path.name for path in folder.iterdir()] == ["one.journal"]
    history = read_journal(folder, "one")
    assert (history.state, history.about, len(history.graph)) == ("accepted", {"kind": "calls"}, 2)


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".x", "x" * 101, "a\n"])
def test_an_id_cannot_be_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be the id"):
        Journal.open(tmp_path, name)
    with pytest.raises(InvalidInput, match="cannot be the id"):
        create_journal(tmp_path, name, {})


def test_one_writer_and_the_other_is_told_so(tmp_path: Path) -> None:
    with Journal.open(tmp_path, "beach") as journal:
        journal.mark("running", pid=4711)
        with pytest.raises(ProductionBusy, match="process 4711"):
            Journal.open(tmp_path, "beach")
        assert read_journal(tmp_path, "beach").state == "running", "reading is free"
    Journal.open(tmp_path, "beach").close()


def test_a_dead_writer_lets_go(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tools.runtime.jobs.journal import Journal\n"
        f"Journal.open(Path({str(tmp_path)!r}), 'beach').mark('running'); print('ready', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(ProductionBusy):
        Journal.open(tmp_path, "beach")
    process.kill()
    process.communicate()
    with Journal.open(tmp_path, "beach") as journal:
        assert journal.state == "running"


def test_a_torn_end_is_cut_off_and_written_over(tmp_path: Path) -> None:
    with Journal.open(tmp_path, "beach") as journal:
        journal.accept(board_calls(2))
    good = journal.path.read_bytes()
    journal.path.write_bytes(good + b'12345678 ["ok",0,"' + bytes(30))
    with Journal.open(tmp_path, "beach") as again:
        assert again.path.read_bytes() == good
        again.committed("s1.still", KEY)
    assert read_journal(tmp_path, "beach").committed == {"s1.still": KEY}


def test_damage_among_the_accepted_calls_is_told(tmp_path: Path) -> None:
    with Journal.open(tmp_path, "beach") as journal:
        journal.accept(board_calls(2))
    data = journal.path.read_bytes()
    journal.path.write_bytes(data.replace(b"s1.still", b"sX.still", 1))
    with pytest.raises(CorruptArtifact, match="1 of its calls cannot be read"):
        Journal.open(tmp_path, "beach")


def test_a_journal_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    from tools.runtime.jobs.records import encode, salt_of

    path = tmp_path / "beach.journal"
    path.write_bytes(encode(b'["journal",2,"beach",{}]', salt_of("beach")))
    with pytest.raises(InvalidInput, match="later version"):
        Journal.open(tmp_path, "beach")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("as it was")
    (tmp_path / "beach.journal").symlink_to(tmp_path / "precious")
    with pytest.raises(StorageFailed):
        Journal.open(tmp_path, "beach")
    assert (tmp_path / "precious").read_text() == "as it was"


def test_a_job_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no job 'beach'"):
        read_journal(tmp_path, "beach")


def test_lines_of_many_threads_do_not_mix(tmp_path: Path) -> None:
    calls = board_calls(80)
    with Journal.open(tmp_path, "beach") as journal:
        journal.accept(calls)

        def work(part: list[Call]) -> None:
            for call in part:
                journal.started(call.id)
                journal.committed(call.id, KEY)

        threads = [threading.Thread(target=work, args=(calls[number::8],)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    history = read_journal(tmp_path, "beach")
    assert history.damaged == 0
    assert set(history.committed) == {call.id for call in calls}


def test_many_lines_share_one_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    real = os.fsync

    def fsync(fd: int) -> None:
        nonlocal count
        count += 1
        real(fd)

    calls = board_calls(300)
    with Journal.open(tmp_path, "beach") as journal:
        journal.accept(calls)
        monkeypatch.setattr(os, "fsync", fsync)
        for call in calls:
            journal.started(call.id)
            journal.committed(call.id, KEY)
        deadline = time.monotonic() + 5
        while journal._durable < journal._end and time.monotonic() < deadline:
            time.sleep(0.01)
        assert journal._durable == journal._end, "made durable without anybody asking"
    assert 1 <= count < 20


@pytest.mark.parametrize("count", [50, 200, 800])
def test_a_journal_is_at_most_twice_as_large_as_what_it_was_given(tmp_path: Path, count: int) -> None:
    calls = board_calls(count)
    with Journal.open(tmp_path, "beach") as journal:
        journal.accept(calls)
        journal.mark("running")
        for call in calls:
            journal.started(call.id)
            journal.committed(call.id, KEY)
        journal.mark("done")
    assert journal.path.stat().st_size <= 2 * sum(len(call.model_dump_json()) for call in calls)


def test_ten_thousand_calls_in_one_job(tmp_path: Path) -> None:
    calls = board_calls(10_000)
    with Journal.open(tmp_path, "beach") as journal:
        journal.accept(calls)
        begun = time.process_time()
        for call in calls:
            journal.started(call.id)
            journal.committed(call.id, KEY)
        journal.mark("done")
        spent = time.process_time() - begun
    assert spent / len(calls) < 1e-4
    history = read_journal(tmp_path, "beach")
    assert (len(history.committed), history.state, history.lost) == (10_000, "done", [])


def test_a_run_is_written_as_it_happens(bench: Bench, tmp_path: Path) -> None:
    events: list[Any] = []
    bench.executor.on_event = events.append
    calls = [tiny("a"), tiny("b", "a"), tiny("c", deed="refuse"), tiny("d", "c")]
    with Journal.open(tmp_path / "jobs", "beach") as journal:
        results = run_journaled(bench.executor, journal, calls)
    history = read_journal(tmp_path / "jobs", "beach")
    made = {name: result.key for name, result in results.items() if isinstance(result, Artifact)}
    assert history.committed == made
    assert set(made) == {"a", "b"}
    assert {name: failure.kind for name, failure in history.failed.items()} == {
        "c": "InvalidInput",
        "d": "InvalidInput",
    }
    assert events, "who listened before hears it all"
    with Journal.open(tmp_path / "jobs", "beach") as journal:
        size = journal.path.stat().st_size
        run_journaled(bench.executor, journal, calls[:2])
        assert journal.path.stat().st_size - size < 200, "found again, not made again: two short lines"


def test_a_wrong_batch_is_not_accepted(bench: Bench, tmp_path: Path) -> None:
    with Journal.open(tmp_path / "jobs", "beach") as journal, pytest.raises(InvalidInput):
        run_journaled(bench.executor, journal, [tiny("a", "nobody")])
    assert read_journal(tmp_path / "jobs", "beach").calls == {}


def test_closing_at_the_moment_of_a_sync_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.runtime.jobs.journal.GROUP_S", 0.001)
    ended = threading.Event()

    def work() -> None:
        for number in range(150):
            with Journal.open(tmp_path, "beach") as journal:
                journal.accept(board_calls(1))
                journal.started("s0.still")
                time.sleep(0.001 + number % 10 * 1e-5)
        ended.set()

    threading.Thread(target=work, daemon=True).start()
    assert ended.wait(60)


def test_a_pipe_among_the_journals_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.journal")
    with pytest.raises(StorageFailed, match="it is no file"):
        read_journal(tmp_path, "pipe")
    assert not is_held(tmp_path, "pipe")
