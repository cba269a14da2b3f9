"""A real run on a device of paper, recorded: what the trace says is what the card saw."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.runtime.conftest import tiny
from tests.tools.runtime.paper import SIZES, Device, judged, painted, scene
from tests.tools.runtime.telemetry.test_chrome import check_format
from tools.artifact import Artifact
from tools.model import Placing
from tools.registry import Registry
from tools.runtime.device.lane import Lane
from tools.runtime.scheduling.problem import Model
from tools.runtime.telemetry.files import read_trace, traces
from tools.runtime.telemetry.picture import draw
from tools.runtime.telemetry.record import Record
from tools.runtime.telemetry.recordings import Recordings
from tools.runtime.telemetry.summary import summarise


@pytest.fixture
def device(tmp_path: Path, registry: Registry) -> Iterator[Device]:
    made = Device(tmp_path, registry, paint={"load_s": 0.1}, eye={"load_s": 0.05})
    yield made
    made.close()


def recorded(device: Device, folder: Path, *batches: list) -> Record:  # type: ignore[type-arg]
    recordings, known, notes = Recordings(), dict[str, Artifact](), list[str]()
    for calls in batches:
        recording = recordings.of(folder, "turn", "Twelve shots", notes.append)
        executor = device.executor()
        executor.on_event, executor.on_device = recording.on_call, recording.on_device
        with recording.batch(len(calls), device.lane):
            results = executor.run(calls, known)
        known.update({name: result for name, result in results.items() if isinstance(result, Artifact)})
    assert not notes
    return read_trace(traces(folder)[0])


def test_a_scene_of_twelve_shots(device: Device, tmp_path: Path) -> None:
    record = recorded(device, tmp_path / "p", [*scene(12), tiny("film", "j11", engine="scribe")])
    found = summarise(record)
    loads = [f"load {span.name}" for span in record.spans if span.kind == "load"]
    assert loads == device.card.order("load") == ["load mind", "load paint", "load eye"]
    assert [f"evict {s.name}" for s in record.spans if s.kind == "evict"] == device.card.order("evict")
    assert found.calls == {"done": 37}
    one = found.devices["cuda:0"]
    assert one.loading_s >= 0.15
    assert 80 < one.peak_bytes <= one.budget_bytes == device.budget
    assert found.plan is not None
    assert (found.plan.switches, found.plan.real_switches) == (3, 3)
    assert found.plan.gap == 1.0
    assert found.plan.proven
    models = {span.models for span in record.spans if span.kind == "call" and span.device}
    assert models == {("mind",), ("paint",), ("eye",)}
    check_format(json.loads(traces(tmp_path / "p")[0].read_bytes()))
    assert draw(record).count("<title>") > 40


def test_a_second_batch_on_what_is_resident(device: Device, tmp_path: Path) -> None:
    record = recorded(device, tmp_path / "p", [painted("a")], [painted("b", "a"), judged("c", "b")])
    assert [batch.calls for batch in record.batches] == [1, 2]
    assert summarise(record).switches == 2
    assert max(reading.bytes for reading in record.readings) <= device.budget


def test_a_loss_and_another_attempt_are_in_the_trace(device: Device, tmp_path: Path) -> None:
    call = painted("b", deed="crash_once", scratch=str(tmp_path / "once"))
    record = recorded(device, tmp_path / "p", [call])
    assert [span.outcome for span in record.spans if span.kind == "call"] == ["again", "done"]
    assert {"lost", "again"} <= {mark.kind for mark in record.marks}
    found = summarise(record)
    assert (found.retries, found.switches) == (1, 2)
    assert found.waiting_s > 0


def test_what_an_earlier_batch_left_makes_room_for_working_memory(device: Device, tmp_path: Path) -> None:
    """Both models fit with the judge's working memory, not with the painter's: one leaves before it paints again."""
    working = {"paint": 30, "eye": 10, "mind": 10}
    models = {
        name: (entry, Model(name, SIZES[name], working[name], load_s=1.0))
        for name, entry in device.lane.entries.items()
    }
    device.budget = 145
    device.lane = Lane("cuda:0", device.budget, models, dict.fromkeys(models, Placing()), None)
    record = recorded(device, tmp_path / "p", [painted("a"), judged("b", "a")], [painted("c", "b")])
    assert [f"evict {span.name}" for span in record.spans if span.kind == "evict"] == ["evict eye"]
    assert record.again == 0
    assert max(reading.bytes for reading in record.readings) <= device.budget
