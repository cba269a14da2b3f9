"""A server that answers as the Hugging Face Hub does, as far as pulling goes, and is strict about what it is asked.

Sources: huggingface_hub's `HfApi.model_info` and `file_download` (routes, headers), and the Hub's documentation
(GET /api/models/{repo}/revision/{revision}?blobs=true; GET /{repo}/resolve/{revision}/{file}; X-Error-Code).
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["COMMIT", "LoopbackHub"]

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_loopback"


@dataclass
class LoopbackHub:
    """The repositories, and what goes wrong.

    Attributes:
        files: of `studio/tiny`, by path; those ending in a name of `large` are stored as large files.
        gated: whether a token is needed.
        cuts: how many bytes each of the coming downloads sends before its connection is cut.
        lies: sha256 that is announced for a file, by path.
        sends: instead of the content, by path.
        no_ranges: answers 200 with all bytes whatever range is asked for.
        busy: answers 503 to so many downloads first.
        asked: requests as `METHOD path RANGE`, in order.
        strange: what a strict server would not have accepted.
    """

    files: dict[str, bytes]
    repo: str = "studio/tiny"
    large: tuple[str, ...] = (".safetensors", ".gguf", ".bin")
    gated: bool = False
    cuts: list[int] = field(default_factory=list)
    lies: dict[str, str] = field(default_factory=dict)
    sends: dict[str, bytes] = field(default_factory=dict)
    no_ranges: bool = False
    busy: int = 0
    asked: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    def __enter__(self) -> LoopbackHub:
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def siblings(self) -> list[dict[str, Any]]:
        return [self._sibling(name, data) for name, data in self.files.items()]

    def _sibling(self, name: str, data: bytes) -> dict[str, Any]:
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        told: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": blob}
        if name.endswith(self.large):
            sha = self.lies.get(name) or hashlib.sha256(data).hexdigest()
            told["lfs"] = {"sha256": sha, "size": len(data), "pointerSize": 135}
        return told

    def downloads(self) -> list[str]:
        return [line for line in self.asked if "/resolve/" in line]


class _Handler(BaseHTTPRequestHandler):
    hub: LoopbackHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        hub, url = self.hub, urlsplit(self.path)
        ranged = self.headers.get("Range", "")
        hub.asked.append(f"GET {self.path} {ranged}".strip())
        agent = self.headers.get("User-Agent", "")
        if "hf_hub" not in agent:
            hub.strange.append(f"user agent {agent!r}")
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/([^/]+)", url.path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", url.path)
        if (api or file) and hub.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._error(401, "GatedRepo", "Access to model studio/tiny is restricted.")
        elif api:
            self._tell(api[1], api[2], parse_qs(url.query))
        elif file:
            self._send(file[1], file[2], unquote(file[3]), ranged)
        else:
            hub.strange.append(self.path)
            self._error(404, "", "no such route")

    def _tell(self, repo: str, revision: str, query: dict[str, list[str]]) -> None:
        if query != {"blobs": ["true"]}:
            self.hub.strange.append(f"query {query}")
        if repo != self.hub.repo:
            # The Hub says 401 where it will not tell whether there is such a repository.
            self._error(401, "RepoNotFound", "Invalid username or password.")
        elif revision not in ("main", COMMIT):
            self._error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        else:
            body = {"_id": "0", "id": repo, "modelId": repo, "sha": COMMIT, "private": False, "gated": False,
                    "tags": [], "downloads": 0, "likes": 0, "siblings": self.hub.siblings()}  # fmt: skip
            self._answer(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _send(self, repo: str, revision: str, name: str, ranged: str) -> None:
        hub = self.hub
        if revision != COMMIT:
            hub.strange.append(f"{name} was asked for at {revision}, not at the commit that was listed")
        if self.headers.get("Accept-Encoding") != "identity":
            hub.strange.append("a compressed answer was let in")
        if repo != hub.repo or name not in hub.files:
            self._error(404, "EntryNotFound", "Entry not found")
        elif hub.busy:
            hub.busy -= 1
            self._error(503, "", "busy")
        else:
            self._send_bytes(hub.sends.get(name, hub.files[name]), "" if hub.no_ranges else ranged)

    def _send_bytes(self, data: bytes, ranged: str) -> None:
        status, begin, headers = 200, 0, {"ETag": '"x"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        found = re.fullmatch(r"bytes=(\d+)-", ranged)
        if found:
            status, begin = 206, int(found[1])
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        if begin and begin >= len(data):
            self._answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        elif self.hub.cuts:
            self._head(status, len(data) - begin, headers)
            self.wfile.write(data[begin : begin + self.hub.cuts.pop(0)])
            self.wfile.flush()
            self.connection.shutdown(2)
            self.close_connection = True
        else:
            self._answer(status, data[begin:], headers)

    def _error(self, status: int, code: str, message: str) -> None:
        self._answer(
            status, json.dumps({"error": message}).encode(), {"X-Error-Code": code, "X-Error-Message": message}
        )

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._head(status, len(body), headers)
        self.wfile.write(body)

    def _head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
