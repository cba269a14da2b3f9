"""What becomes of events: spans that begin and end where the work did, memory, counts."""

from __future__ import annotations

import time

import pytest

from tests.tools.runtime.telemetry.samples import GIB, Teller, told
from tools.runtime.events import CallEvent, DeviceEvent
from tools.runtime.telemetry.record import Span
from tools.runtime.telemetry.recorder import Recorder


def spans(teller: Teller, *kinds: str) -> list[tuple[str, str, float, float]]:
    found = [span for span in teller.record.spans if not kinds or span.kind in kinds]
    return [(span.kind, span.name, round(span.begin, 3), round(span.end, 3)) for span in found]


def test_a_call_computes_from_when_its_models_are_there() -> None:
    assert spans(told(), "call") == [
        ("call", "v", 0.0, 2.8),
        ("call", "a", 0.8, 2.8),
        ("call", "b", 3.05, 4.05),
        ("call", "b", 5.25, 6.25),
    ]


def test_a_load_is_parted_into_what_was_waited_for_and_what_went_on_beside() -> None:
    assert spans(told(), "load", "prefetch") == [
        ("load", "sdxl", 0.0, 0.8),
        ("prefetch", "eye", 0.8, 2.3),
        ("load", "eye", 2.8, 3.05),
        ("load", "eye", 4.55, 5.25),
    ]


def test_a_prefetch_that_somebody_waited_for_went_on_until_then() -> None:
    t = Teller()
    t.recorder.begin_batch(1)
    t.device("prefetch", "eye").after(2.0).device("load", "eye", seconds=0.5, moved_s=9.0)
    assert spans(t) == [("prefetch", "eye", 0.0, 1.5), ("load", "eye", 1.5, 2.0)]


def test_a_further_attempt_ends_the_one_before() -> None:
    t = told()
    first, second = [span for span in t.record.spans if span.name == "b" and span.kind == "call"]
    assert (first.outcome, first.text, first.models) == (
        "again", "b: attempt 2 of 2. its process died", ("eye", "sdxl"),
    )  # fmt: skip
    assert (second.outcome, second.models) == ("done", ("eye",))
    assert t.record.again == 1
    assert [mark.kind for mark in t.record.marks] == ["plan", "lost", "again"]


def test_what_a_call_waits_for_besides_its_models_is_told() -> None:
    assert spans(told(), "wait") == [("wait", "b", 4.05, 4.45)]
    wait = next(span for span in told().record.spans if span.kind == "wait")
    assert wait.text == "a pause before another attempt"
    t = Teller()
    t.recorder.begin_batch(1)
    t.call("a", "running", "cuda:0").device("wait", text="process 7 has it").after(3.0)
    t.device("lease", seconds=3.0).device("load", "m").device("run", "a", text="m").after(1.0).call(
        "a", "done", "cuda:0"
    )
    assert [(span.kind, span.seconds, span.text) for span in t.record.spans if span.kind == "wait"] == [
        ("wait", 3.0, "process 7 has it")
    ]


def test_memory_rises_with_a_call_and_falls_with_its_end() -> None:
    readings = [(round(one.at, 2), one.bytes // GIB) for one in told().record.readings]
    assert readings == [
        (0.0, 0), (0.8, 7), (0.8, 9), (0.8, 14), (2.8, 12),
        (3.05, 12), (3.05, 13), (4.05, 7), (4.05, 7), (4.55, 0),
        (5.25, 5), (5.25, 6), (6.25, 5),
    ]  # fmt: skip


def test_calls_that_never_computed_were_waiting() -> None:
    t = Teller()
    t.recorder.begin_batch(1)
    t.call("a", "running", "cuda:0").after(2.0).call("a", "cancelled", "cuda:0", text="stopped")
    assert [(span.kind, span.outcome) for span in t.record.spans] == [("wait", "cancelled")]


def test_what_is_open_when_a_batch_ends_was_broken_off() -> None:
    t = Teller()
    t.recorder.begin_batch(2)
    t.call("v", "running").after(1.5)
    t.recorder.end_batch()
    assert t.record.spans == [Span("v", "call", 0.0, 1.5, "", "generate_image", "sdxl", "unfinished")]
    assert t.record.batches[0].calls == 2


def test_calls_are_counted_and_made_again_ones_too() -> None:
    t = told()
    t.recorder.begin_batch(1)
    t.call("a", "running", "cuda:0").device("run", "a", text="sdxl").call("a", "done", "cuda:0")
    t.recorder.end_batch()
    assert {key[2]: count for key, count in t.record.counts.items()} == {"done": 4, "cached": 1}
    assert t.record.remade == 1


@pytest.mark.parametrize("kind", ["call", "device"])
def test_an_event_costs_a_small_part_of_a_millisecond(kind: str) -> None:
    recorder = Recorder()
    recorder.begin_batch(1)
    events = 6000
    began = time.process_time()
    for number in range(events // 3):
        name = f"c{number}"
        if kind == "call":
            recorder.hear_call(CallEvent(name, "t", "e", "queued"))
            recorder.hear_call(CallEvent(name, "t", "e", "running"))
            recorder.hear_call(CallEvent(name, "t", "e", "done"))
        else:
            recorder.hear_call(CallEvent(name, "t", "e", "running", device="cuda:0"))
            recorder.hear_device(DeviceEvent("cuda:0", "load", "m", 0.1, 5))
            recorder.hear_device(DeviceEvent("cuda:0", "run", name, text="m"))
            recorder.hear_call(CallEvent(name, "t", "e", "done", device="cuda:0"))
    assert (time.process_time() - began) / events < 0.25e-3, "0.03 ms on an idle core"
