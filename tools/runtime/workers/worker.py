"""The process that engines live in: `python -m tools.runtime.workers.worker`. The other end is `worker_client`.

It takes requests as JSON lines on its standard input and answers on what was its standard output. Both are moved to
handles of their own first: what a library prints goes to the standard error, and one that asks on standard input gets
end-of-file. An engine is constructed by its `module:Class` name when it is first needed, loaded once, and kept.

When the studio goes away, however it ends, the kernel kills this whole process group (see `lifeline`).
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.runtime.workers.construct import construct, construct_weights
from tools.runtime.workers.failures import as_tool_error
from tools.runtime.workers.lifeline import die_with_parent

if TYPE_CHECKING:
    from tools.artifact import Artifact
    from tools.base import Engine, EngineContext
    from tools.model import Placing
    from tools.runtime.workers.residents import Residents

__all__ = ["Worker", "main"]

_REPORT_EVERY_S = 0.05

Message = dict[str, Any]


class Worker:
    """Carries out one request after another.

    Args:
        send: writes one message to the studio.
        allow: prefixes of the modules that engines may come from.
    """

    def __init__(self, send: Callable[[Message], None], allow: tuple[str, ...]) -> None:
        self._send = send
        self._allow = allow
        self._engines: dict[str, Engine[Any, Any]] = {}
        self._loaded: set[str] = set()
        self._models: Residents | None = None
        self.cancelled: set[int] = set()
        """Ids of requests that should stop; written by the reading thread, read by the working one."""

    def carry_out(self, request: Message) -> None:
        """Do what a request asks and send the answer. Every exception becomes an answer."""
        from tools.runtime.workers.wire import error_to_wire

        number = request["id"]
        try:
            answer = {"id": number, "ok": getattr(self, f"_do_{request['do']}")(request)}
        except Exception as error:
            answer = {"id": number, "error": error_to_wire(as_tool_error(error, request))}
        self.cancelled.discard(number)
        self._send(answer)

    def _do_import(self, request: Message) -> Message:
        import importlib

        for name in request["modules"]:
            importlib.import_module(name)
        return {}

    def _do_describe(self, request: Message) -> Message:
        """Version of an engine and, for each set of arguments, its fingerprint or why there is none."""
        from tools.runtime.workers.wire import error_to_wire

        engine = self._engine(request["engine"])
        answers: list[Message] = []
        for args in request["args"]:
            try:
                answers.append({"ok": engine.fingerprint(engine.tool.Input.model_validate(args))})
            except Exception as error:
                answers.append({"error": error_to_wire(as_tool_error(error, request))})
        return {"version": engine.version, "fingerprints": answers}

    def _do_check(self, request: Message) -> Message:
        self._engine(request["engine"]).check()
        return {}

    def _do_run(self, request: Message) -> Message:
        path = request["engine"]
        engine = self._engine(path)
        args = engine.tool.Input.model_validate(request["args"])
        context = self._context(request)
        context.progress(0.0)
        if path not in self._loaded:
            engine.check()
            engine.load()
            self._loaded.add(path)
        context.progress(0.0)
        from tools.runtime.workers.residents import DeviceMemory

        started = time.perf_counter()
        with DeviceMemory() as memory:
            output = engine.run(args, context)
        seconds = time.perf_counter() - started
        return {"output": output.model_dump(mode="json"), "seconds": seconds, "working": memory.working}

    # -- models -----------------------------------------------------------------------------------------------------

    @property
    def models(self) -> Residents:
        from tools.runtime.workers.residents import Residents

        if self._models is None:
            self._models = Residents(lambda path: construct_weights(path, self._allow))
        return self._models

    def _do_bring(self, request: Message) -> Message:
        return self.models.bring(*self._which(request))

    def _do_prefetch(self, request: Message) -> Message:
        self.models.prefetch(*self._which(request))
        return {}

    def _do_evict(self, request: Message) -> Message:
        return self.models.evict(request["model"])

    def _do_unload(self, request: Message) -> Message:
        return self.models.unload(request["model"])

    def _which(self, request: Message) -> tuple[str, str, str, Placing, int]:
        from tools.model import Placing

        return request["model"], request["weights"], request["source"], Placing(**request["placing"]), request["room"]

    def _context(self, request: Message) -> EngineContext:
        from tools.artifact import Artifact
        from tools.base import EngineContext
        from tools.errors import InvalidInput
        from tools.model import Placing

        number, folders = request["id"], request["artifacts"]
        names = request.get("models", [])
        last = 0.0

        def report(fraction: float, text: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _REPORT_EVERY_S:
                last = now
                self._send({"id": number, "fraction": min(max(float(fraction), 0.0), 1.0), "text": text[:200]})

        def open_artifact(key: str) -> Artifact:
            if key not in folders:
                raise InvalidInput(f"the engine asked for {key!r}, which is not among its arguments")
            return Artifact.open(Path(folders[key]))

        return EngineContext(
            out=Path(request["out"]),
            seed=request["seed"],
            open_artifact=open_artifact,
            report=report,
            is_cancelled=lambda: number in self.cancelled,
            models=self.models.contents(names) if names else {},
            placing=Placing(**request.get("placing", {})),
            restores=self.models.restores(names) if names else {},
        )

    def _engine(self, path: str) -> Engine[Any, Any]:
        if path not in self._engines:
            self._engines[path] = construct(path, self._allow)
        return self._engines[path]


def _take_over_streams() -> tuple[int, int]:
    """Move the protocol off the standard handles; returns its handles (reading, writing)."""
    reading, writing = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return reading, writing


def _read_requests(
    reading: int, worker: Worker, requests: queue.SimpleQueue[Message | None], send: Callable[[Message], None]
) -> None:
    """Hand requests on; `cancel` and `ping` are heard while another request is being worked on."""
    with open(reading, "rb", closefd=True) as stream:
        for line in stream:
            request = json.loads(line)
            if request["do"] == "cancel":
                worker.cancelled.add(request["id"])
            elif request["do"] == "ping":
                send({"id": request["id"], "pong": True})
            else:
                requests.put(request)
    requests.put(None)


def _import_contracts() -> None:
    """Have what every request needs at hand before the first one comes; nobody waits for it now."""
    import tools.base
    import tools.runtime.workers.wire  # noqa: F401


def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser(prog="tools.runtime.workers.worker")
    parser.add_argument("--lifeline", type=int, required=True)
    parser.add_argument("--allow", action="append", required=True)
    options = parser.parse_args()
    reading, writing = _take_over_streams()
    die_with_parent(options.lifeline)
    # The studio decides when to stop: Ctrl-C in the terminal is its business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lock = threading.Lock()

    def send(message: Message) -> None:
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        with lock:
            while data:
                data = data[os.write(writing, data) :]

    requests: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
    worker = Worker(send, tuple(options.allow))
    threading.Thread(target=_read_requests, args=(reading, worker, requests, send), name="reader", daemon=True).start()
    send({"ready": os.getpid()})
    _import_contracts()
    while (request := requests.get()) is not None:
        worker.carry_out(request)


if __name__ == "__main__":
    main()
