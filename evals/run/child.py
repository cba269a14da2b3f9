"""The `studio` command in the world of a scenario: `python -P -m evals.run.child EDGES.json LIFELINE WORD...`.

It is the command that ships, entered where it always is (`agent.__main__`). Settings, files, knowledge and the chat
model reach it as they reach it with a person: by variables, and by what lies on the disk. Only what has no such way is
put in here before it begins, at the same edges as in the process of the agent: which engines there are and what happens
in them, where connections to the web lead, which other MCP servers are listed. A world without such things changes
nothing.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from evals.world.model import World

__all__ = ["NO_LIFELINE", "Edges", "enter", "main"]

NO_LIFELINE = "-"
"""In the place of the lifeline of a process that ends with its standard input."""


class Edges(BaseModel):
    """What of the world does not reach a process by itself.

    Attributes:
        engines: the world as its file says it, where engines or the machine differ in it; None: they are as they are.
        faults: folder in which is put down what goes wrong.
        sites: port of the server that stands for the web; 0: there is no web. search_url: of the search service.
        searches: whether the network is on; where there are no sites, a search finds it off all the same.
        servers: file that lists other MCP servers, in the place of mcp.yaml.
        alone: nothing may be reached but this machine.
    """

    model_config = ConfigDict(extra="forbid")

    engines: dict[str, Any] | None = None
    faults: Path
    sites: int = 0
    search_url: str = ""
    searches: bool = False
    servers: Path | None = None
    alone: bool = True


def main() -> None:
    """Enter the world, then be the command."""
    from tools.runtime.workers.lifeline import die_with_parent

    edges, lifeline, words = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if lifeline != NO_LIFELINE:
        die_with_parent(int(lifeline))
    enter(Edges.model_validate(json.loads(edges.read_bytes())))
    sys.argv = ["studio", *words]
    from agent.__main__ import main as studio

    studio()


def enter(edges: Edges) -> None:
    """Put the world into this process; before anything of the agent is imported."""
    if edges.alone:
        sys.addaudithook(_stay_here)
    _web(edges)
    if edges.servers is not None:
        import configs.mcp

        configs.mcp.MCP_YAML = edges.servers
    if edges.engines is not None:
        from evals.world.model import World

        _engines(World.model_validate(edges.engines), edges.faults)


def _stay_here(event: str, args: tuple[Any, ...]) -> None:
    """A scenario asks nobody outside this machine, whatever is wrong with it or with the studio.

    Raises:
        OSError: an address elsewhere is connected to, or asked for by name.
    """
    if event == "socket.getaddrinfo" and args[0] not in (None, "", "localhost", "127.0.0.1", "::1"):
        raise socket.gaierror(socket.EAI_AGAIN, "a scenario resolves no names of the network")
    if event == "socket.connect" and isinstance(args[1], tuple) and not str(args[1][0]).startswith(("127.", "::1")):
        raise OSError(f"a scenario connects to nothing outside this machine: {args[1][0]}")


def _web(edges: Edges) -> None:
    if not edges.sites:
        if edges.searches:
            import agent.searching

            agent.searching.create_search = _no_search
        return
    from ddgs.engines.duckduckgo import Duckduckgo

    import knowledge.web.fetch
    from evals.world.model import Web
    from evals.world.web import Sites

    Duckduckgo.search_url = edges.search_url
    sites = Sites(Web(), port=edges.sites)
    knowledge.web.fetch.Fetcher = partial(  # type: ignore[misc,assignment]
        knowledge.web.fetch.Fetcher, resolver=sites.resolve, dial=sites.dial
    )


def _no_search(*_given: Any, **_named: Any) -> Any:
    """A world has a web of its own, or none: the network may be on for a chat model."""
    from knowledge.offline_search import OfflineSearch

    return OfflineSearch()


def _engines(world: World, faults: Path) -> None:
    """The world's engines wherever a registry is read, and what goes wrong in them."""
    import tools.registry
    import tools.runtime.device.hardware
    import tools.runtime.executor
    import tools.runtime.workers.pool
    import tools.runtime.workers.spawn
    from evals.world.engines import ALLOWED, WORLD_VARIABLE, note_calls, world_engines
    from evals.world.machine import Machine, hardware_of

    registry, executor = tools.registry.Registry, tools.runtime.executor.Executor
    load, run, kept = registry.load, executor.run, tools.runtime.workers.spawn.KEPT_ENVIRONMENT

    def loaded(*given: Any, **named: Any) -> Any:
        return world_engines(load(*given, **named), world)

    def ran(self: Any, calls: Any, *more: Any, **named: Any) -> Any:
        note_calls(faults, self.registry, list(calls))
        return run(self, calls, *more, **named)

    put_in: Any = setattr
    put_in(registry, "load", loaded)
    put_in(tools.runtime.workers.pool, "allowed_modules", lambda: ALLOWED)
    machine = world.machine or (Machine() if world.weights else None)
    if machine is not None:
        detect = tools.runtime.device.hardware.detect
        put_in(tools.runtime.device.hardware, "detect", lambda: hardware_of(machine, detect()))
    if world.faults:
        put_in(executor, "run", ran)
    if world.faults or world.ears:
        # Workers start before anything is known of the settings; this reaches all of them.
        os.environ[WORLD_VARIABLE] = str(faults.absolute())
        put_in(tools.runtime.workers.spawn, "KEPT_ENVIRONMENT", (*kept, WORLD_VARIABLE))


if __name__ == "__main__":
    main()
