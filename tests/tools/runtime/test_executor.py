from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.runtime.conftest import ALLOW, Bench, tiny
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import (
    BadOutput,
    Cancelled,
    EngineCrashed,
    EngineFailed,
    EngineHung,
    InvalidInput,
    OutOfMemory,
    ToolError,
)
from tools.runtime.events import CallEvent
from tools.runtime.workers.pool import WorkerPool


def text(result: Artifact | ToolError) -> str:
    assert isinstance(result, Artifact), result
    return result.file("text.txt").read_text()


def lines(log: Path) -> list[str]:
    return [json.loads(line)["text"] for line in log.read_text().splitlines()] if log.exists() else []


def best_of_three(measure: Callable[[], float], below: float) -> bool:
    """Whether it is fast enough once in three times: other work on the machine may slow down any one of them."""
    return any(measure() < below for _ in range(3))


def test_results_flow_along_references(bench: Bench) -> None:
    results = bench.executor.run([tiny("film", "shot", "line"), tiny("shot", "line"), tiny("line")])
    assert list(results) == ["film", "shot", "line"]
    assert text(results["film"]) == "filmshotlineline"
    record = results["shot"].record  # type: ignore[union-attr]
    assert record.args["needs"] == [{"call": "line", "key": results["line"].key}]  # type: ignore[union-attr]
    assert bench.statuses("film") == ["queued", "running", "done"]
    assert bench.last("film").fraction == 1.0
    assert bench.last("film").seconds > 0


