"""ComfyUI's own interface: pictures sent there, a workflow queued, waited for and stopped, its picture fetched.

Source: the project's server.py and execution.py. `POST /prompt` answers 200 with `prompt_id`, or 400 with `error` and
`node_errors`. `GET /history/ID` is empty until the workflow ended; then it has `outputs` by node and `status`. It is
polled: the web socket tells the same, and a library for it would be one more dependency.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tools.errors import BadOutput, EngineFailed, EngineHung, InvalidInput, OutOfMemory, ToolError
from tools.image.comfyui.workflow import Graph
from tools.runtime.services.http import Answer, ServerHttp

__all__ = ["ComfyClient", "Limits"]

MAX_PICTURE = 96 << 20
SUBFOLDER = "studio"


@dataclass(frozen=True)
class Limits:
    """Seconds: of one request, of sending or fetching a picture, of waiting for others, of the workflow itself."""

    request: float = 15.0
    transfer: float = 60.0
    queue: float = 1800.0
    work: float = 600.0
    poll_first: float = 0.1
    poll_last: float = 1.0


class ComfyClient:
    """Asks one server.

    Args:
        http: where it is.
        limits: see there.
    """

    def __init__(self, http: ServerHttp, limits: Limits = Limits()) -> None:
        self._http, self._limits = http, limits

    def upload(self, name: str, png: bytes) -> str:
        """Send a picture into its input folder; returns what a LoadImage node calls it.

        Raises:
            EngineFailed: it refuses it. Besides, what `ServerHttp.ask` raises.
        """
        border = f"studio-{secrets.token_hex(12)}"
        fields = [("overwrite", "true"), ("type", "input"), ("subfolder", SUBFOLDER)]
        parts = [f'--{border}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields]
        head = f'--{border}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
        head += "Content-Type: image/png\r\n\r\n"
        body = "".join(parts).encode() + head.encode() + png + f"\r\n--{border}--\r\n".encode()
        answer = self._http.ask(
            "POST", "/upload/image", timeout_s=self._limits.transfer,
            content=(f"multipart/form-data; boundary={border}", body),
        )  # fmt: skip
        if answer.status != 200:
            raise EngineFailed(f"{self._http.name} answered {answer.status} to the picture {name}: {_words(answer)}")
        told = _mapping(answer, self._http.name)
        saved, folder = told.get("name"), told.get("subfolder")
        if not isinstance(saved, str) or not isinstance(folder, str) or not saved:
            raise BadOutput(f"{self._http.name} does not say where it put {name}: {_words(answer)}")
        return f"{folder}/{saved}" if folder else saved

    def draw(self, graph: Graph, output: str, progress: Callable[[float, str], None]) -> bytes:
        """Have a workflow run, and fetch its picture. Stopped, it is taken out of the queue or interrupted.

        Args:
            output: node whose picture is taken; empty: the one that gives any.
            progress: told again and again; may raise to stop.

        Raises:
            InvalidInput: the server refuses the workflow; says which node and why.
            OutOfMemory: its card is full. EngineFailed: a node failed, or somebody interrupted it there.
            EngineHung: not done in time. BadOutput: it gave no picture.
        """
        ticket = self._queue(graph)
        try:
            outputs = self._wait(ticket, progress)
        except BaseException:
            self.stop(ticket)
            raise
        return self._fetch(_picture_of(outputs, output, self._http.name))

    def _queue(self, graph: Graph) -> str:
        body = {"prompt": graph, "client_id": secrets.token_hex(16)}
        answer = self._http.ask("POST", "/prompt", timeout_s=self._limits.request, body=body)
        told = _mapping(answer, self._http.name)
        if answer.status == 400:
            raise InvalidInput(f"ComfyUI refuses the workflow: {_refusal(told)}", where=self._http.name)
        if answer.status != 200:
            raise EngineFailed(f"{self._http.name} answered {answer.status} to the workflow: {_words(answer)}")
        if told.get("node_errors"):
            # Part of the workflow would run without the rest.
            self.stop(str(told.get("prompt_id", "")))
            raise InvalidInput(f"ComfyUI refuses a part of the workflow: {_refusal(told)}", where=self._http.name)
        ticket = told.get("prompt_id")
        if not isinstance(ticket, str) or not ticket:
            raise BadOutput(f"{self._http.name} gave the workflow no number: {_words(answer)}")
        return ticket

    def _wait(self, ticket: str, progress: Callable[[float, str], None]) -> dict[str, Any]:
        """Its outputs by node, once it is done."""
        queued = time.monotonic()
        began: float | None = None
        pause, missing = self._limits.poll_first, 0
        while True:
            entry = _mapping(self._get(f"/history/{quote(ticket, safe='')}"), self._http.name).get(ticket)
            if isinstance(entry, dict):
                return _outputs(entry, self._http.name)
            before = self._place(ticket)
            now = time.monotonic()
            if before is None:
                # It may have ended between the two questions.
                missing += 1
                if missing > 3:
                    raise EngineFailed(f"{self._http.name} does not know the workflow any more; was it started anew?")
                progress(0.0 if began is None else 0.9, "waiting for ComfyUI")
            elif before > 0:
                progress(0.0, f"ComfyUI: {before} before it")
            else:
                missing, began = 0, now if began is None else began
                # How far it is only the web socket tells; this nears the end and never reaches it.
                spent = now - began
                progress(spent / (spent + 20.0), f"ComfyUI works, {spent:.0f} s")
            if began is None and now - queued > self._limits.queue:
                raise EngineHung(f"{self._http.name} did not begin within {self._limits.queue:g} s.")
            if began is not None and now - began > self._limits.work:
                raise EngineHung(f"{self._http.name} was not done within {self._limits.work:g} s.")
            time.sleep(pause)
            pause = min(pause * 1.3, self._limits.poll_last)

    def _place(self, ticket: str) -> int | None:
        """How many are before it in the queue; 0 while it runs, None where it is not there."""
        told = _mapping(self._get("/queue"), self._http.name)
        running, pending = (_tickets(told.get(key)) for key in ("queue_running", "queue_pending"))
        if ticket in running:
            return 0
        return len(running) + pending.index(ticket) if ticket in pending else None

    def stop(self, ticket: str) -> None:
        """Take a workflow out of the queue; where it runs, interrupt it. Others' are left alone; nothing is raised."""
        with suppress(ToolError):
            limit = self._limits.request
            self._http.ask("POST", "/queue", timeout_s=limit, body={"delete": [ticket]})
            if self._place(ticket) == 0:
                # Older servers take no id and interrupt what runs: it is ours, as was seen a moment before.
                self._http.ask("POST", "/interrupt", timeout_s=limit, body={"prompt_id": ticket})

    def _get(self, path: str) -> Answer:
        return self._http.must("GET", path, timeout_s=self._limits.request)

    def _fetch(self, picture: dict[str, Any]) -> bytes:
        params = {key: str(picture.get(key, "")) for key in ("filename", "subfolder", "type")}
        answer = self._http.ask("GET", "/view", timeout_s=self._limits.transfer, params=params, most=MAX_PICTURE)
        if answer.status != 200 or not answer.body:
            raise BadOutput(f"{self._http.name} does not give its picture {params['filename']} ({answer.status}).")
        return answer.body


