"""What goes wrong in a simulation, how often, and when: thrown by a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from typing import Literal

from tools.errors import InvalidInput

__all__ = ["CALM", "ROUGH", "WEAR", "Dice", "Faults", "Mishap"]

Mishap = Literal["", "full", "death", "hang", "blank"]
"""Of a request: nothing, out of memory, its process dies, its process hangs, it answers with nothing usable."""


@dataclass(frozen=True)
class Faults:
    """Chances from 0 to 1, and one time.

    Attributes:
        oom_load: the device is full when a model is loaded.
        oom_call: the device is full in the middle of a call.
        death: the worker's process dies in the middle of a request; all its models are lost.
        hang: it falls silent, and is ended after its limit.
        blank: a call answers with nothing usable.
        idle_death: the worker's process dies between two requests.
        cancel: a run is stopped at a random moment.
        stubborn: an engine that is asked to stop does not, and is ended.
        studio_death: a whole studio is killed (SIGKILL) at a random moment.
        jitter: loads and calls take up to so much more or less than predicted.
        linger_s: workers of a killed studio keep the device, and compute on, for so many seconds at most.
    """

    oom_load: float = 0.0
    oom_call: float = 0.0
    death: float = 0.0
    hang: float = 0.0
    blank: float = 0.0
    idle_death: float = 0.0
    cancel: float = 0.0
    stubborn: float = 0.0
    studio_death: float = 0.0
    jitter: float = 0.0
    linger_s: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            most = 60.0 if field.name == "linger_s" else 1.0
            if not 0.0 <= getattr(self, field.name) <= most:
                raise InvalidInput(f"is from 0 to {most:g}", where=field.name)


CALM = Faults()
ROUGH = Faults(
    oom_load=0.06,
    oom_call=0.06,
    death=0.05,
    hang=0.03,
    blank=0.04,
    idle_death=0.03,
    cancel=0.35,
    stubborn=0.3,
    studio_death=0.25,
    jitter=0.5,
    linger_s=1.5,
)
"""Every kind, so often that most schedules of a dozen calls meet several."""
WEAR = Faults(oom_load=0.01, oom_call=0.01, death=0.005, blank=0.005, idle_death=0.005, jitter=0.2)
"""What a machine with a bad day does to a scene of a hundred calls."""


class Dice:
    """Throws what goes wrong; from one seed always the same.

    Args:
        faults: chances.
        seed: of every throw.
    """

    def __init__(self, faults: Faults, seed: int) -> None:
        self.faults = faults
        self._random = random.Random(f"faults {seed}")
        self.thrown: dict[str, int] = {}
        """How often each kind struck."""

    def strikes(self, kind: str, chance: float) -> bool:
        """Whether this goes wrong now."""
        hit = self._random.random() < chance
        if hit:
            self.thrown[kind] = self.thrown.get(kind, 0) + 1
        return hit

    def of_load(self) -> Mishap:
        """What happens to a load."""
        return self._one({"full": self.faults.oom_load, "death": self.faults.death, "hang": self.faults.hang})

    def of_call(self, *, on_device: bool) -> Mishap:
        """What happens to a call; only the device is ever full."""
        chances: dict[Mishap, float] = {
            "full": self.faults.oom_call if on_device else 0.0,
            "death": self.faults.death,
            "hang": self.faults.hang,
            "blank": self.faults.blank,
        }
        return self._one(chances)

    def of_other(self) -> Mishap:
        """What happens to a request that loads and computes nothing."""
        return self._one({"death": self.faults.death / 4})

    def _one(self, chances: dict[Mishap, float]) -> Mishap:
        for kind, chance in chances.items():
            if self.strikes(kind, chance):
                return kind
        return ""

    def stretch(self, seconds: float) -> float:
        """Seconds as they turn out."""
        jitter = self.faults.jitter
        return seconds * self._random.uniform(1.0 - jitter, 1.0 + jitter) if jitter else seconds

    def part(self) -> float:
        """Somewhere between the beginning and the end: 0..1."""
        return self._random.random()

    def moment(self, longest_s: float) -> float:
        """Seconds until something strikes."""
        return self._random.uniform(0.0, longest_s)
