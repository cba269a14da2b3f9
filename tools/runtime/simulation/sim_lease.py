"""The lease without files: tickets in a list; who may have the device, and how he waits for it, is `GpuLease`'s own."""

from __future__ import annotations

from pathlib import Path

from tools.runtime.device.lease import GpuLease, Holder, Waiting
from tools.runtime.simulation.site import Site

__all__ = ["Desk", "SimLease"]


class Desk:
    """Where tickets are drawn; shared by all processes of the machine."""

    def __init__(self) -> None:
        self.tickets: dict[int, SimLease] = {}
        """Whose owners live."""
        self.dead: dict[int, float | None] = {}
        """Of those who died holding; with when that was noticed."""
        self.holder: SimLease | None = None

    def drop(self, lease: SimLease, *, died: bool) -> None:
        """What giving back does, and what the kernel does with the locks of a dead process."""
        for number in [number for number, owner in self.tickets.items() if owner is lease]:
            del self.tickets[number]
            if died and self.holder is lease:
                self.dead[number] = None
        if self.holder is lease:
            self.holder = None

    def lingering(self, before: int, now: float, grace_s: float) -> list[int]:
        """Dead holders whose workers may still be ending; the time runs from when somebody first notices."""
        for number in [number for number in self.dead if number < before]:
            noticed = self.dead[number]
            if noticed is None:
                self.dead[number] = now
            elif now - noticed >= grace_s:
                del self.dead[number]
        return sorted(number for number in self.dead if number < before)


class SimLease(GpuLease):
    """The right to use the simulated device.

    Args:
        desk: of the machine.
        site: the process.
    """

    def __init__(self, desk: Desk, site: Site) -> None:
        super().__init__("sim0", what=site.name, root=Path("/nowhere"), clock=site.clock)
        self._desk = desk
        site.on_death(lambda: desk.drop(self, died=True))

    def _draw(self) -> None:
        number = max((*self._desk.tickets, *self._desk.dead), default=0) + 1
        self._desk.tickets[number] = self
        self._ticket = f"{number:012}"

    def _look(self, begun: float) -> Waiting | None:
        seconds = self._clock.now() - begun
        mine = int(self._ticket)
        if dead := self._desk.lingering(mine, self._clock.now(), self._grace_s):
            return Waiting(len(dead), None, seconds)
        ahead = [number for number in sorted(self._desk.tickets) if number < mine]
        if ahead:
            return Waiting(len(ahead), _holder(self._desk.tickets[ahead[0]]), seconds)
        if self._desk.holder is not None:
            return Waiting(1, None, seconds)
        self._desk.holder, self._held = self, True
        return None

    def release(self) -> None:
        self._ticket, self._held = "", False
        self._desk.drop(self, died=False)

    def queue(self) -> list[Holder | None]:
        return [_holder(owner) for _, owner in sorted(self._desk.tickets.items())]


def _holder(lease: SimLease) -> Holder:
    return Holder(0, 0, 0.0, lease.what)
