"""What the web's safeguards cost: a page fetched with every check of its address, and read in a process with limits.

The server is on loopback, behind the last step of the fetcher (the connection to an address that was checked); no
network is used.
"""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from evals.benchmarks.row import Row
from tools.errors import MissingPrerequisite

__all__ = ["measure", "page"]

FETCHES, READS, WARM = 40, 7, 3
PARAGRAPHS = 120
PUBLIC = "93.184.216.34"


def page() -> bytes:
    """A page of some 60 kB as the web has them: menus, an article, a footer."""
    told = "The boats come in at dusk, and the boys count the nets on the quay while the lamps are lit one by one. " * 4
    body = "".join(f"<h2>Part {number}</h2><p>{number}. {told}</p>" for number in range(PARAGRAPHS))
    menu = "".join(f'<li><a href="/{number}">Page {number}</a></li>' for number in range(60))
    head = "<html><head><title>Harbours</title><meta charset='utf-8'></head>"
    end = "<footer>Imprint</footer></body></html>"
    return f"{head}<body><nav><ul>{menu}</ul></nav><article>{body}</article>{end}".encode()


def measure() -> list[Row]:
    """Fetches in turn with `urllib`; readings in turn with trafilatura in this process."""
    from importlib.util import find_spec

    if find_spec("trafilatura") is None:
        raise MissingPrerequisite("pages are read by trafilatura", command='pip install "trafilatura>=2,<3"')
    with _served(page()) as port:
        fetched, plain, found = _fetched(port)
    read, direct = _read(found)
    return [
        Row.of("a page fetched, its address checked", fetched, "ms", against=plain, compared_with="urllib, unchecked"),
        Row.of("a page read, in a process with limits", read, "ms", against=direct,
               compared_with="trafilatura in this process, imported before"),
    ]  # fmt: skip


def _fetched(port: int) -> tuple[list[float], list[float], Any]:
    import httpcore2

    from knowledge.web.fetch import Fetcher, Limits

    def dial(_ip: str, _port: int, seconds: float) -> Any:
        return httpcore2.SyncBackend().connect_tcp("127.0.0.1", port, timeout=seconds)

    class Names:
        """Every name is at one public address."""

        def resolve(self, _host: str, _port: int, _seconds: float) -> list[str]:
            return [PUBLIC]

    fetcher = Fetcher(robots=False, limits=Limits(seconds=8.0), resolver=Names().resolve, dial=dial)  # type: ignore[arg-type]
    ours, plain = [], []
    for _ in range(WARM + FETCHES):
        ours.append(_ms(lambda: fetcher.fetch("http://harbours.example/page")))
        plain.append(_ms(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/page", timeout=8.0).read()))
    return ours[WARM:], plain[WARM:], fetcher.fetch("http://harbours.example/page")


def _read(found: Any) -> tuple[list[float], list[float]]:
    import trafilatura

    from knowledge.web.extract import extract

    ours, direct = [], []
    for _ in range(READS + 1):
        ours.append(_ms(lambda: extract([found])))
        direct.append(_ms(lambda: trafilatura.extract(found.data.decode())))
    reading = extract([found])[0]
    if "count the nets" not in getattr(reading, "text", ""):
        raise RuntimeError(f"the page was not read: {reading}")
    return ours[1:], direct[1:]


def _ms(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


@contextmanager
def _served(body: bytes) -> Iterator[int]:
    class Answers(BaseHTTPRequestHandler):
        """One page, whatever is asked."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
