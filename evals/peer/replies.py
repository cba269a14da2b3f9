"""What the peer answers, and how it stands on the wire: as one object or as a stream of server-sent events.

Shapes: https://platform.openai.com/docs/api-reference/chat/object and .../chat/streaming.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["Call", "Reply", "answers", "calls", "chunks", "completion", "count_tokens", "refuses", "says"]

PIECE = 24
"""Letters of a piece of a stream."""
MOST_PIECES = 200


@dataclass(frozen=True)
class Call:
    """A tool call. Arguments are an object, or text where they shall be no JSON. Without an id it gets one."""

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    id: str | None = None

    @property
    def text(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True)
class Reply:
    """One answer of the peer, right or wrong; the defaults are those of an honest server.

    `body` is sent instead of the message, `edit` changes the finished object before it is written; `delay` is waited
    before the first byte, `drip` seconds between pieces; `cut` ends the connection after this share of the body.
    """

    content: str | None = None
    calls: tuple[Call, ...] = ()
    refusal: str | None = None
    finish: str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str | None = None
    edit: Any = None
    delay: float = 0.0
    drip: float = 0.0
    cut: float | None = None
    stream: bool | None = None
    done: bool = True
    kind: str = "right"

    def but(self, **changes: Any) -> Reply:
        """The same reply, changed."""
        return replace(self, **changes)

    @property
    def finished(self) -> str:
        return self.finish or ("tool_calls" if self.calls else "stop")


def says(text: str) -> Reply:
    """Free text."""
    return Reply(content=text)


def answers(data: Any) -> Reply:
    """Data as JSON."""
    return Reply(content=json.dumps(data, ensure_ascii=False))


def calls(*made: Call | tuple[str, Mapping[str, Any] | str]) -> Reply:
    """Tool calls: `calls(("search", {"query": "harbours"}))`."""
    return Reply(calls=tuple(call if isinstance(call, Call) else Call(*call) for call in made))


def refuses(text: str = "I'm sorry, I can't help with that.") -> Reply:
    """A refusal as structured outputs have it: its own field, no content."""
    return Reply(refusal=text)


def count_tokens(text: str) -> int:
    """Tokens as the peer counts them: four bytes each."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)


def _message(reply: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.content, "refusal": reply.refusal}
    if reply.calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.text}}
            for call in reply.calls
        ]
    return message


def _usage(reply: Reply, prompt: int) -> dict[str, int]:
    said = count_tokens(reply.content or "") + sum(count_tokens(call.text) + 4 for call in reply.calls)
    return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}


def completion(reply: Reply, *, number: int, model: str, prompt: int) -> dict[str, Any]:
    """The whole `chat.completion` object; `prompt` in tokens."""
    return {
        "id": f"chatcmpl-{number:08x}",
        "object": "chat.completion",
        "created": 1_700_000_000 + number,
        "model": model,
        "choices": [
            {"index": 0, "message": _message(reply), "logprobs": None, "finish_reason": reply.finished},
        ],
        "usage": _usage(reply, prompt),
    }


def _pieces(text: str) -> Iterator[str]:
    size = max(PIECE, -(-len(text) // MOST_PIECES))
    return (text[at : at + size] for at in range(0, len(text), size))


def chunks(reply: Reply, *, number: int, model: str, prompt: int, usage: bool) -> Iterator[dict[str, Any]]:
    """The same as `chat.completion.chunk` objects; the last has the usage where it was asked for."""
    head = {
        "id": f"chatcmpl-{number:08x}",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000 + number,
        "model": model,
    }

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        made = {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}
        return {**made, "usage": None} if usage else made

    yield chunk({"role": "assistant", "content": None if reply.calls else "", "refusal": None})
    for piece in _pieces(reply.content or ""):
        yield chunk({"content": piece})
    for piece in _pieces(reply.refusal or ""):
        yield chunk({"refusal": piece})
    for index, call in enumerate(reply.calls):
        named = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield chunk({"tool_calls": [named]})
        for piece in _pieces(call.text):
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield chunk({}, reply.finished)
    if usage:
        yield {**head, "choices": [], "usage": _usage(reply, prompt)}
