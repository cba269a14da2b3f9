"""The studio's end of a worker: start it, ask it, watch it, stop it. The other end is `worker`."""

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
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from tools.errors import BadOutput, Cancelled, EngineCrashed, EngineFailed, EngineHung
from tools.runtime.workers.spawn import how_it_ended, last_words, spawn
from tools.runtime.workers.wire import MAX_LINE, error_from_wire

__all__ = ["WorkerProcess"]

TERMINATE_AFTER_S = 0.5
"""A cancelled engine has this long to stop by itself."""
KILL_AFTER_S = 0.7
PING_AFTER_S = 2.0
"""A worker that has said nothing for so long is asked whether it is there; its reading thread answers."""
NO_PULSE_S = 60.0
"""A worker that does not answer for so long is stuck where no other thread of it can run (a library that loads holds
them all up for seconds, so this is long)."""
START_S = 60.0
"""Until the first sign of life; a loaded machine starts Python slowly."""

Message = dict[str, Any]


class _Wake:
    """Put into the inbox to make `request` look at the clock again."""


class _Rubbish:
    """Put into the inbox for a line that is not one of ours."""


class _Watch:
    """The clocks of one request. Progress puts all of them back; an answer to a ping only says that it lives."""

    def __init__(self, silence_s: float) -> None:
        self.heard(silence_s)

    def heard(self, silence_s: float) -> None:
        """Something was heard; `silence_s` is how long progress may take from now, 0 where it was none."""
        self.heard_at = time.monotonic()
        self.ping_at = self.heard_at + PING_AFTER_S
        if silence_s:
            self.silence_s = silence_s
            self.hung_at = self.heard_at + silence_s

    @property
    def next_look(self) -> float:
        return min(self.hung_at, self.ping_at)


class WorkerProcess:
    """One running worker. `request` is for one thread at a time; `cancel` and `kill` for any.

    Args:
        python: interpreter; empty is this one.
        allow: prefixes of the modules that engines may come from.
        keys: environment variables with keys of services that it is given.
        told: environment variables set by the studio itself.
    """

    def __init__(
        self,
        python: str = "",
        allow: tuple[str, ...] = ("tools.",),
        keys: Sequence[str] = (),
        told: Mapping[str, str] | None = None,
    ) -> None:
        self.engines: set[str] = set()
        """Class paths of engines that this worker has loaded or is loading."""
        self.models: set[str] = set()
        """Names of models that this worker holds or is loading."""
        self._inbox: queue.SimpleQueue[Message | _Wake | _Rubbish | None] = queue.SimpleQueue()
        self._words: deque[str] = deque(maxlen=60)
        self._number = 0
        self._cancelled_at: float | None = None
        self._ready = False
        self._ended = False
        self._sending = threading.Lock()
        self._ending = threading.Lock()
        self._process, self._lifeline = spawn(python or sys.executable, allow, keys, told)
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
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            # It was reaped meanwhile, by another thread that ends it.
            return True

    def _is_stopped(self) -> bool:
        if not hasattr(os, "waitid"):
            return False
        try:
            state = os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            # It has died since it was last looked at: Linux knows no stopped child in one that only waits to be reaped.
            return False
        return state is not None and state.si_code == os.CLD_STOPPED

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
        watch = _Watch(silence_s if self._ready else max(silence_s, START_S))
        self._send({**message, "id": number}, watch.hung_at)
        while True:
            try:
                answer = self._inbox.get(timeout=max(self._next_look(watch) - time.monotonic(), 0.0))
            except queue.Empty:
                self._look(name, watch)
                continue
            if isinstance(answer, _Wake):
                continue
            if answer is None or isinstance(answer, _Rubbish):
                raise self._end(name, answer)
            self._ready = True
            watch.heard(silence_s if "pong" not in answer else 0.0)
            if answer.get("id") != number:
                continue
            if "ok" in answer:
                return _mapping(answer["ok"], name)
            if "error" in answer:
                error = error_from_wire(_mapping(answer["error"], name))
                if isinstance(error, EngineCrashed):
                    # It says itself that it is of no use any more: its device failed.
                    self.kill()
                raise error
            if "fraction" in answer:
                fraction, words = answer["fraction"], answer.get("text", "")
                if not isinstance(fraction, int | float):
                    raise self._end(name, _Rubbish())
                on_progress(float(fraction), str(words))

    def _next_look(self, watch: _Watch) -> float:
        if self._cancelled_at is None:
            return watch.next_look
        past = time.monotonic() - self._cancelled_at
        return self._cancelled_at + (TERMINATE_AFTER_S if past < TERMINATE_AFTER_S else KILL_AFTER_S)

    def _look(self, name: str, watch: _Watch) -> None:
        """Nothing was heard: see whether it is time to ask, to end the worker, or to go on with ending it."""
        now = time.monotonic()
        if self._cancelled_at is not None:
            if now - self._cancelled_at >= KILL_AFTER_S:
                self.kill()
                raise Cancelled("stopped")
            self._signal(signal.SIGTERM)
            time.sleep(0.01)
        elif now >= watch.hung_at:
            self.kill()
            raise EngineHung(f"{name} gave no sign of progress for {watch.silence_s:g} s; its process was ended.")
        elif self._ready and now - watch.heard_at >= NO_PULSE_S:
            self.kill()
            raise EngineHung(f"{name}: its process did not answer for {NO_PULSE_S:g} s and was ended.")
        elif now >= watch.ping_at:
            if self._is_stopped():
                self.kill()
                raise EngineHung(f"{name}: its process had been stopped (SIGSTOP) and was ended.")
            watch.ping_at = now + PING_AFTER_S
            self._write_at_once({"do": "ping", "id": self._number})

    def _write_at_once(self, message: Message) -> None:
        """Write a short message if that can be done without waiting: behind a request that is stuck it would be too."""
        if self._sending.acquire(blocking=False):
            try:
                with contextlib.suppress(OSError):
                    os.write(self._stdin, _line(message))
            finally:
                self._sending.release()

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
        last = last_words(list(self._words))
        error = EngineCrashed(
            f"{name}: its process {how_it_ended(code)}.", hint=f"Its last words: {last}" if last else ""
        )
        error.add_note("\n".join(self._words))
        return error

    def cancel(self) -> None:
        """Ask the running request to stop; `request` terminates, then kills, if it does not."""
        if self._cancelled_at is not None:
            return
        self._cancelled_at = time.monotonic()
        self._write_at_once({"do": "cancel", "id": self._number})
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
                    raise EngineCrashed(f"a worker {how_it_ended(self._process.returncode)}.") from error

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
