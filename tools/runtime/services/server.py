"""Model servers as residents of the device: started, put to sleep, woken and stopped through their own interfaces.

    stopped --start--> awake --sleep--> asleep --wake--> awake --stop--> stopped

A server that the studio started belongs to it: it is ended where it hangs, and with the studio. One that was there
before is only asked; it is never ended.
"""

from __future__ import annotations

import re
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from tools.errors import EngineCrashed, EngineFailed, EngineHung, InvalidInput, MissingPrerequisite, ToolError
from tools.runtime.services.http import ServerHttp
from tools.runtime.services.owned_process import OwnedProcess

__all__ = ["Launch", "Resident", "Server", "ServiceState", "Timeouts"]

ServiceState = Literal["stopped", "asleep", "awake"]

_T = TypeVar("_T")
_LOOK_FIRST_S = 0.05
_LOOK_LAST_S = 0.5


class _Gone(Exception):
    """A server that was there is not any more."""


class Resident(Protocol):
    """What the runtime asks of a server."""

    name: str

    def state(self) -> ServiceState:
        """How it is now; it is asked, not remembered."""

    def start(self) -> None:
        """Have it run and awake."""

    def wake(self) -> None:
        """Have its weights on the device; it must have been started."""

    def sleep(self) -> None:
        """Have its weights off the device, ready to come back."""

    def stop(self) -> None:
        """End it where it is ours; where it is not, have it give back what it can."""

    def size_bytes(self) -> int | None:
        """Device memory it takes now; None where neither it nor the driver says."""


@dataclass(frozen=True)
class Timeouts:
    """Seconds that each may take.

    Attributes:
        start: until a started server is ready.
        wake, sleep, stop: until that is done.
        probe: of one question about its state.
    """

    start: float = 120.0
    wake: float = 60.0
    sleep: float = 30.0
    stop: float = 10.0
    probe: float = 5.0


@dataclass(frozen=True)
class Launch:
    """How to start a server.

    Attributes:
        command: program and arguments; no shell reads them.
        cwd: where it runs.
        env: set besides what every worker is given.
        ready_line: a regular expression; ready when a line of its output matches. Empty: ready when its probe says so.
        prepare: done before each start.
    """

    command: Sequence[str]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    ready_line: str = ""
    prepare: Callable[[], None] | None = None


