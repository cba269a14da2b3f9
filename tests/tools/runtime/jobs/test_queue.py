"""The queue as files: accepted when on disk, taken by one, in turn, and told what people wish."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.runtime.conftest import tiny
from tools.errors import InvalidInput, ProductionBusy, ToolError
from tools.runtime.jobs.journal import Journal
from tools.runtime.jobs.queue import JobQueue, JobSpec, Wish

SPEC = JobSpec(kind="calls", title="a scene")


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue(tmp_path / ".studio" / "jobs")


def spec(title: str = "", priority: int = 0, **payload: Any) -> JobSpec:
    return JobSpec(kind="calls", title=title, priority=priority, payload=payload)


def end(queue: JobQueue, job_id: str, state: Any, **facts: Any) -> None:
    with Journal.open(queue.folder, job_id) as journal:
        journal.mark(state, "as told", **facts)


def test_an_accepted_job_is_there(queue: JobQueue) -> None:
    assert queue.views() == []
    job = queue.submit(spec("beach", production="beach"), [tiny("a"), tiny("b", "a")])
    assert job == "1"
    view = queue.view(job)
    assert (view.state, view.total, view.done, view.held, view.wish) == ("accepted", 2, 0, False, "")
    assert view.spec == spec("beach", production="beach")
    assert [call.id for call in queue.history(job).graph] == ["a", "b"]


def test_jobs_are_numbered_and_a_name_is_given_once(queue: JobQueue) -> None:
    assert [queue.submit(SPEC) for _ in range(3)] == ["1", "2", "3"]
    assert queue.submit(SPEC, job_id="nightly") == "nightly"
    assert queue.submit(SPEC, job_id="nightly") == "nightly", "asking twice changes nothing"
    with pytest.raises(InvalidInput, match="another job"):
        queue.submit(spec("other"), job_id="nightly")
    assert len(queue.views()) == 4


def test_many_that_give_jobs_at_once_lose_none(queue: JobQueue) -> None:
    given_ids: list[str] = []

    def give(number: int) -> None:
        given_ids.extend(queue.submit(spec(f"{number} {count}")) for count in range(15))

    threads = [threading.Thread(target=give, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(given_ids)) == 90
    assert {view.spec.title for view in queue.views()} == {f"{n} {c}" for n in range(6) for c in range(15)}


def test_the_next_is_by_priority_and_then_by_age(queue: JobQueue) -> None:
    for title, priority in (("low", -1), ("first", 0), ("second", 0), ("high", 5)):
        queue.submit(spec(title, priority))
    taken = []
    while (journal := queue.take()) is not None:
        taken.append(journal.found.about["title"])
        journal.mark("done")
        journal.close()
    assert taken == ["high", "first", "second", "low"]


def test_more_than_nine_jobs_keep_their_order(queue: JobQueue) -> None:
    for number in range(12):
        queue.submit(spec(str(number)))
    assert [view.spec.title for view in queue.views()] == [str(number) for number in range(12)]


def test_a_priority_can_be_changed_and_stays(queue: JobQueue) -> None:
    first, second = queue.submit(spec("first")), queue.submit(spec("second"))
    queue.prioritise(second, 3)
    assert [view.id for view in queue.views()] == [second, first]
    queue.ask(second, "pause")
    queue.ask(second, "resume")
    assert queue.view(second).priority == 3
    end(queue, first, "done")
    with pytest.raises(InvalidInput, match="is done"):
        queue.prioritise(first, 3)


def test_a_job_is_taken_by_one(queue: JobQueue) -> None:
    first, second = queue.submit(SPEC), queue.submit(SPEC)
    one, other = queue.take(), queue.take()
    assert one is not None
    assert other is not None
    assert {one.job_id, other.job_id} == {first, second}
    assert queue.take() is None
    assert queue.view(first).held
    one.mark("running", pid=4711)
    with pytest.raises(ProductionBusy, match=f"the job {one.job_id} is being worked on by process 4711"):
        queue.take_this(one.job_id)
    one.close()
    other.close()
    again = queue.take()
    assert again is not None, "one that was running and is held by nobody goes on"
    again.close()


def test_a_pause_between_attempts_is_kept(queue: JobQueue) -> None:
    job = queue.submit(SPEC)
    end(queue, job, "accepted", after=1000.0)
    assert queue.take(now=999.0) is None
    journal = queue.take(now=1000.0)
    assert journal is not None
    journal.close()


@pytest.mark.parametrize(
    ("state", "wish", "then"),
    [
        ("accepted", "pause", "paused"), ("running", "pause", "paused"), ("paused", "resume", "accepted"),
        ("accepted", "cancel", "cancelled"), ("paused", "cancel", "cancelled"), ("running", "cancel", "cancelled"),
        ("failed", "retry", "accepted"), ("cancelled", "retry", "accepted"),
    ],
)  # fmt: skip
def test_what_is_wished_is_done(queue: JobQueue, state: Any, wish: Wish, then: str) -> None:
    job = queue.submit(SPEC)
    end(queue, job, state, tries={"EngineHung": 2})
    view = queue.ask(job, wish)
    assert (view.state, view.wish) == (then, "")
    assert ("tries" in view.facts) == (wish != "retry"), "who asks for another try gets all attempts"


@pytest.mark.parametrize(
    ("state", "wish"),
    [
        ("done", "pause"), ("done", "cancel"), ("done", "retry"), ("failed", "resume"), ("accepted", "resume"),
        ("accepted", "retry"), ("cancelled", "cancel"), ("paused", "pause"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told(queue: JobQueue, state: Any, wish: Wish) -> None:
    job = queue.submit(SPEC)
    end(queue, job, state)
    told = "waiting" if state == "accepted" else state  # As `studio jobs` calls it.
    with pytest.raises(InvalidInput, match=f"the job 1 is {told}; (?!.*accepted)"):
        queue.ask(job, wish)
    assert queue.view(job).state == state


def test_a_job_that_another_works_on_is_told_through_a_file(queue: JobQueue) -> None:
    job = queue.submit(SPEC)
    with queue.take_this(job) as journal:
        journal.mark("running")
        assert queue.ask(job, "pause").wish == "pause"
        assert queue.wish(job) == "pause"
        assert queue.ask(job, "resume").wish == "", "taken back in time"
        queue.ask(job, "cancel")
    queue.settle(job)
    assert queue.view(job).state == "cancelled"
    assert queue.wish(job) is None


def test_a_wish_whose_hearer_died_is_heard_by_the_next(queue: JobQueue) -> None:
    job = queue.submit(SPEC)
    with queue.take_this(job) as journal:
        journal.mark("running")
        queue.ask(job, "pause")
    assert queue.take() is None
    assert queue.view(job).state == "paused"
    with pytest.raises(InvalidInput, match="studio jobs resume 1"):
        queue.take_this(job)


@pytest.mark.parametrize("text", ["", "{}", '{"wish": "fly"}', '["pause"]', "\xff", "[" * 5000])
def test_rubbish_in_a_wish_is_no_wish(queue: JobQueue, text: str) -> None:
    job = queue.submit(SPEC)
    (queue.folder / f"{job}.wish").write_bytes(text.encode("latin-1"))
    assert queue.wish(job) is None
    assert queue.view(job).state == "accepted"


def test_a_damaged_job_is_shown_and_holds_nobody_up(queue: JobQueue) -> None:
    queue.submit(SPEC, [tiny("a")])
    second = queue.submit(SPEC, [tiny("b")])
    path = queue.folder / "1.journal"
    path.write_bytes(path.read_bytes().replace(b'"text":"a"', b'"text":"X"'))
    (queue.folder / "note.journal").write_text("hello")
    assert {view.id: view.state for view in queue.views()} == {"1": None, "2": "accepted", "note": None}
    journal = queue.take()
    assert journal is not None
    assert journal.job_id == second
    journal.close()
    with pytest.raises(ToolError, match="damaged"):
        queue.take_this("1")
    with pytest.raises(InvalidInput, match="cannot be read"):
        queue.ask("1", "pause")


def test_a_job_that_is_not_there(queue: JobQueue) -> None:
    for act in (queue.view, queue.take_this, queue.history, lambda job: queue.ask(job, "pause")):
        with pytest.raises(InvalidInput, match="there is no job '7'"):
            act("7")  # type: ignore[operator]
    assert not queue.folder.exists(), "looking makes nothing"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["pause", "resume", "cancel", "retry", "take", "let go", "finish"]), max_size=12))
def test_whatever_people_do_a_job_is_in_one_sound_state(tmp_path: Path, deeds: list[str]) -> None:
    queue = JobQueue(tmp_path / str(next(COUNT)))
    job = queue.submit(SPEC)
    held: Journal | None = None
    for deed in deeds:
        if deed in get_args(Wish):
            try:
                queue.ask(job, deed)  # type: ignore[arg-type]
            except InvalidInput:
                continue
        elif deed == "take" and held is None:
            held = queue.take()
            if held:
                held.mark("running")
        elif deed in ("let go", "finish") and held is not None:
            if deed == "finish":
                held.mark("done")
            held.close()
            held = None
            queue.settle(job)
            assert queue.wish(job) is None
    view = queue.view(job)
    assert view.held == (held is not None)
    assert view.state is not None
    if held is None:
        assert view.wish == ""
        assert (queue.take() is not None) == (view.state in ("accepted", "running"))
    else:
        held.close()


COUNT = itertools.count()
