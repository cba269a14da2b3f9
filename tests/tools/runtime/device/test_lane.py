"""Calls with models: in the order of the plan, one at a time, within the budget, and on after every accident."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.tools.runtime.conftest import ALLOW, tiny
from tests.tools.runtime.paper import SIZES, Device, check_card, judged, keys, painted, scene
from tests.tools.runtime.tiny_models import Card
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import Cancelled, EngineCrashed, EngineHung, OutOfMemory
from tools.registry import Registry
from tools.runtime.device.lease import GpuLease
from tools.runtime.workers.pool import WorkerPool

Make = Callable[..., Device]


@pytest.fixture
def make_device(tmp_path: Path, registry: Registry) -> Iterator[Make]:
    made: list[Device] = []

    def make(**options: Any) -> Device:
        made.append(Device(tmp_path, registry, **options))
        return made[-1]

    yield make
    for device in made:
        device.close()


def test_models_are_switched_as_rarely_as_the_calls_allow(make_device: Make) -> None:
    device = make_device()
    results = device.executor().run(scene(4))
    assert len(keys(results)) == 12
    assert device.card.order("load") == ["load mind", "load paint", "load eye"]
    assert device.card.order("evict") == ["evict mind", "evict paint"]
    check_card(device.card, device.budget)
    plan = next(event for event in device.events if event.action == "plan")
    assert "3 switches" in plan.text
    assert plan.bytes <= device.budget


def test_what_is_resident_is_used_first_in_the_next_run(make_device: Make) -> None:
    device = make_device()
    device.executor().run([painted("a"), judged("b", "a")])
    device.executor().run([painted("c"), judged("d")])
    assert device.card.order("load") == ["load paint", "load eye", "load paint"]


def test_models_that_fit_together_stay(make_device: Make) -> None:
    device = make_device(budget=300)
    device.executor().run(scene(2))
    assert not device.card.order("evict")
    assert device.actions("prefetch"), "the next model is loaded while the present one computes"
    check_card(device.card, device.budget)


def test_a_call_may_need_two_models(make_device: Make) -> None:
    device = make_device(budget=145)
    results = device.executor().run([tiny("w", engine="writer"), tiny("e", "w", engine="ensemble"), judged("j", "e")])
    assert len(keys(results)) == 3
    check_card(device.card, device.budget)


def illustrated(name: str, *needs: str, **args: Any) -> Call:
    return tiny(name, *needs, engine="illustrator", **args)


def test_a_companion_is_there_for_the_calls_that_use_it_and_in_the_account(make_device: Make) -> None:
    device = make_device(budget=145)
    calls = [illustrated("a"), illustrated("b", "a", scratch="eye"), illustrated("c", "b")]
    assert len(keys(device.executor().run(calls))) == 3
    assert device.card.order("given") == ["given paint", "given eye paint", "given paint"]
    assert device.card.order("load") == ["load paint", "load eye"]
    check_card(device.card, device.budget)
    before = len(device.card.lines())
    device.executor().run(calls)
    assert len(device.card.lines()) == before, "with the same companions a result is the same"


def test_a_companion_makes_room_like_every_model(make_device: Make) -> None:
    device = make_device(budget=145)
    device.executor().run([tiny("w", engine="writer"), illustrated("a", "w", scratch="eye")])
    assert device.card.order("evict") == ["evict mind"]
    check_card(device.card, device.budget)


def test_companions_that_do_not_fit_beside_are_refused_before_anything_runs(make_device: Make) -> None:
    device = make_device(budget=100)
    from tools.errors import InvalidInput

    with pytest.raises(InvalidInput, match="eye, paint take"):
        device.executor().run([illustrated("a", scratch="eye")])
    with pytest.raises(InvalidInput, match="nonsense"):
        device.executor().run([illustrated("a", scratch="nonsense")])
    assert not device.card.lines()


def test_a_companion_that_is_not_on_this_machine_is_not_brought(registry: Registry) -> None:
    from tools.runtime.graph import CallGraph

    calls = [illustrated("a", scratch="eye mind")]
    assert CallGraph.build(calls, (), registry, None, {"mind"}).nodes["a"].engine.models == ("paint", "mind")
    assert CallGraph.build(calls, (), registry).nodes["a"].engine.models == ("paint",)


def test_two_models_that_never_fit_together_are_refused_before_anything_runs(make_device: Make) -> None:
    device = make_device(budget=100)
    from tools.errors import InvalidInput

    with pytest.raises(InvalidInput, match="the budget is"):
        device.executor().run([tiny("w", engine="writer"), tiny("e", "w", engine="ensemble")])
    assert not device.card.lines()


def test_a_result_in_the_store_needs_no_device(make_device: Make) -> None:
    device = make_device()
    device.executor().run(scene(2))
    before = len(device.card.lines())
    device.executor().run(scene(2))
    assert len(device.card.lines()) == before


def test_results_are_those_of_a_run_without_accidents(make_device: Make, tmp_path: Path) -> None:
    device = make_device()
    calls = [
        painted("a"),
        painted("b", "a", deed="crash_once", scratch=str(tmp_path / "once")),
        judged("c", "b"),
        painted("d", "c"),
    ]
    rough = device.executor("rough").run(calls)
    assert keys(rough) == keys(device.executor("smooth").run(calls))
    assert "lost paint" in device.actions("lost")
    assert device.lane.ledger.snapshot().working == 0


def test_a_call_that_dies_every_time_ends_with_a_typed_error_and_the_next_is_made(make_device: Make) -> None:
    device = make_device()
    results = device.executor().run([painted("bad", deed="kill"), painted("good")])
    assert isinstance(results["bad"], EngineCrashed)
    assert isinstance(results["good"], Artifact)


def test_a_model_that_cannot_be_read_fails_its_calls_only(make_device: Make) -> None:
    device = make_device(paint={"crash_on_load": True})
    results = device.executor().run([painted("p"), judged("j")])
    assert isinstance(results["p"], EngineCrashed)
    assert isinstance(results["j"], Artifact)
    assert device.lane.resident == {"eye"}


def test_the_worker_may_die_between_calls(make_device: Make) -> None:
    device = make_device()
    device.executor().run([painted("a")])
    pid = device.card.lines()[-1]["pid"]
    os.kill(pid, signal.SIGKILL)
    results = device.executor().run([painted("b")])
    assert isinstance(results["b"], Artifact)
    assert device.card.order("load") == ["load paint", "load paint"]


def test_a_run_that_is_stopped_leaves_the_device_to_the_next(make_device: Make) -> None:
    device = make_device()
    cancel = threading.Event()
    threading.Timer(0.8, cancel.set).start()
    results = device.executor(cancel=cancel).run([painted("long", deed="patient"), judged("later", "long")])
    assert isinstance(results["long"], Cancelled)
    assert isinstance(results["later"], Cancelled)
    assert isinstance(device.executor().run([judged("next")])["next"], Artifact)
    check_card(Card(device.card.path), device.budget)


def run_beside(device: Device, batches: Sequence[list[Call]]) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = [{} for _ in batches]

    def run(index: int) -> None:
        results[index] = device.executor(f"store{index}").run(batches[index])

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(batches))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_two_runs_share_the_device_without_touching(make_device: Make) -> None:
    device = make_device()
    results = run_beside(device, [scene(3), scene(3)])
    assert all(len(keys(result)) == 9 for result in results)
    check_card(device.card, device.budget)


def test_without_the_account_two_runs_do_collide(make_device: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: nobody waits for his turn, and the device has two workers."""
    device = make_device()
    device.pool.close()
    stacks = {"card": device.registry.stacks["card"].model_copy(update={"workers": 2})}
    device.pool = WorkerPool(2, stacks, allow=ALLOW)

    class NoTurn:
        def acquire(self, *_args: Any, **_kwargs: Any) -> bool:
            return True

        def release(self) -> None:
            return

        def __enter__(self) -> None:
            return

        def __exit__(self, *_: object) -> None:
            return

    monkeypatch.setattr(device.lane, "_turn", NoTurn())
    results = run_beside(device, [[painted(f"{run}{n}", seconds=0.05) for n in range(4)] for run in "ab"])
    broken = any(len(keys(result)) < 4 for result in results)
    try:
        check_card(device.card, device.budget)
    except (AssertionError, KeyError):
        broken = True
    assert broken


