"""Connections to addresses that were checked, and to no others: the seam between our checks and the HTTP library.

The library asks for a connection to a *name*. What it gets is one to an IP address that the name resolved to a moment
ago and that was found public; nothing is resolved a second time, so an answer that changes in between changes nothing.
Name and certificate stay those of the host: only the way there is fixed.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore2

from knowledge.web.addresses import Address, is_public
from knowledge.web.problems import AddressRefused, PageRefused
from knowledge.web.waiting import Deadline

__all__ = ["CheckedBackend", "Dial", "dial_tcp"]

Dial = Callable[[str, int, float], httpcore2.NetworkStream]
"""(IP address, port, seconds) -> a connection."""

_ONE_ADDRESS_S = 4.0
"""A name may have a dead address before a live one."""


def dial_tcp(ip: str, port: int, seconds: float) -> httpcore2.NetworkStream:
    """A plain TCP connection."""
    return httpcore2.SyncBackend().connect_tcp(ip, port, timeout=seconds)


class CheckedBackend(httpcore2.NetworkBackend):
    """Connects one request to one of the addresses that were checked for it, within its deadline.

    Args:
        address: what is asked.
        ips: what its host resolved to.
        deadline: of the whole request.
        most_bytes: that may come in over the wire, headers and all.
        dial: makes the connections.
    """

    def __init__(
        self, address: Address, ips: Sequence[str], deadline: Deadline, most_bytes: int, dial: Dial = dial_tcp
    ) -> None:
        self._address = address
        self._ips = ips
        self._deadline = deadline
        self._most_bytes = most_bytes
        self._dial = dial

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline is stricter
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        """A connection to the first address that answers."""
        if (host, port) != (self._address.host, self._address.port):
            raise AddressRefused(f"{host}:{port} was not checked")
        refused = [ip for ip in self._ips if not is_public(ip)]
        if refused or not self._ips:
            # One that is not public spoils them all: a name with both kinds is an attack, not a site.
            raise AddressRefused(f"{host} leads to {', '.join(refused) or 'nowhere'}, which is not on the public web")
        problem: Exception = httpcore2.ConnectError("no address")
        for ip in self._ips:
            try:
                stream = self._dial(ip, port, self._deadline.left(_ONE_ADDRESS_S))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                problem = error
                continue
            return _TimedStream(stream, self._deadline, [self._most_bytes])
        raise problem

    def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        """Never: no page of the web lies behind a socket of this machine."""
        raise AddressRefused("sockets of this machine are not asked")

    def sleep(self, seconds: float) -> None:
        """Wait, within the deadline."""
        time.sleep(self._deadline.left(seconds))


class _TimedStream(httpcore2.NetworkStream):
    """A connection on which every wait counts towards one deadline, and every byte towards one limit.

    Time limits of sockets begin anew with each byte: who sends one a second would be waited for all day.
    """

    def __init__(self, inner: httpcore2.NetworkStream, deadline: Deadline, budget: list[int]) -> None:
        self._inner = inner
        self._deadline = deadline
        self._budget = budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        data = self._inner.read(max_bytes, timeout=self._deadline.left())
        self._budget[0] -= len(data)
        if self._budget[0] < 0:
            raise PageRefused("is larger than what is read")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._inner.write(buffer, timeout=self._deadline.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, timeout=self._deadline.left())
        return _TimedStream(inner, self._deadline, self._budget)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
