"""Thousands of seeded schedules in which everything goes wrong: no overlap, never over budget, no leak, no deadlock.

What happened is judged by what the simulated device saw, not by the ledger. STUDIO_FULL=1 runs all 10,000. Each twin
leaves one safeguard out, and must be found out.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from configs.retries import load_retries
from tools.runtime.clock import Clock
from tools.runtime.device.lane import Lane
from tools.runtime.device.visit import Visit
from tools.runtime.residency.ledger import Ledger
from tools.runtime.scheduling.problem import Model, Problem, Task
from tools.runtime.simulate import CALM, ROUGH, Faults, Machine, Report, simulate
from tools.runtime.simulation.drawn import draw
from tools.runtime.simulation.faults import Dice
from tools.runtime.simulation.sim_clock import SimClock, SimInbox

FULL = bool(os.environ.get("STUDIO_FULL"))
SCHEDULES = 10_000 if FULL else 200
RULES = load_retries().calls
ROOT = Path(__file__).parents[3]


def run(seed: int, faults: Faults = ROUGH, make_machine: type[Machine] = Machine) -> Report:
    return draw(seed).run(faults, RULES, make_machine)


def broken(seeds: Iterable[int], **how: Any) -> Counter[str]:
    """In how many of these schedules each kind of violation was seen."""
    return Counter(kind for seed in seeds for kind in {violation.kind for violation in run(seed, **how).violations})


def test_nothing_goes_wrong_that_must_not() -> None:
    struck: Counter[str] = Counter()
    peak = 0.0
    for seed in range(SCHEDULES):
        report = run(seed)
        peak = max(peak, report.peak)
        assert not report.violations, f"seed {seed}: {'; '.join(map(str, report.violations[:4]))}"
        assert report.peak <= 12
        struck.update(report.struck)
    print(f"{SCHEDULES} schedules, 0 violations, at most {peak:g} of 12 GB, {dict(struck)}")
    kinds = {"full", "death", "hang", "blank", "idle_death", "cancel", "stubborn", "studio_death"}
    assert {kind for kind in kinds if struck[kind] >= SCHEDULES / 100} == kinds, "every kind of accident has happened"


def test_without_accidents_every_call_is_made_once() -> None:
    for seed in range(40):
        drawn = draw(seed)
        report = drawn.run(CALM, RULES)
        assert not report.violations
        wanted = sorted(task.id for problem in drawn.problems for task in problem.tasks.values() if task.models)
        assert sorted(report.order) == wanted
        assert report.failed == 0


def test_what_was_stopped_or_killed_is_finished_by_the_same_command() -> None:
    faults = Faults(cancel=0.6, stubborn=0.5, studio_death=0.6, linger_s=1.5)
    for seed in range(30):
        drawn, report = draw(seed), run(seed, faults)
        assert not report.violations
        assert (report.finished, report.failed) == (sum(len(problem.tasks) for problem in drawn.problems), 0)


def test_one_seed_gives_one_schedule() -> None:
    reports = [run(seed) for seed in range(6)]
    assert [run(seed).sights for seed in range(6)] == [report.sights for report in reports]
    assert reports[1].sights != reports[2].sights


def test_one_seed_gives_one_schedule_in_every_process() -> None:
    """Whatever order sets of names have there."""
    code = (
        "from tools.runtime.simulation.drawn import draw\n"
        "for seed in range(6): print([(s.at_s, s.what, s.name) for s in draw(seed).run().sights])"
    )

    def told(hash_seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True
        ).stdout

    assert told("1") == told("2") != b""


# -- broken twins ----------------------------------------------------------------------------------------------------


class NoLease(Machine):
    """Nobody asks whether the device is somebody else's."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.desk = None


def test_without_the_lease_studios_collide() -> None:
    seen = broken(range(30), faults=CALM, make_machine=NoLease)
    assert seen["overlap"] >= 5
    assert not broken(range(30), faults=CALM)


