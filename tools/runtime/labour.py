"""What is asked of a worker: describe calls, make one result. Blocking; run in threads by the executor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from pydantic import ValidationError

from configs.ladder import load_ladders
from configs.retries import load_retries
from tools.artifact import Artifact, canonical_json, hash_file
from tools.errors import BadOutput, Cancelled, OutOfMemory, ToolError
from tools.registry import EngineSpec, Registry
from tools.runtime.clock import REAL_CLOCK, Clock
from tools.runtime.device.descent import Descent
from tools.runtime.device.foresight import Decision
from tools.runtime.device.lane import Lane
from tools.runtime.device.visit import Client
from tools.runtime.events import DeviceEvent
from tools.runtime.graph import Node
from tools.runtime.retry import Retries, Retry, Rules, run_again
from tools.runtime.storage.disk import storage_errors
from tools.runtime.storage.store import ArtifactStore, Provenance
from tools.runtime.workers.client import WorkerProcess
from tools.runtime.workers.pool import CORE, WorkerPool
from tools.runtime.workers.wire import error_from_wire

__all__ = ["Description", "Labour", "Making"]

T = TypeVar("T")

Description = tuple[str, dict[str, str]] | ToolError
"""Version of the engine with its data, and the hashes of the external files by path; or why there is none."""


@dataclass(frozen=True)
class Making:
    """One result to be made.

    Attributes:
        node: the call.
        made: what makes it.
        folders: by key: the folders of all that it takes in.
        decision: what moves on the device for it; None for an engine without models.
    """

    node: Node
    made: Provenance
    folders: Mapping[str, Path]
    decision: Decision | None = None


class Labour(Client):
    """The work of one run, which can be stopped as a whole from another thread.

    Args:
        store: where results go.
        pool: the workers.
        registry: the tools.
        lane: the device for engines with models.
        tell: told of what happens on it, and of further attempts, in a working thread.
        rules: what is tried again; None are those of retries.yaml.
        clock: of this world.
    """

    def __init__(
        self,
        store: ArtifactStore,
        pool: WorkerPool,
        registry: Registry,
        lane: Lane | None = None,
        tell: Callable[[DeviceEvent], None] = lambda _event: None,
        rules: Rules | None = None,
        clock: Clock = REAL_CLOCK,
    ) -> None:
        self._clock = clock
        self._descent = Descent(load_ladders(), lane) if lane else None
        self._rules = load_retries().calls if rules is None else rules
        self._store = store
        self._lane = lane
        self._tell = tell
        self._pool = pool
        self._registry = registry
        self._stopped = threading.Event()
        self._busy: set[WorkerProcess] = set()
        self._guard = threading.Lock()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        """Cancel all that is being worked on; workers that do not stop by themselves are ended within 0.7 s."""
        with self._guard:
            self._stopped.set()
            for worker in self._busy:
                worker.cancel()

    def describe(self, nodes: Sequence[Node]) -> dict[str, Description]:
        """Ask for version and fingerprint of nodes of one engine; the engine's libraries load in a worker, not here.

        Raises:
            ToolError: the engine cannot be had at all.
        """
        engine = nodes[0].engine
        message = {
            "do": "describe",
            "engine": engine.path,
            "name": f"{engine.tool}/{engine.name}",
            "args": [node.args for node in nodes],
        }
        # A device's worker may be at work for minutes; importing an engine and reading its data is light everywhere.
        stack = CORE if engine.models else engine.stack
        answer = self._try(str(message["name"]), engine, lambda: self._ask(engine, message, stack=stack))
        version, fingerprints = answer.get("version"), answer.get("fingerprints")
        if not (isinstance(version, str) and _are_fingerprints(fingerprints, len(nodes))):
            raise BadOutput(f"{engine.tool}/{engine.name} did not describe itself.")
        hashes: dict[str, str] = {}
        described: dict[str, Description] = {}
        for node, fingerprint in zip(nodes, fingerprints, strict=True):
            if "error" in fingerprint:
                described[node.call.id] = error_from_wire(fingerprint["error"])
                continue
            for file in node.files:
                if file not in hashes:
                    with storage_errors(f"cannot read {file}"):
                        hashes[file] = hash_file(Path(file))
            full = f"{version}+{fingerprint['ok'][:16]}" if fingerprint["ok"] else version
            described[node.call.id] = (full, {file: hashes[file] for file in node.files})
        return described

    def make(self, making: Making, on_progress: Callable[[float, str], None]) -> tuple[Artifact, bool]:
        """Make one result and store it; returns it, and whether somebody else had made it meanwhile.

        Raises:
            ToolError: what it ended with, after as many more attempts as retries.yaml allows.
        """
        key = making.made.key
        lock = self._store.lock(key)
        lock.acquire(self._stopped.is_set)
        try:
            found = self._store.get(key)
            if found is not None:
                return found, True
            return self._try(making.node.call.id, making.node.engine, lambda: self._attempt(making, on_progress)), False
        finally:
            lock.release()

    def _attempt(self, making: Making, on_progress: Callable[[float, str], None]) -> Artifact:
        node, made = making.node, making.made
        if self._descent is not None and making.decision is not None:
            made = self._descent.marked(node.engine, made)
            found = self._store.get(made.key) if made.degraded else None
            if found is not None:
                return found
        temp = self._store.begin(made.key)
        try:
            message = {
                "do": "run",
                "engine": node.engine.path,
                "name": f"{node.engine.tool}/{node.engine.name}",
                "args": made.args,
                "seed": made.seed,
                "out": str(temp.absolute()),
                "artifacts": {key: str(path.absolute()) for key, path in making.folders.items()},
            }
            if making.decision is None:
                answer = self._ask(node.engine, message, on_progress)
            else:
                answer = self._ask_device(node.engine, message, making.decision, node.call.id, on_progress)
            output = self._checked_output(node, answer.get("output"))
            seconds = answer.get("seconds")
            return self._store.commit(temp, made, output, seconds if isinstance(seconds, float) else 0.0)
        except BaseException:
            self._store.discard(temp)
            raise

    def _checked_output(self, node: Node, output: Any) -> dict[str, Any]:
        name = f"{node.call.tool}/{node.engine.name}"
        try:
            checked = self._registry.tool(node.call.tool).tool.Output.model_validate(output)
            data = checked.model_dump(mode="json")
            canonical_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BadOutput(f"{name} broke its tool's promise: {where}: {first['msg']}.") from error
        except ValueError as error:
            raise BadOutput(f"{name} answered with a number that is not finite.") from error
        return data

    def _ask(
        self,
        engine: EngineSpec,
        message: dict[str, Any],
        on_progress: Callable[[float, str], None] = lambda _fraction, _text: None,
        stack: str = "",
    ) -> dict[str, Any]:
        with self._pool.lease_stack(stack or engine.stack, self.is_cancelled, engine.path) as worker:
            worker.engines.add(engine.path)
            with self.at_work(worker):
                return worker.request(message, engine.silence_s, f"{engine.tool}/{engine.name}", on_progress)

    def _ask_device(
        self,
        engine: EngineSpec,
        message: dict[str, Any],
        decision: Decision,
        call_id: str,
        on_progress: Callable[[float, str], None],
    ) -> dict[str, Any]:
        assert self._lane is not None
        with self._lane.visit(self._pool, self) as visit:
            assert self._descent is not None
            visit.evict(decision.evict)
            if self._descent.frees(engine):
                visit.finish_fetching()
                visit.evict(sorted(self._lane.resident - set(engine.models)))
            visit.place(self._descent.placings(engine))
            visit.bring(engine.models)
            self._tell(visit.about_to_run(call_id, engine))
            prefetch = "" if self._descent.is_tight(engine) else decision.prefetch
            return visit.run(engine, message, prefetch, on_progress)

    # -- as a client of the device ----------------------------------------------------------------------------------

    def is_cancelled(self) -> bool:
        return self._stopped.is_set()

    def tell(self, event: DeviceEvent) -> None:
        self._tell(event)

    @contextmanager
    def at_work(self, worker: WorkerProcess) -> Iterator[None]:
        with self._guard:
            if self._stopped.is_set():
                raise Cancelled("stopped")
            self._busy.add(worker)
        try:
            yield
        finally:
            with self._guard:
                self._busy.discard(worker)

    def _try(self, name: str, engine: EngineSpec, attempt: Callable[[], T]) -> T:
        """Make an attempt, and more where they may help; each further one is told."""

        def on_retry(retry: Retry) -> None:
            why = f"{retry.step}: " if retry.step else ""
            text = f"{name}: attempt {retry.attempt} of {retry.of}. {why}{retry.error}"
            self._tell(DeviceEvent(self._lane.device if self._lane else "", "again", name, text=text))

        return run_again(
            attempt,
            Retries(self._rules, name, self._step_down(engine)),
            is_cancelled=self._stopped.is_set,
            on_retry=on_retry,
            sleep=self._clock.sleep,
        )

    def _step_down(self, engine: EngineSpec) -> Callable[[OutOfMemory], str]:
        """What is done when memory ran out: the next step of the ladder, told aloud."""

        def step_down(error: OutOfMemory) -> str:
            if self._descent is None or self._lane is None or not engine.models:
                return ""
            step = self._descent.down(engine, error)
            name = f"{engine.tool}/{engine.name}"
            self._tell(DeviceEvent(self._lane.device, "step_down", name, text=step.text))
            return step.text

        return step_down


def _are_fingerprints(data: Any, count: int) -> TypeGuard[list[dict[str, Any]]]:
    """Whether a worker's answer is what `Worker._do_describe` gives: `ok` with text, or an error, for each."""
    return (
        isinstance(data, list)
        and len(data) == count
        and all(isinstance(one, dict) and isinstance(one.get("ok", one.get("error")), str | dict) for one in data)
    )
