"""The account of one device's memory: which model is cold, parked or resident, and what the calls that run use besides.

    cold --loading--> resident --evicting--> parked --loading--> resident
      ^                                         |
      +-----------------unload------------------+

At every moment: the weights of all residents, of those being loaded and those being evicted, what sleepers leave
behind, and the working memory of all calls that run, together stay within the budget. A load asks first (`reserve`) and
says its exact size before it takes a byte (`resize`), so a model larger than predicted is refused, not noticed
afterwards. A server that can only be measured afterwards tells at `commit`: too large, it does not become resident, and
nothing else is let in until it is gone. Nothing here touches a device.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from tools.errors import EngineCrashed, InvalidInput
from tools.runtime.residency.room import (
    Change,
    Entry,
    ModelInUse,
    Move,
    NoRoom,
    RunningCall,
    Snapshot,
    State,
    able_to_leave,
    cheapest_leave,
    check_fits_alone,
)  # fmt: skip
from tools.runtime.scheduling.problem import Model

__all__ = ["Ledger"]

_ON_DEVICE = ("loading", "resident", "evicting")


class Ledger:
    """Counts one device's memory. All methods may be called from any thread; none of them blocks.

    Args:
        budget: bytes of the device that may be used.
        models: what may be loaded; sizes are predictions.
        host_budget: bytes of host memory for parked weights; None is unlimited. A resident keeps its host copy.
        on_change: told of every change of state, in the thread that caused it, outside the lock.

    Raises:
        InvalidInput: a negative budget or size, or a model whose weights and working memory alone exceed the budget.
    """

    def __init__(
        self,
        budget: int,
        models: Iterable[Model] = (),
        *,
        host_budget: int | None = None,
        on_change: Callable[[Change], None] = lambda _change: None,
    ) -> None:
        if budget < 0:
            raise InvalidInput("a budget is not negative", where="budget")
        self.budget = budget
        self.host_budget = host_budget
        self._on_change = on_change
        self._lock = threading.RLock()
        self._entries: dict[str, Entry] = {}
        self._calls: dict[int, RunningCall] = {}
        self._numbers = itertools.count(1)
        self._peak = 0
        for model in models:
            self.add(model)

    def add(self, model: Model) -> None:
        """Make a model known, or correct the prediction of one that is not on the device.

        Raises:
            InvalidInput: its weights and working memory alone exceed the budget, or are negative.
            ModelInUse: it is on the device.
        """
        check_fits_alone(model, self.budget)
        with self._lock:
            entry = self._entries.setdefault(model.name, Entry(model))
            if entry.state in _ON_DEVICE:
                raise ModelInUse(f"{model.name} is {entry.state}; its prediction changes when it is off the device.")
            entry.model = model

    def reserve(self, name: str, weights: int | None = None) -> Move:
        """Take the room for a model that is about to be loaded; it is `loading` from now on.

        Args:
            weights: exact bytes where they are known; else the prediction counts.

        Raises:
            NoRoom: it does not fit beside what is there; nothing changed.
            ModelInUse: it is being loaded or evicted by somebody else.
            InvalidInput: nothing is known of it, or it is resident.
        """
        with self._lock:
            entry = self._still(name)
            if entry.state == "resident":
                raise InvalidInput("is resident already", where=name)
            wanted = entry.model.weights if weights is None else weights
            self._check_room(f"Loading {name}", wanted - entry.left)
            self._check_host(name, wanted - entry.host)
            entry.host = max(entry.host, wanted)
            entry.bytes = wanted
            move, change = self._depart(entry, "loading")
        self._on_change(change)
        return move

    def resize(self, move: Move, weights: int) -> None:
        """Say the exact size of a model being loaded, before the bytes are taken.

        Raises:
            NoRoom: the exact size does not fit; the reservation stays as it was.
            EngineCrashed: the model was lost meanwhile.
        """
        with self._lock:
            entry = self._moving(move, "loading")
            self._check_room(f"Loading {move.model}", weights - entry.bytes, may_shrink=True)
            self._check_host(move.model, weights - entry.host)
            entry.bytes = entry.host = weights
            self._note_peak()

    def commit(self, move: Move, weights: int | None = None) -> None:
        """The model is on the device.

        Args:
            weights: bytes as measured, where that was possible only now.

        Raises:
            NoRoom: what was measured does not fit. The model stays `loading` with its true size: nothing is let in
                until others are evicted and this is called again, or it is dropped (`cancel`).
            EngineCrashed: the model was lost meanwhile.
        """
        with self._lock:
            entry = self._moving(move, "loading")
            if weights is not None:
                entry.bytes = entry.host = weights
                entry.model = replace(entry.model, weights=weights)
            self._note_peak()
            if self._taken() > self.budget:
                free = self.budget - self._taken() + entry.bytes
                raise NoRoom(move.model, needed=entry.bytes, free=max(free, 0), budget=self.budget)
            change = self._arrive(entry, "resident")
        self._on_change(change)

    def leave(self, name: str) -> Move:
        """A resident is about to be evicted: no call may begin on it any more; its bytes count until `evict`.

        Raises:
            ModelInUse: a call runs on it, or it is on its way already.
            InvalidInput: it is not on the device, or unknown.
        """
        with self._lock:
            entry = self._still(name)
            if entry.state != "resident":
                raise InvalidInput("is not on the device", where=name)
            if any(name in call.models for call in self._calls.values()):
                raise ModelInUse(f"{name} cannot leave the device: a call runs on it.")
            move, change = self._depart(entry, "evicting")
        self._on_change(change)
        return move

    def evict(self, move: Move, *, keep_host: bool = True, left: int = 0) -> None:
        """The bytes are off the device: the model is parked, or cold where its host copy is given up too.

        `left` bytes stay behind, as of a server that sleeps: they count until it is cold, and it wakes with the less.
        """
        with self._lock:
            if self._entry(move.model).move != move.number:
                return
            entry = self._moving(move, "evicting")
            entry.left = min(max(left, 0), entry.bytes) if keep_host else 0
            change = self._arrive(entry, "parked" if keep_host else "cold")
        self._on_change(change)

    def cancel(self, move: Move) -> None:
        """A move was given up, and where it was a load, its bytes are off the device: the model is what it was before.

        An eviction that failed leaves the model resident, for its bytes must be taken to be there still.
        """
        with self._lock:
            if self._entry(move.model).move != move.number:
                return
            entry = self._entries[move.model]
            change = self._arrive(entry, entry.came_from)
        self._on_change(change)

    def unload(self, name: str, *, left: int = 0) -> None:
        """The host copy of a parked model is gone: it is cold. A cold one stays so.

        `left` bytes stay on the device all the same, as of a server that somebody else started: they count on.

        Raises:
            ModelInUse: it is on the device; evict it first.
        """
        with self._lock:
            entry = self._entry(name)
            if entry.state in _ON_DEVICE:
                raise ModelInUse(f"{name} is {entry.state}; evict it before its host copy goes.")
            if entry.state == "cold":
                return
            entry.left = min(max(left, 0), entry.left)
            change = self._arrive(entry, "cold")
        self._on_change(change)

    def lost(self, names: Iterable[str] | None = None) -> frozenset[str]:
        """The process that held these models (None: all) is gone, and with it every byte: they are cold.

        Calls that ran on one of them are ended, moves of them are stale. Returns the names that were on the device.
        """
        with self._lock:
            gone = set(self._entries) if names is None else set(names)
            entries = [self._entry(name) for name in sorted(gone)]
            self._calls = {number: call for number, call in self._calls.items() if not call.models & gone}
            were = frozenset(entry.model.name for entry in entries if entry.state in _ON_DEVICE)
            gone_with_it = [entry for entry in entries if entry.state != "cold"]
            for entry in gone_with_it:
                entry.left = 0
            changes = [self._arrive(entry, "cold") for entry in gone_with_it]
        for change in changes:
            self._on_change(change)
        return were

    @contextmanager
    def loading(self, name: str, weights: int | None = None) -> Iterator[Move]:
        """`reserve`, the work inside, `commit`; `cancel` on an exception, after which the device must be free."""
        move = self.reserve(name, weights)
        try:
            yield move
            self.commit(move)
        except BaseException:
            self.cancel(move)
            raise

    @contextmanager
    def evicting(self, name: str, *, keep_host: bool = True) -> Iterator[Move]:
        """`leave`, the work inside, `evict`; on any exception `cancel`: the model counts as resident still."""
        move = self.leave(name)
        try:
            yield move
        except BaseException:
            self.cancel(move)
            raise
        self.evict(move, keep_host=keep_host)

    def start(self, models: Iterable[str], working: int | None = None) -> int:
        """A call begins on residents; returns its number.

        Args:
            models: all that it needs.
            working: bytes it may take besides; None is the largest prediction among its models.

        Raises:
            NoRoom: its working memory does not fit beside what is there.
            ModelInUse: one of the models is being evicted or loaded.
            InvalidInput: one of them is not on the device, or unknown.
        """
        with self._lock:
            wanted = frozenset(models)
            for name in sorted(wanted):
                if self._still(name).state != "resident":
                    raise InvalidInput("is not on the device", where=name)
            if working is None:
                working = max((self._entries[name].model.working for name in wanted), default=0)
            self._check_room(f"A call of {', '.join(sorted(wanted)) or 'no model'}", working)
            number = next(self._numbers)
            self._calls[number] = RunningCall(wanted, working)
            self._note_peak()
            return number

    def grow(self, call: int, working: int) -> None:
        """A running call needs this much working memory in all; say so before it is taken.

        Raises:
            NoRoom: that does not fit; the call keeps what it had.
            InvalidInput: there is no such call.
        """
        with self._lock:
            if call not in self._calls:
                raise InvalidInput("no such call runs", where=str(call))
            self._check_room("A running call", working - self._calls[call].working, may_shrink=True)
            self._calls[call].working = working
            self._note_peak()

    def end(self, call: int) -> None:
        """A call ended, however it did. Nothing happens where it is not known (its models were `lost`)."""
        with self._lock:
            self._calls.pop(call, None)

    @contextmanager
    def running(self, models: Iterable[str], working: int | None = None) -> Iterator[int]:
        """`start`, the work inside, `end`. Gives the call's number, for `grow`."""
        number = self.start(models, working)
        try:
            yield number
        finally:
            self.end(number)

    def model(self, name: str) -> Model:
        """The prediction, corrected by what was measured at `commit`; `InvalidInput` where nothing is known."""
        with self._lock:
            return self._entry(name).model

    def state(self, name: str) -> State:
        """The state of a model; `InvalidInput` where nothing is known of it."""
        with self._lock:
            return self._entry(name).state

    def sleepers(self) -> list[str]:
        """Names of parked models that keep bytes on the device."""
        with self._lock:
            return sorted(name for name, entry in self._entries.items() if entry.state == "parked" and entry.left)

    def snapshot(self) -> Snapshot:
        """How things stand now."""
        with self._lock:
            return Snapshot.of(self._entries, self._calls.values(), self.budget, self.host_budget, self._peak)

    def reserved(self, move: Move) -> int:
        """Bytes of the device that are kept for a model being loaded."""
        with self._lock:
            return self._moving(move, "loading").bytes

    def to_evict(self, models: Iterable[str], working: int | None = None, extra: int = 0) -> list[str] | None:
        """The residents whose leaving costs least, so that `models` can all be resident and a call on them can run.

        Cost is the time to load them again; `extra` bytes are needed besides. None where no choice makes enough room.
        """
        with self._lock:
            wanted = {name: self._entry(name) for name in models}
            if working is None:
                working = max((entry.model.working for entry in wanted.values()), default=0)
            more = sum(entry.model.weights - entry.left for entry in wanted.values() if entry.state not in _ON_DEVICE)
            in_use = set(wanted).union(*(call.models for call in self._calls.values()))
            return cheapest_leave(
                able_to_leave(self._entries, in_use), more + extra + working + self._taken() - self.budget
            )

    def _entry(self, name: str) -> Entry:
        if name not in self._entries:
            raise InvalidInput("nothing is known of this model", where=name)
        return self._entries[name]

    def _still(self, name: str) -> Entry:
        """The entry of a model that nobody is moving."""
        entry = self._entry(name)
        if entry.state in ("loading", "evicting"):
            raise ModelInUse(f"{name} is {entry.state}.")
        return entry

    def _moving(self, move: Move, state: State) -> Entry:
        entry = self._entry(move.model)
        if self._entry(move.model).move != move.number:
            raise EngineCrashed(f"{move.model} was lost while it was {state}.")
        if entry.state != state:
            raise InvalidInput(f"is {entry.state}, not {state}", where=move.model)
        return entry

    def _taken(self) -> int:
        weights = sum(entry.bytes for entry in self._entries.values())
        return weights + sum(call.working for call in self._calls.values())

    def _check_room(self, what: str, more: int, *, may_shrink: bool = False) -> None:
        free = self.budget - self._taken()
        # What only shrinks is let through also where a server turned out larger than it said.
        if more > free and not (may_shrink and more <= 0):
            raise NoRoom(what, needed=more, free=max(free, 0), budget=self.budget)

    def _check_host(self, name: str, more: int) -> None:
        if self.host_budget is None or more <= 0:
            return
        free = self.host_budget - sum(entry.host for entry in self._entries.values())
        if more > free:
            raise NoRoom(f"Parking {name}", needed=more, free=max(free, 0), budget=self.host_budget, where="host")

    def _depart(self, entry: Entry, state: State) -> tuple[Move, Change]:
        entry.came_from, entry.move = entry.state, next(self._numbers)
        return Move(entry.model.name, entry.move), self._change(entry, state)

    def _arrive(self, entry: Entry, state: State) -> Change:
        entry.move = 0
        if state == "cold":
            entry.host = 0
        if state != "resident":
            entry.bytes = entry.left
        return self._change(entry, state)

    def _change(self, entry: Entry, state: State) -> Change:
        before, entry.state = entry.state, state
        self._note_peak()
        return Change(entry.model.name, before, state, self._taken())

    def _note_peak(self) -> None:
        self._peak = max(self._peak, self._taken())
