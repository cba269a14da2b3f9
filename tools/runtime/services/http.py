"""Asking a model server, with a limit on everything: where it is, how long, how much it says."""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from configs.secrets import shown_address
from tools.errors import BadOutput, EngineCrashed, EngineFailed, EngineHung, InvalidInput

__all__ = ["Answer", "ServerHttp", "is_this_machine"]

MAX_BYTES = 8 << 20
"""A longer answer is not one about the state of a server."""
_READ = 1 << 16


@dataclass(frozen=True)
class Answer:
    """What a server said: its status code, the body, and how long it asks to be left alone (`Retry-After`)."""

    status: int
    body: bytes
    retry_after: str = ""

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            BadOutput: it is none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise BadOutput(f"a server answered {self.body[:80]!r}, which is not JSON.") from None


class ServerHttp:
    """One server.

    No proxy is used and no redirect followed: requests go to that address, or nowhere.

    Args:
        name: of the server, for messages.
        url: `http://127.0.0.1:8000`, with a path in front of all others where there is one.
        remote: allow an address that is not of this machine.
        secure: allow an address that begins with https.

    Raises:
        InvalidInput: no http address, or not of this machine.
    """

    def __init__(self, name: str, url: str, *, remote: bool = False, secure: bool = False) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            raise InvalidInput(f"{shown_address(url)!r} has no port that there is", where=name) from None
        self._secure = secure and parts.scheme == "https"
        if not (parts.scheme == "http" or self._secure) or not parts.hostname or parts.query or parts.username:
            raise InvalidInput(f"{shown_address(url)!r} is not an address like http://127.0.0.1:8000", where=name)
        if not remote and not is_this_machine(parts.hostname):
            raise InvalidInput(
                f"{parts.hostname} is not this machine", where=name, hint="Say `remote: true` if that is meant."
            )
        self.name = name
        self.url = url.rstrip("/")
        self.host, self.port = parts.hostname, port or (443 if self._secure else 80)
        self._prefix = parts.path.rstrip("/")

    def ask(
        self,
        method: str,
        path: str,
        *,
        timeout_s: float,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content: tuple[str, bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        most: int = MAX_BYTES,
    ) -> Answer:
        """One request; any status is an answer.

        Args:
            timeout_s: for all of it, from connecting to the last byte.
            body: sent as JSON.
            content: media type and bytes, sent in place of `body`.
            headers: sent besides; they stand in no error.
            most: bytes of the answer; a longer one is refused.

        Raises:
            EngineCrashed: nobody listens there, or the connection broke.
            EngineHung: no whole answer within the time.
            BadOutput: not HTTP, or far too much.
        """
        deadline = time.monotonic() + timeout_s
        target = f"{self._prefix}{path}" + (f"?{urlencode(params)}" if params else "")
        kind, data = content or ("application/json", None if body is None else json.dumps(body).encode())
        sent = {"Content-Type": kind} if data is not None else {}
        sent.update(headers or {})
        connect = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = connect(self.host, self.port, timeout=timeout_s)
        try:
            connection.connect()
            with _cut_off(connection.sock, deadline - time.monotonic()):
                connection.request(method, target, data, sent)
                response = connection.getresponse()
                after = response.headers.get("Retry-After") or ""
                return Answer(response.status, self._read(response, most), after[:40])
        except TimeoutError:
            raise EngineHung(f"{self.name} did not answer {method} {path} within {timeout_s:g} s.") from None
        except ConnectionRefusedError:
            raise EngineCrashed(f"{self.name}: nobody listens on {self.url}.") from None
        except (http.client.RemoteDisconnected, http.client.IncompleteRead):
            raise EngineCrashed(f"{self.name} hung up during {method} {path}.") from None
        except http.client.HTTPException as error:
            raise BadOutput(f"{self.name} did not speak HTTP ({type(error).__name__}).") from error
        except OSError as error:
            raise EngineCrashed(f"{self.name} cannot be reached on {self.url}: {error.strerror or error}.") from error
        finally:
            connection.close()

    def _read(self, response: http.client.HTTPResponse, most: int) -> bytes:
        body = bytearray()
        while part := response.read1(_READ):
            body += part
            if len(body) > most:
                raise BadOutput(f"{self.name} answered with more than {most >> 20} MB.")
        if response.length:
            # `read1` takes a connection that ended early for the end of the body.
            raise http.client.IncompleteRead(b"", response.length)
        return bytes(body)

    def must(
        self,
        method: str,
        path: str,
        *,
        timeout_s: float,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """`ask`, where any status but 2xx is an error.

        Raises:
            EngineFailed: with the status and what the server said; besides, what `ask` raises.
        """
        answer = self.ask(method, path, timeout_s=timeout_s, params=params, body=body)
        if not 200 <= answer.status < 300:
            said = " ".join(answer.body[:300].decode(errors="replace").split())
            raise EngineFailed(f"{self.name} answered {answer.status} to {method} {path}: {said}".rstrip(": "))
        return answer


@contextmanager
def _cut_off(connection: socket.socket, seconds: float) -> Iterator[None]:
    """Shut a connection down when its time is over, whatever is being read from it.

    A socket's own limit starts anew with every byte: headers or a body that drip, and provisional answers without end,
    would be read for ever.

    Raises:
        TimeoutError: the time was over.
    """
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(max(0.001, seconds), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if late.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
    if late.is_set():
        raise TimeoutError


def is_this_machine(host: str) -> bool:
    """Whether a host is a loopback address, or `localhost`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
