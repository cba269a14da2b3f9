"""One measured figure, and how processes are timed from outside."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

__all__ = ["Row", "Timed", "timed_process"]


@dataclass(frozen=True)
class Row:
    """A figure with its goal and, where one makes sense, the same work done another way in the same run.

    Attributes:
        name: which figure.
        value: measured.
        unit: of value, goal and against.
        goal: what the project promises, at most; None where nothing is promised.
        against: the comparison, measured beside it; what it is stands in `compared_with`.
        ratio: value / against.
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    against: float | None = None
    compared_with: str = ""

    @property
    def ratio(self) -> float | None:
        """value / against; below 1 is better than the comparison."""
        return self.value / self.against if self.against else None

    def as_json(self) -> dict[str, Any]:
        """For `--json`, rounded to what the machine can repeat."""
        rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}
        return {**rounded, "ratio": None if self.ratio is None else round(self.ratio, 3)}


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
