"""The device as it sees itself: bytes that processes took, calls that compute. It knows no ledger and trusts nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tools.runtime.simulation.world import World

__all__ = ["Sight", "SimDevice", "Violation"]

What = Literal["load", "loaded", "evict", "gone", "begin", "end"]
ViolationKind = Literal["overlap", "over_budget", "leak", "deadlock", "missing_model", "lost_call", "made_twice", "bug"]


@dataclass(frozen=True)
class Violation:
    """Something that must never happen.

    Attributes:
        kind: `overlap`: two calls computed at once, or two studios had the device; `over_budget`; `leak`: memory,
            working memory, room in an account, or the lease was not given back; `deadlock`; `missing_model`: a call
            computed without a model; `lost_call`: one without a result; `made_twice`: one made again after its result
            was kept; `bug`: an error that is none of the tree.
        at_s: when.
        text: what, for people.
    """

    kind: ViolationKind
    at_s: float
    text: str

    def __str__(self) -> str:
        return f"{self.kind} at {self.at_s:.2f} s: {self.text}"


@dataclass(frozen=True)
class Sight:
    """One thing that the device saw.

    Attributes:
        at_s: when.
        studio, worker: which process did it.
        what: `load`: bytes of a model were taken; `loaded`: all of it is there; `evict`: they were given back; `gone`:
            the process ended, and all that it had is free; `begin`, `end`: of a call's computing.
        name: of the model, or of the call; empty in `gone`.
        bytes: on the device afterwards.
    """

    at_s: float
    studio: str
    worker: int
    what: What
    name: str
    bytes: int


@dataclass
class _Process:
    studio: str
    weights: dict[str, int] = field(default_factory=dict)
    host: dict[str, int] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    call: str = ""
    working: int = 0
    needed: frozenset[str] = frozenset()

    @property
    def bytes(self) -> int:
        return sum(self.weights.values()) + self.working


class SimDevice:
    """Takes what it is told by workers, and notes every rule that is broken.

    Args:
        world: for the time.
        budget: bytes.
        host_budget: bytes of host memory that each studio may fill with weights; None is unlimited.
    """

    def __init__(self, world: World, budget: int, host_budget: int | None = None) -> None:
        self._world, self._budget, self._host_budget = world, budget, host_budget
        self._processes: dict[int, _Process] = {}
        self._count = 0
        self.sights: list[Sight] = []
        self.violations: list[Violation] = []
        self.peak = 0

    def new_process(self, studio: str) -> int:
        """A worker of a studio began; returns its number."""
        self._count += 1
        self._processes[self._count] = _Process(studio)
        return self._count

    def bytes_of(self, studio: str) -> int:
        """What the processes of a studio have."""
        return sum(process.bytes for process in self._processes.values() if process.studio == studio)

    def computes(self, worker: int) -> bool:
        """Whether a call of this process computes now."""
        return bool(worker in self._processes and self._processes[worker].call)

    def load(self, worker: int, model: str, size: int) -> None:
        """Bytes of a model are taken."""
        self._processes[worker].weights[model] = size
        self._see(worker, "load", model)

    def loaded(self, worker: int, model: str) -> None:
        """All of it is there."""
        self._processes[worker].complete.add(model)
        self._see(worker, "loaded", model)

    def keep(self, worker: int, model: str, size: int) -> None:
        """Host memory of a process for a copy of a model; 0 gives it back."""
        process = self._processes[worker]
        process.host[model] = size
        beside = [other for other in self._processes.values() if other.studio == process.studio]
        total = sum(sum(other.host.values()) for other in beside)
        if self._host_budget is not None and size and total > self._host_budget:
            self.blame("over_budget", f"{process.studio} keeps {total} of {self._host_budget} bytes in host memory")

    def evict(self, worker: int, model: str) -> None:
        """Bytes of a model are given back."""
        process = self._processes[worker]
        if process.call and model in process.needed:
            self.blame("missing_model", f"{model} was taken away under {process.call}, which computes")
        if process.weights.pop(model, None) is not None:
            process.complete.discard(model)
            self._see(worker, "evict", model)

    def begin(self, worker: int, call: str, models: frozenset[str], working: int) -> None:
        """A call begins to compute."""
        process = self._processes[worker]
        for other in self._processes.values():
            if other.call:
                self.blame("overlap", f"{call} of {process.studio} began beside {other.call} of {other.studio}")
        missing = models - process.complete
        if missing:
            self.blame("missing_model", f"{call} computes without {', '.join(sorted(missing))}")
        process.call, process.working, process.needed = call, working, models
        self._see(worker, "begin", call)

    def end(self, worker: int) -> None:
        """The call ended, however it did; nothing happens where none computes."""
        process = self._processes.get(worker)
        if process is not None and process.call:
            call, process.call, process.working, process.needed = process.call, "", 0, frozenset()
            self._see(worker, "end", call)

    def gone(self, worker: int) -> None:
        """The process ended."""
        process = self._processes.pop(worker, None)
        if process is not None and (process.bytes or process.call):
            self._note(worker, process.studio, "gone", "")

    def blame(self, kind: ViolationKind, text: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(kind, self._world.now, text))

    def _see(self, worker: int, what: What, name: str) -> None:
        total = self._note(worker, self._processes[worker].studio, what, name)
        if what not in ("load", "begin"):
            return
        studio = self._processes[worker].studio
        if total > self._budget:
            self.blame("over_budget", f"{what} {name} of {studio}: {total} of {self._budget} bytes")
        having = {process.studio for process in self._processes.values() if process.bytes}
        if len(having) > 1:
            self.blame("overlap", f"{what} {name}: {' and '.join(sorted(having))} have the device at once")

    def _note(self, worker: int, studio: str, what: What, name: str) -> int:
        total = sum(process.bytes for process in self._processes.values())
        self.peak = max(self.peak, total)
        self.sights.append(Sight(self._world.now, studio, worker, what, name, total))
        return total
