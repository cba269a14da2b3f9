"""One device of this machine as the studio uses it: leased, accounted for, one call at a time.

All runs of a process share a lane. Weights stay on the device between calls and between runs, until their room is
needed, or until another process asks for the device: then all of them leave it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from configs.models import ModelEntry
from tools.errors import Cancelled, ToolError
from tools.model import Placing
from tools.models.stamp import stamp_of
from tools.runtime.clock import REAL_CLOCK, Clock, Thread
from tools.runtime.device.lease import GpuLease, Waiting
from tools.runtime.device.visit import Client, Visit
from tools.runtime.events import DeviceEvent
from tools.runtime.residency.ledger import Ledger
from tools.runtime.residency.room import Move
from tools.runtime.residency.sizes import MeasuredSizes
from tools.runtime.scheduling.problem import Model
from tools.runtime.workers.pool import WorkerPool

__all__ = ["Lane", "measured_as", "predicted"]

_LONGEST_TURN_S = 60.0
"""So long a process keeps the device at most while others wait for it."""
_LOOK_EVERY_S = 0.25
Message = dict[str, Any]


class Lane:
    """A device with its account.

    Args:
        device: as torch names it.
        budget: bytes that may be used.
        models: entries of models.yaml by name, with their sizes as the scheduler knows them.
        placings: how each model is loaded here at first, by name.
        lease: the right to use the device; None where it needs none (the CPU).
        host_budget: bytes of host memory for parked weights; None is unlimited.
        sizes: what this machine measured; None learns nothing.
        size: what a model is expected to take when it is loaded in another way; None: the same.
        absent: models that cannot be loaded here, each with the reason.
        clock: of this world.
    """

    def __init__(
        self,
        device: str,
        budget: int,
        models: Mapping[str, tuple[ModelEntry, Model]],
        placings: Mapping[str, Placing],
        lease: GpuLease | None,
        *,
        host_budget: int | None = None,
        sizes: MeasuredSizes | None = None,
        size: Callable[[str, Placing], Model] | None = None,
        absent: Mapping[str, str] | None = None,
        clock: Clock = REAL_CLOCK,
    ) -> None:
        self.clock = clock
        self.device, self.budget = device, budget
        self.entries = {name: entry for name, (entry, _) in models.items()}
        self.absent = dict(absent or {})
        self.ledger = Ledger(budget, (model for _, model in models.values()), host_budget=host_budget)
        self._placings = {name: replace(placing, device=device) for name, placing in placings.items()}
        self._lease = lease
        self._turn = clock.lock()
        """Held while a call uses the device, or the device is given back."""
        self._since = 0.0
        self._base = dict(self._placings)
        self._sizes, self._size = sizes, size
        self._used: dict[str, float] = {}
        """When a model was used last."""
        self._stamps: dict[str, str] = {}
        """What the files of a model were when it was read from disk."""
        self.fetching: dict[str, Move] = {}
        """Models that are loaded beside a call."""
        self._closing = clock.event()
        self._watch: Thread | None = None
        self._pool: WorkerPool | None = None

    @property
    def resident(self) -> frozenset[str]:
        """Names of the models on the device."""
        return self.ledger.snapshot().resident

    @property
    def expected(self) -> frozenset[str]:
        """Names of the models on the device, or on their way to it."""
        return self.resident | frozenset(self.fetching)

    @property
    def here(self) -> frozenset[str]:
        """Names of the models that are on this machine."""
        return frozenset(name for name, entry in self.entries.items() if entry.source)

    def placing(self, name: str) -> Placing:
        """How a model is loaded now."""
        return self._placings[name]

    def base(self, name: str) -> Placing:
        """How a model is loaded while memory suffices."""
        return self._base[name]

    def place(self, name: str, placing: Placing) -> None:
        """Have a model loaded in another way from now on.

        Where its weights change, it must be off the device and out of host memory (`Visit.forget`).
        """
        if self._size is not None and placing.of_weights != self._placings[name].of_weights:
            model = self._size(name, placing)
            if self._sizes is not None:
                model = predicted(model, placing, self._sizes, self.budget)
            self.ledger.add(model)
        self._placings[name] = placing

    def request(self, name: str) -> Message:
        """What a worker is told of a model that it should bring."""
        entry = self.entries[name]
        placing = asdict(self._placings[name])
        return {"model": name, "weights": entry.weights, "source": entry.source, "placing": placing}

    def identity(self, name: str) -> str:
        """What of a model results depend on: its name, its width, and which files it is read from."""
        stamp = stamp_of(self.entries[name].source)
        return f"{name}@{self._base[name].width}" + (f"#{stamp}" if stamp else "")

    def origin(self, name: str) -> str:
        """Which model it is, for the record of a result: its width, the commit it was pulled from, its files."""
        entry = self.entries[name]
        stamp = stamp_of(entry.source)
        return ", ".join(
            [
                self._base[name].width,
                *([f"{entry.repo} at {entry.revision}"] if entry.repo and stamp else []),
                *([f"files {stamp}"] if stamp else []),
            ]
        )

    def is_outdated(self, name: str) -> bool:
        """Whether the files of a model are others than when it was read."""
        return name in self._stamps and self._stamps[name] != stamp_of(self.entries[name].source)

    def about_to_read(self, name: str) -> None:
        """Note what the files of a model are, before they are read from disk."""
        if self.ledger.state(name) == "cold":
            self._stamps[name] = stamp_of(self.entries[name].source)

    def use(self, names: Sequence[str]) -> None:
        """These are used now: others are given up before them."""
        self._used.update(dict.fromkeys(names, self.clock.now()))

    def oldest_parked(self) -> str | None:
        """The parked model that was used longest ago."""
        parked = [name for name, state in self.ledger.snapshot().states.items() if state == "parked"]
        return min(parked, key=lambda name: (self._used.get(name, 0.0), name), default=None)

    def learn(self, name: str, answer: Message) -> None:
        """Keep what a load took, for the next plan."""
        if self._sizes is not None:
            self._sizes.record(
                measured_as(name, self._placings[name]),
                weights=int(answer["bytes"]),
                load_s=answer["load_s"] or None,
                cold_s=answer["cold_s"] or None,
            )

    def learn_working(self, names: Sequence[str], answer: Message) -> None:
        """Keep what a call took besides the weights; told of the first of its models, as the scheduler reckons it."""
        if self._sizes is not None and names and answer.get("working"):
            self._sizes.record(measured_as(names[0], self._placings[names[0]]), working=int(answer["working"]))

    @contextmanager
    def visit(self, pool: WorkerPool, client: Client) -> Iterator[Visit]:
        """Have the device for one call.

        Raises:
            Cancelled: the client was cancelled while it waited.
            StorageFailed: the lease's folder cannot be used.
        """
        while not self._turn.acquire(timeout=0.05):
            if client.is_cancelled():
                raise Cancelled("stopped")
        try:
            visit = Visit(self, pool, client)
            self._pool = pool
            self._take_device(visit, client)
            yield visit
        finally:
            self._turn.release()

    def _take_device(self, visit: Visit, client: Client) -> None:
        if self._lease is None:
            return
        if self._lease.held:
            if self.clock.now() - self._since < _LONGEST_TURN_S or not self._is_wanted():
                return
            self._give_back(visit.unstoppable())
        begun = self.clock.now()

        def on_wait(waiting: Waiting) -> None:
            client.tell(DeviceEvent(self.device, "wait", text=str(waiting)))

        self._lease.acquire(is_cancelled=client.is_cancelled, on_wait=on_wait)
        self._since = self.clock.now()
        client.tell(DeviceEvent(self.device, "lease", seconds=self._since - begun))
        if self._watch is None:
            self._watch = self.clock.thread(self._yield_when_wanted, f"lane-{self.device}")

    def _is_wanted(self) -> bool:
        return self._lease is not None and len(self._lease.queue()) > 1

    def _give_back(self, visit: Visit) -> None:
        """All weights off the device, then the device to whoever waits; not before, whatever happens to a worker."""
        assert self._lease is not None
        visit.empty()
        self._lease.release()

    def _yield_when_wanted(self) -> None:
        """In a thread: while no call uses the device, let those have it who wait for it."""
        while not self._closing.wait(_LOOK_EVERY_S):
            if not self._turn.acquire(blocking=False):
                continue
            try:
                if self._lease is not None and self._lease.held and self._pool is not None and self._is_wanted():
                    self._give_back(Visit(self, self._pool, Client()))
            except ToolError:
                # Still ours then; the next look tries again.
                continue
            finally:
                self._turn.release()

    def save(self) -> None:
        """Put on disk what was learned of sizes and times.

        Raises:
            StorageFailed: the disk refuses; it is kept in memory.
        """
        if self._sizes is not None:
            self._sizes.save()

    def close(self) -> None:
        """Give the device back. The workers must have ended before, or end now."""
        self._closing.set()
        if self._watch is not None:
            self._watch.join(2.0)
        with self._turn:
            self.ledger.lost()
            self.fetching.clear()
            if self._lease is not None:
                self._lease.release()


def measured_as(name: str, placing: Placing) -> str:
    """Under which name the sizes of a model are kept: each width has its own."""
    return f"{name}@{placing.width}" + ("" if placing.offload == "none" else f"/{placing.offload}")


def predicted(model: Model, placing: Placing, sizes: MeasuredSizes, budget: int) -> Model:
    """A model with what this machine measured of it at this width, as far as that fits the device.

    A file of measures that is wrong, or one call that took all there was, must not shut a model out for good: should
    memory run out, the ladder sees to it.
    """
    measured = sizes.predict(replace(model, name=measured_as(model.name, placing)))
    weights = measured.weights if measured.weights <= budget else model.weights
    return replace(measured, name=model.name, weights=weights).within(budget)
