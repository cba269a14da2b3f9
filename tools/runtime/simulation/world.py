"""Virtual time: one thing happens after another, chosen by a seed; where nothing happens, the clock leaps.

The runtime's code blocks: it waits for locks, workers, answers. Each of its threads is a *fiber* here, an operating
system's thread that runs only while it holds the baton, and gives it on when it would block. So there is no concurrency
and no real time: from one seed comes one order of events, whatever the machine does beside.

Two kinds of times are told apart. What *will happen* (a worker answers, a pause ends, a fault strikes) stands in the
calendar. What only *looks again* (a lock with a timeout, a queue polled for a stop) is fired more and more rarely while
nothing happens, and as often as written once something has. If only the latter is left and looking brings nothing, the
program is stuck, and that is told with who waits for what.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections import deque
from collections.abc import Callable

__all__ = ["Fiber", "Vanished", "World"]

_RAREST = 256.0
"""Times its own pause: who looks in vain looks no rarer than that."""
_LOOKS = 12
"""So often everybody looks in vain before it is said that the program is stuck."""
_MOST_STEPS = 3_000_000


class Vanished(BaseException):
    """The process of this fiber was killed: nothing of it runs any more."""


class Fiber:
    """One thread of the simulated program.

    Attributes:
        name: for messages.
        owner: the process it belongs to.
        background: whether the program may end while it runs.
    """

    def __init__(self, name: str, owner: object, background: bool) -> None:
        self.name, self.owner, self.background = name, owner, background
        self.baton = threading.Lock()
        self.baton.acquire()
        self.killed = self.ended = False
        self.waits_on: deque[Fiber] | None = None
        self.woken = False
        self.looks_s = 0.0
        """The pause after which it looks again; 0 where it waits for what happens."""
        self.looked = 0
        """How often in vain since something happened."""
        self.token = 0
        """Of its present wait; a date of an earlier one is void."""
        self.joined: deque[Fiber] = deque()


class World:
    """The loop.

    Args:
        seed: of every choice: who goes on first, when a look falls.
    """

    def __init__(self, seed: int) -> None:
        self.now = 0.0
        self.stuck: list[str] = []
        """Names of the fibers that wait for what never comes; empty where all ended."""
        self.bugs: list[BaseException] = []
        """What fibers ended with besides `Vanished`."""
        self._dice = random.Random(f"world {seed}")
        self._dates: list[tuple[float, int, Callable[[], None]]] = []
        self._looks: list[tuple[float, int, Fiber, int]] = []
        self._ready: list[Fiber] = []
        self._fibers: list[Fiber] = []
        self._present: Fiber | None = None
        self._closing = False
        self._over = threading.Lock()
        self._over.acquire()
        self._count = self._steps = 0

    @property
    def present(self) -> Fiber:
        """Who runs now."""
        assert self._present is not None
        return self._present

    def at(self, delay_s: float, act: Callable[[], None]) -> None:
        """Have something happen so many seconds from now. `act` must not wait."""
        self._count += 1
        heapq.heappush(self._dates, (self.now + max(delay_s, 0.0), self._count, act))

    def spawn(self, work: Callable[[], None], name: str, owner: object, *, background: bool = False) -> Fiber:
        """A new fiber; it begins when the loop comes to it."""
        fiber = Fiber(name, owner, background)

        def run() -> None:
            fiber.baton.acquire()
            try:
                if not fiber.killed:
                    work()
            except Vanished:
                pass
            except BaseException as error:
                self.bugs.append(error)
            self._fibers.remove(fiber)
            fiber.ended = True
            for waiting in list(fiber.joined):
                self.wake(waiting)
            self._pass_on()

        threading.Thread(target=run, name=name, daemon=True).start()
        self._fibers.append(fiber)
        self._ready.append(fiber)
        return fiber

    def run(self) -> None:
        """Go on until every fiber but those in the background has ended, or the program is stuck."""
        self._pass_on()
        self._over.acquire()
        self._closing = True
        for fiber in list(self._fibers):
            # One at a time: they share what is left of the program.
            fiber.killed = True
            fiber.baton.release()
            self._over.acquire()

    def kill(self, owner: object) -> None:
        """A process is gone: its fibers never come back from where they wait. Only for what stands in the calendar."""
        for fiber in self._fibers:
            if fiber.owner is owner and not fiber.killed:
                fiber.killed = True
                self.wake(fiber)

    def lives(self, owner: object) -> bool:
        """Whether a process has fibers left but those in the background."""
        return any(fiber.owner is owner and not fiber.background for fiber in self._fibers)

    # -- for what blocks --------------------------------------------------------------------------------------------

    def wait(self, on: deque[Fiber] | None = None, looks_s: float = 0.0) -> bool:
        """Let others run.

        Args:
            on: where the fiber stands until somebody wakes it; None: until it looks again.
            looks_s: it comes back about so many seconds later by itself; 0 does not.

        Returns:
            Whether it was woken.

        Raises:
            Vanished: its process was killed.
        """
        fiber = self.present
        if fiber.killed:
            raise Vanished
        fiber.waits_on, fiber.woken, fiber.looks_s = on, False, looks_s
        fiber.token += 1
        if on is not None:
            on.append(fiber)
        if looks_s:
            self._date_look(fiber)
        return self._yield(fiber)

    def sleep(self, seconds: float) -> None:
        """Come back exactly so much later."""
        fiber, bed = self.present, deque[Fiber]()
        self.at(seconds, lambda: self.wake(fiber) if fiber in bed else None)
        self.wait(bed)

    def breathe(self) -> None:
        """Somebody else may come first here."""
        fiber = self.present
        if fiber.killed:
            raise Vanished
        self._ready.append(fiber)
        self._yield(fiber)

    def wake(self, fiber: Fiber) -> None:
        """Let a waiting fiber go on."""
        if fiber in self._ready:
            return
        self._rise(fiber)
        fiber.woken, fiber.looked = True, 0

    def wake_one(self, waiting: deque[Fiber]) -> None:
        """Let one of those go on, whichever."""
        if waiting:
            self.wake(waiting[self._dice.randrange(len(waiting))])

    # -- the loop, run by whichever thread has the baton ------------------------------------------------------------

    def _yield(self, fiber: Fiber) -> bool:
        self._pass_on()
        fiber.baton.acquire()
        if fiber.killed:
            raise Vanished
        return fiber.woken

    def _pass_on(self) -> None:
        self._present = None
        self._present = following = self._choose()
        (self._over if following is None else following.baton).release()

    def _choose(self) -> Fiber | None:
        """Who runs next; None: it is over."""
        while not self._closing and any(not fiber.background for fiber in self._fibers):
            if self._ready:
                return self._ready.pop(self._dice.randrange(len(self._ready)))
            self._steps += 1
            if self._steps > _MOST_STEPS:
                self.stuck = ["it goes on for ever", *self._who_waits()]
                break
            while self._looks and self._looks[0][2].token != self._looks[0][3]:
                heapq.heappop(self._looks)
            if self._dates and (not self._looks or self._dates[0][0] <= self._looks[0][0]):
                self.now, _, act = heapq.heappop(self._dates)
                act()
                self._stir()
            elif self._looks and (self._dates or self._has_hope()):
                when, _, fiber, _ = heapq.heappop(self._looks)
                self.now = max(self.now, when)
                self._rise(fiber)
                fiber.looked += 1
            else:
                self.stuck = self._who_waits()
                break
        return None

    def _rise(self, fiber: Fiber) -> None:
        if fiber.waits_on is not None and fiber in fiber.waits_on:
            fiber.waits_on.remove(fiber)
        fiber.waits_on, fiber.looks_s = None, 0.0
        fiber.token += 1
        self._ready.append(fiber)

    def _has_hope(self) -> bool:
        """Whether somebody may still find what he looks for, though nothing will happen any more."""
        return any(fiber.looks_s and fiber.looked < _LOOKS for fiber in self._fibers)

    def _who_waits(self) -> list[str]:
        return sorted(fiber.name for fiber in self._fibers if not fiber.background)

    def _date_look(self, fiber: Fiber) -> None:
        pause = fiber.looks_s * min(2.0**fiber.looked, _RAREST) * self._dice.uniform(0.5, 1.0)
        self._count += 1
        heapq.heappush(self._looks, (self.now + pause, self._count, fiber, fiber.token))

    def _stir(self) -> None:
        """Something happened: whoever had begun to look rarely looks soon."""
        for fiber in self._fibers:
            if fiber.looks_s and fiber.looked:
                fiber.looked = 0
                fiber.token += 1
                self._date_look(fiber)
