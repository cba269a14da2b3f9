"""The way to another server, with bounds on what it may send: lines of a process, bodies of HTTP.

The SDK's own transports read a line, or a body, of any length into memory. A process gets no variables but those that
are named, is in a group of its own, and is ended with all it has started.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

__all__ = ["HARMLESS", "MOST_BYTES", "environment_of", "http_transport", "process_transport"]

MOST_BYTES = 4_000_000
"""Bytes of one message."""
HARMLESS = ("HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "SYSTEMROOT", "TEMP", "PATHEXT", "COMSPEC")
_PATIENCE_S = 1.0


def environment_of(named: list[str], environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a process gets: those without which programs do not start, and those that are named."""
    return {name: environ[name] for name in (*HARMLESS, *named) if name in environ}


@asynccontextmanager
async def process_transport(command: list[str], environment: Mapping[str, str]) -> AsyncIterator[Any]:
    """Start a program and speak to it in lines.

    Args:
        command: the program and its arguments; no shell reads them.
        environment: all its variables.

    Raises:
        OSError: it cannot be started.
    """
    import subprocess

    import anyio
    from anyio.streams.buffered import BufferedByteReceiveStream
    from mcp import types
    from mcp.shared.message import SessionMessage

    process = await anyio.open_process(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=dict(environment), start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    out, into = process.stdout, process.stdin
    heard_in, heard = anyio.create_memory_object_stream[Any](0)
    said, said_out = anyio.create_memory_object_stream[Any](0)

    async def listen() -> None:
        lines = BufferedByteReceiveStream(out)
        async with heard_in:
            with suppress(anyio.EndOfStream, anyio.IncompleteRead, anyio.DelimiterNotFound, anyio.BrokenResourceError,
                          anyio.ClosedResourceError):  # fmt: skip
                while True:
                    line = await lines.receive_until(b"\n", MOST_BYTES)
                    try:
                        message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
                    except ValueError as error:
                        await heard_in.send(error)
                        continue
                    await heard_in.send(SessionMessage(message))

    async def speak() -> None:
        async with said_out:
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                async for message in said_out:
                    text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                    await into.send((text + "\n").encode())

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            group.start_soon(speak)
            yield heard, said
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)


async def _end(process: Any) -> None:
    """Let it go by itself, then ask, then kill: it and all it started."""
    import anyio

    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        await process.stdin.aclose()
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)
        with anyio.move_on_after(_PATIENCE_S):
            await process.wait()
            break
    # What it has started may outlive it.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.aclose()


@asynccontextmanager
async def http_transport(url: str, token: str, timeout_s: float) -> AsyncIterator[Any]:
    """Speak to a streamable HTTP server; it is asked directly, no proxy of the environment sees the token.

    Args:
        url: of its endpoint.
        token: sent as `Authorization: Bearer`; empty sends none.
        timeout_s: seconds without a byte.
    """
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    class Bounded(httpx2.AsyncBaseTransport):
        """Cuts a body that is too long."""

        def __init__(self) -> None:
            self.inner = httpx2.AsyncHTTPTransport(retries=0)

        async def handle_async_request(self, request: Any) -> Any:
            response = await self.inner.handle_async_request(request)
            response.stream = _Counted(response.stream)
            return response

        async def aclose(self) -> None:
            await self.inner.aclose()

    class _Counted(httpx2.AsyncByteStream):
        def __init__(self, stream: Any) -> None:
            self.stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            seen = 0
            async for chunk in self.stream:
                seen += len(chunk)
                if seen > MOST_BYTES:
                    raise httpx2.ReadError("the answer is too long")
                yield chunk

        async def aclose(self) -> None:
            await self.stream.aclose()

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(transport=Bounded(), headers=headers, timeout=timeout_s, trust_env=False) as client,
        streamable_http_client(url, http_client=client, max_sse_event_size=MOST_BYTES) as streams,
    ):
        yield streams