def test_without_time_for_a_dead_studios_workers_the_next_one_collides() -> None:
    class NoGrace(Machine):
        """A dead holder's device is taken at once."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            assert self.desk is not None
            self.desk.lingering = lambda *_args: []  # type: ignore[method-assign]

    faults = Faults(studio_death=1.0, linger_s=1.5)
    assert broken(range(30), faults=faults, make_machine=NoGrace)["overlap"] >= 5
    assert not broken(range(30), faults=faults)


def in_turns(seconds: float, gap_s: float) -> Problem:
    """Three models that live apart and fit together, used one after another, with work of the CPU in between."""
    models = [Model("eye", 3, 1, 0.5), Model("mind", 4, 1, 0.5), Model("paint", 4, 1, 0.5)]
    tasks: list[Task] = []
    for number in range(4):
        for model in models:
            needs = (tasks[-1].id,) if tasks else ()
            tasks.append(Task(f"{model.name}_{number}", frozenset({model.name}), needs, seconds))
        tasks.append(Task(f"cpu_{number}", frozenset(), (tasks[-1].id,), gap_s))
    return Problem.of(tasks, models, 12, cpu_slots=1)


def give_back_whatever_happens(lane: Lane, visit: Visit) -> None:
    """The twin: the lease goes also where not all weights have gone."""
    try:
        visit.finish_fetching()
        visit.evict(sorted(lane.resident))
    finally:
        assert lane._lease is not None
        lane._lease.release()


@pytest.mark.parametrize("accident", ["a worker dies", "the run is stopped"])
def test_the_device_is_given_back_whole(accident: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if accident == "a worker dies":
        monkeypatch.setattr(Dice, "of_other", lambda dice: "death" if dice.strikes("death", 0.3) else "")
        problem, faults = in_turns(2.0, 5.0), CALM
    else:
        monkeypatch.setattr("tools.runtime.simulation.sim_worker._EVICT_S", 10.0)
        problem, faults = in_turns(25.0, 0.1), Faults(cancel=1.0, stubborn=1.0)

    def overlaps() -> int:
        reports = [simulate([problem] * 2, studios=2, one_worker=False, seed=seed, faults=faults) for seed in range(24)]
        return sum(any(violation.kind == "overlap" for violation in report.violations) for report in reports)

    with monkeypatch.context() as patch:
        patch.setattr(Lane, "_give_back", give_back_whatever_happens)
        patch.setattr(Visit, "unstoppable", lambda visit: visit)
        assert overlaps() >= 1
    assert overlaps() == 0


def test_without_the_budget_the_device_overflows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Ledger, "_check_room", lambda *_args: None)
    monkeypatch.setattr(Ledger, "to_evict", lambda *_args: [])
    monkeypatch.setattr("tools.runtime.device.visit.Visit.evict", lambda *_args: None)
    assert broken(range(20), faults=CALM)["over_budget"] >= 5


def test_with_the_turn_taken_by_all_calls_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    class TwoWorkers(Machine):
        """The device has two workers in one studio, and nobody waits for his turn."""

        def __init__(self, problems: Any, **options: Any) -> None:
            super().__init__(problems, **options)
            stacks = self.productions[0].registry.entries.stacks
            for name in [name for name in stacks if name != "core"]:
                stacks[name] = stacks[name].model_copy(update={"workers": 3})

    monkeypatch.setattr(SimClock, "lock", lambda _clock: OpenLock())
    monkeypatch.setattr(Ledger, "_check_room", lambda *_args: None)
    seen = broken(range(20), faults=CALM, make_machine=TwoWorkers)
    assert seen["overlap"] + seen["over_budget"] + seen["missing_model"] + seen["bug"] >= 5


class OpenLock:
    """Lets everybody in."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        return True

    def release(self) -> None: ...

    def __enter__(self) -> bool:
        return True

    def __exit__(self, *_: object) -> None: ...


def test_weights_forgotten_after_a_death_are_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Visit, "_strike", lambda *_args: None)
    assert broken(range(40), faults=Faults(death=0.15))["leak"] >= 5
    monkeypatch.undo()
    assert not broken(range(40), faults=Faults(death=0.15))


def test_weights_that_stay_when_they_are_evicted_are_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(*_args: Any) -> dict[str, Any]:
        return {}

    monkeypatch.setattr("tools.runtime.simulation.sim_worker.SimWorker._do_evict", keep)
    seen = broken(range(20), faults=CALM)
    assert seen["leak"] + seen["over_budget"] >= 10


class DeafInbox(SimInbox):
    """Whoever waits is not woken, and does not look by himself."""

    def put(self, item: Any) -> None:
        self._items.append(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        return super().get(block, None)


def test_a_lost_wake_up_is_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimClock, "inbox", lambda clock: DeafInbox(clock.world))
    assert broken(range(10), faults=CALM)["deadlock"] >= 5


def test_a_turn_that_is_not_given_back_is_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.runtime.simulation.sim_lease import SimLease

    monkeypatch.setattr(SimLease, "release", lambda _lease: None)
    seen = broken(range(30), faults=CALM)
    assert seen["deadlock"] + seen["leak"] >= 10


def test_the_simulated_clock_has_all_that_the_real_one_has() -> None:
    public = {name for name in vars(Clock) if not name.startswith("_")}
    assert public <= vars(SimClock).keys()
