"""What the studio and its workers say to each other: one JSON object a line.

To a worker: `{"do": ..., "id": n, ...}` with `import`, `describe`, `check`, `run`, and, heard while one of those is
being worked on, `cancel` and `ping`. From a worker: `{"ready": pid}` once, then for each request any number of
`{"id": n, "fraction": f, "text": t}` and `{"id": n, "pong": true}`, and one `{"id": n, "ok": {...}}` or
`{"id": n, "error": {"kind": ..., ...}}`. Files never travel here, only their paths.
"""

from __future__ import annotations

from typing import Any

from tools import errors
from tools.errors import EngineFailed, InvalidInput, MissingPrerequisite, ToolError

__all__ = ["MAX_LINE", "error_from_wire", "error_to_wire"]

MAX_LINE = 16 * 1024 * 1024
"""A longer line is not one of ours."""


def error_to_wire(error: ToolError) -> dict[str, Any]:
    """A `ToolError` as JSON data; one of a kind of its own goes as the nearest that everybody knows."""
    known = (one.__name__ for one in type(error).__mro__ if getattr(errors, one.__name__, None) is one)
    data = {"kind": next(known, "EngineFailed"), "message": error.message, "hint": error.hint}
    if isinstance(error, MissingPrerequisite):
        data["command"] = error.command
    return data


def error_from_wire(data: dict[str, Any]) -> ToolError:
    """The error that `error_to_wire` took apart; an unknown kind is an `EngineFailed`."""
    kind, message, hint = (str(data.get(name, "")) for name in ("kind", "message", "hint"))
    if kind == "MissingPrerequisite":
        return MissingPrerequisite(message, command=str(data.get("command", "")))
    if kind == "InvalidInput":
        # The message has its `where` in front already.
        return InvalidInput(message, hint=hint)
    found = getattr(errors, kind, None) if kind in errors.__all__ else None
    if isinstance(found, type) and issubclass(found, ToolError):
        return found(message, hint=hint)
    return EngineFailed(message, hint=hint)
