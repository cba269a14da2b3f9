"""The runtime on virtual time: its own executor, plan, ledger, lane, ladder, retry rules and lease on simulated edges.

    report = simulate(scene(12, seed=1).known)                        # as planned
    report = simulate([one, other], studios=2, faults=ROUGH, seed=7)  # two studios, everything goes wrong
    assert not report.violations

Nothing of the runtime is written twice for it. Time and threads come from a `Clock` that the simulation replaces
(`simulation.world`), so that one seed gives one order of events; workers, the device, the lease's files and the disk
are stood in for at the edges. What must never happen is judged by what the device saw (`simulation.device`), not by the
ledger that is under test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from tools.base import Call
from tools.errors import InvalidInput, ToolError
from tools.registry import Registry
from tools.runtime.device.device_queue import ChooserFactory
from tools.runtime.device.foresight import Foresight
from tools.runtime.graph import CallGraph
from tools.runtime.retry import Rules
from tools.runtime.scheduling.problem import Model, Problem, Task
from tools.runtime.simulation.device import SimDevice, Violation
from tools.runtime.simulation.faults import CALM, ROUGH, WEAR, Dice, Faults
from tools.runtime.simulation.orders import Policy, as_react_loop, chooser_of
from tools.runtime.simulation.report import Report, make_report
from tools.runtime.simulation.sim_lease import Desk
from tools.runtime.simulation.sim_tool import registry_of
from tools.runtime.simulation.site import Site
from tools.runtime.simulation.studio import Production, Studio, call_rules, unfinished
from tools.runtime.simulation.world import World

__all__ = ["CALM", "ROUGH", "WEAR", "Faults", "Machine", "Policy", "Report", "Violation", "problem_of", "simulate"]

_RESTART_S = 0.5


class Machine:
    """A device, and studios that want it.

    Args:
        problems: a production each; their models and budgets are the same.
        seed: of every choice and every fault.
        faults: chances.
        studios: processes; productions are dealt out to them in turn.
        rules: what is tried again; None are those of retries.yaml.
        choose: makes what decides over the device.
        one_worker: all models live in one process; else those that are never used together live apart.
        host_budget: bytes of host memory for parked weights, in each studio; None is unlimited.
        truth: models as they turn out where that is not as predicted, by name; no larger than predicted.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        *,
        seed: int,
        faults: Faults,
        studios: int,
        rules: Rules | None = None,
        choose: ChooserFactory = Foresight,
        one_worker: bool = True,
        host_budget: int | None = None,
        truth: Mapping[str, Model] | None = None,
    ) -> None:
        self.world = World(seed)
        self.device = SimDevice(self.world, problems[0].budget, host_budget)
        self.dice = Dice(faults, seed)
        self.desk: Desk | None = Desk()
        self.models = {**problems[0].models, **(truth or {})}
        registry = registry_of(problems, one_worker=one_worker)
        self.productions = [Production(problem, registry) for problem in problems]
        self.sites: list[Site] = []
        self._rules = call_rules() if rules is None else rules
        self._choose, self._host_budget = choose, host_budget
        self._shares = [self.productions[number::studios] for number in range(studios)]

    def run(self) -> None:
        """Let all of them live; afterwards `device.violations` says what went wrong that must not."""
        for number, share in enumerate(share for share in self._shares if share):
            self.begin(f"studio{number + 1}", share)
        self.world.run()
        self._judge()

    def begin(self, name: str, share: Sequence[Production], *, may_be_killed: bool = True) -> None:
        """Start a process."""
        site = Site(name, self.world, self.device, self.dice, self.models)
        self.sites.append(site)
        self.world.spawn(lambda: self.studio(site, share).live(), name, site)
        if may_be_killed and self.dice.strikes("studio_death", self.dice.faults.studio_death):
            seconds = sum(task.seconds for one in share for task in one.problem.tasks.values())
            self.world.at(self.dice.moment(seconds), lambda: self._kill(site, share))

    def studio(self, site: Site, share: Sequence[Production]) -> Studio:
        """What lives in a process."""
        return Studio(site, self.desk, share, self._rules, self._choose, self._host_budget)

    def _kill(self, site: Site, share: Sequence[Production]) -> None:
        """SIGKILL, and the same command again in a new process."""
        if self.world.lives(site):
            site.kill()
            self.world.spawn(lambda: self._begin_again(site, share), f"{site.name} again", self)

    def _begin_again(self, site: Site, share: Sequence[Production]) -> None:
        self.world.sleep(_RESTART_S)
        self.begin(f"{site.name}b", share, may_be_killed=False)
        # What is left of the old process ends within the time, whoever else has ended before.
        self.world.sleep(self.dice.faults.linger_s)

    def _judge(self) -> None:
        """What must hold in the end."""
        device = self.device
        if self.world.stuck:
            device.blame("deadlock", f"wait for ever: {', '.join(self.world.stuck)}")
        for error in self.world.bugs:
            device.blame("bug", f"{type(error).__name__}: {error}")
        for production in self.productions:
            for name in production.shelf.twice:
                device.blame("made_twice", f"{name} was begun again after its result was kept")
            if not self.world.stuck:
                for name, why in unfinished(production).items():
                    device.blame("lost_call", f"{name} {why}")
        if self.world.stuck:
            return
        for site in self.sites:
            if left := device.bytes_of(site.name):
                device.blame("leak", f"{left} bytes of {site.name} are on the device after its end")
        if self.desk is not None and self.desk.tickets:
            device.blame("leak", "the lease was not given back")

    def report(self, policy: str) -> Report:
        """What came of it."""
        results = [result for production in self.productions for result in production.results.values()]
        failed = sum(isinstance(result, ToolError) for result in results)
        counts = (len(results) - failed, failed)
        return make_report(policy, self.device, self.models, self.world.now, counts, self.dice.thrown)


