"""The lease without files: tickets in a list; who may have the device, and how he waits for it, is `GpuLease`'s own."""

from __future__ import annotations

from pathlib import Path

from tools.runtime.lease import GpuLease, Holder, Waiting
from tools.runtime.simulation.site import Site

__all__ = ["Desk", "SimLease"]


class Desk:
    """Where tickets are drawn; shared by all processes of the machine. A ticket goes when its owner is killed."""

    def __init__(self) -> None:
        self.tickets: dict[int, SimLease] = {}
        self.holder: SimLease | None = None

    def drop(self, lease: SimLease) -> None:
        """What the kernel does with the locks of a dead process, and what giving back does."""
        for number in [number for number, owner in self.tickets.items() if owner is lease]:
            del self.tickets[number]
        if self.holder is lease:
            self.holder = None


class SimLease(GpuLease):
    """The right to use the simulated device.

    Args:
        desk: of the machine.
        site: the process.
    """

    def __init__(self, desk: Desk, site: Site) -> None:
        super().__init__("sim0", what=site.name, root=Path("/nowhere"), clock=site.clock)
        self._desk = desk
        site.on_death(lambda: desk.drop(self))

    def _draw(self) -> None:
        number = max(self._desk.tickets, default=0) + 1
        self._desk.tickets[number] = self
        self._ticket = f"{number:012}"

    def _look(self, begun: float) -> Waiting | None:
        seconds = self._clock.now() - begun
        ahead = [number for number in sorted(self._desk.tickets) if number < int(self._ticket)]
        if ahead:
            return Waiting(len(ahead), _holder(self._desk.tickets[ahead[0]]), seconds)
        if self._desk.holder is not None:
            return Waiting(1, None, seconds)
        self._desk.holder, self._held = self, True
        return None

    def release(self) -> None:
        self._ticket, self._held = "", False
        self._desk.drop(self)

    def queue(self) -> list[Holder | None]:
        return [_holder(owner) for _, owner in sorted(self._desk.tickets.items())]


def _holder(lease: SimLease) -> Holder:
    return Holder(0, 0, 0.0, lease.what)
