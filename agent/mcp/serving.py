"""Runs the MCP server: over standard input and output, or over HTTP on 127.0.0.1."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from typing import TYPE_CHECKING, Any

from agent.functions.desk import Desk
from agent.functions.offer import studio_functions
from agent.mcp.guard import MOST_BODY, Guard
from agent.mcp.server import StudioServer
from tools.errors import InvalidInput
from tools.functions import Function

if TYPE_CHECKING:
    from configs.settings import Settings

__all__ = ["TOKEN_VARIABLE", "http_app", "serve_http", "serve_stdio", "studio_server"]

TOKEN_VARIABLE = "STUDIO_MCP_TOKEN"
LEAST_TOKEN = 24
"""Letters of a token that a person sets."""


def studio_server(settings: Settings, *, tools: bool = False) -> StudioServer:
    """The server of these settings.

    Args:
        settings: of this run.
        tools: also offer the tools of the registry, which take whole shots and references.
    """
    from agent.wiring import create_context

    desk = Desk(create_context(settings))
    functions: list[Function[Desk]] = studio_functions()
    if tools:
        from agent.functions.bench import bench_functions

        functions += bench_functions(desk)
    return StudioServer(desk, functions)


def serve_stdio(served: StudioServer) -> None:
    """Serve until the client closes standard input. Standard output is the protocol: all else goes to the other."""
    import anyio
    from mcp.server.stdio import stdio_server

    server = served.build()

    async def run() -> None:
        # From here on descriptor 1 is standard error, for this process and those it starts.
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    try:
        anyio.run(run)
    finally:
        served.desk.context.toolbox.close()


def serve_http(served: StudioServer, port: int) -> None:
    """Serve on 127.0.0.1 until the process is told to stop; says where, and the token, once, on standard error.

    Args:
        port: 0 takes a free one.

    Raises:
        InvalidInput: the port is taken, or the token that is set is too short.
    """
    import anyio
    import uvicorn

    token = os.environ.get(TOKEN_VARIABLE) or secrets.token_urlsafe(32)
    if len(token) < LEAST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidInput(f"must have {LEAST_TOKEN} letters at least, and no spaces", where=TOKEN_VARIABLE)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listening.close()
        told = error.strerror if isinstance(error, OSError) and error.strerror else "ports are 0 to 65535"
        raise InvalidInput(f"cannot serve at port {port}: {told}", where="--http") from None
    port = listening.getsockname()[1]
    app = http_app(served, port, token)
    config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="on", timeout_graceful_shutdown=2)
    said = f" (from {TOKEN_VARIABLE})" if os.environ.get(TOKEN_VARIABLE) else f"\nAuthorization: Bearer {token}"
    print(f"Serving MCP at http://127.0.0.1:{port}/mcp{said}", file=sys.stderr, flush=True)
    try:
        anyio.run(uvicorn.Server(config).serve, [listening])
    finally:
        served.desk.context.toolbox.close()


def http_app(served: StudioServer, port: int, token: str) -> Any:
    """The ASGI application: the SDK's, behind our guard."""
    from mcp.server.transport_security import TransportSecuritySettings

    hosts = [f"127.0.0.1:{port}", f"localhost:{port}"]
    rules = TransportSecuritySettings(
        enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=[f"http://{one}" for one in hosts]
    )
    app = served.build().streamable_http_app(
        streamable_http_path="/mcp", transport_security=rules, max_request_body_size=MOST_BODY, max_sessions=32
    )
    return Guard(app, port, token)
