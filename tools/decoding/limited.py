"""Decoding a file from anywhere without trusting it: a process of its own, with limits; only numbers come back.

The file is opened here, and handed over open: what was looked at is what is decoded, and its name means nothing there.
"""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.decoding.wire import read_array, read_line
from tools.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Limits", "decoded", "decoded_one"]

_ROOM = 1 << 16


@dataclass(frozen=True)
class Limits:
    """What a file may take.

    Attributes:
        cpu_s: seconds of work; of a recording more, as sound comes (`child.REALTIME`).
        wall_s: seconds on the clock, for what waits instead of working; longer, as sound comes.
        megabytes: of memory, beyond what the libraries take themselves.
        longest_s: seconds of sound that more time is given for; the rest has to come in the time there is.
        most: bytes of numbers that may come back.
        libraries: imported before the limits hold.
        allow: where a decoder may be: beginnings of module names.
    """

    cpu_s: int = 7
    wall_s: float = 40.0
    megabytes: int = 750
    longest_s: float = 0.0
    most: int = 1 << 29
    libraries: tuple[str, ...] = ()
    allow: tuple[str, ...] = ("tools.",)


def decoded(
    decoder: str,
    source: Path | bytes,
    where: str,
    limits: Limits,
    told: Callable[[float], None] = lambda _s: None,
    **args: Any,
) -> Generator[np.ndarray, None, None]:
    """What a decoder makes of a file, piece by piece.

    Args:
        decoder: `module:function`; it is handed the open file and `args`, and yields arrays (uint8 or float32) and, as
            floats, the seconds that it has come so far.
        source: the file, or its bytes.
        where: what to call it where it is wrong.
        told: called with the seconds; what it raises ends the work.

    Raises:
        InvalidInput: it cannot be opened, or the decoder refused it, took too much, or crashed; names it.
        ModuleNotFoundError: a library that the decoder needs is not installed.
    """
    with ExitStack() as stack:
        file = stack.enter_context(_opened(source, where))
        reading, writing = os.pipe()
        stack.callback(os.close, writing)
        orders = {
            "decoder": decoder, "args": args, "lifeline": reading, "cpu_s": limits.cpu_s, "megabytes": limits.megabytes,
            "libraries": limits.libraries, "allow": limits.allow,
        }  # fmt: skip
        command = [sys.executable, "-P", "-m", "tools.decoding.child", json.dumps(orders)]
        try:
            process = subprocess.Popen(
                command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment(),
                pass_fds=[reading], process_group=0, bufsize=0,
            )  # fmt: skip
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror or error}", where=where) from error
        finally:
            os.close(reading)
        stack.callback(_end, process)
        yield from _pieces(process, limits, where, told)


def decoded_one(decoder: str, source: Path | bytes, where: str, limits: Limits, **args: Any) -> np.ndarray:
    """The first array that a decoder makes of a file; see `decoded`."""
    with closing(decoded(decoder, source, where, limits, **args)) as pieces:
        for piece in pieces:
            return piece
    raise InvalidInput("holds nothing that could be decoded", where=where)


def _opened(source: Path | bytes, where: str) -> Any:
    """The file, open; never one that would be waited for, as a pipe is."""
    if isinstance(source, bytes):
        try:
            file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the caller
            file.write(source)
            file.seek(0)
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror or error}", where=where) from error
        return file
    try:
        handle = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot be read: {getattr(error, 'strerror', None) or error}", where=where) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InvalidInput("is not a file", where=where)
    return os.fdopen(handle, "rb")


def _environment() -> dict[str, str]:
    """Nothing of ours but where Python finds its libraries: what decodes a foreign file need know no keys."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV") if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    root = str(Path(__file__).resolve().parents[2])
    return {**kept, **threads, "PYTHONPATH": root, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}


def _pieces(
    process: subprocess.Popen[bytes], limits: Limits, where: str, told: Callable[[float], None]
) -> Generator[np.ndarray, None, None]:
    out = _Answer(process, time.monotonic() + limits.wall_s)
    left = limits.most
    heard = 0.0
    while True:
        message = read_line(out.read)
        if message.get("done") is True:
            return
        if "array" in message:
            array = read_array(message, out.read, left)
            if array is None:
                raise InvalidInput(_why(process, out.late, "gives more than may come of it"), where=where)
            left -= array.nbytes
            yield array
        elif isinstance(message.get("seconds"), float):
            # Clock and sound go on together; what works slower than it sounds is ended. It may lie about its seconds.
            now = min(message["seconds"], limits.longest_s) if message["seconds"] > heard else heard
            out.until += (now - heard) / 4
            heard = now
            told(heard)
        elif isinstance(message.get("missing"), str):
            raise ModuleNotFoundError(f"No module named {message['missing']!r}", name=message["missing"])
        elif isinstance(message.get("error"), str):
            raise InvalidInput(message["error"], where=where, hint=str(message.get("hint", "")))
        else:
            raise InvalidInput(_why(process, out.late, "cannot be read"), where=where)


def _why(process: subprocess.Popen[bytes], late: bool, otherwise: str) -> str:
    """How the process came to its end, as the rest of a sentence about the file."""
    if late:
        return "takes too long to be read"
    try:
        code = process.wait(1.0)
    except subprocess.TimeoutExpired:
        return otherwise
    if code == -signal.SIGXCPU:
        return "takes too long to be read"
    if code == -signal.SIGKILL:
        return "takes too much memory to be read"
    return f"is damaged: it crashed what read it ({signal.Signals(-code).name})" if code < 0 else otherwise


class _Answer:
    """What the process says, read until a moment on the clock."""

    def __init__(self, process: subprocess.Popen[bytes], until: float) -> None:
        assert process.stdout is not None
        self._handle = process.stdout.fileno()
        self._waiting = select.poll()
        self._waiting.register(self._handle, select.POLLIN)
        self._held = bytearray()
        self.until = until
        self.late = False

    def read(self, count: int) -> bytearray:
        """So many bytes; fewer at its end, or when time is up."""
        while len(self._held) < count:
            left = self.until - time.monotonic()
            self.late = left <= 0 or not self._waiting.poll(left * 1000)
            piece = b"" if self.late else os.read(self._handle, _ROOM)
            if not piece:
                break
            self._held += piece
        # Taken off the front in place: lines are read a byte at a time, with up to a piece of numbers behind them.
        given = self._held[:count]
        del self._held[:count]
        return given


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
