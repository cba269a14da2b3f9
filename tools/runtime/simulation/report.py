"""What came of a simulation, read from what the device saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.runtime.scheduling.problem import Model
from tools.runtime.simulation.device import Sight, SimDevice, Violation

__all__ = ["Report", "make_report"]


@dataclass(frozen=True)
class Report:
    """One simulated schedule. Seconds are virtual, sizes in bytes.

    Attributes:
        policy: who decided.
        order: calls in the order in which they began to compute on the device.
        loads: models in the order in which they were loaded.
        switch_s: what these loads cost by the sizes of the models, from host memory: comparable with a plan's.
        wall_s: from start to end.
        loading_s, computing_s: on the device; a load may go on beside a call.
        waiting_s: neither: the device was idle.
        peak: most on the device at once.
        finished, failed: calls by how they ended.
        struck: how often each kind of fault struck.
        violations: what must never happen; empty in a sound runtime.
        sights: all that the device saw.
    """

    policy: str
    order: tuple[str, ...]
    loads: tuple[str, ...]
    switch_s: float
    wall_s: float
    loading_s: float
    computing_s: float
    waiting_s: float
    peak: int
    finished: int
    failed: int
    struck: Mapping[str, int]
    violations: tuple[Violation, ...]
    sights: tuple[Sight, ...]

    @property
    def switches(self) -> int:
        """Loads."""
        return len(self.loads)


def make_report(
    policy: str,
    device: SimDevice,
    models: Mapping[str, Model],
    wall_s: float,
    counts: tuple[int, int],
    struck: Mapping[str, int],
) -> Report:
    """Add up what the device saw."""
    loading = _spans(device.sights, "load", ("loaded", "evict"))
    computing = _spans(device.sights, "begin", ("end",))
    loads = tuple(sight.name for sight in device.sights if sight.what == "load")
    return Report(
        policy=policy,
        order=tuple(sight.name for sight in device.sights if sight.what == "begin"),
        loads=loads,
        switch_s=round(sum(models[name].load_s for name in loads), 9),
        wall_s=wall_s,
        loading_s=_total(loading),
        computing_s=_total(computing),
        waiting_s=max(0.0, wall_s - _total(loading + computing)),
        peak=device.peak,
        finished=counts[0],
        failed=counts[1],
        struck=dict(sorted(struck.items())),
        violations=tuple(device.violations),
        sights=tuple(device.sights),
    )


def _spans(sights: Sequence[Sight], opens: str, closes: tuple[str, ...]) -> list[tuple[float, float]]:
    """From each opening to what closes it; the end of the process closes all that is open."""
    spans: list[tuple[float, float]] = []
    begun: dict[tuple[int, str], float] = {}
    for sight in sights:
        key = (sight.worker, sight.name)
        if sight.what == opens:
            begun[key] = sight.at_s
        elif sight.what in closes and key in begun:
            spans.append((begun.pop(key), sight.at_s))
        elif sight.what == "gone":
            for open_ in [one for one in begun if one[0] == sight.worker]:
                spans.append((begun.pop(open_), sight.at_s))
    return spans


def _total(spans: Sequence[tuple[float, float]]) -> float:
    """Seconds that at least one span covers."""
    total = end = 0.0
    for start, stop in sorted(spans):
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return total
