"""A real studio for the tests to kill: `python -m tests.tools.runtime.jobs.studio ROOT {give N | run} [--twin NAME]`.

`give N` accepts N jobs of twenty calls and prints each one's number once it is accepted. `run` works them off and
prints the digests of all that was made. The twins are deliberately broken in one way each; the tests must find them
out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from configs.retries import load_retries
from tests.tools.runtime.conftest import ALLOW, ENGINES
from tests.tools.runtime.job import ForgetfulStore, NaiveStore, graph
from tools.base import Call
from tools.errors import ProductionBusy
from tools.registry import Registry
from tools.runtime.events import CallEvent
from tools.runtime.executor import Executor
from tools.runtime.jobs import journal
from tools.runtime.jobs import queue as queue_module
from tools.runtime.jobs.calls import CallsKind
from tools.runtime.jobs.queue import JobQueue, JobSpec
from tools.runtime.jobs.runner import JobEvent, JobRunner
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

CALLS = 20
STORES = {"naive-store": NaiveStore, "forgetful": ForgetfulStore}


class Workshop:
    """Two workers with the tiny engine, on a store that may be a twin's."""

    def __init__(self, registry: Registry, twin: str) -> None:
        self._registry, self._twin = registry, twin
        self._pool: WorkerPool | None = None

    def executor(
        self, store: ArtifactStore, on_event: Callable[[CallEvent], None], cancel: threading.Event
    ) -> Executor:
        if self._pool is None:
            self._pool = WorkerPool(2, allow=ALLOW)
            self._pool.start()
        kind = STORES.get(self._twin)
        return Executor(self._registry, kind(store.root) if kind else store, self._pool, on_event, cancel)

    def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()


class BufferedJournal(journal.Journal):
    """Twin: keeps its lines to itself and rewrites the whole file in place, now and then: the naive write."""

    def _append(self, lines: Sequence[bytes]) -> None:
        self._kept = [*getattr(self, "_kept", []), *lines]
        if len(self._kept) < 6 and not any(line.startswith(b'["state"') for line in lines):
            return
        data = os.pread(self._fd, self._end, 0)
        os.ftruncate(self._fd, 0)
        self._end = 0
        for number in range(0, len(data), 50):
            # A disk that has other things to do.
            time.sleep(0.001)
            self._end += os.pwrite(self._fd, data[number : number + 50], self._end)
        kept, self._kept = self._kept, []
        super()._append(kept)


def give_in_memory(self: JobQueue, spec: JobSpec, calls: Sequence[Call] = ()) -> str:
    """Twin: says that the job is accepted, and writes all of them down when it has time."""
    waiting = self.__dict__.setdefault("waiting", [])
    waiting.append((spec, calls))
    return str(len(waiting))


def break_it(twin: str) -> None:
    if twin == "naive-journal":
        queue_module.Journal = BufferedJournal  # type: ignore[misc]
    elif twin == "no-lock":
        journal._lock = lambda _fd, _path: None
        queue_module.is_held = lambda _folder, _job: False
    elif twin == "in-memory":
        JobQueue.submit = give_in_memory  # type: ignore[method-assign]


def say(*words: Any) -> None:
    print(*words, flush=True)


def give(root: Path, queue: JobQueue, count: int) -> None:
    while (number := len(queue.views()) if not hasattr(queue, "waiting") else len(queue.waiting)) < count:
        payload = {"production": f"scene{number + 1}"}
        spec = JobSpec(kind="calls", title=f"scene {number + 1}", payload=payload)
        say("accepted", queue.submit(spec, graph(root / f"log{number + 1}", CALLS, seed=number)))


def work(root: Path, queue: JobQueue, twin: str) -> None:
    registry = Registry.load(ENGINES, allow=ALLOW)

    def hear(event: JobEvent) -> None:
        say("job", event.id, event.state)

    def tell(job_id: str, event: Any) -> None:
        if event.status in ("done", "cached"):
            say(event.status, job_id, event.call_id)

    shop = Workshop(registry, twin)
    runner = JobRunner(
        queue, {"calls": CallsKind(root, shop)}, load_retries().jobs, on_event=hear, tell=tell
    )  # fmt: skip
    try:
        runner.run()
    finally:
        shop.close()
    digests = {}
    for view in queue.views():
        store = ArtifactStore(root / f"scene{view.id}" / "artifacts")
        digests[view.id] = {
            name: artifact.digest
            for name, key in queue.history(view.id).committed.items()
            if (artifact := store.get(key)) is not None
        }
    say("digests " + json.dumps(digests, sort_keys=True))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("deed", choices=["give", "run"])
    parser.add_argument("count", type=int, nargs="?", default=1)
    parser.add_argument("--twin", default="sound")
    options = parser.parse_args()
    break_it(options.twin)
    queue = JobQueue(options.root / ".studio" / "jobs")
    try:
        if options.deed == "give":
            give(options.root, queue, options.count)
        else:
            work(options.root, queue, options.twin)
    except ProductionBusy as error:
        say(f"ProductionBusy: {error}")
        sys.exit(3)


if __name__ == "__main__":
    main()
