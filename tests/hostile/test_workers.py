"""Workers killed, crashed, stopped and poisoned, from within and from without: the job after it is always right.

`STUDIO_FULL=1` does 200 jobs with every kind of accident, instead of 8. The twin hands dead workers out again.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.tools.runtime.conftest import ALLOW, ENGINES, tiny
from tools.artifact import Artifact
from tools.errors import ToolError
from tools.registry import Registry
from tools.runtime.executor import Executor
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers import client
from tools.runtime.workers.client import WorkerProcess
from tools.runtime.workers.pool import WorkerPool

JOBS = 200 if os.environ.get("STUDIO_FULL") else 8
SIGNALS = {
    "killed": signal.SIGKILL, "stopped": signal.SIGSTOP, "crashed from without": signal.SIGSEGV,
    "asked to end": signal.SIGTERM,
}  # fmt: skip
DEEDS = {
    "kills itself": "kill", "crashes": "segfault", "ends": "exit", "stops itself": "freeze", "hangs": "hang",
    "speaks rubbish": "rubbish", "raises": "bug", "gives nonsense": "broken_promise", "gives no number": "nan",
    "leaves a link": "link", "runs out of memory": "memory",
}  # fmt: skip
SLOW = {"stops itself", "hangs"}
"""Noticed by silence alone, each time twice."""
PATIENCE_S = 8


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerPool]:
    # What is silent is looked at sooner than after seconds.
    monkeypatch.setattr(client, "PING_AFTER_S", 0.2)
    with WorkerPool(2, allow=ALLOW) as made:
        yield made


def registry_in(folder: Path) -> Registry:
    """The tiny engines, with patience for a busy machine: a worker that starts slowly has not hung."""
    for path in (ENGINES, ENGINES.with_name("models.yaml")):
        text = path.read_text(encoding="utf-8").replace("silence_s: 1.5", f"silence_s: {PATIENCE_S}")
        (folder / path.name).write_text(text, encoding="utf-8")
    return Registry.load(folder / ENGINES.name, allow=ALLOW)


def accidents(count: int) -> list[str]:
    """So many, every kind as often as the others, but for the slow ones."""
    kinds = [*SIGNALS, *DEEDS]
    found = [kinds[number % len(kinds)] for number in range(count)]
    rng = random.Random(20261121)
    found = [one if one not in SLOW or number < 30 else rng.choice([*SIGNALS]) for number, one in enumerate(found)]
    rng.shuffle(found)
    return found


def wrong_after(folder: Path, pool: WorkerPool, count: int) -> tuple[list[str], Counter[str]]:
    """Do jobs, each after an accident; which of them went wrong, and what the accidents led to."""
    executor = Executor(registry_in(folder.parent), ArtifactStore(folder), pool)
    rng = random.Random(5)
    wrong: list[str] = []
    seen: Counter[str] = Counter()
    for number, kind in enumerate(accidents(count)):
        if kind in SIGNALS:
            seen["struck"] += _strike(pool, SIGNALS[kind], rng)
        else:
            result = executor.run([tiny(f"x{number}", deed=DEEDS[kind])])[f"x{number}"]
            seen["told" if isinstance(result, ToolError) else "passed"] += 1
        made = executor.run([tiny(f"a{number}"), tiny(f"b{number}", f"a{number}")])
        if [_text(made[name]) for name in (f"a{number}", f"b{number}")] != [f"a{number}", f"b{number}a{number}"]:
            wrong.append(f"{number}: after one that was {kind}: {made}")
    return wrong, seen


def _strike(pool: WorkerPool, number: signal.Signals, rng: random.Random) -> int:
    """Send a signal to one of the workers, and let the system deliver it."""
    pids = [one for one in pool.pids() if psutil.pid_exists(one)]
    if not pids:
        return 0
    os.kill(pid := rng.choice(pids), number)
    if number != signal.SIGSTOP:
        deadline = time.monotonic() + 5
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            time.sleep(0.005)
    return 1


def _text(result: Artifact | ToolError) -> str:
    return result.file("text.txt").read_text() if isinstance(result, Artifact) else repr(result)


def test_the_job_after_an_accident_is_right(pool: WorkerPool, tmp_path: Path) -> None:
    wrong, seen = wrong_after(tmp_path / "store", pool, JOBS)
    print(f"{JOBS - len(wrong)} of {JOBS} right after {dict(seen)}")
    assert wrong == []
    assert seen["passed"] == 0, "the control: whatever an engine did was told"
    assert min(seen["told"], seen["struck"]) > JOBS / 8, "the control: accidents happened"
    pids = pool.pids()
    pool.close()
    assert not [one for one in pids if psutil.pid_exists(one) and psutil.Process(one).status() != psutil.STATUS_ZOMBIE]


def test_the_twin_that_hands_out_dead_workers_is_found_out(
    pool: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WorkerProcess, "alive", True)
    wrong, _ = wrong_after(tmp_path / "store", pool, 12)
    assert len(wrong) > 3
