"""Who may speak to the HTTP server: whoever holds the token, on this machine, and no web page.

A web page that a person opens can send requests to 127.0.0.1 (and, by DNS rebinding, read the answers): so Host and
Origin are compared with the address that is served, for every path and method, before anything is parsed. Other users
of the machine can connect, too: so there is a token. See the security part of
https://modelcontextprotocol.io/specification/2025-06-18/basic/transports.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["MOST_BODY", "Guard"]

MOST_BODY = 1_000_000
"""Bytes of a request's body."""

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


class Guard:
    """ASGI in front of the server: refuses what does not come from the person's own client.

    Args:
        app: what is guarded.
        port: that is served.
        token: that each request must carry as `Authorization: Bearer`.
    """

    def __init__(self, app: Asgi, port: int, token: str) -> None:
        self.app = app
        self._hosts = {f"127.0.0.1:{port}".encode(), f"localhost:{port}".encode()}
        self._origins = {b"http://" + host for host in self._hosts}
        self._bearer = f"Bearer {token}".encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request, or refuse it without reading its body."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"no {scope['type']} here")
        refusal = self.refusal(scope["headers"])
        if refusal is None:
            await self.app(scope, receive, send)
            return
        status, text = refusal
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
        if status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    def refusal(self, headers: list[tuple[bytes, bytes]]) -> tuple[int, str] | None:
        """Why a request with these headers is refused, as status and text; None where it is not."""
        by_name: dict[bytes, list[bytes]] = {}
        for name, value in headers:
            by_name.setdefault(name.lower(), []).append(value)
        hosts, origins = by_name.get(b"host", []), by_name.get(b"origin", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return 421, "This server answers on its own address alone."
        if len(origins) > 1 or (origins and origins[0].lower() not in self._origins):
            return 403, "Web pages may not use this server."
        given = by_name.get(b"authorization", [])
        if len(given) != 1 or not hmac.compare_digest(given[0], self._bearer):
            return 401, "The token is missing or wrong; the server printed it when it began."
        return None
