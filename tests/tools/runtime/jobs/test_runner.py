"""Jobs worked off: in turn, stopped when asked, tried again as the rules say, with the memory given back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from configs.retries import RetryRule
from tests.tools.runtime.conftest import ALLOW, tiny
from tools.errors import (
    BadOutput,
    Cancelled,
    EngineCrashed,
    InvalidInput,
    OutOfMemory,
    ProductionBusy,
    StorageFailed,
    ToolError,
)
from tools.registry import Registry
from tools.runtime.events import CallEvent
from tools.runtime.executor import Executor
from tools.runtime.jobs.calls import CallsKind
from tools.runtime.jobs.journal import Journal
from tools.runtime.jobs.queue import JobQueue, JobSpec
from tools.runtime.jobs.runner import JobEvent, JobOutcome, JobRunner, RunningJob
from tools.runtime.storage.production import Production
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

RULES = {"EngineFailed": RetryRule(attempts=3, pause_s=0.02), "ProductionBusy": RetryRule(attempts=3, pause_s=0.5)}


class Fake:
    """A kind of job that ends as it is told, one attempt after another."""

    def __init__(self, *ends: Any) -> None:
        self.ends = list(ends)
        self.done: list[str] = []
        self.freed = 0

    def carry_out(self, job: RunningJob) -> JobOutcome:
        self.done.append(job.spec.title)
        end = self.ends.pop(0) if self.ends else JobOutcome()
        if callable(end):
            end = end(job)
        if isinstance(end, BaseException):
            raise end
        assert isinstance(end, JobOutcome)
        return end

    def free(self) -> None:
        self.freed += 1


def until_cancelled(job: RunningJob) -> BaseException:
    assert job.cancel.wait(10)
    return Cancelled("stopped")


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue(tmp_path / "jobs")


def runner(queue: JobQueue, fake: Fake, events: list[JobEvent] | None = None) -> JobRunner:
    return JobRunner(queue, {"fake": fake}, RULES, on_event=(events if events is not None else []).append)


def give(queue: JobQueue, title: str = "x", priority: int = 0) -> str:
    return queue.submit(JobSpec(kind="fake", title=title, priority=priority))


def test_jobs_are_worked_off_in_turn(queue: JobQueue) -> None:
    fake = Fake()
    for title, priority in (("second", 0), ("third", 0), ("first", 9)):
        give(queue, title, priority)
    assert runner(queue, fake).run() == {"1": "done", "2": "done", "3": "done"}
    assert fake.done == ["first", "second", "third"]


def test_a_job_given_meanwhile_is_taken_too(queue: JobQueue) -> None:
    def give_another(_job: RunningJob) -> JobOutcome:
        give(queue, "later")
        return JobOutcome()

    fake = Fake(give_another)
    give(queue)
    assert runner(queue, fake).run() == {"1": "done", "2": "done"}


def test_one_who_stays_takes_what_comes(queue: JobQueue) -> None:
    fake, ends = Fake(), dict[str, Any]()
    working = runner(queue, fake)
    thread = threading.Thread(target=lambda: ends.update(working.run(stay=True)))
    thread.start()
    time.sleep(0.05)
    assert fake.freed == 1, "who waits holds no memory"
    give(queue)
    deadline = time.monotonic() + 10
    while queue.view("1").state != "done" and time.monotonic() < deadline:
        time.sleep(0.02)
    working.stop.set()
    thread.join(5)
    assert ends == {"1": "done"}


def test_what_may_be_mended_is_tried_again_after_a_pause(queue: JobQueue) -> None:
    events: list[JobEvent] = []
    fake = Fake(EngineCrashed("one"), JobOutcome({"s1": EngineCrashed("two"), "s2": InvalidInput("no")}), JobOutcome())
    give(queue)
    assert runner(queue, fake, events).run() == {"1": "done"}
    assert [(event.state, event.reason) for event in events] == [
        ("running", ""), ("accepted", "one"), ("running", ""), ("accepted", "2 calls failed; the first: two"),
        ("running", ""), ("done", ""),
    ]  # fmt: skip
    assert all(event.retry_in_s > 0 for event in events if event.state == "accepted")
    assert queue.view("1").starts == 3


def test_attempts_are_bounded_also_across_processes(queue: JobQueue) -> None:
    give(queue)
    fake = Fake(*[EngineCrashed("again")] * 9)
    first = runner(queue, fake)
    first.on_event = lambda event: first.stop.set() if event.state == "accepted" else None
    assert first.run() == {"1": "accepted"}
    assert runner(queue, fake).run() == {"1": "failed"}
    assert len(fake.done) == 3
    assert queue.view("1").reason == "again"
    queue.ask("1", "retry")
    assert runner(queue, fake).run() == {"1": "failed"}
    assert len(fake.done) == 6, "asked for by a person, it has all its attempts again"


@pytest.mark.parametrize("error", [InvalidInput("x"), BadOutput("no rule for it"), OutOfMemory("x")])
def test_what_cannot_be_mended_fails_at_once(queue: JobQueue, error: ToolError) -> None:
    fake = Fake(*[error] * 3)
    give(queue)
    ends = runner(queue, fake).run()
    assert ends == {"1": "failed"}
    assert len(fake.done) == (3 if isinstance(error, OutOfMemory) else 1)


def test_a_full_disk_stops_the_work_and_not_the_job(queue: JobQueue) -> None:
    give(queue, "first")
    give(queue, "second")
    fake = Fake(*[StorageFailed("the disk is full")] * 2, JobOutcome({"s1": StorageFailed("the disk is full")}))
    for _ in range(2):
        with pytest.raises(StorageFailed, match="the disk is full"):
            runner(queue, fake).run()
        assert queue.view("1").state == "accepted"
    assert fake.done == ["first", "first"], "the second job is not spoilt as well"
    assert runner(queue, fake).run() == {"1": "failed", "2": "done"}, "nor held up for ever"


def test_one_job_that_fails_does_not_stop_the_others(queue: JobQueue) -> None:
    fake = Fake(InvalidInput("no"))
    give(queue, "bad")
    give(queue, "good")
    assert runner(queue, fake).run() == {"1": "failed", "2": "done"}


def test_a_pause_is_waited_for_while_others_go_first(queue: JobQueue) -> None:
    fake = Fake(ProductionBusy("somebody writes there"))
    give(queue, "busy", 5)
    give(queue, "other")
    assert runner(queue, fake).run() == {"1": "done", "2": "done"}
    assert fake.done == ["busy", "other", "busy"]


@pytest.mark.parametrize(("wish", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_a_running_job_hears_what_is_wished_and_frees_the_memory(queue: JobQueue, wish: Any, state: str) -> None:
    job, fake = give(queue), Fake(until_cancelled)
    threading.Timer(0.1, lambda: queue.ask(job, wish)).start()
    begun = time.monotonic()
    assert runner(queue, fake).run() == {job: state}
    assert time.monotonic() - begun < 2.0
    assert fake.freed == 1
    assert queue.view(job).wish == ""
    queue.ask(job, "resume" if wish == "pause" else "retry")
    assert runner(queue, fake).run() == {job: "done"}


def test_stopping_puts_the_job_back(queue: JobQueue) -> None:
    job, other, fake = give(queue), give(queue), Fake(until_cancelled)
    working = runner(queue, fake)
    threading.Timer(0.1, working.stop.set).start()
    assert working.run() == {job: "accepted"}
    assert fake.freed == 1
    assert queue.view(other).starts == 0
    assert runner(queue, fake).run() == {job: "done", other: "done"}


def test_a_wish_that_comes_too_late_is_forgotten(queue: JobQueue) -> None:
    def ask_at_the_end(_job: RunningJob) -> JobOutcome:
        queue.ask("1", "pause")
        return JobOutcome()

    give(queue)
    assert runner(queue, Fake(ask_at_the_end)).run() == {"1": "done"}
    assert queue.wish("1") is None


def test_one_that_stops_by_itself_is_cancelled(queue: JobQueue) -> None:
    give(queue)
    assert runner(queue, Fake(Cancelled("the person said no"))).run() == {"1": "cancelled"}
    assert queue.view("1").reason == "the person said no"


def test_a_bug_is_told_and_not_met_again(queue: JobQueue) -> None:
    give(queue)
    with pytest.raises(ZeroDivisionError):
        runner(queue, Fake(ZeroDivisionError("seven by zero"))).run()
    view = queue.view("1")
    assert (view.state, view.reason, view.held) == ("failed", "ZeroDivisionError: seven by zero", False)


def test_ctrl_c_leaves_a_job_that_goes_on(queue: JobQueue) -> None:
    give(queue)
    with pytest.raises(KeyboardInterrupt):
        runner(queue, Fake(KeyboardInterrupt())).run()
    assert runner(queue, Fake()).run() == {"1": "done"}


def test_an_unknown_kind_fails(queue: JobQueue) -> None:
    queue.submit(JobSpec(kind="dance"))
    assert runner(queue, Fake()).run() == {"1": "failed"}
    assert "dance" in queue.view("1").reason


def test_this_one_and_no_other(queue: JobQueue) -> None:
    give(queue)
    second = give(queue)
    fake = Fake(EngineCrashed("once"))
    assert runner(queue, fake).run_one(second) == "done"
    assert queue.view("1").state == "accepted"
    with pytest.raises(InvalidInput, match="is done"):
        runner(queue, fake).run_one(second)


def test_two_studios_on_one_folder_share_the_jobs(queue: JobQueue) -> None:
    for number in range(30):
        give(queue, str(number))
    fakes = [Fake(*[lambda _job: time.sleep(0.003) or JobOutcome()] * 30) for _ in range(2)]
    ends: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda fake=fake: ends.append(runner(queue, fake).run())) for fake in fakes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fakes[0].done + fakes[1].done, key=int) == [str(number) for number in range(30)]
    assert not ends[0].keys() & ends[1].keys()
    assert all(view.state == "done" for view in queue.views())


def test_control_without_the_lock_two_studios_do_the_same_job(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.runtime.jobs.journal._lock", lambda _fd, _path: None)
    monkeypatch.setattr("tools.runtime.jobs.queue.is_held", lambda _folder, _job: False)
    both = threading.Barrier(2)

    def wait_for_the_other(_job: RunningJob) -> JobOutcome:
        both.wait(5)
        return JobOutcome()

    fakes = [Fake(wait_for_the_other) for _ in range(2)]
    give(queue)
    threads = [threading.Thread(target=runner(queue, fake).run) for fake in fakes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [fake.done for fake in fakes] == [["x"], ["x"]]


# -- jobs of calls, with real workers ---------------------------------------------------------------------------------

NewRunner = Callable[[], tuple[JobRunner, "Workshop"]]


class Workshop:
    """Two workers with the tiny engine."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.pool: WorkerPool | None = None

    def executor(
        self, store: ArtifactStore, on_event: Callable[[CallEvent], None], cancel: threading.Event
    ) -> Executor:
        if self.pool is None:
            self.pool = WorkerPool(2, allow=ALLOW)
            self.pool.start()
        return Executor(self.registry, store, self.pool, on_event, cancel)

    def close(self) -> None:
        pool, self.pool = self.pool, None
        if pool is not None:
            pool.close()


