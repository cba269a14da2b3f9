"""The tools of other servers as functions of the studio: pinned, prefixed, bounded; their answers are data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.functions.desk import Desk
from agent.mcp.client import Connection
from agent.mcp.offer import OfferedTool, clean_schema, describe, digest, full_name
from configs.mcp import MCP_YAML, McpServer, load_mcp
from tools.errors import Cancelled, InvalidInput, ToolError
from tools.functions import Answer, Function

if TYPE_CHECKING:
    import threading

__all__ = ["ForeignServers", "Judged", "judge_offer"]


@dataclass(frozen=True)
class Judged:
    """An offer as it was judged.

    Attributes:
        usable: the tools that may be used, by the server's own names, with the schemas a model is shown.
        refused: by tool, why it may not.
        digest: of the offer.
        problem: why none of its tools may be used; empty where some may.
    """

    usable: dict[str, tuple[OfferedTool, dict[str, Any]]]
    refused: dict[str, str]
    digest: str
    problem: str = ""


def judge_offer(name: str, entry: McpServer, offer: list[OfferedTool]) -> Judged:
    """Which tools of an offer may be used: only if it is the pinned one, only those a person listed.

    Args:
        name: of the server.
        entry: as a person wrote it.
        offer: what it says now.
    """
    found = digest(offer)
    refused: dict[str, str] = {}
    usable: dict[str, tuple[OfferedTool, dict[str, Any]]] = {}
    offered = {one.name for one in offer}
    for wanted in entry.tools:
        if wanted not in offered:
            refused[wanted] = "the server does not offer it"
    for one in offer:
        if one.name not in entry.tools:
            refused[one.name] = "not among `tools` in mcp.yaml"
            continue
        try:
            full_name(name, one.name)
            usable[one.name] = (one, clean_schema(one.schema))
        except InvalidInput as error:
            refused[one.name] = str(error)
    problem = ""
    if not entry.sha256:
        problem = f"the tools of {name} are not pinned. Read them with `studio mcp inspect {name}`, then pin them."
    elif found != entry.sha256:
        problem = (
            f"what {name} offers has changed since it was pinned; none of its tools is used. "
            f"`studio mcp inspect {name}` shows what it offers now."
        )
    return Judged(usable if not problem else {}, refused, found, problem)


class ForeignServers:
    """The enabled servers of mcp.yaml, connected on first use.

    Args:
        path: of mcp.yaml; None is the studio's own.
        network: whether anything may leave this machine.
        environ: where their variables are looked up.
    """

    def __init__(self, path: Path | None = None, *, network: bool, environ: Mapping[str, str] = os.environ) -> None:
        self._entries = {name: one for name, one in load_mcp(path or MCP_YAML).servers.items() if one.enabled}
        self._connections = {
            name: Connection(name, one, network=network, environ=environ) for name, one in self._entries.items()
        }
        self._judged: dict[str, Judged] = {}

    def functions(self, cancel: threading.Event | None = None) -> tuple[list[Function[Desk]], list[str]]:
        """The functions that may be used now, and what is to be told of those that may not, a sentence each.

        Each server is asked anew for what it offers: one that has changed since is not used.

        Raises:
            Cancelled: a person stopped it.
        """
        found: list[Function[Desk]] = []
        told: list[str] = []
        for name, entry in self._entries.items():
            try:
                judged = judge_offer(name, entry, self._connections[name].offer(cancel))
            except Cancelled:
                raise
            except ToolError as error:
                told.append(str(error))
                continue
            self._judged[name] = judged
            if judged.problem:
                told.append(judged.problem)
            told += [f"{name}: {tool}: {why}." for tool, why in judged.refused.items() if tool in entry.tools]
            found += [self._function(name, tool, schema) for tool, schema in judged.usable.values()]
        return found, told

    def close(self) -> None:
        """End every connection."""
        for one in self._connections.values():
            one.close()

    def _function(self, server: str, tool: OfferedTool, schema: dict[str, Any]) -> Function[Desk]:
        connection = self._connections[server]

        def call(desk: Desk, values: dict[str, Any]) -> Answer:
            return connection.call(tool.name, values, desk.cancel)

        return Function(full_name(server, tool.name), describe(server, tool), schema, call, effect="network")
