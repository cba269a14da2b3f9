"""How a process goes when the studio does: nothing of what the studio started is left on the machine or the device."""

from __future__ import annotations

import os
import signal
import sys
import threading

__all__ = ["die_with_parent"]

_F_SETSIG = 10
"""fcntl command of Linux, not in Python's fcntl module: which signal O_ASYNC sends."""


def die_with_parent(lifeline: int) -> None:
    """Have the kernel kill this process group as soon as the studio is gone.

    `lifeline` is the reading end of a pipe to which nobody writes; only the studio holds the other end. When that
    closes, Linux sends the signal set here to every process of the group: at once, with no thread of ours needed, and
    to programs that engines started. (PR_SET_PDEATHSIG would reach this process alone, and would fire when the
    *thread* that started it ends.) Elsewhere the reading thread's end-of-file does the same a little later.
    """
    import fcntl

    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgid(0))
        fcntl.fcntl(lifeline, _F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)

    def watch() -> None:
        os.read(lifeline, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
