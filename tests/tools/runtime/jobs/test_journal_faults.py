"""The Nth operation of the disk fails, or the power goes before it, for every N: what was promised is there."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.tools.runtime.conftest import tiny
from tests.tools.runtime.faults import FAULTS, PowerCut
from tests.tools.runtime.jobs.power import AppendDisk
from tools.artifact import canonical_json
from tools.base import Call
from tools.errors import StorageFailed, ToolError
from tools.runtime.jobs import journal as journal_module
from tools.runtime.jobs import journal_file
from tools.runtime.jobs.journal import Journal, create_journal, read_journal
from tools.runtime.jobs.records import History, encode, replay, salt_of

KEY = "ab" * 20
CALLS = [tiny(f"c{number}") for number in range(4)]
Create = Callable[[Path, str, dict[str, Any], Sequence[Call]], bool]

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc to follow handles")


@pytest.fixture(autouse=True)
def one_sync_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that syncs would make the operations come in another order each time."""
    monkeypatch.setattr(journal_module, "GROUP_S", 3600.0)


class NoSync(Journal):
    """Twin: says that it is on disk when it is in memory."""

    def sync(self) -> None:
        self._durable = self._end


class Eager(Journal):
    """Twin: takes itself for written before it is: what did not fit is counted as if it had."""

    def _take_back(self, error: OSError) -> None:
        self._end += 1


def create_without_sync(folder: Path, job_id: str, about: dict[str, Any], calls: Sequence[Call]) -> bool:
    """Twin: the file is durable, its name is not."""
    real, journal_file.fsync_dir = journal_file.fsync_dir, lambda _path: None  # type: ignore[assignment]
    try:
        return create_journal(folder, job_id, about, calls)
    finally:
        journal_file.fsync_dir = real


