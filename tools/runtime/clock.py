"""Time and waiting, as the runtime knows them. The simulation puts its own in their place; nothing else does.

What decides (executor, labour, lane, visit, pool, lease) takes every clock, lock, queue and thread from here, so that
the same code runs on real time with real threads, and on virtual time with one thing happening after another.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

__all__ = ["REAL_CLOCK", "Clock", "Condition", "Event", "Inbox", "Lock", "Thread", "Threads"]


class Lock(Protocol):
    """As `threading.Lock`."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...
    def release(self) -> None: ...
    def __enter__(self) -> bool: ...
    def __exit__(self, *_: Any) -> None: ...


class Condition(Protocol):
    """As `threading.Condition`, held with `with`."""

    def wait(self, timeout: float | None = None) -> bool: ...
    def notify(self, n: int = 1) -> None: ...
    def notify_all(self) -> None: ...
    def __enter__(self) -> bool: ...
    def __exit__(self, *_: Any) -> None: ...


class Event(Protocol):
    """As `threading.Event`."""

    def is_set(self) -> bool: ...
    def set(self) -> None: ...
    def wait(self, timeout: float | None = None) -> bool: ...


class Inbox(Protocol):
    """As `queue.SimpleQueue`; `get` raises `queue.Empty` when the time is over."""

    def put(self, item: Any) -> None: ...
    def get(self, block: bool = True, timeout: float | None = None) -> Any: ...


class Thread(Protocol):
    """As `threading.Thread`, started."""

    def join(self, timeout: float | None = None) -> None: ...


class Threads(Protocol):
    """As `concurrent.futures.ThreadPoolExecutor`; what is submitted sees to its own errors."""

    def submit(self, work: Callable[..., None], /, *args: Any) -> Any: ...
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None: ...


class Clock:
    """Real time, real threads."""

    def now(self) -> float:
        """Seconds from some moment on."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait exactly so long."""
        time.sleep(seconds)

    def pause(self, seconds: float) -> None:
        """Wait about so long before looking again at something that others change."""
        time.sleep(seconds)

    def lock(self) -> Lock:
        return threading.Lock()

    def condition(self) -> Condition:
        return threading.Condition()

    def event(self) -> Event:
        return threading.Event()

    def inbox(self) -> Inbox:
        return queue.SimpleQueue[Any]()

    def thread(self, work: Callable[[], None], name: str) -> Thread:
        """Start one that ends with the process."""
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread

    def threads(self, count: int, name: str) -> Threads:
        """So many that work off what is submitted."""
        return ThreadPoolExecutor(count, thread_name_prefix=name)


REAL_CLOCK = Clock()
