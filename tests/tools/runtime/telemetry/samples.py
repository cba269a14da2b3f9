"""Records for tests: one told by hand, and any that hypothesis can think of."""

from __future__ import annotations

from hypothesis import strategies as st

from tools.runtime.events import CallEvent, CallStatus, DeviceAction, DeviceEvent, PlanFigures
from tools.runtime.telemetry.record import Batch, Mark, PlanMade, Reading, Record, Span
from tools.runtime.telemetry.recorder import Recorder

GIB = 2**30
FIGURES = PlanFigures(3, 2, 1.5, 1.2, 9.0, 12 * GIB, 15 * GIB, False)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Teller:
    """A recorder with a clock, and short words for events."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.recorder = Recorder("The beach", "the_beach", self.clock, lambda: 1_700_000_000.0)

    @property
    def record(self) -> Record:
        return self.recorder.record

    def after(self, seconds: float) -> Teller:
        self.clock.now += seconds
        return self

    def call(self, name: str, status: CallStatus, device: str = "", seconds: float = 0.0, text: str = "") -> Teller:
        event = CallEvent(name, "generate_image", "sdxl", status, text=text, seconds=seconds, device=device)
        self.recorder.hear_call(event)
        return self

    def device(
        self,
        action: DeviceAction,
        model: str = "",
        seconds: float = 0.0,
        size: int = 0,
        text: str = "",
        moved_s: float = 0.0,
        plan: PlanFigures | None = None,
    ) -> Teller:
        event = DeviceEvent("cuda:0", action, model, seconds, size, text, moved_s, plan, at=self.clock.now)
        self.recorder.hear_device(event)
        return self


def told() -> Teller:
    """A run with a load, a call, a prefetch beside it, an eviction, a loss with another attempt, and a CPU call."""
    t = Teller()
    t.recorder.begin_batch(4)
    t.recorder.find_device("cuda:0", 15 * GIB, 0)
    t.device("plan", text="3 calls, 2 switches\n  + sdxl", seconds=9.0, size=12 * GIB, plan=FIGURES)
    t.call("a", "queued", seconds=2.0).call("a", "running", "cuda:0").call("v", "running")
    t.after(0.8).device("load", "sdxl", 0.8, 7 * GIB, moved_s=0.8)
    t.device("run", "a", size=9 * GIB, text="sdxl").device("prefetch", "eye", size=14 * GIB)
    t.after(2.0).call("v", "done").call("a", "done", "cuda:0", seconds=2.8)
    t.call("b", "running", "cuda:0").after(0.25).device("load", "eye", 0.25, 12 * GIB, moved_s=1.5)
    t.device("run", "b", size=13 * GIB, text="eye, sdxl").after(1.0).device("lost", "eye", size=7 * GIB)
    t.device("again", "b", text="b: attempt 2 of 2. its process died")
    t.after(0.5).device("evict", "sdxl", 0.1, 0).after(0.7).device("load", "eye", 0.7, 5 * GIB, moved_s=0.7)
    t.device("run", "b", size=6 * GIB, text="eye").after(1.0).call("b", "done", "cuda:0")
    t.call("c", "cached")
    t.recorder.end_batch()
    return t


TEXTS = st.text(max_size=12)
TIMES = st.floats(0.0, 500.0, allow_nan=False)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any record: on a device nothing overlaps but what is loaded beside; on the CPU anything does."""
    record = Record(draw(TEXTS), draw(TEXTS), draw(st.floats(0, 4e9)))
    for device in draw(st.lists(st.sampled_from(["cuda:0", "cuda:1", "mps"]), unique=True, max_size=2)):
        at = draw(TIMES)
        for kind in draw(st.lists(st.sampled_from(["call", "load", "evict", "wait"]), max_size=8)):
            end = at + draw(st.floats(0.0, 20.0))
            outcome = draw(st.sampled_from(["done", "failed", "again", "cancelled", "unfinished"]))
            models = tuple(draw(st.lists(st.sampled_from("xyz"), max_size=2))) if kind == "call" else ()
            record.spans.append(
                Span(draw(TEXTS), kind, at, end, device, "paint", "sdxl", outcome, draw(TEXTS), models, 1.5)  # type: ignore[arg-type]
            )
            record.readings.append(Reading(at, device, draw(st.integers(0, 2**36))))
            at = end + draw(st.floats(0.0, 5.0))
        record.budgets[device] = draw(st.integers(1, 2**36))
        if draw(st.booleans()):
            record.plans.append(PlanMade(draw(TIMES), device, draw(st.booleans()), FIGURES))
        record.marks.append(Mark(draw(TIMES), "again", device, draw(TEXTS)))
    for _ in range(draw(st.integers(0, 8))):
        begin = draw(TIMES)
        record.spans.append(Span(draw(TEXTS), "call", begin, begin + draw(st.floats(0, 30)), "", "speak", "espeak"))
    for _ in range(draw(st.integers(0, 3))):
        begin = draw(TIMES)
        record.batches.append(Batch(begin, begin + draw(st.floats(0, 60)), draw(st.integers(1, 50))))
    record.counts = {("paint", "sdxl", "done"): draw(st.integers(0, 9)), ("speak", "espeak", "cached"): 1}
    record.again = draw(st.integers(0, 5))
    record.spans.sort(key=lambda span: span.end)
    return record