@pytest.fixture
def new_runner(queue: JobQueue, registry: Registry, tmp_path: Path) -> Iterator[NewRunner]:
    shops: list[Workshop] = []

    def new() -> tuple[JobRunner, Workshop]:
        shops.append(Workshop(registry))
        return JobRunner(queue, {"calls": CallsKind(tmp_path / "productions", shops[-1])}, RULES), shops[-1]

    yield new
    for shop in shops:
        shop.close()


def test_a_batch_of_calls_is_made_and_written_down(queue: JobQueue, new_runner: NewRunner, tmp_path: Path) -> None:
    job = queue.submit(JobSpec(kind="calls", payload={"production": "beach"}), [tiny("a"), tiny("b", "a")])
    working, _ = new_runner()
    assert working.run() == {job: "done"}
    view = queue.view(job)
    assert (view.total, view.done, view.failed, view.running) == (2, 2, 0, ())
    assert view.facts["production"] == "beach"
    production = Production.open(tmp_path / "productions", "beach")
    history = queue.history(job)
    assert {one.call for one in production.manifest().attempts} == {"a", "b"}
    assert set(production.store) == set(history.committed.values())


def test_calls_that_fail_are_told_one_by_one(queue: JobQueue, new_runner: NewRunner) -> None:
    job = queue.submit(JobSpec(kind="calls"), [tiny("a"), tiny("b", deed="refuse"), tiny("c", "b")])
    working, _ = new_runner()
    assert working.run() == {job: "failed"}
    view = queue.view(job)
    assert (view.done, view.failed) == (1, 2)
    assert queue.history(job).failed["b"].kind == "InvalidInput"


