"""`studio mcp`: the studio as an MCP server, and the tools of other MCP servers.

Only Typer and the standard library are imported here; each command imports what it needs.
"""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["mcp"]

mcp = typer.Typer(
    name="mcp",
    help="Serve the studio to MCP clients, or look at the tools of other MCP servers.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Name = Annotated[str, typer.Argument(help="Name of the server in configs/mcp.yaml.")]
Http = Annotated[int | None, typer.Option("--http", min=0, max=65535, help="Serve HTTP on 127.0.0.1 at this port.")]
Tools = Annotated[bool, typer.Option("--tools", help="Also offer the low-level tools, with references to results.")]


@mcp.callback()
def serve(context: typer.Context, http: Http = None, tools: Tools = False) -> None:
    """Serve the studio to MCP clients: on standard input and output, or over HTTP on this machine."""
    if context.invoked_subcommand is not None:
        return
    from agent.mcp.serving import serve_http, serve_stdio, studio_server
    from configs.settings import Settings

    served = studio_server(Settings(), tools=tools)
    if http is None:
        serve_stdio(served)
    else:
        serve_http(served, http)


@mcp.command("list")
def list_servers() -> None:
    """List the servers of configs/mcp.yaml, and whether their tools are used."""
    from agent.mcp.showing import show_servers

    show_servers()


@mcp.command()
def inspect(name: Name) -> None:
    """Ask a server what it offers, and compare that with what was pinned; nothing of it is used."""
    from agent.mcp.showing import show_offer

    raise typer.Exit(show_offer(name))


@mcp.command()
def pin(name: Name) -> None:
    """Print the hash of what a server offers now, to be put into configs/mcp.yaml by a person who has read it."""
    from agent.mcp.showing import show_pin

    show_pin(name)