def test_nothing_is_made_twice(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    calls = [tiny("a", log=str(log)), tiny("b", "a", log=str(log))]
    first = bench.executor.run(calls)
    bench.events.clear()
    second = bench.executor.run(calls)
    assert lines(log) == ["a", "b"]
    assert {k: v.key for k, v in first.items()} == {k: v.key for k, v in second.items()}  # type: ignore[union-attr]
    assert bench.statuses("a") == bench.statuses("b") == ["queued", "cached"]


def test_what_does_not_change_the_result_does_not_make_it_again(bench: Bench) -> None:
    """The id of a call, the order of its arguments, a default written out."""
    one = bench.executor.run([Call(id="x", tool="tiny", args={"text": "t", "seconds": 0.0})])["x"]
    two = bench.executor.run([Call(id="y", tool="tiny", args={"trim": 1000, "text": "t"})])["y"]
    assert one.key == two.key  # type: ignore[union-attr]
    assert bench.statuses("y") == ["queued", "cached"]


def test_what_does_change_it_makes_it_again(bench: Bench, tmp_path: Path) -> None:
    file, pack = tmp_path / "photo.png", tmp_path / "rig.pack"
    file.write_text("photo")
    pack.write_text("rig")
    base = {"file": str(file), "scratch": str(pack)}

    def key(**change: object) -> str:
        result = bench.executor.run([tiny("a", **{**base, **change})])["a"]  # type: ignore[arg-type]
        assert isinstance(result, Artifact), result
        return result.key

    keys = [key(), key(seed=1), key(engine="copyist"), key(text2="x") if False else key(trim=9)]
    assert key() == keys[0]
    file.write_text("other photo")
    keys.append(key())
    pack.write_text("other rig")
    keys.append(key())
    assert len(set(keys)) == len(keys)
    found = bench.store.get(keys[-1])
    assert found is not None
    assert found.record.version.startswith("1+other rig")
    assert list(found.record.inputs) == [str(file)]


def test_a_change_that_leaves_the_content_alone_goes_no_further(bench: Bench, tmp_path: Path) -> None:
    """Early cutoff: `b` hangs on what `a` holds, not on how it was asked for."""
    log = tmp_path / "log"
    bench.executor.run([tiny("a", trim=1), tiny("b", "a", log=str(log))])
    bench.events.clear()
    bench.executor.run([tiny("a", trim=2), tiny("b", "a", log=str(log))])
    assert bench.statuses("a") == ["queued", "running", "done"]
    assert bench.statuses("b") == ["queued", "cached"]
    assert lines(log) == ["b"]


def test_equal_calls_in_one_batch_are_made_once(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    same = {"text": "sea", "log": str(log), "seconds": 0.05}
    results = bench.executor.run([Call(id=f"c{i}", tool="tiny", args=same) for i in range(6)])
    assert lines(log) == ["sea"]
    assert len({result.key for result in results.values()}) == 1  # type: ignore[union-attr]
    assert sorted(bench.last(f"c{i}").status for i in range(6)) == ["cached"] * 5 + ["done"]


def test_results_from_before_can_be_referred_to(bench: Bench) -> None:
    before = bench.executor.run([tiny("a")])
    known = {name: result for name, result in before.items() if isinstance(result, Artifact)}
    assert text(bench.executor.run([tiny("b", "a")], known)["b"]) == "ba"


def test_a_forged_key_in_a_reference_is_not_used(bench: Bench) -> None:
    secret = bench.executor.run([tiny("secret")])["secret"]
    assert isinstance(secret, Artifact)
    forged = Call(id="b", tool="tiny", args={"text": "b", "needs": [{"call": "a", "key": secret.key}]})
    assert text(bench.executor.run([tiny("a"), forged])["b"]) == "ba"


def test_nothing_runs_when_anything_is_wrong(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(InvalidInput, match="needs the result of 'c'"):
        bench.executor.run([tiny("a", log=str(log)), tiny("b", "c")])
    assert lines(log) == []
    assert bench.events == []
    assert bench.executor.run([]) == {}


def test_a_failure_reaches_those_that_need_it_and_nobody_else(bench: Bench) -> None:
    results = bench.executor.run(
        [tiny("bad", deed="refuse"), tiny("next", "bad"), tiny("last", "next", "good"), tiny("good")]
    )
    assert isinstance(results["bad"], InvalidInput)
    assert results["next"] is results["last"] is results["bad"]
    assert text(results["good"]) == "good"
    assert bench.statuses("last") == ["queued", "failed"]
    assert bench.last("last").text == "needs bad: bad: there is nothing to write" or bench.last("last").text.startswith(
        "needs "
    )


def test_arguments_that_only_the_engine_can_judge_fail_alone(bench: Bench) -> None:
    wrong = Call(id="wrong", tool="tiny", args={"text": "unknown place"})
    results = bench.executor.run([wrong, tiny("right")])
    assert isinstance(results["wrong"], InvalidInput)
    assert text(results["right"]) == "right"


@pytest.mark.parametrize(
    ("deed", "kind", "says"),
    [
        ("refuse", InvalidInput, "x: there is nothing to write"),
        ("bug", EngineFailed, r"tiny/scribe raised ZeroDivisionError at tiny.py:\d+: seven by zero"),
        ("bad_output", BadOutput, "the page is blank"),
        ("broken_promise", BadOutput, "tiny/scribe broke its tool's promise: letters: Input should be a valid int"),
        ("nan", BadOutput, "a number that is not finite"),
        ("link", BadOutput, "which is not a plain file of its own"),
        ("memory", OutOfMemory, "tiny/scribe ran out of memory"),
        ("exit", EngineCrashed, "tiny/scribe: its process ended by itself with exit code 7. .*my last words"),
        ("kill", EngineCrashed, "was ended by SIGKILL"),
        ("segfault", EngineCrashed, r"was ended by SIGSEGV. .*Segmentation fault File .*ctypes"),
        ("hang", EngineHung, "tiny/scribe gave no sign of progress for 1.5 s"),
        ("freeze", EngineHung, "had been stopped|gave no sign of progress for 1.5 s"),
        ("rubbish", EngineCrashed, "wrote rubbish"),
    ],
)
def test_whatever_an_engine_does_is_a_typed_error_and_the_next_call_works(
    bench: Bench, deed: str, kind: type[ToolError], says: str
) -> None:
    result = bench.executor.run([tiny("x", deed=deed)])["x"]
    assert type(result) is kind
    with pytest.raises(kind, match=says):
        raise result
    assert text(bench.executor.run([tiny("after", trim=3)])["after"]) == "aft"
    assert not [path for path in (bench.store.root / ".tmp").rglob("*") if path.name == "text.txt"]


def test_what_may_succeed_is_tried_once_more(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "log"
    call = tiny("x", deed="crash_once", scratch=str(tmp_path / "marker"), log=str(log))
    assert text(bench.executor.run([call])["x"]) == "x"
    assert lines(log) == ["x", "x"]
    for deed, times in (("exit", 2), ("bad_output", 2), ("refuse", 1)):
        log.unlink(missing_ok=True)
        bench.executor.run([tiny("y", deed=deed, log=str(log))])
        assert lines(log) == ["y"] * times, deed


def test_what_libraries_print_does_not_disturb(bench: Bench) -> None:
    assert text(bench.executor.run([tiny("x", deed="print")])["x"]) == "x"


def test_a_worker_gets_no_secrets_and_an_empty_input(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    monkeypatch.setenv("HF_TOKEN", "canary")
    with WorkerPool(1, allow=ALLOW) as pool:
        bench.executor.pool = pool
        results = bench.executor.run([tiny("e", deed="environment"), tiny("i", deed="threads")])
    environment = json.loads(text(results["e"]))
    assert "canary" not in text(results["e"])
    assert environment["OMP_NUM_THREADS"] == "1"
    assert environment["PYTHONHASHSEED"] == "0"
    assert text(results["i"]) == "end of input"


def test_progress_is_told_in_the_calling_thread(bench: Bench) -> None:
    threads: list[int] = []
    told: list[CallEvent] = []

    def hear(event: CallEvent) -> None:
        threads.append(threading.get_ident())
        told.append(event)
        if event.fraction > 0.1:
            bench.cancel.set()

    bench.executor.on_event = hear
    bench.executor.run([tiny("x", deed="patient")])
    assert set(threads) == {threading.get_ident()}
    fractions = [event.fraction for event in told if event.status == "running"]
    assert fractions == sorted(fractions)
    assert len(fractions) > 2
    assert told[-1].status == "cancelled"


@pytest.mark.parametrize("deed", ["patient", "stubborn", "hang"])
def test_cancel_takes_less_than_a_second_and_keeps_what_is_finished(bench: Bench, deed: str) -> None:
    calls = [tiny("done"), tiny("x", "done", deed=deed), tiny("y", "x"), *(tiny(f"q{i}", "x") for i in range(20))]

    def seconds_to_stop() -> float:
        bench.cancel.clear()
        bench.executor.run([tiny("done")])
        threading.Timer(0.3, bench.cancel.set).start()
        started = time.monotonic()
        results.update(bench.executor.run(calls))
        return time.monotonic() - started - 0.3

    results: dict[str, Artifact | ToolError] = {}
    assert best_of_three(seconds_to_stop, below=1.0)
    assert text(results["done"]) == "done"
    assert all(isinstance(results[name], Cancelled) for name in results if name != "done")
    assert bench.last("y").status == "cancelled"
    bench.cancel.clear()
    bench.events.clear()
    assert text(bench.executor.run([tiny("done"), tiny("z", "done")])["z"]) == "zdone"
    assert bench.statuses("done") == ["queued", "cached"]


def test_an_engine_that_listens_keeps_its_worker(bench: Bench) -> None:
    bench.executor.run([tiny("a")])
    before = set(bench.executor.pool.pids())
    threading.Timer(0.3, bench.cancel.set).start()
    bench.executor.run([tiny("x", deed="patient")])
    assert set(bench.executor.pool.pids()) >= before


def test_a_bug_in_the_one_who_listens_is_not_swallowed(bench: Bench) -> None:
    def burst(event: CallEvent) -> None:
        if event.status == "running":
            raise RuntimeError("a broken screen")

    bench.executor.on_event = burst
    started = time.monotonic()
    with pytest.raises(RuntimeError, match="a broken screen"):
        bench.executor.run([tiny("x", deed="patient"), tiny("y", deed="patient", trim=1)])
    assert time.monotonic() - started < 2


def test_the_longest_chain_is_begun_first(make_bench: Callable[[Path], Bench], tmp_path: Path) -> None:
    bench = make_bench(tmp_path / "s")
    with WorkerPool(1, allow=ALLOW) as pool:
        bench.executor.pool = pool
        log = tmp_path / "log"
        short = [tiny(f"s{i}", log=str(log)) for i in range(5)]
        bench.executor.run([*short, tiny("end", "head", log=str(log), seconds=0.05), tiny("head", log=str(log))])
    assert lines(log)[:2] == ["head", "end"]


def test_both_workers_are_busy(bench: Bench) -> None:
    bench.executor.run([tiny("w1", seconds=0.2), tiny("w2", seconds=0.2)])
    turns = itertools.count()

    def seconds_for_four() -> float:
        turn = next(turns)
        started = time.monotonic()
        bench.executor.run([tiny(f"p{turn}.{i}", seconds=0.3) for i in range(4)])
        return time.monotonic() - started

    assert best_of_three(seconds_for_four, below=1.0), "one after the other they take 1.2 s"


def test_a_long_chain_of_stored_results_is_no_trouble(bench: Bench) -> None:
    calls = [tiny("c0"), *(tiny(f"c{i}", f"c{i - 1}", trim=20) for i in range(1, 150))]
    bench.executor.run(calls)
    started = time.process_time()
    results = bench.executor.run(calls)
    assert all(isinstance(result, Artifact) for result in results.values())
    assert time.process_time() - started < 3.0


def test_a_call_costs_less_than_15_ms_beside_its_work(bench: Bench) -> None:
    """Measured at 2 ms; the goal is 15."""
    bench.executor.run([tiny("warm")])
    started = time.process_time()
    wall = time.monotonic()
    bench.executor.run([tiny(f"m{i}") for i in range(100)])
    assert min(time.process_time() - started, time.monotonic() - wall) / 100 < 0.015


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_in_any_graph_a_call_succeeds_unless_it_or_what_it_needs_fails(
    make_bench: Callable[[Path], Bench], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    bench = make_bench(tmp_path_factory.mktemp("any"))
    count = data.draw(st.integers(1, 12))
    names = [f"n{index}" for index in range(count)]
    needs = {
        name: data.draw(st.lists(st.sampled_from(names[:index]), max_size=3, unique=True)) if index else []
        for index, name in enumerate(names)
    }
    bad = set(data.draw(st.lists(st.sampled_from(names), max_size=3)))
    calls = [tiny(name, *needs[name], deed="refuse" if name in bad else "work") for name in names]
    results = bench.executor.run(data.draw(st.permutations(calls)))
    doomed: set[str] = set()
    for name in names:
        if name in bad or doomed & set(needs[name]):
            doomed.add(name)
        assert isinstance(results[name], ToolError) == (name in doomed)
        if name not in doomed:
            assert text(results[name]) == name + "".join(text(results[need]) for need in needs[name])
        ends = [event.status for event in bench.events if event.call_id == name and event.status != "running"]
        assert ends == ["queued", "failed" if name in doomed else "done"]


def test_workers_may_be_killed_and_stopped_at_any_moment(bench: Bench) -> None:
    """The run after it is right, whatever happened to the workers of the one before."""
    rng = random.Random(2)
    ended = threading.Event()

    def torment() -> None:
        while not ended.wait(rng.random() * 0.25):
            pids = bench.executor.pool.pids()
            if pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(rng.choice(pids), rng.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM]))

    tormentor = threading.Thread(target=torment)
    tormentor.start()
    try:
        for job in range(12):
            calls = [tiny(f"j{job}.{index}", seconds=0.01) for index in range(12)]
            for result in bench.executor.run(calls).values():
                assert isinstance(result, Artifact | EngineCrashed), result
    finally:
        ended.set()
        tormentor.join()
    for job in range(12):
        calls = [tiny(f"j{job}.{index}", seconds=0.01) for index in range(12)]
        results = bench.executor.run(calls)
        assert [text(result) for result in results.values()] == [call.id for call in calls]
    assert all(bench.store.verify(key) for key in bench.store)


def test_many_runs_leak_neither_files_nor_threads(bench: Bench) -> None:
    def held() -> tuple[int, int]:
        return len(list(Path("/dev/fd").iterdir())), threading.active_count()

    bench.executor.run([tiny("first"), tiny("bad", deed="exit")])
    bench.executor.run([tiny("first")])
    before = held()
    for number in range(60):
        deed = {20: "exit", 40: "kill"}.get(number, "work")
        bench.executor.run([tiny(f"r{number}", deed=deed)])
    bench.executor.run([tiny("last")])
    after = held()
    assert after[0] <= before[0] + 7, "a worker more than before at most: six handles"
    assert after[1] <= before[1] + 2
