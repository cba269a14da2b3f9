"""What one call does with the device while it has it: moves models, runs, has the next one loaded meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tools.errors import EngineCrashed, EngineFailed, OutOfMemory, ToolError
from tools.model import Placing
from tools.registry import EngineSpec
from tools.runtime.events import DeviceAction, DeviceEvent
from tools.runtime.residency.room import Move, NoRoom
from tools.runtime.workers.client import WorkerProcess
from tools.runtime.workers.pool import WorkerPool

if TYPE_CHECKING:
    from tools.runtime.device.lane import Lane

__all__ = ["Client", "Visit"]

_SILENCE_S = 600.0
"""A model may be read from a slow disk for so long without a sign of life."""

_PATIENCE_ON_CPU = 30.0
"""A step of SDXL at 1024 x 1024 is 13.5 TFLOP: two to three minutes on two cores, tenths of a second on a card."""

Message = dict[str, Any]


class Client:
    """On whose behalf a device is visited. This one cannot be stopped and hears nothing; runs have their own."""

    def is_cancelled(self) -> bool:
        """Whether to give up."""
        return False

    def tell(self, event: DeviceEvent) -> None:
        """Something happened on the device."""

    @contextmanager
    def at_work(self, worker: WorkerProcess) -> Iterator[None]:  # noqa: ARG002
        """Around every request; a run notes the worker here, to stop it."""
        yield


class _Listener(Client):
    """Hears what another hears, and is not stopped with him."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def tell(self, event: DeviceEvent) -> None:
        self._client.tell(event)


