"""Running a program to its end: each line it says is heard, a stop ends it with everything that it started."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.errors import Cancelled, EngineFailed

__all__ = ["run_command"]

LOOK_S = 0.2
"""How often it is asked whether to stop."""
GRACE_S = 2.0


def run_command(
    words: list[str],
    environment: Mapping[str, str],
    log: Path,
    heard: Callable[[str], None],
    is_cancelled: Callable[[], bool],
    keeps: Sequence[int] = (),
) -> int:
    """Run a program; returns its exit code.

    Args:
        words: of its command line.
        environment: all that it is given.
        log: what it says is added to this file.
        heard: told every line, and an empty one where nothing was said for a while.
        keeps: handles that it holds open as long as it lives, also when the studio is killed: of a lock, say.

    Raises:
        EngineFailed: it does not start.
        Cancelled: `is_cancelled` became true; it has ended.
    """
    try:
        process = subprocess.Popen(
            words, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            process_group=0, pass_fds=keeps,
        )  # fmt: skip
    except OSError as error:
        raise EngineFailed(f"{words[0]} does not start: {error.strerror or error}.") from error
    assert process.stdout is not None
    rest = b""
    try:
        with log.open("ab") as told:
            while True:
                if is_cancelled():
                    raise Cancelled("stopped")
                ready, _, _ = select.select([process.stdout], [], [], LOOK_S)
                data = os.read(process.stdout.fileno(), 65_536) if ready else b""
                if ready and not data:
                    return process.wait()
                told.write(data)
                *lines, rest = (rest + data).split(b"\n")
                for line in lines or [b""]:
                    heard(line.decode(errors="replace").rstrip())
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(GRACE_S)
                break
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
    if process.stdout is not None:
        process.stdout.close()
