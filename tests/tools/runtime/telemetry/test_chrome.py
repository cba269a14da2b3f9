"""The trace is what the Trace Event Format says, and nothing of a record is lost in it."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given

from tests.tools.runtime.telemetry.samples import records, told
from tools.errors import InvalidInput
from tools.runtime.telemetry.chrome import from_chrome, rows_of, to_chrome
from tools.runtime.telemetry.record import Record, Span


def check_format(whole: dict[str, Any]) -> None:
    """The rules of the format for the four kinds of events that we write."""
    assert whole["displayTimeUnit"] in ("ms", "ns")
    named: set[tuple[str, int, int]] = set()
    rows: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for event in whole["traceEvents"]:
        assert isinstance(event["name"], str)
        assert isinstance(event["pid"], int)
        assert isinstance(event["tid"], int)
        assert event["ts"] >= 0
        if event["ph"] == "X":
            assert event["dur"] >= 0
            assert event["cat"]
            rows[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
        elif event["ph"] == "C":
            assert all(isinstance(value, int | float) for value in event["args"].values())
        elif event["ph"] == "i":
            assert event["s"] in ("g", "p", "t")
        else:
            assert event["ph"] == "M"
            assert event["name"] in ("process_name", "process_sort_index", "thread_name", "thread_sort_index")
            named.add((event["name"], event["pid"], event["tid"]))
    for (pid, tid), spans in rows.items():
        assert ("process_name", pid, 0) in named
        assert ("thread_name", pid, tid) in named
        if (pid, tid) != (1, 1):
            for (_, end), (begin, _) in zip(sorted(spans), sorted(spans)[1:], strict=False):
                # Viewers nest what overlaps in one row, and drop what they cannot nest.
                assert begin >= end - 0.11


def same(one: Record, other: Record) -> None:
    """Equal but for what is less than a microsecond."""
    assert [vars(span) | {"begin": 0, "end": 0} for span in one.spans] == [
        vars(span) | {"begin": 0, "end": 0} for span in other.spans
    ]
    for name in ("spans", "batches"):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            assert (a.begin, a.end) == pytest.approx((b.begin, b.end), abs=1e-6)
    for a, b in zip(one.readings, other.readings, strict=True):
        assert (a.device, a.bytes) == (b.device, b.bytes)
        assert a.at == pytest.approx(b.at, abs=1e-6)
    assert [(mark.kind, mark.device, mark.text) for mark in one.marks] == [
        (mark.kind, mark.device, mark.text) for mark in other.marks
    ]
    for name in ("title", "production", "wall", "counts", "budgets", "again", "remade", "plans"):
        assert getattr(one, name) == getattr(other, name)


def by_place(record: Record) -> Record:
    """Readings and spans in the order in which a trace lists them, which is not that of a record."""
    record.spans.sort(
        key=lambda span: (span.device, span.kind, span.name, span.outcome, span.text, span.models, span.begin)
    )
    return record


def test_a_run_is_a_trace_that_viewers_open() -> None:
    whole = json.loads(to_chrome(told().record))
    check_format(whole)
    names = {event["args"]["name"] for event in whole["traceEvents"] if event["name"] == "process_name"}
    assert names == {"run", "CPU", "cuda:0"}
    kinds = {event["cat"] for event in whole["traceEvents"] if event["ph"] == "X"}
    assert kinds == {"batch", "call", "load", "prefetch", "evict", "wait"}
    other = whole["otherData"]
    assert other["began"] == "2023-11-14T22:13:20+00:00"
    assert other["summary"]["plan"]["bound_s"] == 1.2
    assert other["summary"]["devices"]["cuda:0"]["switches"] == 3


def test_a_row_never_overlaps_and_the_broken_twin_does() -> None:
    spans = [Span(f"c{n}", "call", n * 0.5, n * 0.5 + 1.0) for n in range(6)]
    assert [len(row) for row in rows_of(spans)] == [3, 3]
    events = json.loads(to_chrome(Record(spans=spans)))
    check_format(events)
    for event in events["traceEvents"]:
        if event["ph"] == "X":
            event["tid"] = 1
    with pytest.raises(AssertionError):
        check_format(events)


@given(records())
def test_any_record_comes_back_from_its_trace(record: Record) -> None:
    data = to_chrome(record)
    check_format(json.loads(data))
    same(by_place(from_chrome(data)), by_place(record))


DAMAGED = {
    "no JSON": b"{",
    "another's": b'{"traceEvents": []}',
    "a list": b"[]",
    "a later format": b'{"traceEvents": [], "otherData": {"studio_trace": 99}}',
    "cut": b'{"traceEvents": [], "otherData": {"studio_trace": 1}}',
    "nested": b"[" * 100_000,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_is_no_trace_of_ours_is_said_to_be_none(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"beach\.json: is "):
        from_chrome(DAMAGED[name], "beach.json")


def test_an_unknown_kind_is_damage() -> None:
    data = to_chrome(told().record).replace(b'"cat":"evict"', b'"cat":"evil"')
    with pytest.raises(InvalidInput, match="damaged trace"):
        from_chrome(data)
