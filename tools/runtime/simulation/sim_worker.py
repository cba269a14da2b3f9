"""A worker without a process: it takes bytes of the simulated device, takes time, and fails as real ones fail.

What the studio's end of a worker promises (`WorkerProcess`) is kept: one request at a time, a limit of silence after
which it is ended, a stop that is asked for, then enforced. Nothing here knows the ledger, the plan or the lease.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tools.errors import BadOutput, Cancelled, EngineCrashed, EngineHung, OutOfMemory, ToolError
from tools.runtime.simulation.faults import Mishap
from tools.runtime.simulation.site import Site
from tools.runtime.simulation.world import Fiber
from tools.runtime.workers.client import KILL_AFTER_S, TERMINATE_AFTER_S, WorkerProcess
from tools.runtime.workers.pool import WorkerPool

__all__ = ["SimPool", "SimWorker"]

_EVICT_S = 0.01
_DESCRIBE_S = 0.002
_IDLE_S = 3.0
Message = dict[str, Any]


@dataclass
class _Held:
    """A model in this process: on disk, in host memory, on its way, or on the device."""

    state: Literal["cold", "parked", "moving", "there"] = "cold"
    failure: ToolError | None = None
    waiting: deque[Fiber] = field(default_factory=deque)


class SimPool(WorkerPool):
    """The pool, of simulated workers.

    Args:
        size: calls of the CPU at once.
        site: the process.
        stacks: as in engines.yaml.
    """

    def __init__(self, size: int, site: Site, stacks: Any) -> None:
        super().__init__(size, stacks, clock=site.clock)
        self._site = site

    def _new(self, stack: str) -> WorkerProcess:  # noqa: ARG002 - all stacks are alike here
        return SimWorker(self._site)


class SimWorker(WorkerProcess):
    """One worker of a process.

    Args:
        site: the process.
    """

    def __init__(self, site: Site) -> None:
        self.engines: set[str] = set()
        self.models: set[str] = set()
        self._site, self._world = site, site.world
        self._held: dict[str, _Held] = {}
        self._alive = True
        self._cancelled = False
        self._asked = 0
        """Number of the request that is worked on; 0: none."""
        self._count = 0
        self._answer: Message | ToolError | None = None
        self._waiting: deque[Fiber] = deque()
        self._id = site.device.new_process(site.name)
        site.workers.append(self)

    @property
    def pid(self) -> int:
        return self._id

    @property
    def alive(self) -> bool:
        return self._alive

    def renew(self) -> None:
        self._cancelled = False

    def close(self) -> None:
        self.kill()

    def kill(self) -> None:
        if not self._alive:
            return
        self._alive = False
        self._site.device.gone(self._id)
        for held in self._held.values():
            for fiber in list(held.waiting):
                self._world.wake(fiber)
        self._settle(self._asked, Cancelled("stopped") if self._cancelled else EngineCrashed("its process was killed."))

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            if self._asked:
                self._stop(self._asked, computes=self._site.device.computes(self._id))

    # -- one request ------------------------------------------------------------------------------------------------

    def request(
        self,
        message: Message,
        silence_s: float,
        name: str = "worker",
        on_progress: Callable[[float, str], None] = lambda _fraction, _text: None,  # noqa: ARG002
    ) -> Message:
        self._world.breathe()
        if not self._alive:
            raise EngineCrashed(f"{name}: its process had ended.")
        self._count += 1
        self._asked, self._answer = self._count, None
        try:
            begin = getattr(self, f"_do_{message['do']}")
            answer: Message = begin(message, silence_s, name)
            return answer
        finally:
            self._asked = 0
            self._maybe_die_idle()

    def post(self, message: Message) -> None:
        if self._alive and message["do"] == "prefetch":
            self._begin_load(message["model"], lambda: None)

    def _maybe_die_idle(self) -> None:
        dice = self._site.dice
        if not self._alive or not dice.strikes("idle_death", dice.faults.idle_death):
            return
        count = self._count

        def strike() -> None:
            if self._count == count and not self._asked:
                self.kill()

        self._world.at(dice.moment(_IDLE_S), strike)

    def _wait(
        self, seconds: float, silence_s: float, mishap: Mishap, finish: Callable[[], Message], name: str
    ) -> Message:
        """Work so long; what comes of it stands in the calendar."""
        number, dice = self._asked, self._site.dice

        def done() -> None:
            if self._asked == number and self._answer is None and self._alive:
                self._settle(number, finish())

        def fail(error: ToolError, *, dies: bool) -> None:
            if self._asked == number and self._answer is None:
                if not dies:
                    self._site.device.end(self._id)
                self._settle(number, error)
                if dies:
                    self.kill()

        errors: dict[Mishap, ToolError] = {
            "full": OutOfMemory(f"{name}: the device is full."),
            "death": EngineCrashed(f"{name}: its process died."),
            "hang": EngineHung(f"{name} gave no sign of progress for {silence_s:g} s; its process was ended."),
            "blank": BadOutput(f"{name}: nothing usable came of it."),
        }
        if mishap:
            when = silence_s if mishap == "hang" else seconds * dice.part()
            self._world.at(when, lambda: fail(errors[mishap], dies=mishap in ("death", "hang")))
        else:
            self._world.at(seconds, done)
        if self._cancelled:
            self._stop(number, computes=self._site.device.computes(self._id))
        return self._wait_for_answer()

    def _wait_for_answer(self) -> Message:
        while self._answer is None:
            self._world.wait(self._waiting)
        if isinstance(self._answer, ToolError):
            raise self._answer
        return self._answer

    def _settle(self, number: int, answer: Message | ToolError) -> None:
        if number and number == self._asked and self._answer is None:
            self._answer = answer
            for fiber in list(self._waiting):
                self._world.wake(fiber)

    def _stop(self, number: int, *, computes: bool) -> None:
        """A request is asked to stop: an engine does within half a second, unless it does not listen; a load cannot."""
        dice = self._site.dice

        def yield_() -> None:
            if self._asked == number and self._answer is None and self._alive:
                self._site.device.end(self._id)
                self._settle(number, Cancelled("stopped"))

        def enforce() -> None:
            if self._asked == number and self._answer is None:
                self.kill()

        if computes and not dice.strikes("stubborn", dice.faults.stubborn):
            self._world.at(dice.moment(TERMINATE_AFTER_S), yield_)
        self._world.at(KILL_AFTER_S, enforce)

    # -- what is asked ----------------------------------------------------------------------------------------------

    def _do_describe(self, message: Message, silence_s: float, name: str) -> Message:
        def answer() -> Message:
            return {"version": "1", "fingerprints": [{"ok": ""} for _ in message["args"]]}

        return self._wait(_DESCRIBE_S, silence_s, self._site.dice.of_other(), answer, name)

    def _do_run(self, message: Message, silence_s: float, name: str) -> Message:
        args, models = message["args"], frozenset[str](message.get("models", ()))
        device, dice = self._site.device, self._site.dice
        seconds = dice.stretch(float(args["seconds"]))
        if models:
            working = max((self._site.models[model].working for model in models), default=0)
            device.begin(self._id, args["name"], models, working)

        def answer() -> Message:
            device.end(self._id)
            return {"output": {"name": args["name"]}, "seconds": seconds}

        return self._wait(seconds, silence_s, dice.of_call(on_device=bool(models)), answer, name)

    def _do_bring(self, message: Message, silence_s: float, name: str) -> Message:
        model, held = message["model"], self._hold(message["model"])
        if held.state == "moving":
            self._wait_for_load(held, silence_s, name)
        failure, held.failure = held.failure, None
        if failure is not None:
            raise failure
        if held.state != "there":
            self._begin_load(model, lambda: self._settle(self._asked, held.failure or {}))
            if self._cancelled:
                self._stop(self._asked, computes=False)
            self._enforce_silence(silence_s, name)
            try:
                self._wait_for_answer()
            finally:
                held.failure = None
        known = self._site.models[model]
        return {"bytes": known.weights, "cold_s": 0.0, "load_s": known.load_s}

    def _wait_for_load(self, held: _Held, silence_s: float, name: str) -> None:
        """A model is on its way already."""
        if self._cancelled:
            self._stop(self._asked, computes=False)
        self._enforce_silence(silence_s, name)
        while held.state == "moving" and self._alive:
            self._world.wait(held.waiting)
        if isinstance(self._answer, ToolError):
            raise self._answer

    def _enforce_silence(self, silence_s: float, name: str) -> None:
        number = self._asked

        def enforce() -> None:
            if self._asked == number and self._answer is None:
                self._settle(number, EngineHung(f"{name} gave no sign of progress for {silence_s:g} s."))
                self.kill()

        self._world.at(silence_s, enforce)

    def _begin_load(self, model: str, then: Callable[[], None]) -> None:
        """Bytes are taken now, and the model is there, or not, some time later."""
        held, site = self._hold(model), self._site
        if held.state in ("moving", "there"):
            return
        known, mishap = site.models[model], site.dice.of_load()
        seconds = site.dice.stretch(known.load_s + (known.cold_s if held.state == "cold" else 0.0))
        held.state, held.failure = "moving", None
        site.device.keep(self._id, model, known.weights)
        site.device.load(self._id, model, known.weights)

        def finish() -> None:
            if not self._alive:
                return
            if mishap == "death":
                self.kill()
                return
            if mishap == "full":
                site.device.evict(self._id, model)
                held.state, held.failure = "parked", OutOfMemory(f"{model}: the device is full.")
            else:
                site.device.loaded(self._id, model)
                held.state = "there"
            for fiber in list(held.waiting):
                self._world.wake(fiber)
            then()

        if mishap != "hang":
            self._world.at(seconds * (site.dice.part() if mishap else 1.0), finish)

    def _do_evict(self, message: Message, silence_s: float, name: str) -> Message:
        model, held = message["model"], self._hold(message["model"])
        if held.state == "moving":
            self._wait_for_load(held, silence_s, name)

        def answer() -> Message:
            held.failure = None
            if held.state == "there":
                self._site.device.evict(self._id, model)
                held.state = "parked"
            return {}

        return self._wait(_EVICT_S, silence_s, self._site.dice.of_other(), answer, name)

    def _do_unload(self, message: Message, silence_s: float, name: str) -> Message:
        answer = self._do_evict(message, silence_s, name)
        self._hold(message["model"]).state = "cold"
        self._site.device.keep(self._id, message["model"], 0)
        return answer

    def _hold(self, model: str) -> _Held:
        return self._held.setdefault(model, _Held())
