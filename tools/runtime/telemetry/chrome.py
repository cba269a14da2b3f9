"""A record as a trace in Chrome's Trace Event Format, and back.

Opens in Perfetto (ui.perfetto.dev, "Open trace file") and in chrome://tracing. The JSON object format: `traceEvents`
with complete events (`X`: `ts` and `dur` in microseconds), counters (`C`), instants (`i`) and metadata (`M`) that
names processes and threads. Here a process is the CPU or a device, a thread a row of what never overlaps: viewers nest
what overlaps in one thread. See "Trace Event Format" (Google, 2016), the chapters on these four kinds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from tools.errors import InvalidInput
from tools.runtime.events import PlanFigures
from tools.runtime.telemetry.record import Batch, Mark, PlanMade, Reading, Record, Span
from tools.runtime.telemetry.summary import summarise

__all__ = ["FORMAT", "from_chrome", "rows_of", "to_chrome"]

FORMAT = 1
"""Of what we add to the trace; a reader that finds another one says so."""

_RUN, _CPU, _DEVICES = 1, 2, 10
"""Process ids."""
_CALLS, _MOVES, _BESIDE, _WAITS = 1, 2, 3, 4
"""Thread ids of a device."""
_THREADS = {"call": _CALLS, "load": _MOVES, "evict": _MOVES, "prefetch": _BESIDE, "wait": _WAITS}
_THREAD_NAMES = {_CALLS: "calls", _MOVES: "models move", _BESIDE: "loaded beside calls", _WAITS: "waiting"}

Event = dict[str, Any]


def to_chrome(record: Record) -> bytes:
    """The trace, as JSON."""
    pids = {name: _DEVICES + place for place, name in enumerate(record.devices)}
    rows = rows_of([span for span in record.spans if not span.device])
    events: list[Event] = [*_names(record, pids, len(rows))]
    events += [_batch(number, batch) for number, batch in enumerate(record.batches, 1)]
    for row, spans in enumerate(rows, 1):
        events += [_span(span, _CPU, row) for span in spans]
    events += [_span(span, pids[span.device], _THREADS[span.kind]) for span in record.spans if span.device]
    events += [_counter("memory", one.at, pids[one.device], one.bytes) for one in record.readings]
    for name in pids.keys() & record.budgets.keys():
        events += [_counter("budget", at, pids[name], record.budgets[name]) for at in (0.0, record.end)]
    events += [_instant(mark, pids.get(mark.device, _RUN)) for mark in record.marks]
    other = {
        "studio_trace": FORMAT,
        "title": record.title,
        "production": record.production,
        "began": datetime.fromtimestamp(record.wall, UTC).isoformat(),
        "wall": record.wall,
        "summary": _rounded(asdict(summarise(record))),
        "counts": [[*key, count] for key, count in sorted(record.counts.items())],
        "budgets": record.budgets,
        "again": record.again,
        "remade": record.remade,
        "plans": [asdict(plan) for plan in record.plans],
    }
    whole = {"traceEvents": events, "displayTimeUnit": "ms", "otherData": other}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def rows_of(spans: Iterable[Span]) -> list[list[Span]]:
    """Spans in as few rows as keep them apart, each in the first row that is free."""
    rows: list[list[Span]] = []
    for span in sorted(spans, key=lambda span: (span.begin, span.end)):
        free = next((row for row in rows if row[-1].end <= span.begin), None)
        if free is None:
            rows.append([span])
        else:
            free.append(span)
    return rows


def _us(seconds: float) -> float:
    return round(seconds * 1e6, 1)


def _rounded(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _rounded(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_rounded(value) for value in data]
    return round(data, 6) if isinstance(data, float) else data


def _names(record: Record, pids: dict[str, int], cpu_rows: int) -> Iterable[Event]:
    processes = [(_RUN, "run"), (_CPU, "CPU"), *((pid, name) for name, pid in pids.items())]
    for place, (pid, name) in enumerate(processes):
        yield _meta("process_name", pid, 0, {"name": name})
        yield _meta("process_sort_index", pid, 0, {"sort_index": place})
    yield _meta("thread_name", _RUN, 1, {"name": record.title or "batches"})
    for row in range(1, cpu_rows + 1):
        yield _meta("thread_name", _CPU, row, {"name": f"calls {row}"})
    for pid in pids.values():
        for tid, name in _THREAD_NAMES.items():
            yield _meta("thread_name", pid, tid, {"name": name})
            yield _meta("thread_sort_index", pid, tid, {"sort_index": tid})


def _meta(name: str, pid: int, tid: int, args: Event) -> Event:
    return {"name": name, "ph": "M", "ts": 0, "pid": pid, "tid": tid, "args": args}


def _batch(number: int, batch: Batch) -> Event:
    dur = round(_us(batch.end) - _us(batch.begin), 1)
    args = {"calls": batch.calls}
    name = f"batch {number}"
    return {
        "name": name,
        "cat": "batch",
        "ph": "X",
        "ts": _us(batch.begin),
        "dur": dur,
        "pid": _RUN,
        "tid": 1,
        "args": args,
    }


_PLAIN = ("device", "tool", "engine", "outcome", "text", "predicted")


def _span(span: Span, pid: int, tid: int) -> Event:
    args = {name: getattr(span, name) for name in _PLAIN if getattr(span, name)}
    if span.models:
        args["models"] = list(span.models)
    dur = round(_us(span.end) - _us(span.begin), 1)
    return {
        "name": span.name,
        "cat": span.kind,
        "ph": "X",
        "ts": _us(span.begin),
        "dur": dur,
        "pid": pid,
        "tid": tid,
        "args": args,
    }


def _counter(name: str, at: float, pid: int, size: int) -> Event:
    return {"name": name, "ph": "C", "ts": _us(at), "pid": pid, "tid": 0, "args": {"bytes": size}}


def _instant(mark: Mark, pid: int) -> Event:
    args = {"text": mark.text, "device": mark.device}
    return {
        "name": mark.kind,
        "cat": "mark",
        "ph": "i",
        "s": "p",
        "ts": _us(mark.at),
        "pid": pid,
        "tid": 1,
        "args": args,
    }


# -- back ---------------------------------------------------------------------------------------------------------


def from_chrome(data: bytes, where: str = "") -> Record:
    """The record that a trace was made from.

    Args:
        data: as `to_chrome` gives it.
        where: named in errors.

    Raises:
        InvalidInput: it is no trace of ours, or of a later format.
    """
    try:
        whole = json.loads(data)
        other = whole["otherData"]
        form = other["studio_trace"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInput("is no trace of the studio.", where=where) from None
    if form != FORMAT:
        raise InvalidInput(f"is a trace of format {form!r}; this studio reads {FORMAT}.", where=where)
    try:
        return _read(whole["traceEvents"], other)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"{type(error).__name__}: {error}"
        raise InvalidInput(f"is a damaged trace ({told}).", where=where) from None


def _read(events: Sequence[Event], other: Event) -> Record:
    devices = {
        event["pid"]: str(event["args"]["name"])
        for event in events
        if event["ph"] == "M" and event["name"] == "process_name" and event["pid"] >= _DEVICES
    }
    counters = [event for event in events if event["ph"] == "C" and event["name"] == "memory"]
    spans = [_read_span(event) for event in events if event["ph"] == "X" and event["cat"] != "batch"]
    return Record(
        title=str(other["title"]),
        production=str(other["production"]),
        wall=float(other["wall"]),
        spans=sorted(spans, key=lambda span: span.end),
        readings=[Reading(event["ts"] / 1e6, devices[event["pid"]], int(event["args"]["bytes"])) for event in counters],
        marks=[
            Mark(event["ts"] / 1e6, event["name"], str(event["args"]["device"]), str(event["args"]["text"]))
            for event in events
            if event["ph"] == "i"
        ],
        batches=[
            Batch(event["ts"] / 1e6, _end(event), int(event["args"]["calls"]))
            for event in events
            if event["ph"] == "X" and event["cat"] == "batch"
        ],
        plans=[_read_plan(plan) for plan in other["plans"]],
        counts={(str(tool), str(engine), str(how)): int(count) for tool, engine, how, count in other["counts"]},
        budgets={str(name): int(size) for name, size in other["budgets"].items()},
        again=int(other["again"]),
        remade=int(other["remade"]),
    )


def _end(event: Event) -> float:
    return float(round(event["ts"] + event["dur"], 1) / 1e6)


def _read_span(event: Event) -> Span:
    args = event["args"]
    if event["cat"] not in _THREADS:
        raise ValueError(f"unknown kind {event['cat']!r}")
    plain = {name: type(default)(args[name]) for name, default in _DEFAULTS.items() if name in args}
    models = tuple(str(name) for name in args.get("models", ()))
    return Span(str(event["name"]), event["cat"], event["ts"] / 1e6, _end(event), models=models, **plain)


_DEFAULTS: dict[str, Any] = {one.name: one.default for one in fields(Span) if one.name in _PLAIN}


def _read_plan(plan: Event) -> PlanMade:
    return PlanMade(float(plan["at"]), str(plan["device"]), bool(plan["first"]), PlanFigures(**plan["figures"]))
