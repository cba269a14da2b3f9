"""Small real HTTP servers that answer as model servers do, and fail as they do. `python doubles.py KIND PORT FAULT`.

What each endpoint returns follows the projects' own documentation. A fault is `PATH=WHAT`, where WHAT is a status code,
`hang`, `die` (end the process), `oom`, `garbage`, `drip` (a byte at a time) or `lie` (say yes, do nothing); or
`start=WHAT` with `die`, `hang` or `stay` (deaf to SIGTERM).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Reply = tuple[int, Any]


class Double(ThreadingHTTPServer):
    """Keeps the state of the server it stands for, and what it was asked."""

    daemon_threads = True

    def __init__(self, kind: str, port: int = 0, fault: str = "") -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.kind = kind
        self.fault_path, _, self.fault = fault.partition("=")
        self.loaded = kind in ("vllm", "llama", "sovits")
        self.loading_until = time.monotonic() + (0.2 if kind == "llama" else 0.0)
        self.seen: list[str] = []
        self.tags = {"weights", "kv_cache"}
        self.reloaded = True
        self.level = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def reply(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Reply:
        answer: Reply = getattr(self, f"_{self.kind}")(method, path, query, body)
        return answer

    def _vllm(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Reply:
        match method, path:
            case "GET", "/health":
                return 200, None
            case "GET", "/is_sleeping":
                return 200, {"is_sleeping": self.tags != {"weights", "kv_cache"} or not self.reloaded}
            case "POST", "/sleep":
                self.level = int(query.get("level", ["1"])[0])
                if self.fault != "lie":
                    self.tags, self.reloaded = set(), self.level == 1
                return 200, None
            case "POST", "/wake_up":
                self.tags |= set(query.get("tags", ["weights", "kv_cache"]))
                return 200, None
            case "POST", "/collective_rpc":
                if "weights" not in self.tags or "kv_cache" in self.tags:
                    return 500, {"error": "reloaded at the wrong moment"}
                self.reloaded = body == {"method": "reload_weights"}
                return 200, {"results": [None]}
        return 404, {"detail": "Not Found"}

    def _ollama(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Reply:
        name = "qwen2.5:14b"
        match method, path:
            case "GET", "/api/version":
                return 200, {"version": "0.40.12"}
            case "GET", "/api/ps":
                entry = {"name": name, "model": name, "size": 10_000, "size_vram": 9_000}
                return 200, {"models": [entry] if self.loaded else []}
            case "POST", "/api/generate":
                if body["model"] != name:
                    return 404, {"error": f"model '{body['model']}' not found"}
                gone = body["keep_alive"] == 0
                if gone and self.fault != "lie":
                    # The answer comes first, the memory later.
                    threading.Timer(0.15, lambda: setattr(self, "loaded", False)).start()
                elif not gone:
                    self.loaded = True
                return 200, {"model": name, "response": "", "done": True, "done_reason": "unload" if gone else "load"}
        return 404, "404 page not found"

    def _swap(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Reply:
        match method, path:
            case "GET", "/running":
                return 200, {"running": [{"model": "qwen", "state": "ready"}] if self.loaded else []}
            case "GET", "/upstream/qwen/health":
                self.loaded = True
                return 200, {"status": "ok"}
            case "POST", "/api/models/unload/qwen":
                self.loaded = False
                return 200, "OK"
            case "GET", "/unload":
                self.loaded = False
                return 200, "OK"
        return 404, {"error": "model not found"}

    def _llama(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Reply:
        if (method, path) == ("GET", "/health"):
            if time.monotonic() < self.loading_until:
                return 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
            return 200, {"status": "ok"}
        return 404, {}

    def _sovits(self, method: str, path: str, query: dict[str, list[str]], body: dict[str, Any]) -> Reply:
        return (200, {"openapi": "3.1.0"}) if (method, path) == ("GET", "/openapi.json") else (404, {})


class _Handler(BaseHTTPRequestHandler):
    server: Double

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def _answer(self, method: str) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        self.server.seen.append(f"{method} {self.path}")
        if parts.path == self.server.fault_path and self.server.fault != "lie" and self._fail(self.server.fault):
            return
        status, content = self.server.reply(method, parts.path, parse_qs(parts.query), body)
        self._send(status, b"" if content is None else json.dumps(content).encode())

    def _fail(self, fault: str) -> bool:
        if fault == "hang":
            time.sleep(30)
        elif fault == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif fault == "garbage":
            self._send(200, b"<html>it works</html>")
        elif fault == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b" ")
                time.sleep(0.05)
        elif fault == "oom":
            self._send(500, b'{"error": "CUDA out of memory. Tried to allocate 2.00 GiB"}')
        elif fault.isdigit():
            self._send(int(fault), b'{"error": "it broke"}')
        return True

    def _send(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving(kind: str, fault: str = "") -> Iterator[Double]:
    """A double in a thread: a server that is not ours."""
    double = Double(kind, fault=fault)
    thread = threading.Thread(target=double.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield double
    finally:
        double.shutdown()
        double.server_close()


def main() -> None:
    """A double as a program of its own; it starts another one, as servers with workers do."""
    kind, port, fault = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
    if fault == "start=die":
        sys.exit("no such model")
    if fault == "start=hang":
        time.sleep(60)
    if fault == "start=stay":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(f"child {child.pid}", flush=True)
    double = Double(kind, port, fault)
    print("Uvicorn running", flush=True)
    double.serve_forever(0.01)


if __name__ == "__main__":
    main()
