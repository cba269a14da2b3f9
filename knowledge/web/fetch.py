"""The one way out: pages are fetched here and nowhere else.

http and https only, GET only, no proxies of the environment, no cookies, no credentials. Each hop is checked as it is
written (`addresses`), resolved once, every address it resolves to is checked, and the connection goes to just that
(`dialling`). Size, type, redirects and the time for all of it together are bounded. `robots.txt` is asked first and
obeyed.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from configs.unreached import why_unreached
from knowledge.web.addresses import PORTS, Address, read_address
from knowledge.web.problems import AddressRefused, NotReached, PageRefused, TooSlow, WrongType
from knowledge.web.resolving import Resolver, SystemResolver
from knowledge.web.robots import Robots
from knowledge.web.unpacking import ACCEPTED, Unpacker
from knowledge.web.waiting import Deadline, run_within

if TYPE_CHECKING:
    import httpcore2

    from knowledge.web.dialling import Dial

__all__ = ["PAGE_TYPES", "USER_AGENT", "Fetcher", "Limits", "Page"]

PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain"})
USER_AGENT = "animation-studio/0.1 (fetches single pages for a person's question)"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHARSET = re.compile(r"\bcharset\s*=\s*\"?([A-Za-z0-9._:-]{1,40})")
_HEADERS_BYTES = 300_000
"""What may come in beside the body: headers, chunk marks, TLS."""
_ROBOTS_BYTES = 500_000
"""As much of a robots.txt as RFC 9309 has a robot read."""


@dataclass(frozen=True)
class Limits:
    """What one page may cost.

    Attributes:
        seconds: for everything together: names, redirects, robots.txt, the last byte.
        bytes: of the page, packed and unpacked.
        redirects: that are followed.
    """

    seconds: float = 10.0
    bytes: int = 2_000_000
    redirects: int = 5


@dataclass(frozen=True)
class Page:
    """A page as it came.

    Attributes:
        url: where it was in the end, after redirects.
        type: its media type, without parameters.
        charset: as the server names it; may be empty or wrong.
        data: unpacked.
    """

    url: str
    type: str
    charset: str
    data: bytes


@dataclass(frozen=True)
class _Answer:
    status: int
    type: str
    charset: str
    data: bytes
    location: str


class Fetcher:
    """Fetches pages of the public web.

    Args:
        limits: of one page.
        types: media types that are read.
        ports: that are asked.
        robots: whether robots.txt is asked and obeyed.
        resolver: names to addresses.
        dial: makes connections to addresses that were checked; None is plain TCP.
        ssl_context: None trusts what the system trusts.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        types: Collection[str] = PAGE_TYPES,
        ports: Collection[int] = PORTS,
        robots: bool = True,
        resolver: Resolver | None = None,
        dial: Dial | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._types = frozenset(types)
        self._ports = frozenset(ports)
        self._resolver = resolver or SystemResolver()
        self._dial = dial
        self._given_ssl = ssl_context
        self._robots = Robots(self._read_robots) if robots else None

    def fetch(self, url: str, *, cancel: threading.Event | None = None) -> Page:
        """Fetch a page.

        Args:
            url: as a search, a page or a person gave it.
            cancel: set it to stop waiting.

        Raises:
            WebProblem: it may not be asked, was not reached, is not wanted, or took too long.
        """
        address = read_address(url, ports=self._ports)
        deadline = Deadline(self.limits.seconds)
        try:
            # A second beyond the deadline: what hangs where no deadline reaches is left behind, not waited for.
            return run_within(
                lambda: self._fetch(address, deadline), self.limits.seconds + 1.0, what="the page", cancel=cancel
            )
        except TooSlow:
            raise TooSlow(f"{address.host} took longer than {self.limits.seconds:g} s") from None

    def _fetch(self, address: Address, deadline: Deadline) -> Page:
        seen = {address}
        for _ in range(self.limits.redirects + 1):
            if self._robots is not None:
                self._robots.check(address, deadline)
            answer = self._get(address, deadline, self._types, self.limits.bytes)
            if not answer.location:
                if answer.status != 200:
                    raise PageRefused(f"{address.host} answered {answer.status}")
                return Page(address.url, answer.type, answer.charset, answer.data)
            address = self._follow(address, answer.location)
            if address in seen:
                raise PageRefused(f"{address.host} redirects in a circle")
            seen.add(address)
        raise PageRefused(f"{address.host} redirects more than {self.limits.redirects} times")

    def _follow(self, address: Address, location: str) -> Address:
        """Where a redirect leads, checked like the first address."""
        following = address.join(location, ports=self._ports)
        if address.scheme == "https" and following.scheme == "http":
            raise AddressRefused(f"{address.host} redirects from https to http")
        return following

    def _get(self, address: Address, deadline: Deadline, types: Collection[str], most_bytes: int) -> _Answer:
        """One request and its answer; a redirect is told, not followed."""
        import httpcore2

        from knowledge.web.dialling import CheckedBackend, dial_tcp

        backend = CheckedBackend(
            address, self._resolve(address, deadline), deadline, most_bytes + _HEADERS_BYTES, self._dial or dial_tcp
        )
        url = httpcore2.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=address.target.encode(),
        )
        headers = [
            ("Host", address.host_header),
            ("User-Agent", USER_AGENT),
            ("Accept", ", ".join(sorted(types))),
            ("Accept-Encoding", ACCEPTED),
            ("Connection", "close"),
        ]
        try:
            with (
                httpcore2.ConnectionPool(
                    ssl_context=self._ssl_context if address.scheme == "https" else None,
                    network_backend=backend,
                    max_connections=1,
                    max_keepalive_connections=0,
                ) as pool,
                pool.stream("GET", url, headers=headers) as response,
            ):
                return self._read(response, address, types, most_bytes)
        except httpcore2.TimeoutException:
            raise TooSlow(f"{address.host} took too long") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError, OSError) as error:
            raise NotReached(f"{address.host} could not be reached: {why_unreached(error)}") from error

    @staticmethod
    def _read(response: httpcore2.Response, address: Address, types: Collection[str], most_bytes: int) -> _Answer:
        """Read an answer as far as it is wanted."""
        headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
        media, charset = _media_type(headers.get(b"content-type", ""))
        location = headers.get(b"location", "") if response.status in _REDIRECTS else ""
        if location or response.status != 200:
            return _Answer(response.status, media, charset, b"", location)
        if not any(media == wanted or (wanted == "text/*" and media.startswith("text/")) for wanted in types):
            raise WrongType(f"{address.host} sent {media or 'something of no type'}, which is not read")
        length = headers.get(b"content-length", "")
        if length.isdigit() and int(length) > most_bytes:
            raise PageRefused(f"{address.host}: is larger than {most_bytes / 1e6:g} MB")
        try:
            unpacker = Unpacker(headers.get(b"content-encoding", ""), most_bytes)
            for piece in response.iter_stream():
                unpacker.feed(piece)
            return _Answer(response.status, media, charset, unpacker.finish(), "")
        except PageRefused as error:
            raise PageRefused(f"{address.host}: {error}") from None

    def _resolve(self, address: Address, deadline: Deadline) -> list[str]:
        """What the host resolves to, asked once; `CheckedBackend` checks every address before it connects."""
        return [address.host] if address.literal else self._resolver(address.host, address.port, deadline.left())

    def _read_robots(self, address: Address, deadline: Deadline) -> tuple[int, str]:
        """Status and text of a robots.txt; redirects are followed like those of a page."""
        for _ in range(self.limits.redirects + 1):
            answer = self._get(address, deadline, ("text/*",), _ROBOTS_BYTES)
            if not answer.location:
                return answer.status, answer.data.decode("utf-8", "replace")
            address = self._follow(address, answer.location)
        raise PageRefused(f"{address.host} redirects in a circle")

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        import httpcore2

        return self._given_ssl or httpcore2.default_ssl_context()


def _media_type(header: str) -> tuple[str, str]:
    """Type and charset of a `Content-Type`."""
    media, _, parameters = header[:300].partition(";")
    found = _CHARSET.search(parameters)
    return media.strip().lower(), found[1].lower() if found else ""
