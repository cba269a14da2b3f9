"""Where the time of a run went, in figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tools.runtime.telemetry.record import Record, Span

__all__ = ["DeviceSummary", "EngineSummary", "PlanSummary", "Summary", "summarise"]

_DUST_S = 1e-9
"""Less is what sums of fractions leave over."""
Interval = tuple[float, float]


@dataclass
class EngineSummary:
    """Calls of one engine: how many attempts, their seconds, and what they were reckoned to take."""

    tool: str
    engine: str
    calls: int = 0
    seconds: float = 0.0
    predicted_s: float = 0.0
    longest_s: float = 0.0


@dataclass
class DeviceSummary:
    """What one device did.

    Attributes:
        switches: models that were loaded.
        loading_s: a call waited while its model was loaded; `beside_s`: loaded while another call computed.
        evicting_s: a call waited while models left.
        computing_s: calls.
        waiting_s: a call waited for the device, which somebody else had.
        idle_s: of the batches: nothing of all this.
        peak_bytes: the most that was on it, of `budget_bytes` (0: not known).
    """

    switches: int = 0
    evictions: int = 0
    loading_s: float = 0.0
    beside_s: float = 0.0
    evicting_s: float = 0.0
    computing_s: float = 0.0
    waiting_s: float = 0.0
    idle_s: float = 0.0
    peak_bytes: int = 0
    budget_bytes: int = 0


@dataclass
class PlanSummary:
    """What the plans of the batches promised, and what came.

    Attributes:
        bound_s: no order loads for less; `switch_s` is what the chosen one loads for; `gap` their ratio.
        wall_s: predicted; `real_*`: what it was. A model loaded from disk takes longer than from host memory, which
            is what is promised.
        again: how often the rest was planned anew.
    """

    switches: int = 0
    switch_s: float = 0.0
    bound_s: float = 0.0
    gap: float = 1.0
    proven: bool = True
    wall_s: float = 0.0
    real_switches: int = 0
    real_switch_s: float = 0.0
    real_wall_s: float = 0.0
    peak_bytes: int = 0
    again: int = 0


@dataclass
class Summary:
    """A run in figures; seconds and bytes.

    Attributes:
        wall_s: from the first batch to the end of the last.
        parts: the wall time, each moment counted once, by what it was spent on; they add up to `wall_s`.
        cpu_s: seconds that calls computed on the CPU, all rows together.
        calls: by outcome.
        retries: attempts added by rules, and `remade` calls that the judge sent back.
        engines: by tool and engine, the longest first.
        devices: by name; the CPU is not among them.
        plan: None where nothing was planned.
    """

    wall_s: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)
    cpu_s: float = 0.0
    switches: int = 0
    loading_s: float = 0.0
    computing_s: float = 0.0
    waiting_s: float = 0.0
    calls: dict[str, int] = field(default_factory=dict)
    retries: int = 0
    remade: int = 0
    engines: list[EngineSummary] = field(default_factory=list)
    devices: dict[str, DeviceSummary] = field(default_factory=dict)
    plan: PlanSummary | None = None


def summarise(record: Record) -> Summary:
    """Add a run up."""
    devices = {name: _device(record, name) for name in record.devices}
    calls = [span for span in record.spans if span.kind == "call"]
    begin = min([batch.begin for batch in record.batches] + [span.begin for span in record.spans], default=0.0)
    return Summary(
        wall_s=record.end - begin,
        parts=_parts(record, begin),
        cpu_s=sum(span.seconds for span in calls if not span.device),
        switches=sum(device.switches for device in devices.values()),
        loading_s=sum(device.loading_s for device in devices.values()),
        computing_s=sum(span.seconds for span in calls),
        waiting_s=sum(device.waiting_s for device in devices.values()),
        calls=_outcomes(record),
        retries=record.again,
        remade=record.remade,
        engines=_engines(calls),
        devices=devices,
        plan=_plan(record, devices),
    )


def _outcomes(record: Record) -> dict[str, int]:
    found: dict[str, int] = {}
    for (_, _, outcome), count in sorted(record.counts.items(), key=lambda item: item[0][2]):
        found[outcome] = found.get(outcome, 0) + count
    return found


def _engines(calls: Iterable[Span]) -> list[EngineSummary]:
    found: dict[tuple[str, str], EngineSummary] = {}
    for span in calls:
        one = found.setdefault((span.tool, span.engine), EngineSummary(span.tool, span.engine))
        one.calls += 1
        one.seconds += span.seconds
        one.predicted_s += span.predicted
        one.longest_s = max(one.longest_s, span.seconds)
    return sorted(found.values(), key=lambda one: (-one.seconds, one.tool, one.engine))


def _device(record: Record, name: str) -> DeviceSummary:
    spans = [span for span in record.spans if span.device == name]

    def total(kind: str) -> float:
        return sum(span.seconds for span in spans if span.kind == kind)

    busy = _merged((span.begin, span.end) for span in spans if span.kind != "prefetch")
    batches = _merged((batch.begin, batch.end) for batch in record.batches)
    return DeviceSummary(
        switches=sum(span.kind == "load" for span in spans),
        evictions=sum(span.kind == "evict" for span in spans),
        loading_s=total("load"),
        beside_s=total("prefetch"),
        evicting_s=total("evict"),
        computing_s=total("call"),
        waiting_s=total("wait"),
        idle_s=_length(_without(batches, busy)),
        peak_bytes=max((one.bytes for one in record.readings if one.device == name), default=0),
        budget_bytes=record.budgets.get(name, 0),
    )


def _plan(record: Record, devices: dict[str, DeviceSummary]) -> PlanSummary | None:
    whole = [plan for plan in record.plans if plan.first]
    if not whole:
        return None
    switch_s, bound_s = sum(p.figures.switch_s for p in whole), sum(p.figures.bound_s for p in whole)
    planned = [batch for batch in record.batches if any(batch.begin <= p.at <= batch.end for p in whole)]
    return PlanSummary(
        switches=sum(plan.figures.switches for plan in whole),
        switch_s=switch_s,
        bound_s=bound_s,
        gap=switch_s / bound_s if bound_s else 1.0,
        proven=all(plan.figures.proven for plan in whole),
        wall_s=sum(plan.figures.wall_s for plan in whole),
        real_switches=sum(device.switches for device in devices.values()),
        real_switch_s=sum(device.loading_s + device.beside_s for device in devices.values()),
        real_wall_s=sum(batch.end - batch.begin for batch in planned),
        peak_bytes=max(plan.figures.peak_bytes for plan in whole),
        again=len(record.plans) - len(whole),
    )


def _parts(record: Record, begin: float) -> dict[str, float]:
    """Each moment goes to the first of these that it belongs to: devices are dear, so theirs come first."""
    layers: list[tuple[str, Iterable[Interval]]] = [
        ("computing on a device", _of(record, "call", on_device=True)),
        ("loading models", _of(record, "load")),
        ("evicting models", _of(record, "evict")),
        ("waiting for a device", _of(record, "wait")),
        ("computing on the CPU", _of(record, "call", on_device=False)),
        ("finding what is there", [(batch.begin, batch.end) for batch in record.batches]),
        ("planning and judging", [(begin, record.end)]),
    ]
    parts: dict[str, float] = {}
    taken: list[Interval] = []
    for name, intervals in layers:
        merged = _merged(intervals)
        seconds = _length(_without(merged, taken))
        if seconds > _DUST_S:
            parts[name] = seconds
        taken = _merged([*taken, *merged])
    return parts


def _of(record: Record, kind: str, on_device: bool = True) -> list[Interval]:
    return [(s.begin, s.end) for s in record.spans if s.kind == kind and bool(s.device) == on_device]


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Sorted and without overlap."""
    merged: list[Interval] = []
    for begin, end in sorted(intervals):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def _without(intervals: list[Interval], taken: list[Interval]) -> list[Interval]:
    """The parts of `intervals` that `taken` leaves; both merged."""
    left: list[Interval] = []
    place = 0
    for begin, end in intervals:
        while place < len(taken) and taken[place][1] <= begin:
            place += 1
        reached, at = begin, place
        while at < len(taken) and taken[at][0] < end:
            if taken[at][0] > reached:
                left.append((reached, taken[at][0]))
            reached = max(reached, taken[at][1])
            at += 1
        if reached < end:
            left.append((reached, end))
    return left


def _length(intervals: Iterable[Interval]) -> float:
    return sum(end - begin for begin, end in intervals)
