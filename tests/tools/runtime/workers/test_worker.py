"""One worker at a time: what passes between it and the studio, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.tools.runtime.conftest import ALLOW, ENGINES
from tools.errors import (
    BadOutput,
    Cancelled,
    EngineCrashed,
    EngineFailed,
    EngineHung,
    InvalidInput,
    MissingPrerequisite,
    OutOfMemory,
    StorageFailed,
    ToolError,
)
from tools.registry import Registry
from tools.runtime.workers import client as worker_client
from tools.runtime.workers.client import WorkerProcess
from tools.runtime.workers.construct import construct
from tools.runtime.workers.failures import as_tool_error
from tools.runtime.workers.pool import WorkerPool, default_size
from tools.runtime.workers.spawn import worker_environment
from tools.runtime.workers.wire import error_from_wire, error_to_wire

SCRIBE = "tests.tools.runtime.tiny:Scribe"


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    process = WorkerProcess(allow=ALLOW)
    yield process
    process.close()


def describe(worker: WorkerProcess, *texts: str) -> dict[str, object]:
    args = [{"text": text} for text in texts]
    return worker.request({"do": "describe", "engine": SCRIBE, "args": args}, 20.0, "tiny/scribe")


def run(worker: WorkerProcess, out: Path, silence_s: float = 20.0, **args: object) -> dict[str, object]:
    out.mkdir(exist_ok=True)
    message = {
        "do": "run",
        "engine": SCRIBE,
        "seed": 0,
        "out": str(out),
        "artifacts": {},
        "args": {"text": "t", **args},
    }
    return worker.request(message, silence_s, "tiny/scribe")


def test_it_says_what_an_engine_is(worker: WorkerProcess) -> None:
    answer = describe(worker, "a", "unknown place")
    assert answer["version"] == "1"
    assert answer["fingerprints"] == [
        {"ok": ""},
        {"error": {"kind": "InvalidInput", "message": "there is no such place", "hint": ""}},
    ]


def test_an_engine_is_loaded_once_and_kept(worker: WorkerProcess, tmp_path: Path) -> None:
    """The tiny engine checks that it was loaded exactly once."""
    assert run(worker, tmp_path / "a")["output"] == run(worker, tmp_path / "b")["output"]


def test_big_messages_pass(worker: WorkerProcess, tmp_path: Path) -> None:
    answer = run(worker, tmp_path / "a", text="x" * 3_000_000, trim=5_000_000)
    assert answer["output"]["letters"] == 3_000_000  # type: ignore[index]


def test_a_stopped_worker_is_noticed_long_before_a_slow_engine_would_be(
    worker: WorkerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_client, "PING_AFTER_S", 0.1)
    run(worker, tmp_path / "slow", seconds=1.0)
    os.kill(worker.pid, signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(EngineHung, match="had been stopped"):
        run(worker, tmp_path / "a")
    assert time.monotonic() - started < 3.0
    assert not worker.alive


def test_a_worker_that_lets_no_thread_answer_is_ended(
    worker: WorkerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_client, "PING_AFTER_S", 0.1)
    monkeypatch.setattr(worker_client, "NO_PULSE_S", 0.7)
    run(worker, tmp_path / "sleeps", seconds=1.5)
    with pytest.raises(EngineHung, match=r"did not answer for 0\.7 s"):
        run(worker, tmp_path / "burns", deed="family", scratch=str(tmp_path / "pids"))
    own, child = (int(pid) for pid in (tmp_path / "pids").read_text().split())
    assert own == worker.pid
    _, alive = psutil.wait_procs([psutil.Process(child)] if psutil.pid_exists(child) else [], timeout=1.0)
    assert all(one.status() == psutil.STATUS_ZOMBIE for one in alive), "what it had started is ended with it"


def test_a_stopped_worker_that_cannot_even_take_its_request_is_ended(worker: WorkerProcess, tmp_path: Path) -> None:
    run(worker, tmp_path / "a")
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(EngineHung, match="did not read its request"):
        run(worker, tmp_path / "b", silence_s=0.3, text="x" * 3_000_000)
    assert not worker.alive


def test_a_worker_that_dies_while_it_is_looked_at_is_dead_and_not_stopped(worker: WorkerProcess) -> None:
    os.kill(worker.pid, signal.SIGKILL)
    while psutil.Process(worker.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.005)
    assert not worker._is_stopped()
    assert worker._has_exited()
    os.waitpid(worker.pid, 0)
    assert not worker._is_stopped()
    assert worker._has_exited()


def test_a_worker_killed_while_idle_is_told_and_replaced(tmp_path: Path) -> None:
    spec = Registry.load(ENGINES, allow=ALLOW).pick("tiny")
    with WorkerPool(1, allow=ALLOW) as pool:
        with pool.lease(spec) as first:
            run(first, tmp_path / "a")
        os.kill(first.pid, signal.SIGKILL)
        time.sleep(0.1)
        with pool.lease(spec) as second:
            assert second is not first
            run(second, tmp_path / "b")
        assert pool.pids() == [second.pid]


def test_it_ends_when_the_studio_closes_its_end(worker: WorkerProcess) -> None:
    describe(worker, "a")
    process = psutil.Process(worker.pid)
    worker.close()
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    worker.close()
    with pytest.raises(EngineCrashed):
        describe(worker, "a")


def test_cancelling_twice_or_when_idle_is_harmless(worker: WorkerProcess, tmp_path: Path) -> None:
    worker.cancel()
    worker.cancel()
    with pytest.raises(Cancelled):
        run(worker, tmp_path / "a", seconds=3.0)
    assert not worker.alive


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ('{"id": 1, "ok": {}}', None),
        ('{"id": 1, "fraction": "half"}', EngineCrashed),
        ('{"id": 1, "ok": 7}', BadOutput),
        ('{"id": 1, "error": "no"}', BadOutput),
        ('{"id": 1, "error": {}}', EngineFailed),
        ("[1, 2]", EngineCrashed),
        ("null", EngineCrashed),
        ("[" * 100_000, EngineCrashed),
        ('{"id": 1, "ok"', EngineCrashed),
        ("", EngineCrashed),
    ],
)
def test_whatever_a_worker_says_is_an_answer_or_a_typed_error(
    tmp_path: Path, answer: str, kind: type[ToolError] | None
) -> None:
    (tmp_path / "answer").write_text(answer + "\n")
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\nread request\ncat '{tmp_path}/answer'\nread more\n")
    program.chmod(0o755)
    worker = WorkerProcess(str(program))
    try:
        if kind is None:
            assert worker.request({"do": "x"}, 5.0) == {}
        else:
            with pytest.raises(kind):
                worker.request({"do": "x"}, 5.0)
    finally:
        worker.close()


def test_an_interpreter_that_is_not_there_is_named() -> None:
    with pytest.raises(MissingPrerequisite, match="there is no interpreter /nowhere/python"):
        WorkerProcess("/nowhere/python")


def test_an_interpreter_that_lacks_the_studio_says_its_last_words() -> None:
    worker = WorkerProcess("/bin/false")
    with pytest.raises(EngineCrashed, match="ended by itself with exit code 1"):
        describe(worker, "a")
    worker.close()


def test_a_folder_called_tools_where_the_user_stands_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "__init__.py").write_text("raise SystemExit('hijacked')")
    (tmp_path / "json.py").write_text("raise SystemExit('hijacked')")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from tools.runtime.workers.client import WorkerProcess\n"
        "w = WorkerProcess(); print(w.request({'do': 'import', 'modules': ['tools.base']}, 20.0)); w.close()"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(ENGINES.parents[3])], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip() == "{}", done.stderr


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("os:system", "modules under tools., tests. only"),
        ("tests.tools.runtime.tiny:Nobody", "there is no Nobody"),
        ("tests.tools.runtime.tiny:Impostor", "is not a tools.base.Engine"),
        ("tests.tools.runtime.nowhere:X", "No module named"),
        ("tools.storyboard:Shot", "is not a tools.base.Engine"),
    ],
)
def test_only_engines_are_constructed(path: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        construct(path, ALLOW)


def test_a_missing_library_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needy_engine.py").write_text("import no_such_library_at_all")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        MissingPrerequisite, match=r"needs no_such_library_at_all\. .*pip install no_such_library_at_all"
    ):
        construct("needy_engine:X", ("needy_engine",))


def test_the_environment_is_an_allow_list() -> None:
    kept = worker_environment({"PATH": "/bin", "HOME": "/h", "AWS_SECRET_ACCESS_KEY": "x", "PYTHONSTARTUP": "y"})
    assert kept["PATH"] == "/bin"
    assert not {"AWS_SECRET_ACCESS_KEY", "PYTHONSTARTUP"} & set(kept)


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput("x is wrong", where="a.b", hint="do c"),
        MissingPrerequisite("y is missing.", command="pip install y"),
        OutOfMemory("full."),
        StorageFailed("disk.", hint="space"),
        Cancelled("stopped"),
    ],
)
def test_errors_survive_the_journey(error: ToolError) -> None:
    there = error_from_wire(error_to_wire(error))
    assert type(there) is type(error)
    assert str(there) == str(error)
    assert getattr(there, "command", "") == getattr(error, "command", "")


def test_an_error_of_a_kind_of_its_own_arrives_as_the_nearest_known() -> None:
    from tools.models import WrongFile

    there = error_from_wire(error_to_wire(WrongFile("the file is empty", where="x.safetensors", hint="Get it again.")))
    assert type(there) is InvalidInput
    assert str(there) == "x.safetensors: the file is empty. Get it again."
    assert not there.retryable


@pytest.mark.parametrize("data", [{}, {"kind": "Exception"}, {"kind": "__all__"}, {"kind": "ToolError", "message": 7}])
def test_an_odd_error_is_still_an_error(data: dict[str, object]) -> None:
    assert isinstance(error_from_wire(data), ToolError)


def test_a_bug_in_an_engine_keeps_its_type_and_place() -> None:
    try:
        {}["missing"]
    except KeyError as error:
        found = as_tool_error(error, {"do": "run", "name": "tiny/scribe"})
    assert isinstance(found, EngineFailed)
    assert "tiny/scribe raised KeyError at test_worker.py:" in found.message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory", OutOfMemory),
        ("MPS backend out of memory (MPS allocated: 9 GB)", OutOfMemory),
        ("CUDA error: out of memory", OutOfMemory),
        ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", OutOfMemory),
        ("CUDA error: an illegal memory access was encountered", EngineCrashed),
        ("shapes do not fit", EngineFailed),
    ],
)
def test_memory_that_ran_out_is_told_from_other_failures_in_whatever_words(text: str, kind: type[ToolError]) -> None:
    with pytest.raises(RuntimeError) as raised:
        raise RuntimeError(text)
    assert type(as_tool_error(raised.value, {"do": "run", "name": "image/sdxl"})) is kind


def test_the_pool_starts_at_once_and_leaves_nobody() -> None:
    started = time.monotonic()
    pool = WorkerPool(2, allow=ALLOW)
    pool.start()
    pool.prewarm(["tools.base", "no.such.module"])
    assert time.monotonic() - started < 1.0, "20 ms on an idle core; waiting for a worker would take seconds"
    pids = pool.pids()
    assert len(pids) == 2
    spec = Registry.load(ENGINES, allow=ALLOW).pick("tiny")
    with pool.lease(spec) as worker:
        describe(worker, "a")
    pool.close()
    for pid in pids:
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    with pytest.raises(Cancelled), pool.lease(spec):
        pass


def test_the_pool_is_never_larger_than_said() -> None:
    assert 1 <= default_size() <= 4
    spec = Registry.load(ENGINES, allow=ALLOW).pick("tiny")
    with WorkerPool(2, allow=ALLOW) as pool, pool.lease(spec), pool.lease(spec):
        deadline = time.monotonic() + 0.3
        with pytest.raises(Cancelled), pool.lease(spec, lambda: time.monotonic() > deadline):
            pass
        assert len(pool.pids()) == 2


def test_a_worker_that_knows_the_engine_is_preferred() -> None:
    registry = Registry.load(ENGINES, allow=ALLOW)
    scribe, copyist = registry.pick("tiny"), registry.pick("tiny", "copyist")
    with WorkerPool(2, allow=ALLOW) as pool:
        pool.start()
        with pool.lease(scribe) as one, pool.lease(copyist) as other:
            assert one is not other
        for _ in range(3):
            with pool.lease(scribe) as again:
                assert again is one
            with pool.lease(copyist) as again:
                assert again is other


def test_an_engine_is_asked_what_it_lacks() -> None:
    registry = Registry.load(ENGINES, allow=ALLOW)
    with WorkerPool(1, allow=ALLOW) as pool:
        assert pool.check(registry.pick("tiny")) is None
        assert isinstance(pool.check(registry.pick("tiny", "impostor")), InvalidInput)