def test_a_wrong_payload_fails_the_job(queue: JobQueue, new_runner: NewRunner) -> None:
    job = queue.submit(JobSpec(kind="calls", payload={"production": "../up"}), [tiny("a")])
    working, _ = new_runner()
    assert working.run() == {job: "failed"}
    assert "production" in queue.view(job).reason


def test_cancelling_ends_the_workers_and_what_they_hold(queue: JobQueue, new_runner: NewRunner, tmp_path: Path) -> None:
    job = queue.submit(
        JobSpec(kind="calls"), [tiny("a"), tiny("b", "a", deed="stubborn", scratch=str(tmp_path / "pid"))]
    )
    working, shop = new_runner()
    thread = threading.Thread(target=working.run)
    thread.start()
    for _ in range(1000):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            break
        time.sleep(0.01)
    assert shop.pool is not None
    workers = [psutil.Process(pid) for pid in shop.pool.pids()]
    assert len(workers) == 2
    begun = time.monotonic()
    assert queue.ask(job, "pause").wish == "pause"
    thread.join(10)
    assert time.monotonic() - begun < 3.0
    _, alive = psutil.wait_procs(workers, timeout=1.0)
    assert all(worker.status() == psutil.STATUS_ZOMBIE for worker in alive)
    view = queue.view(job)
    assert (view.state, view.done, view.running) == ("paused", 1, ())


