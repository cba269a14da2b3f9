"""Names to addresses, with a time limit that the system's own resolver lacks."""

from __future__ import annotations

import socket
import threading
from typing import Protocol

from knowledge.web.problems import NotReached
from knowledge.web.waiting import run_within

__all__ = ["Resolver", "SystemResolver"]

_MOST_HANGING = 16


class Resolver(Protocol):
    """Finds the IP addresses of a name."""

    def __call__(self, host: str, port: int, seconds: float) -> list[str]:
        """All addresses of a name, in the order they should be tried.

        Raises:
            NotReached: there are none.
            TooSlow: it took longer than `seconds`.
        """
        ...


class SystemResolver:
    """The resolver of the operating system."""

    def __init__(self) -> None:
        self._free = threading.BoundedSemaphore(_MOST_HANGING)

    def __call__(self, host: str, port: int, seconds: float) -> list[str]:
        """See `Resolver`."""
        if not self._free.acquire(blocking=False):
            # `getaddrinfo` cannot be interrupted: so many of them hanging means that names are not answered at all.
            raise NotReached("names are not resolved: too many requests hang")

        def ask() -> list[str]:
            try:
                found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
            except (OSError, UnicodeError) as error:
                told = getattr(error, "strerror", None) or "no such name"
                raise NotReached(f"{host} could not be resolved: {told}") from None
            finally:
                self._free.release()
            return list(dict.fromkeys(str(entry[4][0]) for entry in found))

        return run_within(ask, seconds, what=f"resolving {host}")
