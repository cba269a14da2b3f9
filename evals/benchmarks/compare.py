"""Two runs side by side: what got slower by more than the noise.

Figures in units of time are measured against the machine's speed at that moment (`yardstick_ms`), so that a slow hour
is not taken for slow code; all others are compared as they are. A change counts where it is larger than both runs' own
repeats were apart (half of max - min, of each, added up), and larger than a floor: 10 % where there are repeats, 30 %
for what was measured once, 0.5 % for what is counted or computed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from evals.benchmarks.record import BenchRow, BenchRun, Spread

__all__ = ["Change", "compare", "noise_of"]

FLOOR, FLOOR_ONCE, FLOOR_EXACT = 0.10, 0.30, 0.005
TIMES = ("s", "ms", "us")
Verdict = Literal["slower", "faster", "same", "new", "gone"]


@dataclass(frozen=True)
class Change:
    """One figure in two runs.

    Attributes:
        benchmark, name, unit: of the figure.
        before, after: as measured.
        change: after / before, less what the machine's speed explains; None where one of them is missing.
        noise: how much of a change is none: 0.1 is 10 %.
        verdict: `slower` also stands for larger, where less is better.
    """

    benchmark: str
    name: str
    unit: str
    before: float | None
    after: float | None
    change: float | None
    noise: float
    verdict: Verdict


def noise_of(row: BenchRow) -> float:
    """How far its repeats lie from their middle, as a share of it; 0 for what was measured once."""
    spread: Spread | None = row.repeats
    return (spread.max - spread.min) / 2 / spread.median if spread and spread.median > 0 else 0.0


def compare(before: BenchRun, after: BenchRun) -> list[Change]:
    """Every figure of either run, the worst first."""
    old, new = _by_name(before.rows), _by_name(after.rows)
    changes = [_change(old.get(key), new.get(key)) for key in [*new, *(key for key in old if key not in new)]]
    order = {"slower": 0, "faster": 1, "gone": 2, "new": 3, "same": 4}
    return sorted(changes, key=lambda one: (order[one.verdict], -(one.change or 0.0)))


def _by_name(rows: Iterable[BenchRow]) -> dict[tuple[str, str, str], BenchRow]:
    """Some figures stand there twice, beside two comparisons."""
    return {(row.benchmark, row.name, row.compared_with): row for row in rows}


def _change(old: BenchRow | None, new: BenchRow | None) -> Change:
    row = new or old
    assert row is not None
    was, now = (old.value if old else None), (new.value if new else None)

    def told(change: float | None, noise: float, verdict: Verdict) -> Change:
        return Change(row.benchmark, row.name, row.unit, was, now, change, noise, verdict)

    if old is None or new is None or was is None or now is None:
        return told(None, 0.0, "same" if was is now else "new" if was is None else "gone")
    if was <= 0 or now <= 0:
        # Of nothing no share can be said: what was 0 % and is more got worse.
        return told(None, 0.0, "same" if was == now else "slower" if now > was else "faster")
    change, noise = now / was, noise_of(old) + noise_of(new)
    if row.exact:
        noise = FLOOR_EXACT
    else:
        noise = max(noise, FLOOR if old.repeats and new.repeats else FLOOR_ONCE)
        if row.unit in TIMES and old.yardstick_ms and new.yardstick_ms:
            change *= old.yardstick_ms / new.yardstick_ms
    verdict: Verdict = "slower" if change > 1 + noise else "faster" if change < 1 / (1 + noise) else "same"
    return told(change, noise, verdict)
