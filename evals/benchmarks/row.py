"""One measured figure, and how processes are timed from outside."""

from __future__ import annotations

import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Row", "Timed", "timed_process"]


@dataclass(frozen=True)
class Row:
    """A figure with its goal and, where one makes sense, the same work done another way in the same run.

    Attributes:
        name: which figure.
        value: measured; None where it was not run.
        unit: of value, goal and against.
        goal: what the project promises, at most; None where nothing is promised.
        against: the comparison, measured beside it; what it is stands in `compared_with`.
        samples: every repeat of the value, where it is their median; empty for what is measured once.
        against_samples: of the comparison, in the same order: each was taken beside its value.
        not_run: why there is no value.
        exact: the same on any machine at any hour: counted or computed, not timed.
    """

    name: str
    value: float | None
    unit: str
    goal: float | None = None
    against: float | None = None
    compared_with: str = ""
    samples: tuple[float, ...] = ()
    against_samples: tuple[float, ...] = ()
    not_run: str = ""
    exact: bool = False

    @classmethod
    def of(
        cls,
        name: str,
        samples: Sequence[float],
        unit: str,
        *,
        goal: float | None = None,
        against: Sequence[float] = (),
        compared_with: str = "",
    ) -> Row:
        """The median of repeats beside the median of the comparison's."""
        beside = statistics.median(against) if against else None
        return cls(name, statistics.median(samples), unit, goal, beside, compared_with, tuple(samples), tuple(against))

    @property
    def ratio(self) -> float | None:
        """value / against; below 1 is better than the comparison. The median of the pairs, where there are pairs: a
        machine whose speed drifts slows both of a pair."""
        if self.pairs:
            return statistics.median(self.pairs)
        return self.value / self.against if self.value is not None and self.against else None

    @property
    def pairs(self) -> list[float]:
        """value / against, repeat by repeat; empty where repeats were not taken in pairs."""
        if len(self.samples) != len(self.against_samples) or not all(self.against_samples):
            return []
        return [value / against for value, against in zip(self.samples, self.against_samples, strict=True)]

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal or a value."""
        return None if self.goal is None or self.value is None else self.value <= self.goal

    def as_json(self) -> dict[str, Any]:
        """For `--json`, rounded to what the machine can repeat."""
        value = _rounded(self.value)
        return {
            "name": self.name,
            "value": value,
            "unit": self.unit,
            "goal": _rounded(self.goal),
            "against": _rounded(self.against),
            "compared_with": self.compared_with,
            "ratio": _rounded(self.ratio),
            "met": self.met,
            "repeats": _spread(self.samples),
            "against_repeats": _spread(self.against_samples),
            "ratio_repeats": _spread(self.pairs),
            "not_run": self.not_run if value is not None or self.value is None else "it came to no end",
            "exact": self.exact,
        }


def _rounded(value: float | None) -> float | None:
    """To five digits; what has no end is no figure."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.5g}")


def _spread(samples: Sequence[float]) -> dict[str, Any] | None:
    if not samples:
        return None
    middle = statistics.median(samples)
    shown = {"min": min(samples), "median": middle, "max": max(samples)}
    return {"count": len(samples), **{name: _rounded(value) for name, value in shown.items()}}


@dataclass(frozen=True)
class Timed:
    """A finished process: seconds on the clock, CPU seconds and peak memory (MB) of it and its children."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    output: str


def timed_process(args: Sequence[str], *, cwd: Path, env: dict[str, str] | None = None) -> Timed:
    """Run a command to its end and measure it.

    Raises:
        subprocess.CalledProcessError: it failed; its output is in the exception.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *args], cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=True
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # ru_maxrss is the largest single process so far, in kilobytes on Linux and in bytes on macOS.
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return Timed(wall, cpu, after.ru_maxrss / scale, done.stdout)
