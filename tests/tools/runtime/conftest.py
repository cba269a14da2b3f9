"""A registry of tiny engines, workers shared by a whole test module, and an executor on a fresh store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tools.base import Call
from tools.registry import Registry
from tools.runtime.events import CallEvent
from tools.runtime.executor import Executor
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

ALLOW = ("tools.", "tests.")
ENGINES = Path(__file__).with_name("engines.yaml")


@pytest.fixture(scope="session")
def registry() -> Registry:
    return Registry.load(ENGINES, allow=ALLOW)


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool(2, allow=ALLOW) as workers:
        yield workers


@dataclass
class Bench:
    """An executor with its store, and what it told."""

    executor: Executor
    store: ArtifactStore
    events: list[CallEvent] = field(default_factory=list)
    cancel: threading.Event = field(default_factory=threading.Event)

    def statuses(self, call_id: str) -> list[str]:
        """The different statuses of a call, in order."""
        return list(dict.fromkeys(event.status for event in self.events if event.call_id == call_id))

    def last(self, call_id: str) -> CallEvent:
        return [event for event in self.events if event.call_id == call_id][-1]


@pytest.fixture
def make_bench(registry: Registry, pool: WorkerPool) -> Callable[[Path], Bench]:
    def make(root: Path) -> Bench:
        store = ArtifactStore(root)
        bench = Bench(Executor(registry, store, pool), store)
        bench.executor.on_event = bench.events.append
        bench.executor.cancel = bench.cancel
        return bench

    return make


@pytest.fixture
def bench(make_bench: Callable[[Path], Bench], tmp_path: Path) -> Bench:
    return make_bench(tmp_path / "store")


def tiny(name: str, *needs: str, engine: str = "", seed: int = 0, **args: Any) -> Call:
    """A call of the tiny tool."""
    refs = [{"call": need, "key": ""} for need in needs]
    return Call(id=name, tool="tiny", engine=engine, seed=seed, args={"text": name, "needs": refs, **args})
