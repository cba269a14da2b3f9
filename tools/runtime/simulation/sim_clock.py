"""Locks, queues and threads on virtual time, as `tools.runtime.clock` names them."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from typing import Any

from tools.runtime.clock import Clock
from tools.runtime.simulation.world import Fiber, World

__all__ = ["SimClock", "SimCondition", "SimEvent", "SimInbox", "SimLock", "SimThread", "SimThreads"]


class SimClock(Clock):
    """The clock, locks and threads of one simulated process.

    Args:
        world: the loop.
        owner: the process.
    """

    def __init__(self, world: World, owner: object) -> None:
        self.world, self._owner = world, owner

    def now(self) -> float:
        return self.world.now

    def sleep(self, seconds: float) -> None:
        self.world.sleep(seconds)

    def pause(self, seconds: float) -> None:
        self.world.wait(None, seconds)

    def lock(self) -> SimLock:
        return SimLock(self.world)

    def condition(self) -> SimCondition:
        return SimCondition(self.world)

    def event(self) -> SimEvent:
        return SimEvent(self.world)

    def inbox(self) -> SimInbox:
        return SimInbox(self.world)

    def thread(self, work: Callable[[], None], name: str) -> SimThread:
        return SimThread(self.world, self.world.spawn(work, name, self._owner, background=True))

    def threads(self, count: int, name: str) -> SimThreads:
        return SimThreads(self.world, count, name, self._owner)


class SimLock:
    """As `threading.Lock`: who comes by may take it before one who was woken for it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._held = False
        self._waiting: deque[Fiber] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        while self._held:
            if not blocking or not (self._world.wait(self._waiting, max(timeout, 0.0)) or not self._held):
                return False
        self._held = True
        return True

    def release(self) -> None:
        self._held = False
        self._world.wake_one(self._waiting)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class SimCondition:
    """As `threading.Condition`."""

    def __init__(self, world: World) -> None:
        self._world, self._lock = world, SimLock(world)
        self._waiting: deque[Fiber] = deque()

    def wait(self, timeout: float | None = None) -> bool:
        self._lock.release()
        woken = self._world.wait(self._waiting, timeout or 0.0)
        self._lock.acquire()
        return woken

    def notify(self, n: int = 1) -> None:
        for _ in range(n):
            self._world.wake_one(self._waiting)

    def notify_all(self) -> None:
        self.notify(len(self._waiting))

    def __enter__(self) -> bool:
        return self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class SimEvent:
    """As `threading.Event`."""

    def __init__(self, world: World) -> None:
        self._world, self._set = world, False
        self._waiting: deque[Fiber] = deque()

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        for fiber in list(self._waiting):
            self._world.wake(fiber)

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            self._world.wait(self._waiting, timeout or 0.0)
        return self._set


class SimInbox:
    """As `queue.SimpleQueue`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._items: deque[Any] = deque()
        self._waiting: deque[Fiber] = deque()

    def put(self, item: Any) -> None:
        self._items.append(item)
        self._world.wake_one(self._waiting)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        while not self._items:
            if not block or not (self._world.wait(self._waiting, timeout or 0.0) or self._items):
                raise queue.Empty
        return self._items.popleft()


class SimThread:
    """As `threading.Thread`, started."""

    def __init__(self, world: World, fiber: Fiber) -> None:
        self._world, self._fiber = world, fiber

    def join(self, timeout: float | None = None) -> None:
        if not self._fiber.ended:
            self._world.wait(self._fiber.joined, timeout or 0.0)


class SimThreads:
    """As `ThreadPoolExecutor`, without futures."""

    def __init__(self, world: World, count: int, name: str, owner: object) -> None:
        self._world, self._count, self._name, self._owner = world, count, name, owner
        self._work: deque[Callable[[], None]] = deque()
        self._running = 0
        self._waiting: deque[Fiber] = deque()

    def submit(self, work: Callable[..., None], /, *args: Any) -> None:
        self._work.append(lambda: work(*args))
        if self._running < self._count:
            self._running += 1
            self._world.spawn(self._work_off, f"{self._name}-{self._running}", self._owner)

    def _work_off(self) -> None:
        try:
            while self._work:
                self._work.popleft()()
        finally:
            self._running -= 1
            for fiber in list(self._waiting):
                self._world.wake(fiber)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if cancel_futures:
            self._work.clear()
        while wait and self._running:
            self._world.wait(self._waiting)
