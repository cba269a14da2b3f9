"""What is said about the room on a device: states, errors, how things stand, and whose leaving costs least."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tools.errors import InvalidInput, OutOfMemory, ToolError
from tools.runtime.scheduling.problem import Model

__all__ = [
    "Change",
    "Entry",
    "ModelInUse",
    "Move",
    "NoRoom",
    "RunningCall",
    "Snapshot",
    "State",
    "able_to_leave",
    "cheapest_leave",
    "check_fits_alone",
    "gib",
]

State = Literal["cold", "parked", "loading", "resident", "evicting"]


class NoRoom(OutOfMemory):
    """The budget has no room. `needed`, `free` and `budget` are bytes of the memory named by `where`."""

    def __init__(self, what: str, *, needed: int, free: int, budget: int, where: str = "device") -> None:
        super().__init__(
            f"{what} needs {gib(needed)} of {where} memory; {gib(free)} of {gib(budget)} are free.",
            hint="Free other models first, or choose a smaller variant.",
        )
        self.needed = needed
        self.free = free
        self.budget = budget
        self.where = where


class ModelInUse(ToolError):
    """A model cannot be moved now: a call runs on it, or it is on its way already."""

    retryable = True


@dataclass(frozen=True, slots=True)
class Change:
    """One model changed its state.

    Attributes:
        model: its name.
        before, after: its states.
        device_bytes: taken on the device after the change, working memory included.
    """

    model: str
    before: State
    after: State
    device_bytes: int


@dataclass(frozen=True, slots=True)
class Move:
    """One model on its way to the device or from it. Stale once the model was lost: it then moves nothing."""

    model: str
    number: int


@dataclass
class Entry:
    """The ledger's line for one model.

    Attributes:
        model: with its predicted sizes.
        state: now.
        bytes: accounted on the device; where it is parked or cold, what it left there.
        host: bytes of its host copy.
        left: bytes that stayed on the device when it was evicted last, as of a server that sleeps.
        came_from: what it was before it began to move.
        move: number of the present move; 0 where it stands still.
    """

    model: Model
    state: State = "cold"
    bytes: int = 0
    host: int = 0
    left: int = 0
    came_from: State = "cold"
    move: int = 0


@dataclass
class RunningCall:
    """The ledger's line for a call: what it runs on, and its working memory in bytes."""

    models: frozenset[str]
    working: int


@dataclass(frozen=True)
class Snapshot:
    """How things stand at one moment, for people and for the scheduler. Sizes in bytes.

    Attributes:
        states: by model.
        resident: names of the models that calls may run on.
        weights: of all models on the device, or on the way there or from there.
        working: of all calls that run.
        budget: of the device.
        peak: the largest weights + working so far.
        host: weights in host memory.
        host_budget: of host memory; None is unlimited.
    """

    states: Mapping[str, State]
    resident: frozenset[str]
    weights: int
    working: int
    budget: int
    peak: int
    host: int
    host_budget: int | None

    @classmethod
    def of(
        cls,
        entries: Mapping[str, Entry],
        calls: Iterable[RunningCall],
        budget: int,
        host_budget: int | None,
        peak: int,
    ) -> Snapshot:
        """Add up the lines of a ledger."""
        states = {name: entry.state for name, entry in entries.items()}
        return cls(
            states=states,
            resident=frozenset(name for name, state in states.items() if state == "resident"),
            weights=sum(entry.bytes for entry in entries.values()),
            working=sum(call.working for call in calls),
            budget=budget,
            peak=peak,
            host=sum(entry.host for entry in entries.values()),
            host_budget=host_budget,
        )

    @property
    def free(self) -> int:
        """Bytes of the device that nobody has taken."""
        return self.budget - self.weights - self.working


def able_to_leave(entries: Mapping[str, Entry], in_use: Collection[str]) -> list[tuple[str, int, float]]:
    """Residents that no call uses: name, bytes that its leaving gives back, seconds to load it again."""
    return [
        (name, entry.bytes - entry.left, entry.model.load_s)
        for name, entry in entries.items()
        if entry.state == "resident" and name not in in_use
    ]


def cheapest_leave(able: Sequence[tuple[str, int, float]], short: int) -> list[str] | None:
    """Names whose sizes together reach `short` at the least cost; None where all together do not.

    Args:
        able: (name, bytes, cost) of what may leave; costs are not negative.
        short: bytes that are lacking.

    The exact optimum by branch and bound; among equal costs the names first in order.
    """
    if short <= 0:
        return []
    order = sorted(able, key=lambda one: (one[2], one[0]))
    rest = [0] * (len(order) + 1)
    for index in range(len(order) - 1, -1, -1):
        rest[index] = rest[index + 1] + order[index][1]
    best: tuple[float, list[str]] | None = None

    def descend(index: int, lacking: int, cost: float, chosen: list[str]) -> None:
        nonlocal best
        if best is not None and cost >= best[0]:
            return
        if lacking <= 0:
            best = (cost, chosen)
        elif rest[index] >= lacking:
            name, size, price = order[index]
            descend(index + 1, lacking - size, cost + price, [*chosen, name])
            descend(index + 1, lacking, cost, chosen)

    descend(0, short, 0.0, [])
    return None if best is None else best[1]


def check_fits_alone(model: Model, budget: int) -> None:
    """See that a model can ever be used.

    Raises:
        InvalidInput: its weights and working memory alone exceed the budget, or are negative.
    """
    alone = model.weights + model.working
    if model.weights < 0 or model.working < 0:
        raise InvalidInput("sizes are not negative", where=model.name)
    if alone > budget:
        raise InvalidInput(f"takes {gib(alone)} with its working memory, the budget is {gib(budget)}", where=model.name)


def gib(size: int) -> str:
    """Bytes for people to read."""
    return f"{size / 2**30:.2f} GiB"
