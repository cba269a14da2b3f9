"""A world, opened: settings, files, knowledge, web and chat model, around the agent as it ships."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.own import OWN_VARIABLE
from configs.settings import Settings
from evals.checkpoints.build import KEPT_IN_VARIABLE
from evals.world.files import lay_out, lay_out_own
from evals.world.model import Mind, World
from tools.base import Call
from tools.errors import MissingPrerequisite

if TYPE_CHECKING:
    from agent.context import AgentContext
    from evals.peer import Peer
    from evals.world.web import Sites

__all__ = ["OpenedWorld", "opened", "settings_of", "wants_a_model"]

PEER_MODELS = {"primary": "eval-primary", "coder": "eval-coder", "vision": "eval-vision"}
_KEPT = ("STUDIO_LLM_", "STUDIO_DEBUG")


@dataclass
class OpenedWorld:
    """What a scenario plays in.

    Attributes:
        context: of the agent. peer: the chat model, if it is a scripted one; sites: the web, if there is one.
        servers: the file that lists MCP servers of others, in the place of configs/mcp.yaml; None: there are none.
    """

    context: AgentContext
    peer: Peer | None = None
    sites: Sites | None = None
    servers: Path | None = None


def wants_a_model(world: World) -> bool:
    """Whether a chat model plays in it."""
    return world.model is not None


def settings_of(world: World, folder: Path, live: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a world; nothing comes from the person's own environment but what `live` says.

    Args:
        live: primary, vision, coder and network of the person's own settings, where the world's model is theirs.
    """
    roles: dict[str, Any] = {"primary": "", "vision": "", "coder": "", "network": False}
    if world.model is not None:
        roles |= live or {role: f"server/{PEER_MODELS[role]}" for role in world.model.roles}
    roles["network"] = roles["network"] or world.web is not None
    shared: dict[str, Any] = {"workers": 1, **roles, **world.settings}
    return Settings(
        productions=folder / "productions",
        models_folder=folder / "models",
        knowledge_folder=folder / "knowledge",
        profile=world.profile,
        planner="",
        **shared,
    )


@contextmanager
def opened(
    world: World, folder: Path, *, live: Mapping[str, Any] | None = None, seen: Callable[[list[Call]], None]
) -> Iterator[OpenedWorld]:
    """The world in a folder, while the block runs. The process stands in `folder/desk`, where the person's files lie.

    Args:
        live: see `settings_of`; None: the world's own model.
        seen: is handed each batch of calls.

    Raises:
        MissingPrerequisite: the chat model's server and the ears need the extra `eval`, weights the extra `models`.
    """
    _set_environment(world, folder, live=bool(live))
    with ExitStack() as stack:
        peer = None
        if world.model is not None and not live:
            peer = stack.enter_context(_peer(world.model))
            os.environ["STUDIO_LLM_BASE_URL"] = peer.url
        settings = settings_of(world, folder, live)
        desk = folder / "desk"
        lay_out(desk, world.files)
        os.chdir(desk)
        _teach(settings, folder, world)
        context = _context(settings, world, folder, seen)
        stack.callback(lambda: context.toolbox.close())
        _place(settings, world, context)
        sites = None
        if world.web is not None:
            from evals.world.web import opened_web

            sites, search = stack.enter_context(
                opened_web(world.web, settings.knowledge_home / "web", _embed, settings.search_results, context.cancel)
            )
            context = replace(context, search=search)
        yield OpenedWorld(context, peer, sites, _servers(world, folder))


def _set_environment(world: World, folder: Path, *, live: bool) -> None:
    """The variables of this process and all that it starts: of the person's own, none of the studio's."""
    kept = (KEPT_IN_VARIABLE, *(_KEPT if live else ()))
    for name in [one for one in os.environ if one.startswith("STUDIO_") and not one.startswith(kept)]:
        del os.environ[name]
    os.environ.update(world.environment)
    if world.machine is not None and world.machine.card_gb is not None:
        # It is no device of this machine, and nobody else waits for it.
        os.environ["STUDIO_LEASES"] = str(_made(folder / "leases"))
    if world.own:
        os.environ[OWN_VARIABLE] = str(_made(folder / "own").absolute())
        lay_out_own(folder / "own", world.own)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _servers(world: World, folder: Path) -> Path | None:
    """MCP servers of others, put in the place of those that the studio lists."""
    if not world.servers:
        return None
    import agent.mcp.foreign
    from evals.world.servers import write_servers

    path = write_servers(folder / "world", world.servers)
    foreign: Any = agent.mcp.foreign
    foreign.MCP_YAML = path
    return path


