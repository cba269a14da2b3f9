"""A connection to another MCP server, for code that is not asynchronous: asked in a thread of its own, within limits.

The studio is no help to a server: it offers no sampling, no elicitation and no roots, so a server can ask nothing of
it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from agent.functions.observation import clean_data, clean_text
from agent.mcp.link import Link
from agent.mcp.offer import OfferedTool, read_offer
from agent.mcp.transport import environment_of, http_transport, process_transport
from configs.mcp import McpServer
from tools.errors import Cancelled, EngineFailed, EngineHung, InvalidInput, MissingPrerequisite, ToolError
from tools.functions import Answer

__all__ = ["Connection", "ForeignFailed"]

START_S = 30.0
"""Seconds in which a server must have begun, and said what it offers."""
LONGEST_ANSWER = 20_000
MOST_PAGES = 20
ResultT = TypeVar("ResultT")


class ForeignFailed(EngineFailed):
    """Another server could not be asked, or said that it failed."""


class Connection:
    """One server, connected on first use; a lock lets one thread in at a time.

    Args:
        name: of the server in mcp.yaml.
        entry: how it is reached.
        network: whether anything may leave this machine.
        environ: where its variables are looked up.
    """

    def __init__(self, name: str, entry: McpServer, *, network: bool, environ: Mapping[str, str] = os.environ) -> None:
        self.name = name
        self.entry = entry
        self.network = network
        self._environ = environ
        self._link: Link | None = None
        self._lock = threading.Lock()

    def offer(self, cancel: threading.Event | None = None) -> list[OfferedTool]:
        """What it offers now.

        Raises:
            ToolError: it cannot be reached or does not answer in time; or its offer is out of all bounds.
        """
        return read_offer(self._ask(self._list_tools, START_S, cancel))

    def call(self, tool: str, arguments: dict[str, Any], cancel: threading.Event | None = None) -> Answer:
        """Call one of its tools.

        Args:
            tool: by the server's own name.
            arguments: JSON data.
            cancel: stops the wait, and tells the server so.

        Raises:
            ForeignFailed: it says that it failed, or the connection broke. EngineHung: it took too long.
            Cancelled: a person stopped it.
        """

        async def ask(client: Any) -> Any:
            return await client.call_tool(tool, arguments)

        return self._read(self._ask(ask, self.entry.timeout_s, cancel))

    def close(self) -> None:
        """End the connection and the program, if it is one."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    # -- asking -----------------------------------------------------------------------------------------------------

    def _ask(
        self, ask: Callable[[Any], Coroutine[Any, Any, ResultT]], seconds: float, cancel: threading.Event | None
    ) -> ResultT:
        with self._lock:
            try:
                if self._link is None:
                    self._open(cancel)
                assert self._link is not None
                return self._until(self._link.start(ask), seconds, cancel)
            except (Cancelled, EngineHung):
                # A server that hangs, or was left in the middle of an answer, is begun anew next time.
                self._close()
                raise
            except ToolError:
                raise
            except Exception as error:
                # Whatever a server, or what stands between, does wrong: it is that server's failure, and told as one.
                self._close()
                raise ForeignFailed(f"the MCP server {self.name} failed: {_told(error)}") from error

    def _open(self, cancel: threading.Event | None) -> None:
        from mcp import Client

        entry = self.entry
        if entry.is_remote and not self.network:
            told = f"the MCP server {self.name} is on another machine, and nothing may leave this one."
            raise MissingPrerequisite(told, command="export STUDIO_NETWORK=true")
        needed = [*entry.environment, *([entry.token] if entry.token else [])]
        missing = [name for name in needed if not self._environ.get(name)]
        if missing:
            told = f"the MCP server {self.name} needs the variable {missing[0]}."
            raise MissingPrerequisite(told, command=f"export {missing[0]}=...")
        if entry.command:
            transport = process_transport(entry.command, environment_of(entry.environment, self._environ))
        else:
            token = self._environ.get(entry.token, "") if entry.token else ""
            transport = http_transport(entry.url, token, entry.timeout_s)
        # What a server says of itself may go nowhere: not into a cache, not into a callback.
        client = Client(transport, cache=None, read_timeout_seconds=max(START_S, entry.timeout_s))
        self._link = Link(client)
        try:
            self._until(self._link.begin(), START_S, cancel)
        except BaseException as error:
            self._close()
            if isinstance(_root(error), FileNotFoundError | PermissionError) and entry.command:
                told = f"the MCP server {self.name} cannot be started: {entry.command[0]!r} is no program here."
                raise MissingPrerequisite(told, command=f"install {entry.command[0]}") from error
            raise

    def _until(self, future: Future[ResultT], seconds: float, cancel: threading.Event | None) -> ResultT:
        """The result of a future, within the time, unless a person stops it."""
        end = time.monotonic() + seconds
        while not future.done():
            wait([future], timeout=0.1)
            if future.done():
                break
            if cancel is not None and cancel.is_set():
                future.cancel()
                raise Cancelled("stopped")
            if time.monotonic() >= end:
                future.cancel()
                raise EngineHung(f"the MCP server {self.name} did not answer within {seconds:g} s.")
        return future.result()

    async def _list_tools(self, client: Any) -> list[Any]:
        found: list[Any] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if cursor is None:
                return found
        raise InvalidInput(f"the offer of the MCP server {self.name} never ends")

    # -- reading ----------------------------------------------------------------------------------------------------

    def _read(self, result: Any) -> Answer:
        """An answer as data; only text is taken from it."""
        texts: list[str] = []
        left_out: dict[str, int] = {}
        for one in result.content[:200]:
            if one.type == "text":
                texts.append(clean_text(one.text, LONGEST_ANSWER))
            else:
                left_out[one.type] = left_out.get(one.type, 0) + 1
        text = clean_text("\n".join(texts), LONGEST_ANSWER)
        if result.is_error:
            raise ForeignFailed(f"the MCP server {self.name} says: {clean_text(text, 300) or 'it failed'}")
        if left_out:
            text += f"\n[left out: {', '.join(f'{count} {kind}' for kind, count in left_out.items())}]"
        structured = result.structured_content
        data = clean_data(structured) if isinstance(structured, dict) else {}
        if not texts and data:
            text = clean_text(str(data), LONGEST_ANSWER)
        return Answer(text or "It answered nothing.", data, foreign=True)


def _root(error: BaseException) -> BaseException:
    """The error in a group of one, and of one."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error


def _told(error: BaseException) -> str:
    found = _root(error)
    return clean_text(" ".join(f"{type(found).__name__}: {found}".split()), 300)