class Visit:
    """The device in the hands of one call."""

    def __init__(self, lane: Lane, pool: WorkerPool, client: Client) -> None:
        self._lane, self._pool, self._client = lane, pool, client

    def unstoppable(self) -> Visit:
        """The same visit for what must not be left half done: the client hears of it, and cannot stop it."""
        return Visit(self._lane, self._pool, _Listener(self._client))

    def _say(
        self, action: DeviceAction, model: str = "", seconds: float = 0.0, text: str = "", moved_s: float = 0.0
    ) -> None:
        taken = self._lane.ledger.snapshot()
        there = taken.weights + taken.working
        self._client.tell(DeviceEvent(self._lane.device, action, model, seconds, there, text, moved_s))

    @contextmanager
    def worker(self, stack: str) -> Iterator[WorkerProcess]:
        """The one worker of a stack; what an earlier one held is struck from the account."""
        with self._pool.lease_stack(stack, self._client.is_cancelled) as worker:
            self._strike(stack, worker.models)
            try:
                with self._client.at_work(worker):
                    yield worker
            finally:
                if not worker.alive:
                    self._strike(stack, frozenset())

    def _strike(self, stack: str, held: set[str] | frozenset[str]) -> None:
        ledger = self._lane.ledger
        gone = [
            name
            for name, entry in self._lane.entries.items()
            if entry.stack == stack and name not in held and ledger.state(name) != "cold"
        ]
        for name in gone:
            self._lane.fetching.pop(name, None)
        for name in sorted(ledger.lost(gone)) if gone else ():
            self._say("lost", name)

    def evict(self, names: Sequence[str]) -> None:
        """Take models off the device; their host copies stay."""
        for name in names:
            with self.worker(self._lane.entries[name].stack) as worker:
                self._evict(name, worker)

    def _evict(self, name: str, worker: WorkerProcess) -> None:
        if self._lane.ledger.state(name) != "resident":
            return
        started = self._lane.clock.now()
        with self._lane.ledger.evicting(name) as move:
            answer = worker.request({"do": "evict", "model": name}, _SILENCE_S, name)
            self._lane.ledger.evict(move, left=int(answer.get("left", 0)))
        self._say("evict", name, self._lane.clock.now() - started)

    def end_worker_of(self, name: str) -> None:
        """Where a model is on the device still, end the process that holds it: that gives the memory back."""
        if self._lane.ledger.state(name) == "resident":
            with self.worker(self._lane.entries[name].stack) as worker:
                worker.kill()

    def bring(self, names: Sequence[str]) -> None:
        """Have models on the device; what the plan did not evict and is in the way goes now.

        Raises:
            OutOfMemory: there is no room, or the device says so.
            ToolError: what reading the model ended with.
        """
        try:
            self._bring_all(names)
        except OutOfMemory as error:
            error.of_weights = True
            raise

    def _bring_all(self, names: Sequence[str]) -> None:
        for stack in {self._lane.entries[name].stack for name in names}:
            with self.worker(stack):
                """Whoever held them may have ended since; that is in the account now."""
        self._forget_outdated(names)
        for name in names:
            if self._lane.ledger.state(name) == "resident":
                continue
            if self._lane.ledger.state(name) != "loading":
                self._make_room(names)
            self._bring(name, names)
        # What an earlier run left beside them may leave too little for the working memory.
        self._make_room(names)

    def _forget_outdated(self, names: Sequence[str]) -> None:
        """Weights that somebody replaced on the disk are read anew."""
        outdated = [name for name in names if self._lane.is_outdated(name)]
        if outdated:
            self.finish_fetching()
            self.forget(outdated)

    def _make_room(self, names: Sequence[str]) -> None:
        in_the_way = self._lane.ledger.to_evict(names)
        if in_the_way is None and self._lane.fetching:
            self.finish_fetching()
            in_the_way = self._lane.ledger.to_evict(names)
        if in_the_way is None:
            raise OutOfMemory(f"there is no room for {', '.join(names)} on {self._lane.device}.")
        self.evict(in_the_way)

    def finish_fetching(self) -> None:
        """Wait for what is being loaded beside calls: nothing is on its way afterwards."""
        for name in list(self._lane.fetching):
            try:
                self._bring(name)
            except ToolError as error:
                # It was to be a favour; whoever needs the model will hear of it.
                self._say("prefetch", name, text=str(error))

    def _bring(self, name: str, names: Sequence[str] = ()) -> None:
        """Load one model; `names` are all that the call needs."""
        lane = self._lane
        with self.worker(lane.entries[name].stack) as worker:
            started = self._lane.clock.now()
            if name not in lane.fetching:
                lane.about_to_read(name)
            move = lane.fetching.pop(name, None) or self._reserve(name, worker)
            worker.models.add(name)
            try:
                answer = self._ask_for(move, worker)
                if "needs" in answer:
                    self._widen(move, int(answer["needs"]), names or (name,), worker)
                    answer = self._ask_for(move, worker)
                self._commit(move, int(answer["bytes"]), names or (name,), worker)
            except BaseException as error:
                lane.ledger.cancel(move)
                if isinstance(error, ToolError) and worker.alive:
                    # Larger than thought, say. Off the device again, and out of host memory, too, where it was not
                    # before: there is no room for it in the account.
                    do = "evict" if lane.ledger.state(name) == "parked" else "unload"
                    worker.request({"do": do, "model": name}, _SILENCE_S, name)
                raise
            lane.learn(name, answer)
        moved_s = float(answer["cold_s"]) + float(answer["load_s"])
        self._say("load", name, self._lane.clock.now() - started, moved_s=moved_s)

    def _ask_for(self, move: Move, worker: WorkerProcess) -> Message:
        room = self._lane.ledger.reserved(move)
        asked = {"do": "bring", "room": room, **self._lane.request(move.model)}
        return worker.request(asked, _SILENCE_S, move.model)

    def _widen(self, move: Move, size: int, names: Sequence[str], worker: WorkerProcess) -> None:
        """A model that was read is larger than predicted: others leave before it takes a byte of the device."""
        ledger = self._lane.ledger
        extra = size - ledger.reserved(move)
        self._or_others_leave(lambda: ledger.resize(move, size), move, names, extra, worker)

    def _commit(self, move: Move, size: int, names: Sequence[str], worker: WorkerProcess) -> None:
        """A model is on the device. Where only that told how large it is, others leave now: to read it once more would
        take longer."""
        ledger = self._lane.ledger
        self._or_others_leave(lambda: ledger.commit(move, size), move, names, 0, worker)

    def _or_others_leave(
        self, account: Callable[[], None], move: Move, names: Sequence[str], extra: int, worker: WorkerProcess
    ) -> None:
        lane = self._lane
        try:
            account()
            return
        except NoRoom as error:
            in_the_way = lane.ledger.to_evict(names, extra=extra) if error.where == "device" else None
            if not in_the_way:
                raise
        ours = lane.entries[move.model].stack
        for name in in_the_way:
            if lane.entries[name].stack == ours:
                self._evict(name, worker)
            else:
                self.evict([name])
        account()

    def _reserve(self, name: str, worker: WorkerProcess) -> Move:
        """Room on the device and for the host copy; parked models that were used longest ago make place."""
        lane = self._lane
        while True:
            try:
                return lane.ledger.reserve(name)
            except NoRoom as error:
                oldest = lane.oldest_parked() if error.where == "host" else None
                if oldest is None:
                    raise
                self._unload(oldest, worker if lane.entries[oldest].stack == lane.entries[name].stack else None)

    def _unload(self, name: str, worker: WorkerProcess | None) -> None:
        if worker is None:
            with self.worker(self._lane.entries[name].stack) as other:
                self._unload(name, other)
            return
        answer = worker.request({"do": "unload", "model": name}, _SILENCE_S, name)
        self._lane.ledger.unload(name, left=int(answer.get("left", 0)))
        self._say("unload", name)

    def forget(self, names: Sequence[str]) -> None:
        """Take models off the device and out of host memory: they are to be loaded in another way."""
        self.evict([name for name in names if self._lane.ledger.state(name) == "resident"])
        for name in names:
            if self._lane.ledger.state(name) == "parked":
                self._unload(name, None)

    def about_to_run(self, call_id: str, engine: EngineSpec) -> DeviceEvent:
        """What is told when a call begins to compute: its models are there."""
        ledger = self._lane.ledger
        working = max((ledger.model(name).working for name in engine.models), default=0)
        taken = ledger.snapshot().weights + working
        return DeviceEvent(self._lane.device, "run", call_id, bytes=taken, text=", ".join(engine.models))

    def empty(self) -> None:
        """Nothing of ours stays on the device: what does not leave it by itself is ended with its process."""
        self.finish_fetching()
        for name in sorted(self._lane.resident):
            try:
                self.evict([name])
            except EngineFailed:
                # The worker is gone, and its memory with it, or has to go; others still hold what they have.
                self.end_worker_of(name)
        for name in self._lane.ledger.sleepers():
            # A server that sleeps and keeps a part: whoever has the device next reckons with all of it.
            try:
                self._unload(name, None)
            except EngineFailed:
                with self.worker(self._lane.entries[name].stack) as worker:
                    worker.kill()

    def place(self, placings: Mapping[str, Placing]) -> None:
        """Have models loaded as the ladder says; those whose weights change leave host memory, too."""
        for name, placing in placings.items():
            if placing.of_weights != self._lane.placing(name).of_weights:
                self.finish_fetching()
                self.forget([name])
            self._lane.place(name, placing)

    def run(
        self, engine: EngineSpec, message: Message, prefetch: str, on_progress: Callable[[float, str], None]
    ) -> Message:
        """Make a call of an engine whose models are on the device; returns the worker's answer.

        Args:
            engine: whose it is.
            message: the request.
            prefetch: model that is loaded meanwhile; empty for none.
            on_progress: called with (fraction, text).

        Raises:
            ToolError: what the call ended with.
        """
        lane = self._lane
        with self.worker(engine.stack) as worker:
            gone = [name for name in engine.models if lane.ledger.state(name) != "resident"]
            if gone:
                raise EngineCrashed(f"the process that held {', '.join(gone)} ended.")
            return self._run(engine, worker, message, prefetch, on_progress)

    def _run(
        self,
        engine: EngineSpec,
        worker: WorkerProcess,
        message: Message,
        prefetch: str,
        on_progress: Callable[[float, str], None],
    ) -> Message:
        lane = self._lane
        with lane.ledger.running(engine.models):
            lane.use(engine.models)
            if prefetch and lane.entries[prefetch].stack == engine.stack:
                self._prefetch(prefetch, worker)
            name = f"{engine.tool}/{engine.name}"
            placing = asdict(lane.placing(engine.models[0]))
            asked = {**message, "models": list(engine.models), "placing": placing}
            answer = worker.request(asked, self._silence_s(engine), name, on_progress)
            if not lane.fetching:
                # What is loaded beside a call would be taken for its own.
                lane.learn_working(engine.models, answer)
            return answer

    def _silence_s(self, engine: EngineSpec) -> float:
        """How long a call may be silent: an engine that is made for a GPU takes minutes a step without one."""
        slow = engine.device == "gpu" and self._lane.device == "cpu"
        return engine.silence_s * (_PATIENCE_ON_CPU if slow else 1.0)

    def _prefetch(self, name: str, worker: WorkerProcess) -> None:
        lane = self._lane
        if lane.ledger.state(name) not in ("cold", "parked"):
            return
        if lane.is_outdated(name):
            # Whoever needs it has it read anew.
            return
        lane.about_to_read(name)
        try:
            lane.fetching[name] = lane.ledger.reserve(name)
        except NoRoom:
            # It was to be a favour.
            return
        worker.models.add(name)
        worker.post({"do": "prefetch", "room": lane.ledger.reserved(lane.fetching[name]), **lane.request(name)})
        self._say("prefetch", name)