def _context(settings: Settings, world: World, folder: Path, seen: Callable[[list[Call]], None]) -> AgentContext:
    from agent.wiring import create_context
    from evals.world.toolbox import WorldToolbox
    from knowledge.offline_search import OfflineSearch

    toolbox = WorldToolbox(settings, world, folder / "world", seen)
    plain = create_context(settings, cancel=threading.Event())
    # The network may be on for the person's own chat model; the web of a scenario is its own, or there is none.
    return replace(plain, toolbox=toolbox, search=OfflineSearch())


def _place(settings: Settings, world: World, context: AgentContext) -> None:
    """Weights on the shelf; whether what uses them, and the ears, can be had here at all."""
    if world.ears:
        from evals.world.ears import check_ears

        check_ears()
    if world.weights:
        from evals.world.weights import check_libraries, place_weights
        from tools.models.shelf import Shelf

        registry = context.toolbox.registry
        check_libraries(world.weights, registry)
        place_weights(world.weights, Shelf(settings.models_home, registry.models))


def _embed() -> Any:
    """No meaning beside the words: what a search takes does not depend on an embedding model that may be installed."""
    return


@contextmanager
def _peer(mind: Mind) -> Iterator[Peer]:
    try:
        from evals.peer import Call, Mode, Peer, answers, calls, says
    except ModuleNotFoundError as error:
        command = 'pip install "animation-studio[eval]"'
        raise MissingPrerequisite(f"a chat model of a scenario needs {error.name}", command=command) from error
    with Peer(seed=mind.seed, mode=mind.kind, dialect=mind.dialect, models=tuple(PEER_MODELS.values())) as peer:
        for reply in mind.replies:
            where: dict[str, Any] = {"schema": reply.piece, "tool": reply.tool, "text": reply.text}
            where |= {"model": PEER_MODELS[reply.model] if reply.model else None, "times": reply.times}
            if reply.fault:
                from evals.peer import Bad

                peer.script(Bad(reply.fault, mind.seed, tuple(sorted(reply.how.items()))), **where)
            elif reply.mind:
                peer.script(Mode(reply.mind), **where)
            elif reply.calls:
                made = calls(*(Call(one["name"], one.get("arguments", {})) for one in reply.calls))
                peer.script(made, **where)
            else:
                peer.script(says(reply.says) if reply.says is not None else answers(reply.answers), **where)
        yield peer


def _teach(settings: Settings, folder: Path, world: World) -> None:
    """What the person added and said before the scenario begins, by the studio's own ways. Once: not after a kill."""
    done = folder / ".taught"
    if done.exists():
        return
    if world.knowledge:
        from knowledge.added import AddedDocuments
        from knowledge.ingest.adding import add_files

        papers = folder / "papers"
        papers.mkdir(exist_ok=True)
        for name, text in world.knowledge.items():
            (papers / name).write_text(text, encoding="utf-8")
        outcomes = add_files(AddedDocuments(settings.knowledge_home), sorted(papers.iterdir()))
        refused = [one for one in outcomes if one.status == "refused"]
        if refused:
            raise ValueError(f"world.knowledge: a document was refused: {refused[0].problem}")
    if world.preferences:
        from knowledge.preference_words import read_wishes
        from knowledge.preferences import Preferences

        for words in world.preferences:
            said = read_wishes(words)
            if not said.wishes:
                raise ValueError(f"world.preferences: {words!r} is not heard as a preference")
            Preferences.at(settings.knowledge_home).keep(said)
    done.touch()