def create_in_place(folder: Path, job_id: str, about: dict[str, Any], calls: Sequence[Call]) -> bool:
    """Twin, the naive write: under its final name from the first byte."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{job_id}.journal"
    if path.exists():
        return False
    try:
        with path.open("xb") as stream:
            batch = [["call", number, call.model_dump(mode="json")] for number, call in enumerate(calls)]
            for line in (["journal", 1, job_id, about], *batch, ["batch", 0, len(calls)]):
                stream.write(encode(canonical_json(line), salt_of(job_id)))
    except OSError as error:
        raise StorageFailed("cannot write") from error
    return True


class Promises:
    """What the code has told as done, so far."""

    def __init__(self) -> None:
        self.created = False
        self.accepted: list[str] = []
        self.states: list[str] = []


def scenario(root: Path, kind: type[Journal], create: Create, told: Promises) -> None:
    """A job is given, opened, told of more, worked on, ended."""
    folder = root / "productions" / ".studio" / "jobs"
    create(folder, "beach", {"kind": "calls"}, CALLS[:2])
    told.created = True
    with kind.open(folder, "beach") as journal:
        journal.accept(CALLS)
        told.accepted = [call.id for call in CALLS]
        journal.mark("running", pid=1)
        told.states.append("running")
        for call in CALLS:
            journal.started(call.id)
            journal.committed(call.id, KEY)
        journal.mark("done")
        told.states.append("done")


def operations(root: Path, kind: type[Journal] = Journal, create: Create = create_journal) -> int:
    with AppendDisk(root).installed() as disk:
        scenario(root, kind, create, Promises())
    return disk.count


def history(root: Path) -> History | None:
    path = root / "productions" / ".studio" / "jobs" / "beach.journal"
    return replay(path.read_bytes(), "beach") if path.exists() else None


def hold_to_it(root: Path, told: Promises) -> None:
    """Everything that was told as done is there."""
    found = history(root)
    if told.created:
        assert found is not None, "an accepted job is lost"
        assert found.about == {"kind": "calls"}, "an accepted job is torn"
        assert found.state is not None
    if found is None:
        return
    assert found.lost == [], "an accepted call is lost"
    assert set(told.accepted) <= set(found.calls), "an accepted batch is lost"
    if told.states:
        order = ["accepted", "running", "done"]
        assert found.state is not None
        assert order.index(found.state) >= order.index(told.states[-1]), "a state that was told is lost"


def recovers(root: Path) -> None:
    """The same command again, on a sound disk, ends as it should."""
    scenario(root, Journal, create_journal, Promises())
    found = history(root)
    assert found is not None
    assert (found.state, found.lost) == ("done", [])
    assert set(found.committed) == {call.id for call in CALLS}
    assert list((root / "productions" / ".studio" / "jobs").glob("*.journal")) == [
        root / "productions" / ".studio" / "jobs" / "beach.journal"
    ]


def failing(
    tmp_path: Path, fault: str, lasting: bool, kind: type[Journal], create: Create
) -> Iterator[tuple[int, ToolError | None]]:
    for number in range(1, operations(tmp_path / "count", kind, create) + 1):
        root, told, caught = tmp_path / f"n{number}", Promises(), None
        with AppendDisk(root, number, FAULTS[fault], lasting).installed():
            try:
                scenario(root, kind, create, told)
            except StorageFailed as error:
                caught = error
        hold_to_it(root, told)
        recovers(root)
        yield number, caught


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_fault_at_any_operation_is_named_and_loses_nothing(tmp_path: Path, fault: str, lasting: bool) -> None:
    ends = list(failing(tmp_path, fault, lasting, Journal, create_journal))
    assert len(ends) > 15, "the control: the operations are really seen"
    named = [error for _, error in ends if error is not None]
    assert len(named) > len(ends) * 0.9
    for error in named:
        assert isinstance(error.__cause__, OSError)
        assert error.hint or fault == "EIO"


def power_cuts(tmp_path: Path, kind: type[Journal] = Journal, create: Create = create_journal) -> int:
    count = operations(tmp_path / "count", kind, create)
    for number in range(1, count + 2):
        for seed in range(4):
            root, told = tmp_path / f"n{number}s{seed}", Promises()
            disk = AppendDisk(root, number)
            with disk.installed(), suppress(PowerCut):
                scenario(root, kind, create, told)
            disk.lose(random.Random(f"{number} {seed}"))
            hold_to_it(root, told)
            recovers(root)
            shutil.rmtree(root)
    return count


def test_the_power_may_go_at_any_moment(tmp_path: Path) -> None:
    assert power_cuts(tmp_path) > 15


@pytest.mark.parametrize(
    ("kind", "create"), [(NoSync, create_journal), (Journal, create_without_sync), (Journal, create_in_place)]
)
def test_the_broken_twins_do_not_survive_it(tmp_path: Path, kind: type[Journal], create: Create) -> None:
    with pytest.raises(AssertionError):
        power_cuts(tmp_path, kind, create)


def test_half_a_line_is_taken_back_and_the_next_one_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up in the middle of a line, and is emptied."""

    def run(kind: type[Journal]) -> History:
        folder = tmp_path / kind.__name__
        real = os.pwrite

        def half(fd: int, data: bytes, offset: int) -> int:
            monkeypatch.setattr(os, "pwrite", full)
            return real(fd, data[: len(data) // 2], offset)

        def full(_fd: int, _data: bytes, _offset: int) -> int:
            monkeypatch.setattr(os, "pwrite", real)
            raise OSError(FAULTS["ENOSPC"], "No space left on device")

        with kind.open(folder, "beach") as journal:
            journal.accept(CALLS)
            monkeypatch.setattr(os, "pwrite", half)
            with pytest.raises(StorageFailed, match="Free some space"):
                journal.committed("c0", KEY)
            journal.committed("c1", KEY)
        return read_journal(folder, "beach")

    found = run(Journal)
    assert (set(found.committed), found.damaged) == ({"c1"}, 0)
    assert run(Eager).committed == {}, "the control: the next line is spoilt"


def test_after_a_failed_fsync_nothing_is_promised_any_more(tmp_path: Path) -> None:
    """What the kernel could not write it may have forgotten: a second fsync that succeeds would prove nothing."""
    folder = tmp_path / "jobs"
    with Journal.open(folder, "beach") as journal:
        journal.accept(CALLS[:1])
        with AppendDisk(tmp_path, 2, FAULTS["EIO"]).installed(), pytest.raises(StorageFailed, match="durable"):
            journal.mark("running")
        with pytest.raises(StorageFailed, match="any more"):
            journal.mark("running")
        with pytest.raises(StorageFailed):
            journal.close()
    with Journal.open(folder, "beach") as journal:
        journal.mark("running")
