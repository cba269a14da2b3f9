"""A server that tells back what it was told: keys in errors, keys in answers, whatever is asked of it."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Echo", "echoing"]


class Echo(http.server.ThreadingHTTPServer):
    """Listens on this machine.

    Attributes:
        mode: `error`: refuses, telling all headers back; `answer`: a chat model's answer that holds them.
        bodies: what it was sent, without the headers, which may hold keys.
        keys: what it was sent as authorization.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Telling)
        self.mode = "error"
        self.bodies: list[bytes] = []
        self.keys: list[str] = []

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_port}"


class _Telling(http.server.BaseHTTPRequestHandler):
    def _told(self) -> None:
        server = self.server
        assert isinstance(server, Echo)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server.bodies.append(body + self.path.encode())
        given = [value for name, value in self.headers.items() if "auth" in name.lower() or "key" in name.lower()]
        # A server knows the password within, too.
        plain = [base64.b64decode(one.split()[-1] + "==").decode("latin-1") for one in given if one.startswith("Basic")]
        server.keys += [*given, *plain]
        said = f"you said {' '.join([*given, *plain])} at {self.path}"
        if server.mode == "answer":
            piece = {"title": said, "mood": said, "text": said, "intent": said, "thought": said, "lines": [said]}
            message = {"role": "assistant", "content": json.dumps(piece)}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            answer = {"id": said, "object": "chat.completion", "created": 1, "model": said, "choices": [choice]}
            self._send(200, {**answer, "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}})
        else:
            self._send(401, {"error": {"message": f"Incorrect API key provided: {said}", "code": said}})

    do_GET = do_POST = do_HEAD = do_CONNECT = do_PUT = _told

    def _send(self, status: int, content: object) -> None:
        data = json.dumps(content).encode()
        self.send_response(status, "no")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


@contextmanager
def echoing() -> Iterator[Echo]:
    """Such a server, until the end of the block."""
    with Echo() as up:
        threading.Thread(target=up.serve_forever, daemon=True).start()
        yield up
        up.shutdown()