def _mapping(answer: Answer, name: str) -> dict[str, Any]:
    if answer.status not in (200, 400):
        raise EngineFailed(f"{name} answered {answer.status}: {_words(answer)}")
    told = answer.json()
    if not isinstance(told, dict):
        raise BadOutput(f"{name} answered {_words(answer)!r}, which is not from ComfyUI.")
    return told


def _words(answer: Answer) -> str:
    return " ".join(answer.body[:300].decode(errors="replace").split())


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _tickets(items: Any) -> list[str]:
    """Ids of queue entries in the order they will run; an entry is `[number, id, workflow, ...]`."""
    entries = [item for item in _listed(items) if isinstance(item, list) and len(item) > 1]
    with suppress(TypeError):
        entries.sort(key=lambda item: item[0])
    return [str(item[1]) for item in entries]


def _refusal(told: dict[str, Any]) -> str:
    """What a 400 says, with the first node that is wrong."""
    error = told.get("error")
    said = error.get("message", "") if isinstance(error, dict) else str(error or "")
    details = error.get("details", "") if isinstance(error, dict) else ""
    nodes = told.get("node_errors")
    if isinstance(nodes, dict):
        for number, node in nodes.items():
            wrong = node.get("errors") if isinstance(node, dict) else None
            if isinstance(wrong, list) and wrong and isinstance(wrong[0], dict):
                kind = node.get("class_type", "?")
                return f"node {number} ({kind}): {wrong[0].get('message', '')}: {wrong[0].get('details', '')}"[:300]
    return f"{said} {details}".strip()[:300] or "no reason given"


def _outputs(entry: dict[str, Any], name: str) -> dict[str, Any]:
    """The outputs of a finished workflow.

    Raises:
        EngineFailed, OutOfMemory: it ended with an error.
    """
    status = entry.get("status")
    if isinstance(status, dict) and status.get("status_str") == "error":
        messages = [one for one in _listed(status.get("messages")) if isinstance(one, list) and len(one) == 2]
        told = {str(kind): data for kind, data in messages if isinstance(data, dict)}
        if "execution_interrupted" in told:
            raise EngineFailed(f"{name}: somebody interrupted the workflow there.")
        error = told.get("execution_error", {})
        kind, what = str(error.get("exception_type", "")), " ".join(str(error.get("exception_message", "")).split())
        where = f"node {error.get('node_id', '?')} ({error.get('node_type', '?')})"
        full = "OutOfMemory" in kind or "out of memory" in what.lower()
        raise (OutOfMemory if full else EngineFailed)(f"{name}: {where} failed: {kind} {what}"[:400])
    outputs = entry.get("outputs")
    return outputs if isinstance(outputs, dict) else {}


def _picture_of(outputs: dict[str, Any], node: str, name: str) -> dict[str, Any]:
    found = {
        number: [one for one in _listed(given.get("images")) if isinstance(one, dict) and one.get("filename")]
        for number, given in outputs.items()
        if isinstance(given, dict)
    }
    # Previews are of type `temp`: they count where nothing is saved.
    saved = {number: [one for one in given if one.get("type") == "output"] for number, given in found.items()}
    for choice in (saved, found):
        having = {number: given for number, given in choice.items() if given and node in ("", number)}
        if len(having) > 1:
            raise InvalidInput(
                f"several nodes give pictures: {', '.join(having)}", where=name, hint="Name one as `output`."
            )
        if having:
            return next(iter(having.values()))[0]
    who = f"node {node} gave no picture" if node else "no node gave a picture"
    raise BadOutput(f"{name}: the workflow ended, but {who}.")