def test_a_paused_job_goes_on_where_it_was(queue: JobQueue, new_runner: NewRunner, tmp_path: Path) -> None:
    log = tmp_path / "log"
    calls = [tiny(f"c{number}", log=str(log), seconds=0.15) for number in range(12)]
    job = queue.submit(JobSpec(kind="calls"), calls)
    working, _ = new_runner()
    done: list[str] = []

    def pause_after_three(_job: str, event: CallEvent) -> None:
        if event.status == "done":
            done.append(event.call_id)
            if len(done) == 3:
                queue.ask(job, "pause")

    working.tell = pause_after_three
    assert working.run() == {job: "paused"}
    assert 3 <= queue.view(job).done < 12
    queue.ask(job, "resume")
    again, _ = new_runner()
    assert again.run() == {job: "done"}
    begun = log.read_text().splitlines()
    assert len(begun) <= 12 + 2, "only what was stopped half-way is begun again"
    assert queue.view(job).done == 12


def test_a_job_that_is_worked_on_elsewhere_is_left_alone(queue: JobQueue, new_runner: NewRunner) -> None:
    job = queue.submit(JobSpec(kind="calls"), [tiny("a")])
    with Journal.open(queue.folder, job):
        working, _ = new_runner()
        assert working.run() == {}
        with pytest.raises(ProductionBusy, match="is being worked on"):
            working.run_one(job)
