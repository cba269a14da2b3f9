"""One simulated process of the studio: alive or killed, with what it shares with the machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tools.runtime.scheduling.problem import Model
from tools.runtime.simulation.device import SimDevice
from tools.runtime.simulation.faults import Dice
from tools.runtime.simulation.sim_clock import SimClock
from tools.runtime.simulation.world import World

if TYPE_CHECKING:
    from tools.runtime.simulation.sim_worker import SimWorker

__all__ = ["Site"]


class Site:
    """A process.

    Args:
        name: of the studio; a new process after a kill has another.
        world, device, dice: of the machine.
        models: as they really are, by name.
    """

    def __init__(self, name: str, world: World, device: SimDevice, dice: Dice, models: Mapping[str, Model]) -> None:
        self.name, self.world, self.device, self.dice, self.models = name, world, device, dice, models
        self.clock = SimClock(world, self)
        self.workers: list[SimWorker] = []
        self.killed = False
        self._on_death: list[Callable[[], None]] = []

    def on_death(self, act: Callable[[], None]) -> None:
        """What the kernel does when the process is killed: locks go, say."""
        self._on_death.append(act)

    def kill(self) -> None:
        """SIGKILL: nothing of it runs any more; the kernel gives its locks back at once, and ends its workers soon."""
        if self.killed:
            return
        self.killed = True
        for worker in self.workers:
            self.world.at(self.dice.moment(self.dice.faults.linger_s), worker.kill)
        for act in self._on_death:
            act()
        self.world.kill(self)
