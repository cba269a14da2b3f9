"""Listens to the events of a run and keeps what a trace needs: spans with begin and end, device memory, counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import takewhile

from tools.runtime.events import CallEvent, DeviceEvent
from tools.runtime.telemetry.record import Batch, Mark, MarkKind, PlanMade, Reading, Record, Span, SpanKind

__all__ = ["Recorder"]

_GAP_S = 0.002
"""Shorter waits are the studio's own steps."""
_MARKS: dict[str, MarkKind] = {"again": "again", "lost": "lost", "step_down": "step_down", "unload": "note"}


class Recorder:
    """Collects what a run does, over all its batches. Not for several threads at once; the executor tells all in one.

    Args:
        title, production: kept with the record.
        clock: seconds, the clock of `DeviceEvent.at`; only differences count.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        title: str = "",
        production: str = "",
        clock: Callable[[], float] = time.perf_counter,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.record = Record(title, production, wall())
        self._clock, self._zero = clock, clock()
        self._queued: dict[str, float] = {}
        """By call: predicted seconds."""
        self._begun: dict[str, CallEvent] = {}
        self._since: dict[str, float] = {}
        """By call: when its present attempt began."""
        self._computing: dict[str, tuple[float, tuple[str, ...]]] = {}
        """By call: when its models were there, and which; loading before that is no computing."""
        self._fetching: dict[tuple[str, str], float] = {}
        self._moves: dict[str, list[tuple[float, float]]] = {}
        """By device: when models moved in this batch, for those that waited."""
        self._why: dict[str, str] = {}
        """By device: why the next call waits for it."""
        self._there: dict[str, int] = {}
        """By device: bytes without the working memory of the call that runs."""
        self._working: dict[str, int] = {}
        self._made: set[str] = set()
        self._batch = 0.0
        self._calls = 0
        self._planned: set[str] = set()

    @property
    def now(self) -> float:
        """Seconds since the recording began."""
        return self._clock() - self._zero

    # -- batches ----------------------------------------------------------------------------------------------------

    def begin_batch(self, calls: int) -> None:
        """So many calls are about to be handed to the executor."""
        self._batch, self._calls = self.now, calls
        self._planned.clear()
        self._moves.clear()
        self._there.clear()

    def find_device(self, device: str, budget: int, taken: int) -> None:
        """A batch begins with a device of which so many bytes may be used, and so many are taken."""
        self.record.budgets[device] = budget
        self._there[device] = taken

    def end_batch(self) -> None:
        """They ended; what is still open was broken off."""
        now = self.now
        for call_id, event in list(self._begun.items()):
            self._close(call_id, event, now, "unfinished", "")
        self._fetching.clear()
        self.record.batches.append(Batch(self._batch, now, self._calls))

    # -- calls ------------------------------------------------------------------------------------------------------

    def hear_call(self, event: CallEvent) -> None:
        """Take in an event of a call."""
        if event.status == "running":
            if event.call_id not in self._begun:
                self._begun[event.call_id] = event
                self._since[event.call_id] = self.now
        elif event.status == "queued":
            self._queued[event.call_id] = event.seconds
        else:
            counts = self.record.counts
            key = (event.tool, event.engine, event.status)
            counts[key] = counts.get(key, 0) + 1
            if event.status == "done":
                self.record.remade += event.call_id in self._made
                self._made.add(event.call_id)
            if event.call_id in self._begun:
                self._close(event.call_id, event, self.now, event.status, event.text)

    def _close(self, call_id: str, event: CallEvent, now: float, outcome: str, text: str) -> None:
        del self._begun[call_id]
        since = self._since.pop(call_id)
        begin, models = self._computing.pop(call_id, (since, ()))
        kind: SpanKind = "call"
        if event.device and not models and outcome != "done":
            # It never came to compute.
            kind = "wait"
        predicted = self._queued.get(call_id, 0.0)
        tool, engine, device = event.tool, event.engine, event.device
        span = Span(call_id, kind, begin, max(begin, now), device, tool, engine, outcome, text, models, predicted)
        self.record.spans.append(span)
        if self._working.pop(device, 0):
            self.record.readings.append(Reading(now, device, self._there.get(device, 0)))

    # -- devices ----------------------------------------------------------------------------------------------------

    def hear_device(self, event: DeviceEvent) -> None:
        """Take in an event of a device."""
        # It cannot have happened before the recording began, whatever clock counted it.
        at = max(0.0, event.at - self._zero)
        action, device = event.action, event.device
        if action == "plan":
            self._plan(event, at)
        elif action == "load":
            self._load(event, at)
        elif action == "evict":
            self._move(event.model, "evict", at - event.seconds, at, device)
        elif action == "prefetch" and not event.text:
            self._fetching[device, event.model] = at
        elif action == "wait":
            self._why[device] = event.text
        elif action == "run":
            self._run(event, at)
        elif action == "again":
            self._again(event, at)
        if action in _MARKS:
            text = event.text or f"{action} {event.model}"
            self.record.marks.append(Mark(at, _MARKS[action], device, text))
        if action == "lost":
            self._fetching.pop((device, event.model), None)
        if action in ("load", "evict", "lost", "run", "prefetch"):
            self._weigh(event, at)

    def _weigh(self, event: DeviceEvent, at: float) -> None:
        device = event.device
        if device in self._there and not any(one.device == device for one in self.record.readings):
            self.record.readings.append(Reading(self._batch, device, self._there[device]))
        if event.action == "run":
            self._working[device] = event.bytes - self._there.setdefault(device, event.bytes)
        elif event.action == "prefetch":
            self._there[device] = event.bytes - self._working.get(device, 0)
        else:
            self._there[device] = event.bytes
        self.record.readings.append(Reading(at, device, event.bytes))

    def _plan(self, event: DeviceEvent, at: float) -> None:
        self.record.marks.append(Mark(at, "plan", event.device, event.text))
        if event.plan is not None:
            first = event.device not in self._planned
            self._planned.add(event.device)
            self.record.plans.append(PlanMade(at, event.device, first, event.plan))
            self.record.budgets[event.device] = event.plan.budget_bytes

    def _load(self, event: DeviceEvent, at: float) -> None:
        begin = at - event.seconds
        began = self._fetching.pop((event.device, event.model), None)
        if began is not None:
            # It went on beside a call until it was there, or until somebody waited for it.
            end = min(begin, began + event.moved_s) if event.moved_s else begin
            self.record.spans.append(Span(event.model, "prefetch", began, max(began, end), event.device))
        self._move(event.model, "load", begin, at, event.device)

    def _move(self, model: str, kind: SpanKind, begin: float, end: float, device: str) -> None:
        begin = max(0.0, begin)
        self.record.spans.append(Span(model, kind, begin, end, device))
        self._moves.setdefault(device, []).append((begin, end))

    def _run(self, event: DeviceEvent, at: float) -> None:
        call = self._begun.get(event.model)
        if call is None:
            return
        reached = self._since[event.model]
        why = self._why.pop(event.device, "")
        # They end one after another: those that matter are the last.
        moves = list(takewhile(lambda move: move[1] > reached, reversed(self._moves.get(event.device, []))))
        for begin, end in [*reversed(moves), (at, at)]:
            if begin - reached > _GAP_S:
                span = Span(event.model, "wait", reached, begin, event.device, call.tool, call.engine, text=why)
                self.record.spans.append(span)
            reached = max(reached, end)
        self._computing[event.model] = (at, tuple(event.text.split(", ")) if event.text else ())

    def _again(self, event: DeviceEvent, at: float) -> None:
        self.record.again += 1
        call = self._begun.get(event.model)
        if call is not None:
            self._close(event.model, call, at, "again", event.text)
            self._begun[event.model], self._since[event.model] = call, at
            self._why[event.device] = "a pause before another attempt"
