"""How a client of the MCP SDK lives beside code that does not wait: in a thread with an event loop of its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["Link"]

ResultT = TypeVar("ResultT")


class Link:
    """A client of the SDK in an event loop of its own; it is entered and left by one task, as anyio wants."""

    GOODBYE_S = 12.0
    """Seconds in which it must be gone; a program is killed sooner."""

    def __init__(self, client: Any) -> None:
        from anyio.from_thread import start_blocking_portal

        self._client = client
        self._ready: Future[None] = Future()
        self._opened = start_blocking_portal(name="mcp client")
        self._portal = self._opened.__enter__()
        self._leave: Any = None
        self._life: Future[None] | None = None

    def begin(self) -> Future[None]:
        """Connect; the future is done when the server has greeted back."""
        self._life = self._portal.start_task_soon(self._live)
        return self._ready

    def start(self, ask: Callable[[Any], Coroutine[Any, Any, ResultT]]) -> Future[ResultT]:
        """Ask something; the future is done when it is answered."""
        return self._portal.start_task_soon(ask, self._client)

    async def _live(self) -> None:
        import anyio

        self._leave = anyio.Event()
        try:
            async with self._client:
                self._ready.set_result(None)
                await self._leave.wait()
        except BaseException as error:
            if self._ready.done():
                raise
            self._ready.set_exception(error)
            if isinstance(error, anyio.get_cancelled_exc_class()):
                raise

    def close(self) -> None:
        """Leave, and end the loop; what does not end by itself is cancelled."""
        life = self._life
        # Whatever a server does when it is told goodbye, it is gone afterwards.
        with suppress(Exception):
            greeted = self._ready.done() and not self._ready.cancelled()
            if greeted and self._leave is not None and life is not None and not life.done():
                self._portal.call(self._leave.set)
                wait([life], timeout=self.GOODBYE_S)
            if life is not None and not life.done():
                life.cancel()
                wait([life], timeout=self.GOODBYE_S)
        with suppress(Exception):
            self._portal.call(self._portal.stop, True)
        with suppress(Exception):
            self._opened.__exit__(None, None, None)
