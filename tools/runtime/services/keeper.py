"""Starts a program that must not outlive the studio: `python -m tools.runtime.services.keeper --lifeline N -- ARGS...`

The program runs in this process's group; its end is this process's end, with the same code. When the studio goes away,
however it ends, the whole group is killed (see `tools.runtime.workers.lifeline`).
"""

from __future__ import annotations

import signal
import subprocess
import sys
from types import FrameType

from tools.runtime.workers.lifeline import die_with_parent

__all__ = ["main"]


def main() -> int:
    """Run the program to its end; the exit code is its own, 128 + n after signal n, 127 without such a program."""
    lifeline, command = int(sys.argv[2]), sys.argv[4:]
    die_with_parent(lifeline)

    def stay(_number: int, _frame: FrameType | None) -> None:
        """The whole group is asked to stop: the program does, and then this process."""

    # A handler, not SIG_IGN: the program would inherit that and never stop.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stay)
    try:
        code = subprocess.Popen(command, stdin=subprocess.DEVNULL).wait()
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