def test_two_studios_take_turns(make_device: Make, tmp_path: Path) -> None:
    """Another process wants the device: weights leave it before it is given."""
    device = make_device(lease=True)
    device.executor().run([painted("a")])
    assert device.lane.resident == {"paint"}
    other = GpuLease("test-card", root=tmp_path)
    with other.hold(timeout_s=5.0):
        assert not device.lane.resident
        assert device.card.order("load", "evict") == ["load paint", "evict paint"]
        cancel = threading.Event()
        threading.Timer(0.3, cancel.set).start()
        assert isinstance(device.executor(cancel=cancel).run([painted("b")])["b"], Cancelled)
    assert isinstance(device.executor().run([painted("b")])["b"], Artifact)
    assert "wait" in device.actions("wait")


def test_a_device_that_says_it_is_full_is_told_as_such(make_device: Make) -> None:
    device = make_device(paint={"room": 20})
    result = device.executor().run([painted("p")])["p"]
    assert isinstance(result, OutOfMemory)
    assert isinstance(device.executor().run([judged("j")])["j"], Artifact)
    assert device.lane.ledger.snapshot().weights == SIZES["eye"]


def test_memory_runs_out_and_the_mildest_step_mends_it_with_the_same_result(make_device: Make) -> None:
    device = make_device()
    result = device.executor().run([painted("p", deed="memory")])["p"]
    assert isinstance(result, Artifact)
    assert result.record.degraded == ()
    assert [event.text for event in device.events if event.action == "step_down"] == [
        "sliced attention: attention is computed in parts (about 1.1 times slower)"
    ]
    assert device.card.order("read") == ["read paint"], "weights are not loaded anew for it"


