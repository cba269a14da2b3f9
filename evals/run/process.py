"""A command that is watched: started in a terminal of its own, so to say, and ended whatever it does."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from evals.deeds import Moment

__all__ = ["MOST_PRINTED", "Ended", "Watch", "interrupt", "kill", "run_watched", "studio_command"]

MOST_PRINTED = 200_000
"""Characters that are kept of each stream; what is longer is cut in the middle, and that is told."""
_POLL_S = 0.02


@dataclass(frozen=True)
class Watch:
    """Something that is done once, at a moment.

    Attributes:
        at: when. act: what; it is handed the process.
    """

    at: Moment
    act: Callable[[subprocess.Popen[bytes]], None]


@dataclass
class Ended:
    """How a command ended.

    Attributes:
        exit: as a shell tells it: 130 after Ctrl-C, 137 after SIGKILL; None: it took too long and was ended.
        output, stderr: what it printed.
        came: the watches whose moment came while it ran.
    """

    exit: int | None
    output: str
    stderr: str
    came: list[Watch] = field(default_factory=list)


def studio_command(edges: Path, lifeline: str, words: Sequence[str]) -> list[str]:
    """The process that is the `studio` command in a world; see `evals.run.child`."""
    return [sys.executable, "-P", "-m", "evals.run.child", str(edges), lifeline, *words]


def run_watched(
    edges: Path,
    words: Sequence[str],
    *,
    environment: Mapping[str, str],
    cwd: Path,
    folder: Path,
    stdin: str = "",
    within_s: float,
    watches: Sequence[Watch] = (),
) -> Ended:
    """Run a command of the studio to its end.

    Args:
        edges: of the world. words: of the command, without `studio`.
        environment: all of it. cwd: where it is typed.
        folder: of the scenario; patterns of files are below it.
        stdin: what it reads; nothing more comes.
        within_s: then it is ended.
        watches: what is done at which moment.
    """
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(
            studio_command(edges, str(reading), words),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, pass_fds=[reading], env=dict(environment), cwd=cwd,
        )  # fmt: skip
        try:
            return _watched(process, stdin, within_s, [*watches], folder)
        finally:
            _end(process)
    finally:
        os.close(reading)
        os.close(writing)


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C: a terminal sends it to all that runs in the foreground."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL, to the process alone: what it has started must find out by itself."""
    with suppress(ProcessLookupError):
        process.kill()


def _watched(
    process: subprocess.Popen[bytes], stdin: str, within_s: float, watches: list[Watch], folder: Path
) -> Ended:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    heard = _Heard(process.stdout), _Heard(process.stderr)
    writer = threading.Thread(target=_write, args=(process.stdin, stdin.encode()), daemon=True)
    writer.start()
    came: list[Watch] = []
    deadline = time.monotonic() + within_s
    while True:
        over = process.poll() is not None
        if over:
            for stream in heard:
                stream.join()
        for watch in [one for one in watches if _is_now(one.at, heard, folder)]:
            watches.remove(watch)
            if not over:
                # What is printed with the last breath comes too late to do anything about.
                came.append(watch)
                watch.act(process)
        if over:
            break
        if time.monotonic() >= deadline:
            _end(process)
            for stream in heard:
                stream.join()
            return Ended(None, heard[0].text, heard[1].text, came)
        time.sleep(_POLL_S)
    code = process.returncode
    return Ended(128 - code if code < 0 else code, heard[0].text, heard[1].text, came)


def _is_now(at: Moment, heard: Sequence[_Heard], folder: Path) -> bool:
    if at.file is not None:
        return any(path.is_file() for path in folder.glob(at.file))
    assert at.prints is not None
    return any(re.search(at.prints, one.text, re.MULTILINE) for one in heard)


def _write(stream: IO[bytes], data: bytes) -> None:
    # A command that reads nothing has done no wrong.
    with suppress(OSError), stream:
        stream.write(data)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of it stays: neither it nor what it has started in its group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class _Heard:
    """What comes on a stream, taken in as it comes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._data = bytearray()
        self._left_out = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with suppress(OSError, ValueError):
            while piece := os.read(self._stream.fileno(), 65536):
                self._data += piece
                surplus = len(self._data) - MOST_PRINTED
                if surplus > 0:
                    half = MOST_PRINTED // 2
                    del self._data[half : half + surplus]
                    self._left_out += surplus

    def join(self) -> None:
        """Wait for its end; something that was started and holds it open does not hold us up for long."""
        self._thread.join(timeout=2.0)

    @property
    def text(self) -> str:
        """So far, as a person reads it."""
        data = bytes(self._data)
        if not self._left_out:
            return data.decode("utf-8", "replace")
        half = MOST_PRINTED // 2
        first, last = data[:half].decode("utf-8", "replace"), data[half:].decode("utf-8", "replace")
        return f"{first}\n[{self._left_out} bytes are left out]\n{last}"
