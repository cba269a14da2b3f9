"""Time that is bounded as a whole: one deadline for all parts of a job, and waiting that gives up on what hangs."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from knowledge.web.problems import Stopped, TooSlow

__all__ = ["Deadline", "run_each", "run_within"]

T = TypeVar("T")

_LOOK_S = 0.1
"""How often a waiting thread looks whether it was told to stop."""


class Deadline:
    """A moment that all parts of a job must be done by."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self, most: float = float("inf")) -> float:
        """Seconds that are left, at most `most`.

        Raises:
            TooSlow: there are none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TooSlow(f"was not done within {self.seconds:g} s")
        return min(left, most)


def run_within(job: Callable[[], T], seconds: float, *, what: str, cancel: threading.Event | None = None) -> T:
    """What `job` returns or raises, if it does so in time.

    A job that hangs in a library cannot be ended from outside: it is left behind on a thread that keeps nothing alive.

    Raises:
        TooSlow: it takes longer than `seconds`; `what` says what it is.
        Stopped: `cancel` was set meanwhile.
    """
    done = run_each([job], seconds, what=what, cancel=cancel)[0]
    if isinstance(done, BaseException):
        raise done
    return done


def run_each(
    jobs: Sequence[Callable[[], T]], seconds: float, *, what: str, cancel: threading.Event | None = None
) -> list[T | Exception]:
    """What each job returns or raises, all at once, in their order; `TooSlow` for what is not done in time.

    Raises:
        Stopped: `cancel` was set meanwhile.
    """
    results: list[T | Exception] = [TooSlow(f"{what} was not done within {seconds:g} s") for _ in jobs]
    done: queue.SimpleQueue[tuple[int, T | Exception]] = queue.SimpleQueue()

    def run(at: int, job: Callable[[], T]) -> None:
        try:
            done.put((at, job()))
        except Exception as error:  # handed to whoever waits, who raises or tells it
            done.put((at, error))

    for at, job in enumerate(jobs):
        threading.Thread(target=run, args=(at, job), daemon=True, name=f"web-{what}").start()
    end = time.monotonic() + seconds
    missing = len(jobs)
    while missing and (left := end - time.monotonic()) > 0:
        if cancel is not None and cancel.is_set():
            raise Stopped(f"{what} was stopped")
        try:
            at, result = done.get(timeout=min(left, _LOOK_S))
        except queue.Empty:
            continue
        results[at] = result
        missing -= 1
    return results
