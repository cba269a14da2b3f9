"""What was recorded of a run: plain data, times in seconds since the recording began."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tools.runtime.events import PlanFigures

__all__ = ["Batch", "Mark", "MarkKind", "PlanMade", "Reading", "Record", "Span", "SpanKind"]

SpanKind = Literal["call", "load", "prefetch", "evict", "wait"]
MarkKind = Literal["plan", "again", "lost", "step_down", "note"]


@dataclass(frozen=True)
class Span:
    """Something that took time.

    Attributes:
        name: of the call, or of the model that moved.
        kind: `call`: an attempt that computes; `load`, `evict`: a model moves and a call waits for it; `prefetch`: a
            model is loaded beside a call; `wait`: a call waits for a device that somebody else has.
        begin, end: seconds.
        device: that it happened on; empty for the CPU.
        tool, engine: of a call.
        outcome: of a call: `done`, `failed`, `cancelled`, `again` (another attempt follows), `unfinished`.
        text: for people.
        models: that a call uses.
        predicted: seconds that a call was reckoned to take.
    """

    name: str
    kind: SpanKind
    begin: float
    end: float
    device: str = ""
    tool: str = ""
    engine: str = ""
    outcome: str = "done"
    text: str = ""
    models: tuple[str, ...] = ()
    predicted: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.begin


@dataclass(frozen=True)
class Mark:
    """Something that takes no time."""

    at: float
    kind: MarkKind
    device: str
    text: str


@dataclass(frozen=True)
class Reading:
    """Bytes on a device from `at` on, until the next reading."""

    at: float
    device: str
    bytes: int


@dataclass(frozen=True)
class Batch:
    """Calls that were handed to the executor at once."""

    begin: float
    end: float
    calls: int


@dataclass(frozen=True)
class PlanMade:
    """What a plan promised. `first` of its batch: it covers the whole batch, the ones after it only the rest."""

    at: float
    device: str
    first: bool
    figures: PlanFigures


@dataclass
class Record:
    """A run.

    Attributes:
        title: of the production.
        production: name of its folder.
        wall: seconds since 1970 when the recording began.
        spans: in the order in which they ended.
        readings, marks, batches, plans: in the order in which they happened.
        counts: calls by (tool, engine, outcome); `cached` ones were taken from the store.
        budgets: bytes that may be used, by device.
        again: attempts that rules of retries.yaml added.
        remade: calls that the judge sent back.
    """

    title: str = ""
    production: str = ""
    wall: float = 0.0
    spans: list[Span] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    plans: list[PlanMade] = field(default_factory=list)
    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)
    budgets: dict[str, int] = field(default_factory=dict)
    again: int = 0
    remade: int = 0

    @property
    def end(self) -> float:
        """Seconds at which the last thing ended."""
        ends = [span.end for span in self.spans] + [batch.end for batch in self.batches]
        return max(ends, default=0.0)

    @property
    def devices(self) -> list[str]:
        """Every device that anything happened on, in order."""
        named = {one.device for one in self.spans} | {one.device for one in self.readings}
        return sorted((named | {plan.device for plan in self.plans}) - {""})
