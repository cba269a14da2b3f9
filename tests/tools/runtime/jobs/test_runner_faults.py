"""The queue's disk fails under a runner, or the power goes: the job is told, kept, and done afterwards."""

from __future__ import annotations

import os
import random
import shutil
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from configs.retries import load_retries
from tests.tools.runtime.conftest import tiny
from tests.tools.runtime.faults import FAULTS, PowerCut
from tests.tools.runtime.jobs.power import AppendDisk
from tools.errors import StorageFailed
from tools.runtime.jobs import journal as journal_module
from tools.runtime.jobs.queue import JobQueue, JobSpec
from tools.runtime.jobs.runner import JobOutcome, JobRunner, RunningJob

KEY = "ab" * 20
CALLS = [tiny("a"), tiny("b")]

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux's /proc to follow handles")


@pytest.fixture(autouse=True)
def one_sync_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that syncs would make the operations come in another order each time."""
    monkeypatch.setattr(journal_module, "GROUP_S", 3600.0)


class Writes:
    """A kind of job that only says what it does."""

    def carry_out(self, job: RunningJob) -> JobOutcome:
        for call in job.journal.found.graph:
            job.journal.started(call.id)
            job.journal.committed(call.id, KEY)
        return JobOutcome(facts={"production": "beach"})

    def free(self) -> None:
        pass


def runner(root: Path) -> JobRunner:
    return JobRunner(JobQueue(root / "jobs"), {"fake": Writes()}, load_retries().jobs)


def scenario(root: Path, told: list[str]) -> None:
    """Give a job, pause it, let it go on, work it off."""
    working = runner(root)
    job = working.queue.submit(JobSpec(kind="fake"), CALLS, "scene")
    told.append("accepted")
    if working.queue.view(job).state == "accepted":
        working.queue.ask(job, "pause")
        told.append("paused")
    if working.queue.view(job).state == "paused":
        working.queue.ask(job, "resume")
        told.append("accepted")
    told += working.run().values()


def refusal(root: Path, told: list[str]) -> StorageFailed | None:
    try:
        scenario(root, told)
    except StorageFailed as error:
        return error
    return None


def hold_to_it(root: Path, told: list[str]) -> None:
    views = JobQueue(root / "jobs").views()
    if not told:
        return
    assert [view.id for view in views] == ["scene"], "an accepted job is lost"
    assert views[0].total == 2
    if told[-1] == "done":
        assert (views[0].state, views[0].done) == ("done", 2), "a job that was told as done is not"


def recovers(root: Path) -> None:
    told: list[str] = []
    scenario(root, told)
    view = JobQueue(root / "jobs").view("scene")
    assert (view.state, view.done, view.wish) == ("done", 2, "")


def operations(root: Path) -> int:
    with AppendDisk(root).installed() as disk:
        scenario(root, [])
    return disk.count


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_fault_under_a_runner_is_named_and_the_job_goes_on(tmp_path: Path, fault: str, lasting: bool) -> None:
    count, named = operations(tmp_path / "count"), 0
    assert count > 25, "the control: the operations are really seen"
    for number in range(1, count + 1):
        root, told = tmp_path / f"n{number}", list[str]()
        with AppendDisk(root, number, FAULTS[fault], lasting).installed():
            caught = refusal(root, told)
        named += caught is not None and isinstance(caught.__cause__, OSError)
        hold_to_it(root, told)
        recovers(root)
    assert named > count * 0.9


def test_the_power_may_go_under_a_runner(tmp_path: Path) -> None:
    count = operations(tmp_path / "count")
    for number in range(1, count + 2):
        for seed in range(3):
            root, told = tmp_path / f"n{number}s{seed}", list[str]()
            disk = AppendDisk(root, number)
            with disk.installed(), suppress(PowerCut):
                scenario(root, told)
            disk.lose(random.Random(f"{number} {seed}"))
            hold_to_it(root, told)
            recovers(root)
            shutil.rmtree(root)


def test_three_hundred_jobs_leave_nothing_open(tmp_path: Path) -> None:
    working = runner(tmp_path)
    working.queue.submit(JobSpec(kind="fake"), CALLS)
    working.run()
    handles, threads = len(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208
    for _ in range(300):
        working.queue.submit(JobSpec(kind="fake"), CALLS)
    assert set(working.run().values()) == {"done"}
    assert len(os.listdir("/proc/self/fd")) <= handles + 1  # noqa: PTH208
    assert threading.active_count() == threads
