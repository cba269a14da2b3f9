"""The studio's end of a worker: start it, ask it, watch it, stop it. The other end is `tools.runtime.worker`."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from tools.errors import BadOutput, Cancelled, EngineCrashed, EngineFailed, EngineHung, MissingPrerequisite
from tools.runtime.wire import MAX_LINE, error_from_wire

__all__ = ["KEPT_ENVIRONMENT", "WorkerProcess", "worker_environment"]

TERMINATE_AFTER_S = 0.5
"""A cancelled engine has this long to stop by itself."""
KILL_AFTER_S = 0.7
START_S = 60.0
"""Until the first sign of life; a loaded machine starts Python slowly."""

KEPT_ENVIRONMENT = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_CTYPE", "VIRTUAL_ENV"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "FONTCONFIG_PATH", "FONTCONFIG_FILE"),
        *("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"),
        *("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"),
        *("CUDA_HOME", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"),
    }
)
"""All that a worker sees of the studio's environment: no key, no token, no password."""

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
               "NUMEXPR_NUM_THREADS")  # fmt: skip

Message = dict[str, Any]


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker: what it needs, one thread per numeric library, and the same hashing every time."""
    kept = {name: value for name, value in environment.items() if name in KEPT_ENVIRONMENT}
    kept.update(dict.fromkeys(_ONE_THREAD, "1"))
    kept["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    kept["PYTHONHASHSEED"] = "0"
    kept["PYTHONFAULTHANDLER"] = "1"
    kept["PYTHONUNBUFFERED"] = "1"
    return kept


class _Wake:
    """Put into the inbox to make `request` look at the clock again."""


class _Rubbish:
    """Put into the inbox for a line that is not one of ours."""


class WorkerProcess:
    """One running worker. `request` is for one thread at a time; `cancel` and `kill` for any.

    Args:
        python: interpreter; empty is this one.
        allow: prefixes of the modules that engines may come from.
    """

    def __init__(self, python: str = "", allow: tuple[str, ...] = ("tools.",)) -> None:
        self.engines: set[str] = set()
        """Class paths of engines that this worker has loaded or is loading."""
        self._inbox: queue.SimpleQueue[Message | _Wake | _Rubbish | None] = queue.SimpleQueue()
        self._words: deque[str] = deque(maxlen=60)
        self._number = 0
        self._cancelled_at: float | None = None
        self._ready = False
        self._ended = False
        self._sending = threading.Lock()
        self._ending = threading.Lock()
        self._process, self._lifeline = _spawn(python or sys.executable, allow)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdin = self._process.stdin.fileno()
        os.set_blocking(self._stdin, False)
        self._listener = self._thread(self._listen, self._process.stdout)
        self._ear = self._thread(self._overhear, self._process.stderr)

    def _thread(self, target: Callable[[IO[bytes]], None], stream: IO[bytes]) -> threading.Thread:
        thread = threading.Thread(target=target, args=(stream,), name=f"worker-{self.pid}", daemon=True)
        thread.start()
        return thread

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._ended and not self._has_exited()

    def _has_exited(self) -> bool:
        """Whether the process is over, without reaping it: until then nobody else can get its id (see `kill`)."""
        if not hasattr(os, "waitid"):
            return self._process.poll() is not None
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _listen(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(MAX_LINE):
                message = _parse(line)
                self._inbox.put(_Rubbish() if message is None else message)
                if message is None:
                    break
        self._inbox.put(None)

    def _overhear(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(4096):
                self._words.append(line.decode(errors="replace").rstrip())

    def renew(self) -> None:
        """Forget an earlier `cancel`; called when the worker is handed to somebody new."""
        self._cancelled_at = None

    def post(self, message: Message) -> None:
        """Ask without waiting for the answer."""
        with contextlib.suppress(EngineFailed):
            self._number += 1
            self._send({**message, "id": self._number}, time.monotonic() + 1.0)

    def request(
        self,
        message: Message,
        silence_s: float,
        name: str = "worker",
        on_progress: Callable[[float, str], None] = lambda _fraction, _text: None,
    ) -> Message:
        """Ask and wait for the answer.

        Args:
            message: the request, without `id`.
            name: of the engine, for the messages of errors.
            silence_s: seconds without a sign of progress after which the worker is killed.
            on_progress: called with (fraction, text), in this thread.

        Raises:
            EngineCrashed, EngineHung, Cancelled: the worker is gone, or did stop.
            ToolError: what the engine raised.
        """
        self._number += 1
        number = self._number
        deadline = time.monotonic() + (silence_s if self._ready else max(silence_s, START_S))
        self._send({**message, "id": number}, deadline)
        while True:
            try:
                answer = self._inbox.get(timeout=max(self._next_look(deadline) - time.monotonic(), 0.0))
            except queue.Empty:
                self._escalate(name, deadline, silence_s)
                continue
            if isinstance(answer, _Wake):
                continue
            if answer is None or isinstance(answer, _Rubbish):
                raise self._end(name, answer)
            deadline = time.monotonic() + silence_s
            self._ready = True
            if answer.get("id") != number:
                continue
            if "ok" in answer:
                return _mapping(answer["ok"], name)
            if "error" in answer:
                raise error_from_wire(_mapping(answer["error"], name))
            on_progress(float(answer.get("fraction", 0.0)), str(answer.get("text", "")))

    def _next_look(self, deadline: float) -> float:
        if self._cancelled_at is None:
            return deadline
        past = time.monotonic() - self._cancelled_at
        return self._cancelled_at + (TERMINATE_AFTER_S if past < TERMINATE_AFTER_S else KILL_AFTER_S)

    def _escalate(self, name: str, deadline: float, silence_s: float) -> None:
        if self._cancelled_at is None:
            if time.monotonic() < deadline:
                return
            self.kill()
            raise EngineHung(f"{name} gave no sign of progress for {silence_s:g} s; its process was ended.")
        if time.monotonic() - self._cancelled_at < KILL_AFTER_S:
            self._signal(signal.SIGTERM)
            time.sleep(0.01)
        else:
            self.kill()
            raise Cancelled("stopped")

    def _end(self, name: str, answer: _Rubbish | None) -> EngineFailed | Cancelled:
        """The error for a worker that stopped talking sense."""
        if isinstance(answer, _Rubbish):
            self.kill()
            return EngineCrashed(f"{name}: its process wrote rubbish to the studio and was ended.")
        patience = time.monotonic() + 0.5
        while not self._has_exited() and time.monotonic() < patience:
            time.sleep(0.002)
        left_us = not self._has_exited()
        self.kill()
        if self._cancelled_at is not None:
            return Cancelled("stopped")
        code = None if left_us else self._process.returncode
        self._ear.join(0.2)
        last = _last_words(list(self._words))
        error = EngineCrashed(f"{name}: its process {_how(code)}.", hint=f"Its last words: {last}" if last else "")
        error.add_note("\n".join(self._words))
        return error

    def cancel(self) -> None:
        """Ask the running request to stop; `request` terminates, then kills, if it does not."""
        if self._cancelled_at is not None:
            return
        self._cancelled_at = time.monotonic()
        # Where a request is stuck on its way in, this message would be stuck behind it: the clock will do.
        if self._sending.acquire(blocking=False):
            try:
                data = _line({"do": "cancel", "id": self._number})
                with contextlib.suppress(OSError):
                    os.write(self._stdin, data)
            finally:
                self._sending.release()
        self._inbox.put(_Wake())

    def _send(self, message: Message, deadline: float) -> None:
        """Write a message; a worker that does not read it until then has hung."""
        data = memoryview(_line(message))
        with self._sending:
            while data:
                try:
                    data = data[os.write(self._stdin, data) :]
                except BlockingIOError:
                    select.select([], [self._stdin], [], 0.1)
                    self._give_up_sending(deadline)
                except OSError as error:
                    self.kill()
                    raise EngineCrashed(f"a worker {_how(self._process.returncode)}.") from error

    def _give_up_sending(self, deadline: float) -> None:
        if self._cancelled_at is not None and time.monotonic() - self._cancelled_at > TERMINATE_AFTER_S:
            self.kill()
            raise Cancelled("stopped")
        if time.monotonic() > deadline:
            self.kill()
            raise EngineHung("a worker did not read its request; its process was ended.")

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """End the worker and everything it started, now. May be called again, from any thread."""
        with self._ending:
            if self._ended:
                # Its id may be somebody else's by now.
                return
            self._signal(signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5.0)
            self._ended = True
            os.close(self._lifeline)

    def close(self) -> None:
        """`kill`, and give back the handles."""
        self.kill()
        self._listener.join(1.0)
        self._ear.join(1.0)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _spawn(python: str, allow: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a worker; returns it and the writing end of its lifeline (see `worker._die_with_parent`)."""
    reading, writing = os.pipe()
    allowed = [word for prefix in allow for word in ("--allow", prefix)]
    try:
        process = subprocess.Popen(
            # -P: a folder `tools` where the user stands must not be taken for ours.
            [python, "-P", "-m", "tools.runtime.worker", "--lifeline", str(reading), *allowed],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=worker_environment(os.environ),
            pass_fds=[reading],
            process_group=0,
        )
    except OSError as error:
        os.close(writing)
        if isinstance(error, FileNotFoundError):
            raise MissingPrerequisite(f"there is no interpreter {python}.", command="studio doctor") from error
        raise EngineCrashed(f"no worker could be started: {error.strerror}.") from error
    finally:
        os.close(reading)
    return process, writing


def _line(message: Message) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def _parse(line: bytes) -> Message | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def _mapping(data: Any, name: str) -> Message:
    if not isinstance(data, dict):
        raise BadOutput(f"{name} answered with {type(data).__name__} where data with names was due.")
    return data


def _last_words(lines: list[str]) -> str:
    """What a dead worker said about its end, in one line: the innermost frame of a fatal error, or the last lines."""
    said = [line.strip() for line in lines if line.strip()]
    fatal = next((line for line in said if line.startswith("Fatal Python error")), None)
    if fatal is None:
        return " | ".join(said[-3:])[-400:]
    # faulthandler lists every thread; the one that failed is the "current" one.
    current = next((index for index, line in enumerate(said) if line.startswith("Current thread")), 0)
    frame = next((line for line in said[current:] if line.startswith("File ")), "")
    return f"{fatal} {frame}".strip()


def _how(code: int | None) -> str:
    if code is None:
        return "closed its connection"
    if code >= 0:
        return f"ended by itself with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was ended by {name}" + (" (the system does that when memory runs out)" if name == "SIGKILL" else "")
