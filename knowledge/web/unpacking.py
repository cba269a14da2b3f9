"""Answers that were packed for the way: unpacked no further than the limit, for a kilobyte may hold a gigabyte."""

from __future__ import annotations

import zlib

from knowledge.web.problems import PageRefused

__all__ = ["ACCEPTED", "Unpacker"]

ACCEPTED = "gzip, deflate"
"""What is asked for, as `Accept-Encoding`."""

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class Unpacker:
    """Takes the body of an answer piece by piece.

    Args:
        encoding: its `Content-Encoding`.
        most_bytes: of the unpacked body.

    Raises:
        PageRefused: packed in a way that was not asked for.
    """

    def __init__(self, encoding: str, most_bytes: int) -> None:
        encoding = encoding.strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise PageRefused("is packed in a way that was not asked for")
        self._zlib = None if encoding in ("", "identity") else zlib.decompressobj(_GZIP_OR_ZLIB)
        self._may_be_raw = encoding == "deflate"
        self._most = most_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._fed = False

    def feed(self, data: bytes) -> None:
        """Take the next piece.

        Raises:
            PageRefused: it is too much, or damaged.
        """
        if self._zlib is None:
            self._keep(data)
            return
        self._fed = True
        while data and not self._zlib.eof:
            try:
                # Never more than one byte beyond the limit is unpacked.
                piece = self._zlib.decompress(data, self._most - self._size + 1)
            except zlib.error:
                if not self._may_be_raw or self._size:
                    raise PageRefused("is damaged") from None
                # Some servers leave out zlib's header, against RFC 9110.
                self._may_be_raw = False
                self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
                continue
            self._keep(piece)
            data = self._zlib.unconsumed_tail

    def finish(self) -> bytes:
        """The whole body.

        Raises:
            PageRefused: its end is missing.
        """
        if self._zlib is not None and self._fed and not self._zlib.eof:
            raise PageRefused("is cut off")
        return b"".join(self._parts)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._most:
            raise PageRefused(f"is larger than {self._most / 1e6:g} MB")
        self._parts.append(piece)
