"""An MCP server of somebody else, as a world has it: a program that is started by its path and reads one JSON file.

It imports nothing of the studio: `agent.mcp` starts it as it starts any server, with next to no variables. What it
was asked, and the names of the variables it was given, it writes down beside that file.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main() -> None:
    """Serve the tools of the file (the first argument) over standard input and output."""
    import anyio
    from mcp import types
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server

    path = Path(sys.argv[1])
    said = json.loads(path.read_text(encoding="utf-8"))
    diary = path.with_suffix(".jsonl")

    def note(event: dict[str, Any]) -> None:
        with diary.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event, ensure_ascii=False) + "\n")

    async def list_tools(_context: Any, _params: Any) -> Any:
        note({"listed": [one["name"] for one in said["tools"]]})
        tools = [
            types.Tool(name=one["name"], description=one["about"], input_schema=one["schema"]) for one in said["tools"]
        ]
        return types.ListToolsResult(tools=tools)

    async def call_tool(_context: Any, params: Any) -> Any:
        note({"called": params.name, "arguments": params.arguments})
        found = next((one for one in said["tools"] if one["name"] == params.name), None)
        text = found["answers"] if found else f"there is no tool {params.name}"
        content = [types.TextContent(type="text", text=text)]
        return types.CallToolResult(content=content, is_error=found is None or found["fails"])

    note({"variables": sorted(os.environ)})
    server: Any = Server("somebody-else", version="1", on_list_tools=list_tools, on_call_tool=call_tool)

    async def run() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(run)


if __name__ == "__main__":
    main()
