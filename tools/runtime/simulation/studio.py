"""One studio on the simulated machine: the real executor, lane, ledger, plan and retry rules, on simulated workers."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from configs.retries import load_retries
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import Cancelled, ToolError
from tools.model import Placing
from tools.registry import Registry
from tools.runtime.device.device_queue import ChooserFactory
from tools.runtime.device.foresight import Foresight
from tools.runtime.device.lane import Lane
from tools.runtime.device.visit import Client
from tools.runtime.executor import Executor
from tools.runtime.retry import Rules
from tools.runtime.scheduling.problem import Problem
from tools.runtime.simulation.sim_lease import Desk, SimLease
from tools.runtime.simulation.sim_store import Shelf, SimStore
from tools.runtime.simulation.sim_tool import calls_of, entry_of
from tools.runtime.simulation.sim_worker import SimPool
from tools.runtime.simulation.site import Site

__all__ = ["Production", "Studio", "call_rules", "unfinished"]

_TRIES = 20
"""A worker may die while the device is tidied up, too."""


def call_rules() -> Rules:
    """The rules of retries.yaml for single calls."""
    return load_retries().calls


@dataclass
class Production:
    """What a studio has to make, and what has become of it.

    Attributes:
        problem: the calls.
        registry: of their engines.
        shelf: what is finished; outlives the process.
        results: of the last run, by call.
        runs: how many were begun.
    """

    problem: Problem
    registry: Registry
    shelf: Shelf = field(default_factory=Shelf)
    results: dict[str, Artifact | ToolError] = field(default_factory=dict)
    runs: int = 0

    @property
    def calls(self) -> list[Call]:
        return calls_of(self.problem)


class Studio:
    """A process that makes productions, beside one another where there are several.

    Args:
        site: the process.
        desk: where the device is leased; None: it takes what it likes.
        productions: what it makes.
        rules: what is tried again.
        choose: makes what decides over the device.
        host_budget: bytes of host memory for parked weights; None is unlimited.
    """

    def __init__(
        self,
        site: Site,
        desk: Desk | None,
        productions: Sequence[Production],
        rules: Rules,
        choose: ChooserFactory = Foresight,
        host_budget: int | None = None,
    ) -> None:
        self.site, self.productions = site, productions
        self._rules, self._choose = rules, choose
        first = productions[0].problem
        registry = productions[0].registry
        self.pool = SimPool(first.cpu_slots, site, registry.stacks)
        models = {name: (entry_of(model, registry), model) for name, model in first.models.items()}
        lease = SimLease(desk, site) if desk is not None else None
        placings = dict.fromkeys(models, Placing())
        self.lane = Lane("sim:0", first.budget, models, placings, lease, host_budget=host_budget, clock=site.clock)

    def live(self) -> None:
        """Make everything, then give everything back; runs in fibers."""
        world = self.site.world
        others = [
            world.spawn(partial(self._make, production), f"{self.site.name} run {number}", self.site)
            for number, production in enumerate(self.productions[1:], 2)
        ]
        self._make(self.productions[0])
        for fiber in others:
            while not fiber.ended:
                world.wait(fiber.joined)
        self._tidy_up()
        self.pool.close()
        self.lane.close()

    def _make(self, production: Production) -> None:
        """Run until it was not stopped; the first run may be."""
        dice, world = self.site.dice, self.site.world
        while True:
            cancel = threading.Event()
            if production.runs == 0 and dice.strikes("cancel", dice.faults.cancel):
                world.at(dice.moment(sum(task.seconds for task in production.problem.tasks.values())), cancel.set)
            production.runs += 1
            executor = Executor(
                production.registry,
                SimStore(production.shelf, self.site),
                self.pool,
                cancel=cancel,
                lane=self.lane,
                rules=self._rules,
                choose=self._choose,
                clock=self.site.clock,
            )
            production.results = executor.run(production.calls)
            if not any(isinstance(result, Cancelled) for result in production.results.values()):
                return

    def _tidy_up(self) -> None:
        """Everything off the device by the ordinary way, so that ledger and device can be compared."""
        device, name = self.site.device, self.site.name
        for _ in range(_TRIES):
            try:
                with self.lane.visit(self.pool, Client()) as visit:
                    visit.finish_fetching()
                    for stack in sorted({entry.stack for entry in self.lane.entries.values()}):
                        with visit.worker(stack):
                            """What a dead worker held is struck from the account now."""
                    told, seen = self.lane.ledger.snapshot(), device.bytes_of(name)
                    if told.weights != seen or told.working:
                        device.blame("leak", f"{name} has {seen} bytes, its ledger says {told.weights}+{told.working}")
                    visit.evict(sorted(told.resident))
                break
            except ToolError:
                continue
        left, told = device.bytes_of(name), self.lane.ledger.snapshot()
        if left or told.weights or told.working:
            device.blame("leak", f"{name} keeps {left} bytes, its ledger {told.weights}+{told.working}")


def unfinished(production: Production) -> Mapping[str, str]:
    """Calls without a result and why that is wrong, by id."""
    return {
        call.id: "has neither a result nor an error"
        for call in production.calls
        if not isinstance(production.results.get(call.id), Artifact | ToolError)
    }
