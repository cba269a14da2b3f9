"""The workers that are running, and who has which."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from configs.chat_models import variables_of_chat_models
from configs.engines import StackEntry
from configs.own import allowed_modules
from tools.errors import Cancelled, ToolError
from tools.registry import EngineSpec
from tools.runtime.clock import REAL_CLOCK, Clock
from tools.runtime.workers.client import WorkerProcess
from tools.runtime.workers.stacks import environment_of, interpreter_of, search_path

__all__ = ["WorkerPool", "default_size"]

MAX_WORKERS = 4
CORE = "core"


def default_size() -> int:
    """One worker per CPU core that this process may use, four at most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, MAX_WORKERS))


class WorkerPool:
    """Workers by stack, started when needed, kept, and replaced when they died. Safe to share between threads.

    Args:
        size: how many calls may run at once; 0 is `default_size()`.
        stacks: as in engines.yaml; a stack that is not listed runs in the studio's own interpreter.
        allow: prefixes of the modules that engines may come from; None is `configs.own.allowed_modules()`.
        clock: of this world.
        models_home: where models and environments of stacks lie, and workers look for them.
        told: settings of this studio that workers are told as environment variables; no secrets.
    """

    def __init__(
        self,
        size: int = 0,
        stacks: Mapping[str, StackEntry] | None = None,
        allow: tuple[str, ...] | None = None,
        clock: Clock = REAL_CLOCK,
        models_home: Path | None = None,
        told: Mapping[str, str] | None = None,
    ) -> None:
        self.size = size or default_size()
        self._stacks = dict(stacks or {})
        self._models_home: Path | None = None
        self._told: dict[str, str] = {}
        self._allow = allowed_modules() if allow is None else allow
        self._idle: dict[str, list[WorkerProcess]] = {}
        self._leased: dict[str, set[WorkerProcess]] = {}
        self._changed = clock.condition()
        self._closed = False
        if models_home is not None:
            self.know(self._stacks, models_home, told)

    def know(self, stacks: Mapping[str, StackEntry], models_home: Path, told: Mapping[str, str] | None = None) -> None:
        """Tell a pool that was started early which stacks there are, where models lie, and what the settings say."""
        with self._changed:
            self._stacks = dict(stacks)
            self._models_home = models_home
            self._told = {**(told or {}), "STUDIO_MODELS_FOLDER": str(models_home.absolute())}

    def start(self) -> None:
        """Start all workers of the studio's own stack; returns at once, they come up beside what follows."""
        with self._changed:
            while self._count(CORE) < self._limit(CORE):
                self._idle.setdefault(CORE, []).append(self._new(CORE))

    def prewarm(self, modules: Sequence[str]) -> None:
        """Have every idle worker import these modules; returns at once. A module that fails shows when it is used."""
        with self._changed:
            for worker in self._idle.get(CORE, []):
                worker.post({"do": "import", "modules": list(modules)})

    def check(self, engine: EngineSpec) -> ToolError | None:
        """Whether an engine has all that it needs, as it says itself; the error names the command that mends it."""
        message = {"do": "check", "engine": engine.path, "name": f"{engine.tool}/{engine.name}"}
        try:
            with self.lease(engine) as worker:
                worker.request(message, engine.silence_s, message["name"])
        except ToolError as error:
            return error
        return None

    @contextmanager
    def lease(self, engine: EngineSpec, is_cancelled: Callable[[], bool] = lambda: False) -> Iterator[WorkerProcess]:
        """A worker for one request, one that has the engine loaded where there is a choice.

        Raises:
            Cancelled: `is_cancelled` became true while waiting, or the pool was closed.
            MissingPrerequisite: the stack's interpreter is not there.
        """
        with self.lease_stack(engine.stack, is_cancelled, engine.path) as worker:
            worker.engines.add(engine.path)
            yield worker

    @contextmanager
    def lease_stack(
        self, stack: str, is_cancelled: Callable[[], bool] = lambda: False, engine: str = ""
    ) -> Iterator[WorkerProcess]:
        """A worker of a stack, for one request; `engine` is the class path of the one that is wanted loaded, if any."""
        worker = self._take(stack, engine, is_cancelled)
        worker.renew()
        try:
            yield worker
        finally:
            self._give_back(stack, worker)

    def _take(self, stack: str, engine: str, is_cancelled: Callable[[], bool]) -> WorkerProcess:
        with self._changed:
            while True:
                if self._closed or is_cancelled():
                    raise Cancelled("stopped")
                idle = self._idle.setdefault(stack, [])
                for dead in [worker for worker in idle if not worker.alive]:
                    idle.remove(dead)
                    dead.close()
                worker = next((w for w in reversed(idle) if engine in w.engines), idle[-1] if idle else None)
                if worker is not None:
                    idle.remove(worker)
                elif self._count(stack) < self._limit(stack):
                    worker = self._new(stack)
                if worker is not None:
                    self._leased.setdefault(stack, set()).add(worker)
                    return worker
                self._changed.wait(0.1)

    def _give_back(self, stack: str, worker: WorkerProcess) -> None:
        with self._changed:
            self._leased[stack].discard(worker)
            keep = worker.alive and not self._closed
            if keep:
                self._idle[stack].append(worker)
            self._changed.notify()
        if not keep:
            worker.close()

    def _new(self, stack: str) -> WorkerProcess:
        entry = self._stacks.get(stack)
        if entry is None:
            return WorkerProcess(allow=self._allow, told=self._told)
        python, told = interpreter_of(stack, entry, self._models_home), self._told
        if self._models_home is not None and entry.requires and not entry.python:
            told = {**told, **search_path(environment_of(stack, self._models_home))}
        keys = (*entry.keys, *variables_of_chat_models()) if entry.chat_models else entry.keys
        return WorkerProcess(python, self._allow, keys, told)

    def _count(self, stack: str) -> int:
        return len(self._idle.get(stack, ())) + len(self._leased.get(stack, ()))

    def _limit(self, stack: str) -> int:
        entry = self._stacks.get(stack)
        return entry.workers if entry and entry.workers else self.size

    def pids(self) -> list[int]:
        """Process ids of every worker."""
        with self._changed:
            workers = [w for group in (*self._idle.values(), *self._leased.values()) for w in group]
        return [worker.pid for worker in workers]

    def close(self) -> None:
        """End every worker, also those at work."""
        with self._changed:
            self._closed = True
            idle = [worker for group in self._idle.values() for worker in group]
            leased = [worker for group in self._leased.values() for worker in group]
            self._idle.clear()
            self._changed.notify_all()
        for worker in leased:
            worker.cancel()
            worker.kill()
        for worker in idle:
            worker.close()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
