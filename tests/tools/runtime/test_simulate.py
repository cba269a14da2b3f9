"""The simulation: what the plan promised, orders compared, virtual time, and the same loads as the real thing."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import tools.runtime.clock
from configs.models import ModelEntry
from evals.simulate import compare, stress
from tests.tools.runtime.conftest import ALLOW, tiny
from tests.tools.runtime.tiny_models import Card
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import InvalidInput
from tools.model import Placing
from tools.registry import Registry
from tools.runtime.device.lane import Lane
from tools.runtime.executor import Executor
from tools.runtime.scheduling.instances import PRESETS, scene
from tools.runtime.scheduling.problem import Model, Problem, Task
from tools.runtime.scheduling.search import plan_order
from tools.runtime.simulate import CALM, ROUGH, WEAR, Faults, problem_of, simulate
from tools.runtime.simulation.orders import POLICIES, as_react_loop
from tools.runtime.simulation.sim_clock import SimClock
from tools.runtime.simulation.world import World
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

TWELVE = scene(PRESETS["twelve-shot"], 1).known


def test_the_runtime_carries_out_what_the_plan_promised() -> None:
    plan, report = plan_order(TWELVE), simulate(TWELVE)
    assert report.violations == ()
    assert (report.finished, report.failed) == (len(TWELVE.tasks), 0)
    assert (report.switches, report.switch_s, report.peak) == (plan.switches, plan.switch_s, plan.peak_bytes)
    assert report.wall_s == pytest.approx(plan.wall_s, rel=0.01)
    assert report.computing_s == pytest.approx(sum(task.seconds for task in TWELVE.tasks.values() if task.models))
    assert report.waiting_s < 0.01 * report.wall_s


@pytest.mark.parametrize(("preset", "least"), [("twelve-shot", 5.0), ("24-shot", 10.0)])
def test_ours_switches_for_far_less_than_the_orders_of_others(preset: str, least: float) -> None:
    plan, compared = compare(PRESETS[preset], 1)
    ratios = {one.report.policy: one.ratio for one in compared}
    assert not any(one.report.violations for one in compared)
    assert ratios["ours"] <= 1.10
    assert ratios["insertion"] >= least * ratios["ours"]
    assert ratios["ours"] <= ratios["greedy"] < ratios["insertion"] < ratios["react"]
    walls = {one.report.policy: one.report.wall_s for one in compared}
    assert walls["ours"] == min(walls.values())
    assert plan.proven


def test_a_react_loop_thinks_before_every_call() -> None:
    problem = scene(1, 1).known
    loop = as_react_loop(problem, "llm")
    order = loop.order()
    assert [name for name in order if not name.startswith("thought")] == problem.order()
    assert all(order[place].startswith("thought") for place in range(0, len(order), 2))
    with pytest.raises(InvalidInput, match="mind"):
        as_react_loop(problem, "mind")


def test_several_studios_take_turns() -> None:
    problem = scene(3, 2).known
    report = simulate([problem] * 3, studios=3, seed=5)
    assert not report.violations
    assert report.finished == 3 * len(problem.tasks)
    holders = [sight.studio for sight in report.sights if sight.what == "begin"]
    assert set(holders) == {"studio1", "studio2", "studio3"}


def test_a_scene_is_finished_through_wear_and_tear() -> None:
    report = simulate(TWELVE, seed=3, faults=WEAR)
    assert not report.violations
    assert report.struck
    assert report.finished + report.failed == len(TWELVE.tasks)


def test_what_cannot_be_simulated_is_refused() -> None:
    with pytest.raises(InvalidInput, match="a production"):
        simulate([])
    with pytest.raises(InvalidInput, match="same models"):
        simulate([TWELVE, Problem.of([], [Model("a", 1)], 5)])
    with pytest.raises(InvalidInput, match="lower-case"):
        simulate(Problem.of([Task("t", frozenset({"A B"}))], [Model("A B", 1)], 5))
    with pytest.raises(InvalidInput, match="from 0 to 1"):
        Faults(death=1.5)


# -- virtual time ----------------------------------------------------------------------------------------------------


def test_time_leaps_and_nothing_runs_beside_anything_else() -> None:
    world = World(1)
    clock, said = SimClock(world, "p"), list[tuple[str, float]]()
    inbox = clock.inbox()

    def give() -> None:
        clock.sleep(3600.0)
        inbox.put("late")

    def take() -> None:
        said.append((inbox.get(), world.now))

    world.spawn(give, "give", "p")
    world.spawn(take, "take", "p")
    world.run()
    assert said == [("late", 3600.0)]
    assert not world.stuck


def test_who_waits_for_what_never_comes_is_named() -> None:
    world = World(1)
    clock = SimClock(world, "p")
    lock = clock.lock()
    lock.acquire()
    world.spawn(lambda: lock.acquire() and None, "forgotten", "p")

    def look() -> None:
        while not lock.acquire(timeout=0.05):
            pass

    world.spawn(look, "looks for ever", "p")
    world.run()
    assert world.stuck == ["forgotten", "looks for ever"]


def test_what_decides_takes_its_time_from_the_clock() -> None:
    """Else it would run on real time in a simulation, and nobody would notice."""
    folder = Path(tools.runtime.clock.__file__).parent
    device = (f"device/{name}" for name in ("lane", "visit", "device_queue", "foresight", "descent"))
    for name in ("executor", "run", "labour", *device, "workers/pool"):
        source = (folder / f"{name}.py").read_text()
        assert not re.search(r"\btime\.(sleep|monotonic|perf_counter)|threading\.(Thread|Condition)\b", source), name
    twin = (folder / "clock.py").read_text()
    assert "time.sleep" in twin


def test_a_killed_process_never_comes_back() -> None:
    world = World(1)
    said: list[str] = []

    def work() -> None:
        try:
            SimClock(world, "p").sleep(10.0)
            said.append("awake")
        finally:
            said.append("gone")

    world.spawn(work, "work", "p")
    world.at(1.0, lambda: world.kill("p"))
    world.run()
    assert said == ["gone"]
    assert world.now == 1.0


def test_an_error_of_a_fiber_is_told() -> None:
    world = World(1)
    world.spawn(lambda: [].pop(), "bug", "p")
    world.run()
    assert [type(error) for error in world.bugs] == [IndexError]


# -- beside the real executor ------------------------------------------------------------------------------------------

SIZES = {"paint": 70, "eye": 60, "mind": 80}
ENGINES = ("painter", "judge", "writer", "scribe")
"""Of paint, of eye, of mind, and of the CPU."""


def drawn(seed: int) -> list[tuple[str, str, tuple[str, ...]]]:
    """Id, engine and needs of some calls."""
    dice = random.Random(seed)
    calls: list[tuple[str, str, tuple[str, ...]]] = []
    for number in range(9):
        earlier = [call[0] for call in calls]
        needs = tuple(dice.sample(earlier, min(len(earlier), dice.randint(0, 2))))
        calls.append((f"c{number}", dice.choice(ENGINES), needs))
    return calls


def loads_of_the_real_thing(folder: Path, registry: Registry, drawing: list[Any], budget: int) -> list[str]:
    card = Card(str(folder / "card"))
    models = {}
    for name, size in SIZES.items():
        entry = ModelEntry(
            about=name, weights="tests.tools.runtime.tiny_models:TinyWeights", stack="card", weights_gb={"fp32": 1.0},
            source=json.dumps({"name": name, "card": card.path, "bytes": size}),
        )  # fmt: skip
        models[name] = (entry, Model(name, size, 10, load_s=1.0))
    lane = Lane("cuda:0", budget, models, dict.fromkeys(models, Placing()), None)
    calls: list[Call] = [tiny(name, *needs, engine=engine) for name, engine, needs in drawing]
    with WorkerPool(2, registry.stacks, allow=ALLOW) as pool:
        results = Executor(registry, ArtifactStore(folder / "store"), pool, lane=lane).run(calls)
        assert all(isinstance(result, Artifact) for result in results.values())
    lane.close()
    return [line.removeprefix("load ") for line in card.order("load")]


@pytest.mark.parametrize("seed", range(6))
def test_the_simulation_loads_what_the_real_executor_loads(seed: int, tmp_path: Path, registry: Registry) -> None:
    drawing, budget = drawn(seed), (100, 170)[seed % 2]
    calls = [tiny(name, *needs, engine=engine) for name, engine, needs in drawing]
    models = [Model(name, size, 10, load_s=1.0) for name, size in SIZES.items()]
    simulated = simulate(problem_of(calls, registry, models, budget, cpu_slots=2), faults=CALM)
    assert not simulated.violations
    assert loads_of_the_real_thing(tmp_path, registry, drawing, budget) == list(simulated.loads)


# -- the command -------------------------------------------------------------------------------------------------------


def command(*words: str) -> Any:
    import typer

    from evals.simulate import simulate as command_function

    app = typer.Typer()
    app.command()(command_function)
    return CliRunner().invoke(app, list(words))


def test_the_command_compares_all_orders() -> None:
    answer = command("--shots", "3", "--json")
    assert answer.exit_code == 0
    data = json.loads(answer.stdout)
    assert [order["policy"] for order in data["orders"]] == list(POLICIES)
    assert data["orders"][0]["switch_s"] >= data["bound_s"] > 0
    table = command("--shots", "3", "--faults").stdout
    assert all(name in table for name in POLICIES.values())


def test_the_command_counts_what_must_never_happen() -> None:
    answer = command("--schedules", "6", "--seed", "50")
    assert answer.exit_code == 0
    assert "0 overlap, 0 over budget, 0 leak, 0 deadlock" in answer.stdout
    counted = stress(6, 50)
    assert counted["seeds"] == []
    assert sum(counted["struck"].values()) > 0
    assert ROUGH.death > 0
