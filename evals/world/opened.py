"""A world, opened: settings, files, knowledge, web and chat model, around the agent as it ships."""

from __future__ import annotations

import os
import threading
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.settings import Settings
from evals.world.model import FileMade, Mind, World
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
        MissingPrerequisite: the chat model's server needs the extra `eval`.
    """
    for name in [one for one in os.environ if one.startswith("STUDIO_") and not (live and one.startswith(_KEPT))]:
        del os.environ[name]
    os.environ.update(world.environment)
    with ExitStack() as stack:
        peer = None
        if world.model is not None and not live:
            peer = stack.enter_context(_peer(world.model))
            os.environ["STUDIO_LLM_BASE_URL"] = peer.url
        settings = settings_of(world, folder, live)
        desk = folder / "desk"
        _lay_out(desk, world.files)
        os.chdir(desk)
        _teach(settings, folder, world)
        context = _context(settings, world, folder, seen)
        stack.callback(lambda: context.toolbox.close())
        sites = None
        if world.web is not None:
            from evals.world.web import opened_web

            sites, search = stack.enter_context(
                opened_web(world.web, settings.knowledge_home / "web", _embed, settings.search_results, context.cancel)
            )
            context = replace(context, search=search)
        yield OpenedWorld(context, peer, sites, _servers(world, folder))


def _servers(world: World, folder: Path) -> Path | None:
    """MCP servers of others, put in the place of those that the studio lists."""
    if not world.servers:
        return None
    import agent.mcp.foreign
    from evals.world.servers import write_servers

    path = write_servers(folder / "world", world.servers)
    agent.mcp.foreign.MCP_YAML = path
    return path


def _context(settings: Settings, world: World, folder: Path, seen: Callable[[list[Call]], None]) -> AgentContext:
    from agent.wiring import create_context
    from evals.world.toolbox import WorldToolbox
    from knowledge.offline_search import OfflineSearch

    toolbox = WorldToolbox(settings, world, folder / "world", seen)
    plain = create_context(settings, cancel=threading.Event())
    # The network may be on for the person's own chat model; the web of a scenario is its own, or there is none.
    return replace(plain, toolbox=toolbox, search=OfflineSearch())


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


def _lay_out(desk: Path, files: Mapping[str, FileMade]) -> None:
    desk.mkdir(parents=True, exist_ok=True)
    for name, made in files.items():
        path = desk / name
        if path.exists():
            continue
        if made.text is not None:
            path.write_text(made.text, encoding="utf-8")
        elif made.picture is not None:
            _draw(path, *made.picture)
        elif made.tone is not None:
            _sound(path, made.tone)


def _draw(path: Path, width: int, height: int, colour: str) -> None:
    import skia

    surface = skia.Surface(width, height)
    red, green, blue = (int(colour.lstrip("#")[at : at + 2], 16) for at in (0, 2, 4))
    with surface as canvas:
        canvas.clear(skia.Color(red, green, blue))
        canvas.drawCircle(width / 2, height / 2, min(width, height) / 4, skia.Paint(Color=skia.ColorWHITE))
    surface.makeImageSnapshot().save(str(path), skia.kPNG)


def _sound(path: Path, seconds: float) -> None:
    import numpy as np

    times = np.arange(int(seconds * 22_050)) / 22_050
    samples = (0.3 * np.sin(2 * np.pi * 440.0 * times) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(22_050)
        sound.writeframes(samples.tobytes())
