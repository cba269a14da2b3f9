"""MCP servers of others that a world has: real programs (evals/world/foreign.py), listed and pinned in an mcp.yaml."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["ForeignServer", "ForeignTool", "ServerName", "write_servers"]

ServerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,19}$")]
PROGRAM = Path(__file__).with_name("foreign.py")
SERVERS = "mcp.yaml"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ForeignTool(_Model):
    """A tool of somebody else's server.

    Attributes:
        name: as the server calls it; about: what it says of it.
        was: what it said of it when a person read and pinned it; None: the same.
        takes: arguments, each with its JSON type; all are needed.
        answers: its text, whatever it is called with. fails: it says so of the answer.
    """

    name: str = Field(min_length=1, max_length=80)
    about: str
    was: str | None = None
    takes: dict[str, Literal["string", "integer", "number", "boolean"]] = Field(default_factory=dict)
    answers: str = ""
    fails: bool = False

    @property
    def schema_of_arguments(self) -> dict[str, Any]:
        """As JSON schema."""
        properties = {name: {"type": kind} for name, kind in self.takes.items()}
        return {"type": "object", "properties": properties, "required": sorted(self.takes)}


class ForeignServer(_Model):
    """A server: what it offers, and what the person has allowed of it.

    Attributes:
        tools: that it offers. use: names of those that are allowed; empty: all.
        pinned: whether a person has read and pinned the offer.
    """

    tools: tuple[ForeignTool, ...] = Field(min_length=1, max_length=20)
    use: tuple[str, ...] = ()
    pinned: bool = True

    @model_validator(mode="after")
    def _what_is_allowed_is_offered(self) -> ForeignServer:
        names = [one.name for one in self.tools]
        for name in self.use:
            if name not in names:
                raise ValueError(f"use: the server offers no {name!r}; it offers {', '.join(names)}")
        if not self.pinned and any(one.was is not None for one in self.tools):
            raise ValueError("was: nobody has pinned it, so it was never read")
        return self


def write_servers(folder: Path, servers: Mapping[str, ForeignServer]) -> Path:
    """Lay them out: the program's file of each, and the mcp.yaml that lists them; that is returned."""
    from configs.yaml_file import dump_yaml

    folder.mkdir(parents=True, exist_ok=True)
    listed: dict[str, Any] = {}
    for name, server in servers.items():
        path = (folder / f"{name}.json").absolute()
        tools = [
            {**one.model_dump(include={"name", "about", "answers", "fails"}), "schema": one.schema_of_arguments}
            for one in server.tools
        ]
        path.write_text(json.dumps({"tools": tools}), encoding="utf-8")
        listed[name] = {
            "about": f"{name}, of this scenario",
            "enabled": True,
            "command": [sys.executable, str(PROGRAM), str(path)],
            "tools": list(server.use) or [one.name for one in server.tools],
            "sha256": _pin(server.tools) if server.pinned else "",
        }
    path = folder / SERVERS
    path.write_text(dump_yaml({"servers": listed}), encoding="utf-8")
    return path


def _pin(tools: Iterable[ForeignTool]) -> str:
    """The hash of what the person read: with the descriptions of then."""
    from agent.mcp.offer import OfferedTool, digest

    read = [OfferedTool(one.name, one.about if one.was is None else one.was, one.schema_of_arguments) for one in tools]
    return digest(sorted(read, key=lambda one: one.name))
