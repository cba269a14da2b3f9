"""Carries out a batch of tool calls: what is stored already is taken, the rest is made, each thing once.

The thread that calls `Executor.run` decides and tells (events arrive there); one thread per worker waits for answers.
A call whose result is in the store is never made again, whoever made it: this run, an earlier one, another process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from tools.artifact import Artifact
from tools.base import Call
from tools.registry import Registry
from tools.runtime.clock import REAL_CLOCK, Clock
from tools.runtime.device.device_queue import ChooserFactory
from tools.runtime.device.foresight import Foresight
from tools.runtime.device.lane import Lane
from tools.runtime.events import CallEvent, DeviceEvent
from tools.runtime.graph import CallGraph
from tools.runtime.pace import Pace
from tools.runtime.retry import Rules
from tools.runtime.run import Result, Run
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

__all__ = ["Executor"]


class Executor:
    """Runs graphs of calls against one store.

    Args:
        registry: the tools and engines.
        store: where results lie.
        pool: the workers; may be shared with other executors.
        on_event: told of every change, in the thread that called `run`.
        cancel: set it from anywhere to stop within a second; what is finished is kept.
        lane: the device for engines with models; None where there is none.
        on_device: told of what happens on it, in the thread that called `run`.
        pace: how fast engines are on this machine; it learns from every call.
        rules: what is tried again; None are those of retries.yaml.
        choose: makes what decides over the device.
        clock: of this world.
    """

    def __init__(
        self,
        registry: Registry,
        store: ArtifactStore,
        pool: WorkerPool,
        on_event: Callable[[CallEvent], None] = lambda _event: None,
        cancel: threading.Event | None = None,
        lane: Lane | None = None,
        on_device: Callable[[DeviceEvent], None] = lambda _event: None,
        pace: Pace | None = None,
        rules: Rules | None = None,
        choose: ChooserFactory = Foresight,
        clock: Clock = REAL_CLOCK,
    ) -> None:
        self.registry = registry
        self.store = store
        self.pool = pool
        self.on_event = on_event
        self.cancel = cancel or threading.Event()
        self.lane = lane
        self.on_device = on_device
        self.pace = pace or Pace(None, "")
        self.rules = rules
        self.choose = choose
        self.clock = clock

    def plan(self, calls: Sequence[Call], known: Mapping[str, Artifact] | None = None) -> CallGraph:
        """Check a batch without running it; see `CallGraph.build` for the errors."""
        return CallGraph.build(calls, known or {}, self.registry, self.pace, self.lane.here if self.lane else ())

    def run(self, calls: Sequence[Call], known: Mapping[str, Artifact] | None = None) -> dict[str, Result]:
        """Carry out a batch.

        Args:
            calls: in any order; references name calls of the batch or results in `known`.
            known: results from before, by id.

        Returns:
            For each call, in the order given, its artifact, or the error it ended with. A call that needs a failed
            one gets the same error; calls that were not finished when `cancel` was set get `Cancelled`.

        Raises:
            InvalidInput: the batch is wrong; nothing was run.
        """
        graph = self.plan(calls, known)
        return Run(self, graph, known or {}).go()
