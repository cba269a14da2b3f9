"""Listens to the events of a run and keeps what a trace needs: spans with begin and end, the device's memory, counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.runtime.events import CallEvent, DeviceEvent

__all__ = ["Recorder", "Span"]


@dataclass(frozen=True)
class Span:
    """Something that took time.

    Attributes:
        name: of the call, or of the model.
        kind: `call`, `load`, `evict`, `wait`.
        begin, end: seconds since the recording began.
        device: that it happened on; empty for the CPU.
        tool, engine: of a call.
        outcome: of a call: `done`, `failed`, `cancelled`.
        text: for people.
    """

    name: str
    kind: str
    begin: float
    end: float
    device: str = ""
    tool: str = ""
    engine: str = ""
    outcome: str = "done"
    text: str = ""


@dataclass
class Recorder:
    """Collects. Not for use by several threads at once; the executor tells everything in one.

    Attributes:
        clock: seconds; only differences count.
        wall: seconds since 1970 when the recording began.
        spans: in the order in which they ended.
        memory: (seconds, device, bytes) after every change.
        marks: (seconds, device, text) of what takes no time: a plan, a step down, a loss.
        counts: calls by outcome; `cached` among them.
        plans: (predicted seconds, predicted peak bytes) of every plan.
        again: attempts at calls beyond their first.
    """

    clock: Callable[[], float] = time.perf_counter
    wall: float = field(default_factory=time.time)
    spans: list[Span] = field(default_factory=list)
    memory: list[tuple[float, str, int]] = field(default_factory=list)
    marks: list[tuple[float, str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    plans: list[tuple[float, int]] = field(default_factory=list)
    again: int = 0

    def __post_init__(self) -> None:
        self._zero = self.clock()
        self._begun: dict[str, float] = {}
        self._computing: dict[str, float] = {}
        """By call: when its models were on the device; loading before is no computing."""
        self._waiting: dict[str, float] = {}

    @property
    def now(self) -> float:
        """Seconds since the recording began."""
        return self.clock() - self._zero

    def hear_call(self, event: CallEvent) -> None:
        """Take in an event of a call."""
        if event.status == "running":
            self._begun.setdefault(event.call_id, self.now)
            return
        if event.status == "queued":
            return
        self.counts[event.status] = self.counts.get(event.status, 0) + 1
        begin = self._begun.pop(event.call_id, None)
        begin = self._computing.pop(event.call_id, begin) if begin is not None else None
        if begin is not None:
            self.spans.append(
                Span(
                    event.call_id, "call", begin, self.now, event.device, event.tool, event.engine, event.status,
                    event.text,
                )
            )  # fmt: skip

    def hear_device(self, event: DeviceEvent) -> None:
        """Take in an event of a device."""
        now = self.now
        if event.action == "plan":
            self.plans.append((event.seconds, event.bytes))
            self.marks.append((now, event.device, event.text))
            return
        if event.action in ("load", "evict", "lease"):
            kind = "wait" if event.action == "lease" else event.action
            if kind != "wait" or event.seconds > 0.001:
                name = event.model or "waiting for the device"
                self.spans.append(Span(name, kind, max(0.0, now - event.seconds), now, event.device))
        elif event.action == "run":
            for call_id in [event.model] if event.model in self._begun else []:
                self._computing[call_id] = now
        elif event.action == "again":
            self.again += 1
            self.marks.append((now, event.device, event.text))
        elif event.action != "wait":
            self.marks.append((now, event.device, f"{event.action} {event.model} {event.text}".strip()))
        if event.action in ("load", "evict", "lost"):
            self.memory.append((now, event.device, event.bytes))
