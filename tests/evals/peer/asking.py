"""Plain HTTP for the tests of the peer: what a client library would tidy up stays as it is."""

from __future__ import annotations

import base64
import http.client
import io
import json
from typing import Any

from evals.peer.server import Peer

__all__ = ["ask", "data_url", "picture", "request", "tool", "wants"]


def request(**changes: Any) -> dict[str, Any]:
    """A request that any server takes, with changes."""
    return {"model": "tiny-random", "messages": [{"role": "user", "content": "A boat."}], **changes}


def ask(peer: Peer, body: Any = None, **changes: Any) -> tuple[int, Any]:
    """Status and body (read where it is JSON, else its bytes) of a chat request."""
    raw = body if isinstance(body, bytes) else json.dumps(request(**changes) if body is None else body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", int(peer.url.split(":")[2].split("/")[0]), timeout=30)
    try:
        connection.request("POST", "/v1/chat/completions", raw, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        got = answer.read()
        try:
            return answer.status, json.loads(got)
        except (ValueError, RecursionError):
            return answer.status, got
    finally:
        connection.close()


def tool(name: str = "search", **properties: Any) -> dict[str, Any]:
    """A tool with a text to search for, or with these properties."""
    asked = properties or {"query": {"type": "string"}}
    parameters = {"type": "object", "properties": asked, "required": sorted(asked), "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "description": "Finds things.", "parameters": parameters}}


def wants(schema: dict[str, Any], name: str = "Story", strict: bool | None = None) -> dict[str, Any]:
    """A response_format of this schema."""
    form: dict[str, Any] = {"name": name, "schema": schema}
    return {"type": "json_schema", "json_schema": form if strict is None else {**form, "strict": strict}}


def picture(kind: str = "png", width: int = 16, height: int = 12) -> bytes:
    """A picture's bytes, encoded by FFmpeg."""
    import av
    import numpy as np

    made = io.BytesIO()
    codec, form = ("png", "rgb24") if kind == "png" else ("mjpeg", "yuvj420p")
    with av.open(made, "w", format="image2pipe") as out:
        stream: Any = out.add_stream(codec, rate=1)
        stream.width, stream.height, stream.pix_fmt = width, height, form
        frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 128, dtype=np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    return made.getvalue()


def data_url(data: bytes, kind: str = "png") -> str:
    """The picture as chat requests carry it."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