def simulate(
    problems: Problem | Sequence[Problem],
    *,
    policy: Policy = "ours",
    seed: int = 0,
    faults: Faults = CALM,
    studios: int = 1,
    rules: Rules | None = None,
    mind: str = "llm",
    one_worker: bool = True,
    host_budget: int | None = None,
    truth: Mapping[str, Model] | None = None,
    make_machine: Callable[..., Machine] = Machine,
) -> Report:
    """Carry out productions on a simulated machine.

    Args:
        problems: one production, or several with the same models and budget.
        policy: who decides what the device does next.
        seed: of every choice and every fault; the same seed gives the same report.
        faults: chances of what goes wrong.
        studios: processes that share the device; productions are dealt out to them in turn, and those of one process
            run beside one another.
        rules: what is tried again; None are those of retries.yaml.
        mind: the model that `react` asks before each call.
        one_worker: all models live in one process; else those that are never used together live apart.
        host_budget: bytes of host memory for parked weights, in each studio; None is unlimited.
        truth: models as they turn out where that is not as predicted, by name; no larger than predicted.
        make_machine: for machines that are built otherwise.

    Raises:
        InvalidInput: there is nothing to make, the productions differ in models or budget, or a name is wrong.
    """
    given = [problems] if isinstance(problems, Problem) else list(problems)
    if not given or studios < 1:
        raise InvalidInput("a simulation needs a production and a studio")
    if any((dict(one.models), one.budget) != (dict(given[0].models), given[0].budget) for one in given):
        raise InvalidInput("productions on one device have the same models and budget")
    if policy == "react":
        given = [as_react_loop(one, mind) for one in given]
    choose = chooser_of(policy)
    machine = make_machine(
        given,
        seed=seed,
        faults=faults,
        studios=studios,
        rules=rules,
        choose=choose,
        one_worker=one_worker,
        host_budget=host_budget,
        truth=truth,
    )
    machine.run()
    return machine.report(policy)


def problem_of(
    calls: Sequence[Call], registry: Registry, models: Iterable[Model], budget: int, *, cpu_slots: int = 1
) -> Problem:
    """What `simulate` needs to know of calls that the studio would make.

    Args:
        calls: of one batch.
        registry: of their tools and engines; their predicted seconds are taken.
        models: all that the engines need, with their sizes.
        budget: bytes of the device.
        cpu_slots: calls of the CPU that may run at once.

    Raises:
        InvalidInput: a call is wrong, a model is not there, or models of one call do not fit together.
    """
    nodes = CallGraph.build(calls, {}, registry).nodes
    tasks = (Task(name, frozenset(node.engine.models), node.needs, node.cost) for name, node in nodes.items())
    return Problem.of(tasks, models, budget, cpu_slots=cpu_slots)