def test_a_step_that_changes_the_result_is_written_down_and_has_a_key_of_its_own(make_device: Make) -> None:
    device = make_device(paint={"needs_step": "quantise=int8"})
    calls = [painted("a", deed="memory"), painted("b", "a", deed="memory")]
    results = device.executor().run(calls)
    for name in "ab":
        result = results[name]
        assert isinstance(result, Artifact)
        assert (
            "8-bit weights: weights are kept in 8 bits (the result is not the one asked for)" in result.record.degraded
        )
    steps = device.actions("step_down")
    assert len(steps) == 3, "the second call begins where the first arrived"
    assert device.card.order("read") == ["read paint", "read paint"]
    check_card(device.card, device.budget)
    device.events.clear()
    again = device.executor().run(calls)
    assert keys(again) == keys(results)
    assert device.actions("step_down"), "another run asks for the whole first"


def test_no_step_left_is_said_with_what_was_tried(make_device: Make) -> None:
    device = make_device(paint={"needs_step": "quantise=int2"})
    result = device.executor().run([painted("p", deed="memory"), judged("j")])
    assert isinstance(result["p"], OutOfMemory)
    assert "Tried: sliced attention, tiled decoder, 8-bit weights" in str(result["p"])
    assert isinstance(result["j"], Artifact)


def test_others_leave_first_when_memory_runs_out(make_device: Make) -> None:
    device = make_device(budget=300)
    device.executor().run([judged("j")])
    result = device.executor().run([painted("p", deed="memory")])["p"]
    assert isinstance(result, Artifact)
    assert device.card.order("evict") == ["evict eye"]
    assert [event.text.partition(":")[0] for event in device.events if event.action == "step_down"] == [
        "free the device", "sliced attention",
    ]  # fmt: skip


def test_others_leave_for_a_model_that_turns_out_larger_than_predicted(make_device: Make) -> None:
    device = make_device(budget=140, paint={"bytes": 85})
    device.executor().run([judged("j")])
    result = device.executor().run([painted("p")])["p"]
    assert isinstance(result, Artifact)
    assert not device.actions("step_down"), "nothing is made worse for it"
    assert device.card.order("evict", "unload", "load") == ["load eye", "load paint", "evict eye"]
    assert device.lane.ledger.snapshot().weights == 85


@pytest.mark.parametrize("size", [95, 120])
def test_a_model_larger_than_the_device_fails_its_own_calls_and_no_run(make_device: Make, size: int) -> None:
    """95 fit alone, and leave too little to work; 120 do not."""
    device = make_device(paint={"bytes": size})
    for attempt in ("first", "again"):
        results = device.executor().run([painted(f"a{attempt}"), judged(f"j{attempt}"), painted(f"b{attempt}")])
        assert [type(result).__name__ for result in results.values()] == ["NoStepLeft", "Artifact", "NoStepLeft"]
    assert device.lane.ledger.snapshot().weights <= SIZES["eye"]


