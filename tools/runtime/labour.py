"""What is asked of a worker: describe calls, make one result. Blocking; run in threads by the executor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from pydantic import ValidationError

from tools.artifact import Artifact, canonical_json, hash_file
from tools.errors import BadOutput, Cancelled, ToolError
from tools.registry import EngineSpec, Registry
from tools.runtime.disk import storage_errors
from tools.runtime.graph import Node
from tools.runtime.pool import WorkerPool
from tools.runtime.store import ArtifactStore, Provenance
from tools.runtime.wire import error_from_wire
from tools.runtime.worker_client import WorkerProcess

__all__ = ["Description", "Labour"]

T = TypeVar("T")

Description = tuple[str, dict[str, str]] | ToolError
"""Version of the engine with its data, and the hashes of the external files by path; or why there is none."""

_ATTEMPTS = 2
"""A call whose error is `retryable` is made once more."""


class Labour:
    """The work of one run, which can be stopped as a whole from another thread."""

    def __init__(self, store: ArtifactStore, pool: WorkerPool, registry: Registry) -> None:
        self._store = store
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
        answer = self._again_if_it_helps(lambda: self._ask(engine, message))
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

    def make(
        self,
        node: Node,
        made: Provenance,
        folders: Mapping[str, Path],
        on_progress: Callable[[float, str], None],
    ) -> tuple[Artifact, bool]:
        """Make one result and store it; returns it, and whether somebody else had made it meanwhile.

        Raises:
            ToolError: what it ended with, after one more attempt where that may help.
        """
        lock = self._store.lock(made.key)
        lock.acquire(self._stopped.is_set)
        try:
            found = self._store.get(made.key)
            if found is not None:
                return found, True
            return self._again_if_it_helps(lambda: self._attempt(node, made, folders, on_progress)), False
        finally:
            lock.release()

    def _attempt(
        self,
        node: Node,
        made: Provenance,
        folders: Mapping[str, Path],
        on_progress: Callable[[float, str], None],
    ) -> Artifact:
        temp = self._store.begin(made.key)
        try:
            message = {
                "do": "run",
                "engine": node.engine.path,
                "name": f"{node.engine.tool}/{node.engine.name}",
                "args": made.args,
                "seed": made.seed,
                "out": str(temp.absolute()),
                "artifacts": {key: str(path.absolute()) for key, path in folders.items()},
            }
            answer = self._ask(node.engine, message, on_progress)
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
    ) -> dict[str, Any]:
        with self._pool.lease(engine, self._stopped.is_set) as worker:
            with self._guard:
                if self._stopped.is_set():
                    raise Cancelled("stopped")
                self._busy.add(worker)
            try:
                return worker.request(message, engine.silence_s, f"{engine.tool}/{engine.name}", on_progress)
            finally:
                with self._guard:
                    self._busy.discard(worker)

    def _again_if_it_helps(self, attempt: Callable[[], T]) -> T:
        for left in range(_ATTEMPTS - 1, -1, -1):
            try:
                return attempt()
            except ToolError as error:
                if left == 0 or not error.retryable or self.stopped:
                    raise
        raise AssertionError("unreachable")


def _are_fingerprints(data: Any, count: int) -> TypeGuard[list[dict[str, Any]]]:
    """Whether a worker's answer is what `Worker._do_describe` gives: `ok` with text, or an error, for each."""
    return (
        isinstance(data, list)
        and len(data) == count
        and all(isinstance(one, dict) and isinstance(one.get("ok", one.get("error")), str | dict) for one in data)
    )
