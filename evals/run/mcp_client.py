"""An MCP client of a person's: the SDK's own, over standard input and output, with a `studio mcp` of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.mcp.link import Link
from evals.deeds import Asked, Moment

__all__ = ["SERVER_FAILED", "Answered", "StudioClient"]

SERVER_FAILED = "ServerFailed"
"""Kind of the error where the server did not begin, or went away: no scenario can expect that."""

START_S = 60.0


@dataclass
class Answered:
    """What came of a request.

    Attributes:
        text: its text parts, or the names of a list. data: structured content; of a list or a resource: what it holds.
        contents: kinds of its parts. error: kind of the error, empty where it went well.
        progress: told of it, in order. cancelled: the client cancelled it. timed_out: nobody answered in time.
    """

    text: str = ""
    data: Any = None
    contents: list[str] = field(default_factory=list)
    error: str = ""
    progress: list[dict[str, Any]] = field(default_factory=list)
    cancelled: bool = False
    timed_out: bool = False


class StudioClient:
    """A connection to a server, opened at once; it lives in an event loop of its own.

    Args:
        command: that is the server. environment: all its variables. cwd: where it is started.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> None:
        from mcp import Client, StdioServerParameters

        given = StdioServerParameters(command=command[0], args=[*command[1:]], env=dict(environment), cwd=str(cwd))
        self._client = Client(given, cache=None)
        self._link = Link(self._client)
        try:
            self._link.begin().result(START_S)
        except BaseException:
            self._link.close()
            raise

    def ask(self, asked: Asked, within_s: float, cancel_at: Moment | None = None) -> Answered:
        """Ask it.

        Args:
            asked: what.
            within_s: then the request is cancelled, as by `cancel_at`.
            cancel_at: when the person has enough of it.
        """
        from mcp.shared.exceptions import MCPError

        found = Answered()
        running = self._link.start(lambda _client: self._ask(asked, found, cancel_at))
        try:
            running.result(within_s)
        except TookTooLong:
            running.cancel()
            found.timed_out = True
        except MCPError as error:
            found.error, found.text = "McpError", str(error)
        except Exception as error:
            found.error, found.text = SERVER_FAILED, f"{type(error).__name__}: {error}"
        return found

    async def _ask(self, asked: Asked, found: Answered, cancel_at: Moment | None) -> None:
        import anyio

        with anyio.CancelScope() as scope:

            async def hear(fraction: float, _total: float | None, text: str | None) -> None:
                found.progress.append({"fraction": fraction, "text": text or ""})
                if cancel_at is not None and re.search(cancel_at.prints or "", text or ""):
                    found.cancelled = True
                    scope.cancel()

            if asked.call is not None:
                _take(await self._client.call_tool(asked.call, asked.arguments, progress_callback=hear), found)
            elif asked.read is not None:
                _read((await self._client.read_resource(asked.read)).contents, found)
            elif asked.show == "tools":
                await self._tools(found)
            else:
                rows = (await self._client.list_resources()).resources
                found.data = [{"uri": str(one.uri), "name": one.name, "mime": one.mime_type} for one in rows]
                found.text = "\n".join(str(one.uri) for one in rows)

    async def _tools(self, found: Answered) -> None:
        tools: list[Any] = []
        cursor: str | None = None
        while True:
            page = await self._client.list_tools(cursor=cursor)
            tools += page.tools
            cursor = page.next_cursor
            if cursor is None:
                break
        found.data = [
            {
                "name": one.name,
                "description": one.description,
                "takes": sorted(one.input_schema.get("properties", {})),
                "needs": sorted(one.input_schema.get("required", [])),
                "reads_only": bool(one.annotations and one.annotations.read_only_hint),
            }
            for one in tools
        ]
        found.text = "\n".join(f"{one['name']}: {one['description']}" for one in found.data)

    def close(self) -> None:
        """Say goodbye; the server ends with its input."""
        self._link.close()


def _take(result: Any, found: Answered) -> None:
    found.contents = [one.type for one in result.content]
    found.text = "\n".join(one.text for one in result.content if one.type == "text")
    found.data = result.structured_content
    if result.is_error:
        data = (found.data or {}).get("data") if isinstance(found.data, Mapping) else None
        told = data.get("error") if isinstance(data, Mapping) else None
        found.error = str(told or "McpError")


def _read(contents: Sequence[Any], found: Answered) -> None:
    texts = [one.text for one in contents if hasattr(one, "text")]
    found.contents = ["text" if hasattr(one, "text") else "blob" for one in contents]
    found.text = "\n".join(texts)
    found.data = [
        {"uri": str(one.uri), "mime": one.mime_type, "letters": len(getattr(one, "text", "") or one.blob)}
        for one in contents
    ]  # fmt: skip
