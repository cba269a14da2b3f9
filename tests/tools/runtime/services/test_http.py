"""One request to a server that means ill: it ends in time, whatever part of the answer drips, and in a typed error."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tools.errors import BadOutput, EngineCrashed, EngineHung
from tools.runtime.services.http import Answer, ServerHttp

LIMIT_S = 0.5
HEAD = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def answering(first: bytes, again: bytes = b"", pause_s: float = 0.05) -> Iterator[str]:
    """A server that sends `first`, then `again` and `again` for 8 s, and hangs up; gives its address."""
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        end = time.monotonic() + 8.0
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(first)
            while again and time.monotonic() < end and not over.is_set():
                connection.sendall(again)
                time.sleep(pause_s)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        over.set()
        thread.join(2.0)


def asked(url: str) -> Answer:
    return ServerHttp("a server", url).ask("GET", "/state", timeout_s=LIMIT_S)


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (HEAD + b"X-Slow: ", b"a"),
        (HEAD, b"X-Slow: a\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        (HEAD + b"Content-Length: 1000\r\n\r\n", b"a"),
        (HEAD + b"Connection: close\r\n\r\n", b"a"),
    ],
    ids=["a header", "headers", "provisional answers", "a chunk's size", "the body", "a body without end"],
)
def test_whatever_drips_is_given_up_in_time(first: bytes, again: bytes) -> None:
    with answering(first, again) as url:
        began = time.monotonic()
        with pytest.raises(EngineHung, match=r"did not answer GET /state within 0\.5 s"):
            asked(url)
        assert time.monotonic() - began < LIMIT_S + 1.5


def test_a_body_that_ends_early_is_none() -> None:
    with answering(HEAD + b"Content-Length: 10\r\n\r\n[1, 2") as url, pytest.raises(EngineCrashed, match="hung up"):
        asked(url)


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b"\xff\xfe", b"[1,"])
def test_json_that_is_none_or_too_deep_is_told(body: bytes) -> None:
    with pytest.raises(BadOutput, match="not JSON"):
        Answer(200, body).json()


def test_threads_of_requests_that_were_answered_do_not_stay() -> None:
    before = threading.active_count()
    for _ in range(5):
        with answering(HEAD + b"Content-Length: 2\r\n\r\n{}") as url:
            assert asked(url).json() == {}
    end = time.monotonic() + 2.0
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() <= before