class Server(ABC):
    """Base of the adapters: everything but what is special to one kind of server.

    Args:
        name: for messages.
        url: where it listens; on this machine, unless `remote`.
        launch: how to start it; None: somebody else does.
        timeouts: see there.
        remote: allow a server on another machine. Its memory is not this device's.

    Raises:
        InvalidInput: the address is none, or not of this machine; the pattern of `ready_line` is wrong.
    """

    how_to_start = "start the server"
    """Told where it does not run and there is no `launch`."""
    can_sleep = True
    """Whether it can give back its memory and go on running. One that cannot is ended to sleep, and started to wake."""

    def __init__(
        self,
        name: str,
        url: str,
        launch: Launch | None = None,
        timeouts: Timeouts = Timeouts(),
        *,
        remote: bool = False,
    ) -> None:
        self.name = name
        self.http = ServerHttp(name, url, remote=remote)
        self.launch = launch
        self.timeouts = timeouts
        self._process: OwnedProcess | None = None
        try:
            self._ready_line = re.compile(launch.ready_line) if launch and launch.ready_line else None
        except re.error as error:
            raise InvalidInput(f"ready_line is no regular expression: {error}", where=name) from None

    @property
    def is_ours(self) -> bool:
        """Whether the studio started it."""
        return self._process is not None

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it answers as it does when it can work, or sleeps.

        Raises:
            ToolError: it does not answer, or in a way that is not its own.
        """

    def is_asleep(self) -> bool:
        """Whether its weights are off the device; asked only where it is ready."""
        return False

    def fall_asleep(self) -> None:
        """Tell it to; `sleep` waits until it did."""
        raise InvalidInput("cannot sleep", where=self.name)

    def wake_up(self) -> None:
        """Tell it to; `wake` waits until it did."""
        raise InvalidInput("cannot wake, for it cannot sleep", where=self.name)

    def state(self) -> ServiceState:
        """How it is now.

        Raises:
            EngineHung: it listens, but does not answer.
            EngineFailed: it answers with an error.
        """
        if self._process is not None and not self._process.alive:
            self._end()
        try:
            if not self.is_ready():
                return "stopped"
            return "asleep" if self.is_asleep() else "awake"
        except EngineCrashed:
            return "stopped"

    def start(self) -> None:
        """Have it run and awake. Nothing happens where it is.

        Raises:
            MissingPrerequisite: it does not run, and nobody said how to start it; or its program is not there.
            EngineCrashed: it ended while it started.
            EngineHung: it was not ready in time; it was ended.
            EngineFailed: something that is not ready listens on its port already, and would be taken for ours.
        """
        state = self._guarded(self.state)
        if state == "asleep":
            self.wake()
        if state != "stopped":
            return
        if self._process is None and self._listens():
            if self.launch is not None:
                raise EngineFailed(f"{self.name}: another program listens on {self.http.url}.")
        elif self.launch is None:
            raise MissingPrerequisite(f"{self.name} does not run on {self.http.url}.", command=self.how_to_start)
        elif self._process is None:
            launch = self.launch
            if launch.prepare is not None:
                launch.prepare()
            self._process = OwnedProcess(self.name, launch.command, cwd=launch.cwd, env=launch.env)
        self._wait(self._has_started, self.timeouts.start, "ready")

    def _listens(self) -> bool:
        try:
            with socket.create_connection((self.http.host, self.http.port), timeout=self.timeouts.probe):
                return True
        except OSError:
            return False

    def _has_started(self) -> bool:
        if self._ready_line is not None and self._process is not None:
            return self._process.has_said(self._ready_line)
        return self.is_ready()

    def wake(self) -> None:
        """Have its weights on the device. Nothing happens where they are.

        Raises:
            EngineCrashed: it does not run, or died as it woke.
            EngineHung: it did not wake in time; where it is ours, it was ended.
            EngineFailed: it refused; `OutOfMemory` where it said so.
        """
        if self.can_sleep:
            self._move(self.wake_up, "awake", self.timeouts.wake)
        else:
            self.start()

    def sleep(self) -> None:
        """Have its weights off the device. Nothing happens where they are, or where it does not run.

        Raises:
            EngineCrashed: it died instead; its memory is free then, too.
            EngineHung: it did not sleep in time; where it is ours, it was ended, else its memory is taken still.
            EngineFailed: it refused.
            InvalidInput: it cannot sleep, and is not ours to end.
        """
        if not self.can_sleep:
            self.stop()
        elif self._guarded(self.state) != "stopped":
            self._move(self.fall_asleep, "asleep", self.timeouts.sleep)

    def stop(self) -> None:
        """End it where it is ours; where it is not, have it sleep. Nothing happens where it does not run.

        Raises:
            InvalidInput: it is not ours to end, and cannot sleep: its memory stays taken.
            EngineHung, EngineFailed: it is not ours, and did not fall asleep.
        """
        if self._process is not None:
            self._end()
        elif self.state() != "stopped":
            if not self.can_sleep:
                raise InvalidInput("cannot sleep, and is not ours to end", where=self.name)
            self.sleep()

    def size_bytes(self) -> int | None:
        """Device memory it takes now, as the driver says for a server of ours; None where it does not."""
        return None if self._process is None else self._process.device_bytes()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        """End it where it is ours; leave it as it is where it is not."""
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.stop(self.timeouts.stop)

    def _move(self, tell: Callable[[], None], goal: ServiceState, limit_s: float) -> None:
        state = self._guarded(self.state)
        if state == goal:
            return
        if state == "stopped":
            raise EngineCrashed(f"{self.name} does not run.")
        self._guarded(tell)

        def arrived() -> bool:
            now = self.state()
            if now == "stopped":
                raise _Gone
            return now == goal

        self._wait(arrived, limit_s, goal)

    def _guarded(self, ask: Callable[[], _T]) -> _T:
        """Ask; a server of ours that hangs, or died, is ended before the error goes on."""
        try:
            return ask()
        except (EngineHung, EngineCrashed) as error:
            raise self._given_up(error) from error

    def _given_up(self, error: ToolError) -> ToolError:
        if self._process is None:
            return error
        last = self._process.words()
        self._end()
        return type(error)(error.message, hint=f"It was ended. Its last words: {last}" if last else "It was ended.")

    def _wait(self, done: Callable[[], bool], limit_s: float, what: str) -> None:
        """Look again and again, ever less often, until it is done."""
        deadline, pause = time.monotonic() + limit_s, _LOOK_FIRST_S
        ours, trouble = self._process, ""
        while True:
            try:
                if ours is not None and not ours.alive:
                    raise _Gone
                if done():
                    return
            except _Gone:
                self._end()
                last = ours.words() if ours is not None else ""
                hint = f"Its last words: {last}" if last else ""
                raise EngineCrashed(f"{self.name} ended before it was {what}.", hint=hint) from None
            except (MissingPrerequisite, InvalidInput):
                raise
            except ToolError as error:
                # On its way it may refuse or answer anything; what counts is where it is at the end.
                trouble = f" Seen last: {error.message}"
            if time.monotonic() >= deadline:
                raise self._given_up(EngineHung(f"{self.name} was not {what} within {limit_s:g} s.{trouble}"))
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.5, _LOOK_LAST_S)
