"""The schema of mcp.yaml: other MCP servers whose tools may be used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import load_yaml_model

__all__ = ["MCP_YAML", "McpFile", "McpServer", "load_mcp"]

MCP_YAML = Path(__file__).with_name("mcp.yaml")

ServerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,19}$")]
Variable = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]


class McpServer(BaseModel):
    """One server; the fields are told in mcp.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = Field("", max_length=200)
    enabled: bool = False
    command: list[str] = Field(default_factory=list, max_length=40)
    url: str = Field("", max_length=500)
    environment: list[Variable] = Field(default_factory=list, max_length=40)
    token: str = Field("", pattern=r"^([A-Z][A-Z0-9_]*)?$")
    tools: list[str] = Field(default_factory=list, max_length=40)
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    timeout_s: float = Field(30.0, gt=0.0, le=600.0)

    @model_validator(mode="after")
    def _one_way_to_reach_it(self) -> McpServer:
        if bool(self.command) == bool(self.url):
            raise ValueError("a server has either a `command` or a `url`")
        if self.url and (urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).hostname):
            raise ValueError("a `url` begins with http:// or https://")
        if self.token and not self.url:
            raise ValueError("a `token` goes with a `url`")
        if self.token and self.is_remote and urlsplit(self.url).scheme != "https":
            raise ValueError("a `token` is sent to another machine over https:// alone")
        return self

    @property
    def is_remote(self) -> bool:
        """Whether asking it leaves this machine."""
        host = urlsplit(self.url).hostname or "" if self.url else "localhost"
        return host not in ("localhost", "::1") and not re.fullmatch(r"127(\.\d{1,3}){3}", host)


class McpFile(BaseModel):
    """mcp.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: dict[ServerName, McpServer] = Field(default_factory=dict)


def load_mcp(path: Path = MCP_YAML) -> McpFile:
    """Read mcp.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, McpFile)
