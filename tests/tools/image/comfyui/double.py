"""A ComfyUI of the tests: a real HTTP server that answers as the project's server.py and execution.py do.

Endpoints, parameters and bodies: `POST /prompt` {prompt, client_id} -> 200 {prompt_id, number, node_errors} or 400
{error, node_errors}; `GET /history/ID` ({} until it ended), `GET /queue`, `POST /queue` {delete}, `POST /interrupt`,
`GET /view`, `POST /upload/image` (multipart), `GET /system_stats`, `POST /free`. Node classes and the types of their
inputs are checked as execution.validate_prompt checks them; anything unknown is 404.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image

__all__ = ["ComfyDouble", "comfy"]

NODES: dict[str, dict[str, type]] = {
    "CheckpointLoaderSimple": {"ckpt_name": str},
    "CLIPTextEncode": {"text": str},
    "EmptyLatentImage": {"width": int, "height": int, "batch_size": int},
    "LoadImage": {"image": str},
    "LoadImageMask": {"image": str, "channel": str},
    "KSampler": {"seed": int, "steps": int, "cfg": float, "denoise": float},
    "VAEDecode": {},
    "SaveImage": {"filename_prefix": str},
    "PreviewImage": {},
}


class ComfyDouble(ThreadingHTTPServer):
    """Draws noise that depends on the whole workflow and on the content of what was uploaded.

    Attributes:
        seconds: that a workflow takes.
        fail: what is to go wrong: oom, node, interrupted, black, garbage, nothing, forget, skewed, die.
        ahead: workflows of others that are in the queue before.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seconds, self.fail, self.ahead = 0.0, "", 0
        self.inputs: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.prompts: list[dict[str, Any]] = []
        self.history: dict[str, Any] = {}
        self.pending: list[list[Any]] = []
        self.running: list[list[Any]] = []
        self.interrupted: list[str] = []
        self.kept, self.freed = 8 << 30, 0
        self.seen: list[str] = []
        self.lock = threading.Lock()
        self.wake = threading.Event()
        self.done = False
        threading.Thread(target=self._work, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def submit(self, body: dict[str, Any]) -> tuple[int, Any]:
        """`POST /prompt`."""
        prompt = body.get("prompt")
        if prompt is None:
            error = {"type": "no_prompt", "message": "No prompt provided", "details": "No prompt provided"}
            return 400, {"error": {**error, "extra_info": {}}, "node_errors": {}}
        error, node_errors = self._validate(prompt)
        if error:
            return 400, {"error": error, "node_errors": node_errors}
        ticket = str(uuid.uuid4())
        with self.lock:
            for _ in range(self.ahead):
                other = [len(self.prompts), f"other-{uuid.uuid4()}", {}, {}, []]
                self.pending.append(other)
            self.ahead = 0
            number = len(self.prompts) + 100
            self.prompts.append(prompt)
            self.pending.append([number, ticket, prompt, {"client_id": body.get("client_id")}, []])
        self.wake.set()
        return 200, {"prompt_id": ticket, "number": number, "node_errors": {}}

    def _validate(self, prompt: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        wrong: dict[str, Any] = {}
        for number, node in prompt.items():
            kind = node.get("class_type")
            if kind not in NODES:
                return {"type": "invalid_prompt", "message": f"Cannot execute because node {kind} does not exist.",
                        "details": f"Node ID '#{number}'", "extra_info": {}}, {}  # fmt: skip
            for name, value_type in NODES[kind].items():
                value = node["inputs"].get(name)
                if value is None:
                    wrong[number] = _node_error(kind, "required_input_missing", "Required input is missing", name)
                elif not isinstance(value, list) and not _fits(value, value_type):
                    wrong[number] = _node_error(kind, "invalid_input_type", "Failed to convert an input value", name)
            if kind.startswith("LoadImage") and node["inputs"].get("image") not in self.inputs:
                detail = f"image - Invalid image file: {node['inputs'].get('image')}"
                wrong[number] = _node_error(
                    kind, "custom_validation_failed", "Custom validation failed for node", detail
                )
        if wrong:
            return {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation",
                    "details": "", "extra_info": {}}, wrong  # fmt: skip
        if not any(node["class_type"] in ("SaveImage", "PreviewImage") for node in prompt.values()):
            return {"type": "prompt_no_outputs", "message": "Prompt has no outputs", "details": "",
                    "extra_info": {}}, {}  # fmt: skip
        return {}, {}

    def _work(self) -> None:
        while not self.done:
            self.wake.wait(0.05)
            self.wake.clear()
            while True:
                with self.lock:
                    if not self.pending or self.fail == "forget":
                        self.pending = [] if self.fail == "forget" else self.pending
                        break
                    item = self.pending.pop(0)
                    self.running = [item]
                self._run(item)
            if self.freed == 1:
                self.kept, self.freed = 100 << 20, 2

    def _run(self, item: list[Any]) -> None:
        ticket, prompt = item[1], item[2]
        until = time.monotonic() + (self.seconds or 0.02)
        while time.monotonic() < until and ticket not in self.interrupted and not self.done:
            time.sleep(0.01)
        status: dict[str, Any] = {"status_str": "success", "completed": True, "messages": []}
        outputs: dict[str, Any] = {}
        if ticket in self.interrupted or self.fail == "interrupted":
            status = _error("execution_interrupted", {"prompt_id": ticket, "node_id": "3", "node_type": "KSampler"})
        elif self.fail in ("oom", "node"):
            kind = "torch.OutOfMemoryError" if self.fail == "oom" else "RuntimeError"
            what = "Allocation on device" if self.fail == "oom" else "mat1 and mat2 shapes cannot be multiplied"
            told = {"exception_message": what, "exception_type": kind, "traceback": []}
            status = _error("execution_error", {"prompt_id": ticket, "node_id": "3", "node_type": "KSampler", **told})
        elif not ticket.startswith("other"):
            outputs = self._outputs(prompt)
        with self.lock:
            self.running = []
            self.history[ticket] = {"prompt": item, "outputs": outputs, "status": status, "meta": {}}

    def _outputs(self, prompt: dict[str, Any]) -> dict[str, Any]:
        self.kept = 8 << 30
        if self.fail == "nothing":
            return {}
        told = {}
        for number, node in prompt.items():
            if node["class_type"] in ("SaveImage", "PreviewImage"):
                kind = "output" if node["class_type"] == "SaveImage" else "temp"
                folder, _, stem = node["inputs"].get("filename_prefix", "temp").rpartition("/")
                name = f"{stem}_00001_.png"
                self.files[f"{kind}/{folder}/{name}"] = self._picture(prompt, number)
                told[number] = {"images": [{"filename": name, "subfolder": folder, "type": kind}]}
        return told

    def _picture(self, prompt: dict[str, Any], number: str) -> bytes:
        if self.fail == "garbage":
            return b"<html>oops</html>"
        size = next((n["inputs"] for n in prompt.values() if n["class_type"] == "EmptyLatentImage"), None)
        width, height = (size["width"], size["height"]) if size else (64, 64)
        width = width * 2 if self.fail == "skewed" else width
        known: dict[str, Any] = {}
        for name, node in prompt.items():
            inputs = {key: value for key, value in node["inputs"].items() if key != "filename_prefix"}
            if node["class_type"].startswith("LoadImage"):
                inputs["image"] = hashlib.sha256(self.inputs[inputs["image"]]).hexdigest()
            known[name] = inputs
        digest = hashlib.sha256(json.dumps([known, number], sort_keys=True).encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "little"))
        pixels = np.kron(rng.integers(0, 255, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        if self.fail == "black":
            pixels[:] = 0
        stream = BytesIO()
        Image.fromarray(pixels).resize((width, height)).save(stream, "PNG")
        return stream.getvalue()


def _fits(value: Any, wanted: type) -> bool:
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, wanted) and not isinstance(value, bool)


def _node_error(kind: str, what: str, message: str, details: str) -> dict[str, Any]:
    error = {"type": what, "message": message, "details": details, "extra_info": {}}
    return {"errors": [error], "dependent_outputs": ["9"], "class_type": kind}


def _error(event: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"status_str": "error", "completed": False, "messages": [["execution_start", {}], [event, data]]}


class _Handler(BaseHTTPRequestHandler):
    server: ComfyDouble

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: value[0] for key, value in parse_qs(parts.query).items()}
        self.server.seen.append(f"GET {parts.path}")
        match parts.path.strip("/").split("/"):
            case ["history", ticket]:
                found = self.server.history.get(ticket)
                self._json(200, {ticket: found} if found else {})
            case ["queue"]:
                with self.server.lock:
                    self._json(200, {"queue_running": self.server.running, "queue_pending": self.server.pending})
            case ["view"] if "filename" in query:
                name = f"{query.get('type', 'output')}/{query.get('subfolder', '')}/{query['filename']}"
                data = self.server.files.get(name)
                self._send(200 if data is not None else 404, data or b"", "image/png")
            case ["system_stats"]:
                device = {"name": "cuda:0", "type": "cuda", "index": 0, "vram_total": 16 << 30, "vram_free": 8 << 30,
                          "torch_vram_total": self.server.kept, "torch_vram_free": 0}  # fmt: skip
                self._json(200, {"system": {"os": "posix"}, "devices": [device]})
            case _:
                self._send(404, b"404: Not Found", "text/plain")

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.server.seen.append(f"POST {path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/upload/image":
            return self._upload(body)
        if self.headers.get("Content-Type") != "application/json":
            return self._send(400, b"", "text/plain")
        data = json.loads(body or b"{}")
        if path == "/prompt":
            if self.server.fail == "die":
                self.close_connection = True
                return self.connection.close()
            return self._json(*self.server.submit(data))
        if path == "/queue":
            with self.server.lock:
                gone = set(data.get("delete", []))
                self.server.pending = [item for item in self.server.pending if item[1] not in gone]
        elif path == "/interrupt":
            with self.server.lock:
                ours = [item[1] for item in self.server.running if data.get("prompt_id") in (None, item[1])]
                self.server.interrupted += ours
        elif path == "/free":
            self.server.freed = int(bool(data.get("unload_models") and data.get("free_memory")))
            self.server.wake.set()
        else:
            return self._send(404, b"404: Not Found", "text/plain")
        return self._send(200, b"", "text/plain")

    def _upload(self, body: bytes) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = message_from_bytes(head + body)
        if not message.is_multipart():
            return self._send(400, b"", "text/plain")
        fields: dict[str, Any] = {}
        for part in message.get_payload():
            fields[str(part.get_param("name", header="content-disposition"))] = part
        image = fields.get("image")
        if image is None or not image.get_filename():
            return self._send(400, b"", "text/plain")
        text = {name: part.get_payload(decode=True).decode() for name, part in fields.items() if name != "image"}
        folder, name = text.get("subfolder", ""), image.get_filename()
        if ".." in folder or folder.startswith("/") or text.get("type", "input") != "input":
            return self._send(400, b"", "text/plain")
        data = image.get_payload(decode=True)
        Image.open(BytesIO(data)).load()
        self.server.inputs[f"{folder}/{name}" if folder else name] = data
        return self._json(200, {"name": name, "subfolder": folder, "type": "input"})

    def _json(self, status: int, content: Any) -> None:
        self._send(status, json.dumps(content).encode(), "application/json")

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def comfy() -> Iterator[ComfyDouble]:
    """A server in a thread."""
    double = ComfyDouble()
    threading.Thread(target=double.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield double
    finally:
        double.done = True
        double.shutdown()
        double.server_close()
