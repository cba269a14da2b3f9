"""A recording is written after each batch, is one of twenty, and never breaks the run that it is of."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.errors import InvalidInput, StorageFailed
from tools.runtime.events import CallEvent
from tools.runtime.telemetry import files
from tools.runtime.telemetry.files import KEPT, find_trace, read_trace, traces
from tools.runtime.telemetry.metrics import read_metrics
from tools.runtime.telemetry.recordings import Recording, Recordings


def make(recording: Recording, name: str = "a", status: str = "done") -> None:
    recording.on_call(CallEvent(name, "speak", "espeak", "queued", seconds=0.5))
    if status != "cached":
        recording.on_call(CallEvent(name, "speak", "espeak", "running"))
    recording.on_call(CallEvent(name, "speak", "espeak", status))  # type: ignore[arg-type]


def run(
    recordings: Recordings, folder: Path, turn: str, notes: list[str] | None = None, status: str = "done"
) -> Recording:
    recording = recordings.of(folder, turn, "The beach", (notes if notes is not None else []).append)
    with recording.batch(1):
        make(recording, status=status)
    return recording


def test_all_batches_of_a_run_are_one_trace(tmp_path: Path) -> None:
    recordings = Recordings()
    run(recordings, tmp_path, "one")
    run(recordings, tmp_path, "one")
    run(recordings, tmp_path, "two")
    assert len(traces(tmp_path)) == 2
    assert sorted(len(read_trace(path).batches) for path in traces(tmp_path)) == [1, 2]
    first = min(traces(tmp_path), key=lambda path: path.stem)
    assert len(read_trace(first).batches) == 2


def test_a_run_in_which_all_was_there_already_leaves_no_trace(tmp_path: Path) -> None:
    run(Recordings(), tmp_path, "one", status="cached")
    assert traces(tmp_path) == []


def test_what_was_recorded_is_written_when_a_batch_breaks_off(tmp_path: Path) -> None:
    recording = Recordings().of(tmp_path, "one", "t", lambda _why: None)

    def work() -> None:
        with recording.batch(1):
            recording.on_call(CallEvent("a", "speak", "espeak", "running"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert [span.outcome for span in read_trace(traces(tmp_path)[0]).spans] == ["unfinished"]


def test_the_newest_twenty_are_kept(tmp_path: Path) -> None:
    recordings = Recordings()
    for number in range(KEPT + 4):
        recording = recordings.of(tmp_path, str(number), "t", lambda _why: None)
        recording.recorder.record.wall = 1_700_000_000.0 + number // 2
        with recording.batch(1):
            make(recording)
        traces(tmp_path)[0].with_suffix(".svg").write_text("picture")
    assert len(traces(tmp_path)) == KEPT
    assert len(list((tmp_path / "traces").glob("*.svg"))) == KEPT
    assert traces(tmp_path)[0].stem == "2023-11-14T22-13-31Z_2"
    assert traces(tmp_path)[-1].stem == "2023-11-14T22-13-22Z"


def test_metrics_count_on_over_processes(tmp_path: Path) -> None:
    for _process in range(3):
        recordings = Recordings()
        run(recordings, tmp_path, "one")
        run(recordings, tmp_path, "one")
    found = read_metrics((tmp_path / "traces" / "studio.prom").read_text())
    assert found.counters["studio_runs", ()] == 3
    assert found.counters["studio_calls", ("speak", "espeak", "done")] == 6


def test_damaged_metrics_begin_anew(tmp_path: Path) -> None:
    (tmp_path / "traces").mkdir()
    (tmp_path / "traces" / "studio.prom").write_bytes(b"\xff{{{")
    run(Recordings(), tmp_path, "one")
    assert read_metrics((tmp_path / "traces" / "studio.prom").read_text()).counters["studio_runs", ()] == 1


def full(_path: Path, _data: bytes) -> None:
    raise StorageFailed("cannot write: No space left on device.")


def buggy(_path: Path, _data: bytes) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(("writer", "told"), [(full, "No space left"), (buggy, "ZeroDivisionError")])
def test_trouble_is_told_once_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: Callable[[Path, bytes], None], told: str
) -> None:
    monkeypatch.setattr(files, "write_atomic", writer)
    recordings, notes = Recordings(), list[str]()
    for _ in range(3):
        run(recordings, tmp_path, "one", notes)
    assert len(notes) == 1
    assert told in notes[0]
    assert traces(tmp_path) == []


class Careless(Recording):
    """The broken twin: what goes wrong in it goes wrong in the run."""

    def _careful(self, work: Callable[[], None]) -> None:
        work()


def test_the_broken_twin_takes_the_run_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "write_atomic", full)
    recording = Careless(tmp_path, "t", lambda _why: None)
    with pytest.raises(StorageFailed), recording.batch(1):
        make(recording)


@pytest.mark.skipif(os.name == "nt", reason="no folder without the right to write")
def test_a_folder_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "traces").write_text("a file where the folder should be")
    notes: list[str] = []
    run(Recordings(), tmp_path, "one", notes)
    assert len(notes) == 1


def test_productions_are_recorded_beside_each_other(tmp_path: Path) -> None:
    recordings = Recordings()
    threads = [threading.Thread(target=run, args=(recordings, tmp_path / f"p{n}", "x")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(traces(tmp_path / f"p{n}")) == 1 for n in range(12))


def test_a_trace_is_found_by_production_or_file(tmp_path: Path) -> None:
    run(Recordings(), tmp_path / "beach", "one")
    path = traces(tmp_path / "beach")[0]
    assert find_trace("beach", [tmp_path]) == path
    assert find_trace(str(tmp_path / "beach"), []) == path
    assert find_trace(str(path), []) == path
    assert json.loads(path.read_bytes())["otherData"]["production"] == "beach"
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "manifest.json").write_text("{}")
    for name, told in [("nowhere", "no trace"), ("x" * 5000, "no trace"), ("\0", "no trace"), ("empty", "nothing was")]:
        with pytest.raises(InvalidInput, match=told):
            find_trace(name, [tmp_path])