def test_a_prefetch_that_found_no_room_makes_nothing_worse(make_device: Make) -> None:
    device = make_device(budget=300, paint={"full_once": True})
    results = device.executor().run([judged("j", seconds=0.2), painted("p", "j")])
    assert len(keys(results)) == 2
    assert device.actions("prefetch")
    assert device.card.order("refused") == ["refused paint"]
    assert not device.actions("step_down")


def test_memory_that_runs_out_beside_a_prefetch_is_mended_without_it(make_device: Make) -> None:
    device = make_device(budget=300, eye={"needs_step": "alone"}, paint={"load_s": 0.3})
    results = device.executor().run([judged("j", deed="memory"), painted("p", "j")])
    assert len(keys(results)) == 2
    steps = [event.text.partition(":")[0] for event in device.events if event.action == "step_down"]
    assert steps == ["free the device"]
    assert device.actions("prefetch") == ["prefetch paint"], "not beside the second attempt"


def test_what_a_call_took_is_not_learned_where_something_was_loaded_beside_it(
    make_device: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = make_device(budget=300)
    learned: list[str] = []
    monkeypatch.setattr(device.lane, "learn_working", lambda names, _answer: learned.extend(names))
    device.executor().run([judged("j", seconds=0.2), painted("p", "j")])
    assert device.actions("prefetch") == ["prefetch paint"]
    assert learned == ["paint"]


@pytest.mark.parametrize(("device_name", "kind"), [("cuda:0", EngineHung), ("cpu", Artifact)])
def test_without_a_gpu_an_engine_for_one_is_given_time(make_device: Make, device_name: str, kind: type) -> None:
    """The painter counts as hung after 1.5 s: on a device, not on the CPU."""
    device = make_device()
    device.lane.device = device_name
    assert isinstance(device.executor().run([painted("p", seconds=2.2)])["p"], kind)


def test_where_a_model_cannot_be_brought_nothing_is_spared_on_its_calls(make_device: Make) -> None:
    device = make_device(paint={"room": 40})
    artifact = device.executor().run([painted("p")])["p"]
    assert isinstance(artifact, Artifact), artifact
    steps = [event.text.partition(":")[0] for event in device.events if event.action == "step_down"]
    assert steps == ["8-bit weights"]
    assert len(artifact.record.degraded) == 1, "no tiles are told of, for there were none"


def test_what_sleepers_keep_of_the_device_is_given_back_with_it(make_device: Make, tmp_path: Path) -> None:
    device = make_device(lease=True, paint={"left": 5})
    device.executor().run([painted("a")])
    with GpuLease("test-card", root=tmp_path).hold(timeout_s=5.0):
        assert device.card.order("evict", "unload") == ["evict paint", "unload paint"]
        assert device.lane.ledger.snapshot().weights == 0


def test_what_a_server_of_somebody_else_keeps_is_counted_after_it_was_let_go(make_device: Make, tmp_path: Path) -> None:
    device = make_device(lease=True, paint={"left": 5, "stays": True})
    device.executor().run([painted("a")])
    with GpuLease("test-card", root=tmp_path).hold(timeout_s=5.0):
        assert device.lane.ledger.state("paint") == "cold"
        assert device.lane.ledger.snapshot().weights == 5
    assert isinstance(device.executor().run([painted("b")])["b"], Artifact)
    assert device.lane.ledger.snapshot().weights == SIZES["paint"]


def test_a_model_larger_than_predicted_says_so_before_it_takes_a_byte(make_device: Make) -> None:
    """The others leave first: the card never holds more than the budget."""
    device = make_device(budget=150, paint={"bytes": 95, "tells_size": True})
    results = device.executor().run([judged("j"), painted("p", "j"), judged("k", "p")])
    assert len(keys(results)) == 3
    assert device.lane.ledger.model("paint").weights == 95
    assert device.card.order("read") == ["read eye", "read paint"]
    check_card(device.card, device.budget)


def test_one_that_tells_it_too_late_is_over_the_budget_for_a_moment(make_device: Make) -> None:
    """The broken twin of the above."""
    device = make_device(budget=150, paint={"bytes": 95})
    assert len(keys(device.executor().run([judged("j"), painted("p", "j")]))) == 2
    with pytest.raises(AssertionError):
        check_card(device.card, device.budget)
