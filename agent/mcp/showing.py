"""What `studio mcp list`, `inspect` and `pin` print."""

from __future__ import annotations

import json
from pathlib import Path

from agent.functions.observation import clean_text
from agent.mcp.client import Connection
from agent.mcp.foreign import judge_offer
from agent.mcp.offer import OfferedTool, digest
from agent.printing import open_console, plain, tell
from configs.mcp import MCP_YAML, McpServer, load_mcp
from configs.settings import Settings
from tools.errors import InvalidInput

__all__ = ["show_offer", "show_pin", "show_servers"]


def show_servers(path: Path = MCP_YAML) -> None:
    """A line a server: how it is reached, and whether it is used."""
    console = open_console()
    servers = load_mcp(path).servers
    if not servers:
        tell(console, f"There is no server in {path}.")
    for name, entry in servers.items():
        state = "off" if not entry.enabled else "on" if entry.sha256 else "on, but not pinned: not used"
        tell(console, f"{name}  {state}", "bold")
        tell(console, f"  {entry.url or ' '.join(entry.command)}", whole=True)
        tell(console, f"  tools: {', '.join(entry.tools) or 'none'}" + (f"  ·  {entry.about}" if entry.about else ""))


def show_offer(name: str, path: Path = MCP_YAML) -> int:
    """What a server offers now, tool by tool; 0 where it is what was pinned, 1 where it is not.

    Raises:
        ToolError: there is no such server, or it cannot be asked.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    entry, offer = _offer(name, path)
    judged = judge_offer(name, entry, offer)
    console = open_console()
    table = Table(header_style="dim", box=SIMPLE_HEAD, pad_edge=False)
    for column in ("tool", "used", "what the server says of it", "arguments"):
        table.add_column(column, overflow="fold")
    for one in offer:
        used = "yes" if one.name in judged.usable else "no"
        arguments = json.dumps(one.schema.get("properties", {}), ensure_ascii=False)
        cells = (clean_text(one.name, 80), used, clean_text(one.description, 1000), clean_text(arguments, 1000))
        table.add_row(*(plain(cell) for cell in cells))
    console.print(table)
    for tool, why in judged.refused.items():
        tell(console, f"{clean_text(tool, 80)}: {why}", "dim")
    tell(console, f"sha256: {judged.digest}", whole=True)
    tell(console, judged.problem or "This is what was pinned.", "yellow" if judged.problem else "green")
    return 1 if judged.problem else 0


def show_pin(name: str, path: Path = MCP_YAML) -> None:
    """The line for mcp.yaml; the file is a person's, who has read the offer.

    Raises:
        ToolError: there is no such server, or it cannot be asked.
    """
    _, offer = _offer(name, path)
    console = open_console()
    tell(console, f"Put this below {name} in {path}, once you have read `studio mcp inspect {name}`:", whole=True)
    print(f"    sha256: {digest(offer)}")


def _offer(name: str, path: Path) -> tuple[McpServer, list[OfferedTool]]:
    """What a server of the file offers now."""
    entry = _entry(name, path)
    connection = Connection(name, entry, network=Settings().network)
    try:
        return entry, connection.offer()
    finally:
        connection.close()


def _entry(name: str, path: Path) -> McpServer:
    servers = load_mcp(path).servers
    if name not in servers:
        raise InvalidInput(f"there is no MCP server {name!r}.", hint=f"There are: {', '.join(servers) or 'none'}.")
    return servers[name]
