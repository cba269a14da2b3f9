"""An HTTP client that reads no more of an answer than it was told to."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2

__all__ = ["AnswerTooLarge", "limited_client"]


class AnswerTooLarge(httpx2.TransportError):
    """The answer was longer than allowed."""


class _LimitedStream(httpx2.SyncByteStream):
    def __init__(self, inner: httpx2.SyncByteStream, most: int) -> None:
        self._inner = inner
        self._most = most

    def __iter__(self) -> Iterator[bytes]:
        read = 0
        for chunk in self._inner:
            read += len(chunk)
            if read > self._most:
                raise AnswerTooLarge(f"the answer is longer than {self._most} bytes")
            yield chunk

    def close(self) -> None:
        self._inner.close()


def limited_client(most_bytes: int, timeout_s: float, *, proxies: bool) -> httpx2.Client:
    """A client for one server.

    Args:
        most_bytes: of one answer.
        timeout_s: between two signs of life; the whole answer is bounded by whoever asks.
        proxies: whether proxies of the environment are used; never for a server on this machine.
    """

    def limit(response: httpx2.Response) -> None:
        # A few bytes of what is packed may unpack to gigabytes.
        if response.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
            raise AnswerTooLarge("the answer is packed, though it was asked for plain")
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _LimitedStream(response.stream, most_bytes)

    return httpx2.Client(
        timeout=httpx2.Timeout(timeout_s, connect=min(10.0, timeout_s)),
        headers={"accept-encoding": "identity"},
        event_hooks={"response": [limit]},
        trust_env=proxies,
        follow_redirects=False,
    )
