"""A public web of paper: names that resolve to public addresses, served on loopback behind the dialling edge.

Everything of the fetcher runs as it ships; only the last step, the connection to a checked IP address, is led to a
server of the test. Every address that is dialled is recorded.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpcore2

from knowledge.web.fetch import Fetcher, Limits
from knowledge.web.problems import NotReached

PUBLIC = "93.184.216.34"
Serve = Callable[["Request"], bytes | None]


@dataclass
class Request:
    """One request as it came in, and the connection for those who answer in pieces."""

    connection: socket.socket
    method: str
    target: str
    headers: dict[str, str]

    @property
    def host(self) -> str:
        return self.headers.get("host", "")

    def drip(self, data: bytes, pause_s: float, stop: threading.Event) -> None:
        for at in range(len(data)):
            if stop.is_set():
                return
            self.connection.sendall(data[at : at + 1])
            time.sleep(pause_s)


def answer(body: bytes | str = b"", status: int = 200, kind: str = "text/html; charset=utf-8", **headers: str) -> bytes:
    """The bytes of an HTTP answer."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def moved(to: str, status: int = 302) -> bytes:
    return answer(status=status, Location=to)


@dataclass
class Site:
    """A server on loopback that stands for all public ones; `pages` maps `host/path` to what is served."""

    pages: dict[str, bytes | Serve] = field(default_factory=dict)
    names: dict[str, list[list[str]]] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    dialled: list[tuple[str, int]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def resolve(self, host: str, port: int, seconds: float) -> list[str]:
        """What a name resolves to: a public address, or the next of the answers given, the last for ever."""
        self.asked.append(host)
        answers = self.names.get(host)
        if answers is None:
            return [PUBLIC]
        if not answers:
            raise NotReached(f"{host} could not be resolved")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def dial(self, ip: str, port: int, seconds: float) -> httpcore2.NetworkStream:
        self.dialled.append((ip, port))
        return httpcore2.SyncBackend().connect_tcp("127.0.0.1", self.port, timeout=seconds)

    def fetcher(self, *, robots: bool = False, limits: Limits | None = None, ssl_context: ssl.SSLContext | None = None):
        return Fetcher(
            robots=robots,
            limits=limits or Limits(seconds=8.0),
            resolver=self.resolve,
            dial=self.dial,
            ssl_context=ssl_context,
        )

    def handle(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(20)
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            data = b""
            while b"\r\n\r\n" not in data:
                piece = connection.recv(65536)
                if not piece:
                    return
                data += piece
            head, *lines = data.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
            method, target, _ = head.split(" ")
            headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
            request = Request(connection, method, target, headers)
            self.requests.append(request)
            page = self.pages.get(f"{request.host}{target}") or self.pages.get(target)
            if callable(page):
                page = page(request)
            if page is None:
                page = answer("<p>none", status=404)
            connection.sendall(page)
            connection.close()


@contextlib.contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve a site on loopback while the block runs."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    site.port = listener.getsockname()[1]

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=site.handle, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield site
    finally:
        site.stop.set()
        # Closing alone does not wake a thread that waits in `accept`.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
