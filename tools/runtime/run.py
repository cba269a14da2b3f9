"""One run of one graph of calls: what is decided, in one thread, and what is heard from those that work."""

from __future__ import annotations

import heapq
import queue
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.artifact import Artifact
from tools.base import find_refs
from tools.errors import Cancelled, MissingPrerequisite, ToolError
from tools.runtime.clock import Inbox, Threads
from tools.runtime.device.device_queue import DeviceQueue
from tools.runtime.device.foresight import Decision
from tools.runtime.events import CallEvent, CallStatus, DeviceEvent
from tools.runtime.graph import CallGraph, Node
from tools.runtime.labour import Labour, Making
from tools.runtime.provenance import provenance_of
from tools.runtime.storage.store import Provenance

if TYPE_CHECKING:
    from tools.runtime.executor import Executor

__all__ = ["Result", "Run"]

Result = Artifact | ToolError

_LOOK_EVERY_S = 0.05
"""How often the deciding thread looks whether it should stop."""


@dataclass(order=True)
class _Task:
    """Work for a worker: `nodes` are to be described, or the one node is to be made."""

    rank: tuple[float, int, int]
    nodes: list[Node] = field(compare=False)
    made: Provenance | None = field(compare=False, default=None)
    """What is to be made; None: the nodes are to be described."""
    decision: Decision | None = field(compare=False, default=None)
    """What moves on the device for it; None: it needs no device."""


@dataclass(frozen=True)
class _Note:
    """From a working thread to the deciding one."""

    node: Node
    fraction: float
    text: str


@dataclass(frozen=True)
class _Finished:
    """A task ended. `outcome` is an artifact with whether it was found rather than made, or descriptions by id."""

    task: _Task
    outcome: tuple[Artifact, bool] | dict[str, Any] | BaseException


