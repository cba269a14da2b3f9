"""How much memory a process took at most."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

__all__ = ["peak_kb"]


def peak_kb() -> int:
    """The most memory this process has held, in kilobytes.

    Not `ru_maxrss` where there is better: on Linux a child begins with the peak of the parent it was forked from, so
    that a large test process makes every child look large (and hides what the child takes).
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak
