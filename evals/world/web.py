"""The web of a world: its search service and its sites, both on loopback, behind the edges where connections are made.

The studio's own code runs up to them: the search library parses a page of results, addresses are checked, names
resolve (to a public address), robots.txt is asked, pages are read in their child process. Only the connection goes
elsewhere.
"""

from __future__ import annotations

import contextlib
import html
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from evals.world.model import Page, Web
from knowledge.passage import WebSearch

if TYPE_CHECKING:
    import httpcore2

__all__ = ["PUBLIC", "Sites", "opened_web"]

PUBLIC = "93.184.216.34"
"""An address of the public web: all names of this world resolve to it."""
_HIT = (
    '<div class="result"><div class="links_main result__body body"><h2><a href="{url}">{title}</a></h2>'
    '<a href="{url}">{snippet}</a></div></div>'
)


@dataclass
class Sites:
    """The server that stands for the search service and all sites.

    Attributes:
        web: what it answers.
        asked: words that went to the search service. fetched: addresses of pages, without robots.txt.
        search_url: where the search service is asked.
    """

    web: Web
    asked: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    port: int = 0
    search_url: str = ""

    def serve(self, connection: socket.socket) -> None:
        """Answer one request."""
        with contextlib.suppress(OSError, ValueError), connection:
            connection.settimeout(10)
            data = b""
            while b"\r\n\r\n" not in data:
                piece = connection.recv(65536)
                if not piece:
                    return
                data += piece
            head, _, body = data.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            target = first.split(" ")[1]
            headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
            wanted = int(headers.get("content-length", 0))
            while len(body) < wanted:
                body += connection.recv(65536)
            if headers.get("host", "").startswith("127.0.0.1"):
                connection.sendall(self._found(target, body.decode("latin-1")))
            else:
                connection.sendall(self._page(headers.get("host", ""), target))

    def _found(self, target: str, body: str) -> bytes:
        """The page of the search service."""
        words = {**parse_qs(urlsplit(target).query), **parse_qs(body)}.get("q", [""])[0]
        self.asked.append(words)
        if self.web.search == "refused":
            return _answer('<form id="challenge-form">', 202)
        listed = [one for one in self.web.pages if one.listed] if self.web.search == "found" else []
        if not listed:
            return _answer('<html><body><div class="no-results">No results found</div></body></html>')
        hits = "".join(
            _HIT.format(**{n: html.escape(getattr(p, n)) for n in ("url", "title", "snippet")}) for p in listed
        )
        return _answer(f"<html><body>{hits}</body></html>")

    def _page(self, host: str, target: str) -> bytes:
        if target == "/robots.txt":
            return _answer("User-agent: *\nAllow: /\n", kind="text/plain")
        self.fetched.append(f"{host}{target}")
        for page in self.web.pages:
            parts = urlsplit(page.url)
            if parts.hostname == host.partition(":")[0] and (parts.path or "/") == target.partition("?")[0]:
                return _answer(page.html or _as_html(page), page.status)
        return _answer("<p>nothing here</p>", 404)

    def resolve(self, host: str, port: int, seconds: float) -> list[str]:  # noqa: ARG002 - the shape of a Resolver
        """Every name leads to the public web."""
        return [PUBLIC]

    def dial(self, ip: str, port: int, seconds: float) -> httpcore2.NetworkStream:  # noqa: ARG002
        """The connection, to this server."""
        import httpcore2

        return httpcore2.SyncBackend().connect_tcp("127.0.0.1", self.port, timeout=seconds)


@contextlib.contextmanager
def opened_web(
    web: Web, cache: Path, embed: Any, pages: int, cancel: threading.Event
) -> Iterator[tuple[Sites, WebSearch]]:
    """The sites, up, and the studio's own search that asks them."""
    from ddgs.engines.duckduckgo import Duckduckgo

    from knowledge.web.cache import WebCache
    from knowledge.web.fetch import Fetcher
    from knowledge.web.providers import DdgsProvider
    from knowledge.web.search import WebSearcher

    sites = Sites(web)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    sites.port = listener.getsockname()[1]
    threading.Thread(target=_accept, args=(listener, sites), daemon=True).start()
    real = Duckduckgo.search_url
    port = sites.port
    if web.search == "down":
        # Nobody listens at a port that was just given back.
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
    sites.search_url = Duckduckgo.search_url = f"http://127.0.0.1:{port}/html/"
    fetcher = Fetcher(resolver=sites.resolve, dial=_plain(sites))
    searcher = WebSearcher(DdgsProvider(), fetcher, pages=pages, cache=WebCache(cache), embedder=embed, cancel=cancel)
    try:
        yield sites, searcher
    finally:
        Duckduckgo.search_url = real
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _plain(sites: Sites) -> Any:
    return sites.dial


def _accept(listener: socket.socket, sites: Sites) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=sites.serve, args=(connection,), daemon=True).start()


def _as_html(page: Page) -> str:
    paragraphs = "".join(f"<p>{html.escape(part)}</p>" for part in page.text.split("\n") if part.strip())
    title = html.escape(page.title)
    return (
        f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{paragraphs}</article></body></html>"
    )


def _answer(body: str, status: int = 200, kind: str = "text/html; charset=utf-8") -> bytes:
    data = body.encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(data)}", "Connection: close"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data