class Run:
    """One run of one graph; lives as long as `Executor.run`."""

    def __init__(self, executor: Executor, graph: CallGraph, known: Mapping[str, Artifact]) -> None:
        self._executor = executor
        self._graph = graph
        self._known = {name: artifact for name, artifact in known.items() if name not in graph.nodes}
        self._clock = executor.clock
        self._inbox: Inbox = self._clock.inbox()
        """Of `_Note`, `_Finished` and `DeviceEvent`."""
        self._labour = Labour(
            executor.store,
            executor.pool,
            executor.registry,
            executor.lane,
            self._inbox.put,
            executor.rules,
            executor.clock,
        )
        self._device = self._open_device()
        self._results: dict[str, Result] = {}
        self._waiting = {name: len(node.needs) for name, node in graph.nodes.items()}
        self._described: dict[str, Any] = {}
        self._asked: set[str] = set()
        """Engines whose nodes are being described, or were."""
        self._blocked: dict[str, list[Node]] = {}
        """By engine: nodes that are ready but for their description."""
        self._makers: dict[str, list[Node]] = {}
        """By key: the node that makes it now, and those that will share the result."""
        self._tasks: list[_Task] = []
        self._ready: deque[Node] = deque()
        """Nodes whose needs are all there, to be considered."""
        self._working = 0
        self._started: dict[str, float] = {}

    def _open_device(self) -> DeviceQueue | None:
        executor = self._executor
        needy = next((node for node in self._graph.nodes.values() if node.engine.models), None)
        if needy is None:
            return None
        if executor.lane is None:
            raise MissingPrerequisite(
                f"{needy.engine.tool}/{needy.engine.name} needs a device for its models.", command="studio doctor"
            )
        return DeviceQueue(self._graph, executor.lane, executor.pool.size, executor.on_device, executor.choose)

    def go(self) -> dict[str, Result]:
        for node in self._graph.nodes.values():
            self._tell(node, "queued", seconds=node.cost)
        threads = self._clock.threads(self._executor.pool.size + 1, "call")
        try:
            self._ready.extend(node for node in self._graph.nodes.values() if not node.needs)
            while True:
                self._look_at_cancel()
                while self._ready:
                    self._consider(self._ready.popleft())
                self._hand_out(threads)
                if not self._working and not (self._device and self._device.busy):
                    break
                self._hear()
        finally:
            # Also on Ctrl-C, or a bug: nobody is left working for a run that has ended.
            self._labour.stop()
            threads.shutdown(wait=True, cancel_futures=True)
        return {name: self._results[name] for name in self._graph.nodes}

    def _look_at_cancel(self) -> None:
        if not self._executor.cancel.is_set() or self._labour.stopped:
            return
        self._labour.stop()
        self._tasks.clear()
        if self._device:
            self._device.clear()
        at_work = {makers[0].call.id for makers in self._makers.values()} & self._started.keys()
        for name, node in self._graph.nodes.items():
            if name not in self._results and name not in at_work:
                self._settle(node, Cancelled("stopped"))

    def _hand_out(self, threads: Threads) -> None:
        while self._tasks and self._working < self._executor.pool.size:
            task = heapq.heappop(self._tasks)
            self._working += 1
            self._begin(threads, task)
        # After the calls of the CPU: what is at work is worth waiting for.
        taken = self._device and self._device.take(self._results.keys(), others_work=self._working > 0)
        if taken:
            node, made, decision = taken
            self._begin(threads, _Task((0.0, 0, 0), [node], made, decision))

    def _begin(self, threads: Threads, task: _Task) -> None:
        if task.made is not None:
            self._started[task.nodes[0].call.id] = self._clock.now()
            self._tell(task.nodes[0], "running")
        threads.submit(self._work, task)

    def _work(self, task: _Task) -> None:
        """In a working thread: do a task, tell the deciding thread how it ended."""
        outcome: tuple[Artifact, bool] | dict[str, Any] | BaseException
        try:
            if task.made is None:
                outcome = self._labour.describe(task.nodes)
            else:
                node = task.nodes[0]
                outcome = self._labour.make(
                    Making(node, task.made, self._folders(node), task.decision),
                    lambda f, text: self._inbox.put(_Note(node, f, text)),
                )
        except BaseException as error:
            outcome = error
        self._inbox.put(_Finished(task, outcome))

    def _hear(self) -> None:
        try:
            message: _Note | _Finished | DeviceEvent = self._inbox.get(timeout=_LOOK_EVERY_S)
        except queue.Empty:
            return
        if isinstance(message, _Note):
            self._tell(message.node, "running", message.fraction, message.text)
            return
        if isinstance(message, DeviceEvent):
            self._executor.on_device(message)
            return
        if message.task.decision is not None:
            assert self._device is not None
            self._device.busy = False
        else:
            self._working -= 1
        outcome, nodes = message.outcome, message.task.nodes
        if isinstance(outcome, BaseException) and not isinstance(outcome, ToolError):
            raise outcome
        if message.task.made is not None:
            assert isinstance(outcome, tuple | ToolError)
            self._finish(message.task.made.key, outcome)
        elif isinstance(outcome, ToolError):
            for node in nodes:
                self._settle(node, outcome)
        else:
            assert isinstance(outcome, dict)
            self._described.update(outcome)
            self._ready.extend(self._blocked.pop(nodes[0].engine.path, []))

    def _finish(self, key: str, outcome: tuple[Artifact, bool] | ToolError) -> None:
        maker, *sharers = self._makers.pop(key)
        if isinstance(outcome, ToolError):
            for node in (maker, *sharers):
                self._settle(node, outcome)
            return
        artifact, found = outcome
        if not found:
            self._executor.pace.learn(maker.engine, maker.args, artifact.record.seconds)
        self._settle(maker, artifact, "cached" if found else "done")
        for node in sharers:
            self._settle(node, artifact, "cached")

    def _consider(self, node: Node) -> None:
        """All that the node needs is there: take its result from the store, share one in the making, or make it."""
        if node.call.id in self._results:
            return
        if node.call.id not in self._described:
            self._ask_to_describe(node)
            return
        description = self._described[node.call.id]
        if isinstance(description, ToolError):
            self._settle(node, description)
            return
        version, inputs = description
        made = provenance_of(node, version, inputs, self._result, self._executor.lane)
        if made.key in self._makers:
            self._makers[made.key].append(node)
            return
        try:
            artifact = self._executor.store.get(made.key)
        except ToolError as error:
            self._settle(node, error)
            return
        if artifact is not None:
            self._settle(node, artifact, "cached")
            return
        self._makers[made.key] = [node]
        if node.engine.models:
            assert self._device is not None
            self._device.add(node, made)
            return
        heapq.heappush(self._tasks, _Task((-node.priority, node.call.stage, node.index), [node], made))

    def _ask_to_describe(self, node: Node) -> None:
        """Have all nodes of the same engine described at once, also those whose turn is later."""
        engine = node.engine.path
        self._blocked.setdefault(engine, []).append(node)
        if engine not in self._asked:
            self._asked.add(engine)
            alike = [other for other in self._graph.nodes.values() if other.engine.path == engine]
            heapq.heappush(self._tasks, _Task((-node.priority, -1, node.index), alike))

    def _result(self, name: str) -> Artifact:
        found = self._known.get(name) or self._results[name]
        assert isinstance(found, Artifact)
        return found

    def _folders(self, node: Node) -> dict[str, Path]:
        """By key: the folders of all that the node takes in."""
        taken = [self._result(ref["call"]) for ref in find_refs(node.args)]
        return {artifact.key: artifact.path for artifact in taken}

    def _settle(self, node: Node, result: Result, status: CallStatus | None = None) -> None:
        """The node is finished: tell, and see to those that waited for it."""
        ends = [(node, status, "")]
        while ends:
            node, status, cause = ends.pop()
            name = node.call.id
            if name in self._results:
                continue
            self._results[name] = result
            if status is None:
                status = "cancelled" if isinstance(result, Cancelled) else "failed"
            text = f"{cause}{result}" if isinstance(result, ToolError) else ""
            took = self._clock.now() - self._started[name] if name in self._started else 0.0
            key = result.key if isinstance(result, Artifact) else ""
            self._tell(node, status, 1.0 if key else 0.0, text, took, key)
            for later in self._graph.dependents[name]:
                self._waiting[later] -= 1
                if isinstance(result, ToolError):
                    ends.append((self._graph.nodes[later], None, cause or f"needs {name}: "))
                elif self._waiting[later] == 0:
                    self._ready.append(self._graph.nodes[later])

    def _tell(
        self,
        node: Node,
        status: CallStatus,
        fraction: float = 0.0,
        text: str = "",
        seconds: float | None = None,
        key: str = "",
    ) -> None:
        if seconds is None:
            seconds = self._clock.now() - self._started.get(node.call.id, self._clock.now())
        device = self._executor.lane.device if node.engine.models and self._executor.lane else ""
        self._executor.on_event(
            CallEvent(node.call.id, node.call.tool, node.engine.name, status, fraction, text, seconds, key, device)
        )
