"""Ctrl-C and SIGTERM: at once where nothing is under way, in good order where something is being made.

Nothing slow is imported here: this is the first thing that `studio` does, so that from then on nobody who stops it
reads a traceback. (What Python itself does before the first line of a program, some 15 ms, is its own.)
"""

from __future__ import annotations

import os
import signal
from abc import ABC, abstractmethod

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from types import FrameType, TracebackType
    from typing import Any

__all__ = ["STOPPED", "CancelOnInterrupt", "RaiseOnInterrupt", "stop_at_once", "stop_when_told"]

STOPPED = 130
"""Exit code of what a person stopped: 128 and the number of SIGINT, as shells have it."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = b"\x1b[?25h"


def stop_when_told() -> None:
    """From now on Ctrl-C and SIGTERM end the process at once, with one line and exit code 130."""
    _set(stop_at_once)


def stop_at_once(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the shape of a signal handler
    """End here.

    Not by an exception: one that is raised wherever the program happens to be is caught there by somebody else, or
    printed as "ignored". Nothing needs tidying: workers end with us, files appear whole or not at all.
    """
    for stream, told in ((1, b""), (2, b"Stopped.\n")):
        # A picture of progress may have hidden the cursor.
        try:
            os.write(stream, (_SHOW_CURSOR if os.isatty(stream) else b"") + told)
        except OSError:
            continue
    os._exit(STOPPED)


def _set(handler: Callable[[int, FrameType | None], Any]) -> dict[signal.Signals, Any]:
    """Handle both signals; who started us with one of them ignored (`nohup`, `&` in a script) meant it."""
    wanted = [one for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
    return {one: signal.signal(one, handler) for one in wanted}


class _Handling(ABC):
    """Handles both signals in its own way while it is entered."""

    @abstractmethod
    def _handle(self, signum: int, frame: FrameType | None) -> None:
        """What a signal does."""

    def _enter(self) -> None:
        self._before = _set(self._handle)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)


class CancelOnInterrupt(_Handling):
    """`with CancelOnInterrupt() as cancel:` the first Ctrl-C sets the event, a second one ends the process at once."""

    def __enter__(self) -> threading.Event:
        from threading import Event

        self._cancel = Event()
        self._enter()
        return self._cancel

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        if self._cancel.is_set():
            stop_at_once(signum, frame)
        self._cancel.set()


class RaiseOnInterrupt(_Handling):
    """For a question to a person, where the terminal must be put right again: Ctrl-C raises `Cancelled`."""

    def __enter__(self) -> None:
        self._enter()

    def _handle(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        from tools.errors import Cancelled

        raise Cancelled("stopped")
