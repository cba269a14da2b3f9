"""The peer's HTTP side: reads requests, writes what was decided, as slowly and as broken as it was decided."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from evals.peer.replies import Reply, chunks, completion

if TYPE_CHECKING:
    from evals.peer.seen import Seen
    from evals.peer.server import Peer

__all__ = ["Listener"]

LONGEST_BODY = 64 * 2**20


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no news."""


class Listener:
    """A server in a thread, at a port of its own on 127.0.0.1."""

    def __init__(self, peer: Peer) -> None:
        self.closing = threading.Event()
        self.open: set[socket.socket] = set()
        listener = self

        class Bound(_Asked):
            of, owner = peer, listener

        self._server = _Server(("127.0.0.1", 0), Bound)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, name=f"peer-{self.port}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop, and end connections that are still open."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._thread.join(timeout=10)


class _Asked(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # Without it, small writes wait 40 ms for the other side's delayed acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 65_536
    of: Peer
    owner: Listener

    def setup(self) -> None:
        super().setup()
        self.owner.open.add(self.connection)

    def finish(self) -> None:
        self.owner.open.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests look at `peer.requests`."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/v1/models") and not self.of.knows(dict(self.headers)):
            self._send(401, {"error": {"message": "Incorrect API key provided.", "code": "invalid_api_key"}})
        elif path == "/v1/models":
            listed = [{"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in self.of.models]
            self._send(200, {"object": "list", "data": listed})
        elif path in ("/health", "/v1/health"):
            self._send(200, {"status": "ok"})
        elif path.startswith("/v1/models/") and path.removeprefix("/v1/models/") in self.of.models:
            name = path.removeprefix("/v1/models/")
            self._send(200, {"id": name, "object": "model", "created": 0, "owned_by": "tests"})
        else:
            self._unknown()

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LONGEST_BODY:
            self.close_connection = True
            self._send(
                413 if length else 411, {"error": {"message": "Request too large.", "type": "invalid_request_error"}}
            )
            return
        raw = self.rfile.read(int(length))
        if self.path.partition("?")[0] != "/v1/chat/completions":
            self._unknown()
            return
        try:
            body = json.loads(raw, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            said = "We could not parse the JSON body of your request."
            self._send(400, {"error": {"message": said, "type": "invalid_request_error", "param": None, "code": None}})
            return
        seen = self.of.hear(self.path, {key.lower(): value for key, value in self.headers.items()}, body)
        if seen.reply is None:
            self._send(seen.status, {"error": seen.error})
            return
        self._answer(seen, seen.reply)

    def _unknown(self) -> None:
        said = f"Invalid URL ({self.command} {self.path})"
        self._send(404, {"error": {"message": said, "type": "invalid_request_error", "param": None, "code": None}})

    def _answer(self, seen: Seen, reply: Reply) -> None:
        if reply.delay and self.owner.closing.wait(reply.delay):
            self.close_connection = True
            return
        streamed = bool(seen.body.get("stream")) if reply.stream is None else reply.stream
        about: dict[str, Any] = {"number": seen.number, "model": seen.model, "prompt": seen.prompt_tokens}
        if reply.body is not None:
            kind = reply.content_type or "application/json"
            self._write(reply, kind, [reply.body])
        elif streamed:
            usage = bool((seen.body.get("stream_options") or {}).get("include_usage"))
            made = [reply.edit(chunk) if reply.edit else chunk for chunk in chunks(reply, **about, usage=usage)]
            lines = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in made if chunk is not None]
            if reply.done:
                lines.append(b"data: [DONE]\n\n")
            self._write(reply, reply.content_type or "text/event-stream; charset=utf-8", lines)
        else:
            whole = completion(reply, **about)
            raw = json.dumps(reply.edit(whole) if reply.edit else whole).encode()
            self._write(reply, reply.content_type or "application/json", [raw])

    def _write(self, reply: Reply, kind: str, parts: list[bytes]) -> None:
        """Chunked for streams and what drips, with a length otherwise; cut where it shall be."""
        chunked = len(parts) > 1 or bool(reply.drip)
        total = sum(map(len, parts))
        left = total if reply.cut is None else int(total * reply.cut)
        self.send_response(reply.status)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked") if chunked else self.send_header("Content-Length", str(total))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for part in self._dripped(parts, reply.drip):
            kept = part[:left]
            left -= len(kept)
            if kept:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(kept), kept) if chunked else kept)
                if reply.drip:
                    self.wfile.flush()
                    if self.owner.closing.wait(reply.drip):
                        break
        if reply.cut is not None:
            self._hang_up()
            return
        self.wfile.write(b"0\r\n\r\n" if chunked else b"")
        self.wfile.flush()

    def _dripped(self, parts: list[bytes], drip: float) -> list[bytes]:
        if not drip or len(parts) > 1:
            return parts
        return [parts[0][at : at + 16] for at in range(0, len(parts[0]), 16)]

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def _send(self, status: int, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)
        self.wfile.flush()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
