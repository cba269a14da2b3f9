"""What the peer keeps of a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from evals.peer.contract import offered_tools
from evals.peer.messages import Picture, text_of
from evals.peer.replies import Reply, count_tokens

__all__ = ["Seen"]


@dataclass
class Seen:
    """A request as it came, what was refused in it, and what was answered."""

    number: int
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    pictures: list[Picture] = field(default_factory=list)
    status: int = 0
    error: dict[str, Any] | None = None
    reply: Reply | None = None

    @property
    def model(self) -> str:
        return str(self.body.get("model") or "")

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.body.get("messages") or ())

    @property
    def tools(self) -> dict[str, dict[str, Any]]:
        """Name -> function object, of what was offered."""
        return offered_tools(self.body)

    @property
    def schema_name(self) -> str | None:
        """The label of the asked form: the name of its schema."""
        named = (self.body.get("response_format") or {}).get("json_schema")
        return str(named["name"]) if named else None

    @property
    def schema(self) -> dict[str, Any] | None:
        """The schema that the answer must have; any object where only JSON is asked for."""
        form = self.body.get("response_format") or {}
        if form.get("type") == "json_schema":
            return dict(form["json_schema"]["schema"])
        return {"type": "object"} if form.get("type") == "json_object" else None

    @property
    def text(self) -> str:
        """All text of all messages."""
        return "\n".join(text_of(message.get("content")) for message in self.messages)

    @property
    def last(self) -> str:
        """Text of the last message."""
        return text_of(self.messages[-1].get("content")) if self.messages else ""

    @property
    def prompt_tokens(self) -> int:
        """Tokens as the peer counts them: four bytes each, 400 a picture, some for each message and tool."""
        tools = json.dumps(self.body.get("tools") or [])
        extra = 4 * len(self.messages) + 400 * len(self.pictures)
        return count_tokens(self.text) + (count_tokens(tools) if self.body.get("tools") else 0) + extra

    def shown(self) -> Iterator[str]:
        """Every text that the model sees: messages, names and descriptions of tools, descriptions in schemas."""
        for message in self.messages:
            yield text_of(message.get("content"))
        for function in self.tools.values():
            yield from _descriptions(function)
        yield from _descriptions(self.schema)

    def made_calls(self) -> list[tuple[str, Any]]:
        """Calls that stand in the conversation: name, arguments."""
        return [
            (call["function"]["name"], json.loads(call["function"]["arguments"] or "{}"))
            for message in self.messages
            for call in message.get("tool_calls") or ()
        ]

    def __repr__(self) -> str:
        asked = self.schema_name or ", ".join(self.tools) or "text"
        return f"<{self.number} {self.model}: {len(self.messages)} messages, asks for {asked}, {self.status}>"


def _descriptions(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key in ("description", "title") and isinstance(value, str):
                yield value
            else:
                yield from _descriptions(value)
    elif isinstance(part, list):
        for item in part:
            yield from _descriptions(item)
