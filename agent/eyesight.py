"""Who looks at pictures for the judge: which engine, at which model; what is lacking where none does."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tools.artifact import Artifact
from tools.base import Call
from tools.errors import MissingPrerequisite

if TYPE_CHECKING:
    from agent.chat_models.wire import Hold
    from agent.toolbox import Toolbox
    from configs.settings import Settings
    from tools.readiness import Readiness
    from tools.registry import EngineSpec
    from tools.seeing.tool import Rubric

__all__ = ["choose_eyes", "look_at", "shared_device", "tell_eyes"]

TOOL = "see_picture"
FOLDER = "looks"
"""A production of its own, beside the conversations: a picture that was looked at once is found there again."""


def choose_eyes(readiness: Readiness, wish: str = "") -> EngineSpec:
    """The engine that is named, else the first that is ready.

    Raises:
        MissingPrerequisite: it, or all of them, lack something; says the command that mends it.
        InvalidInput: there is no such engine.
    """
    engines = [readiness.registry.pick(TOOL, wish)] if wish else readiness.registry.engines(TOOL)
    lacks = []
    for engine in engines:
        lack = readiness.lack(engine, named=bool(wish))
        if lack is None:
            return engine
        lacks.append((engine, lack))
    told = "; ".join(f"{engine.name}: {lack.what}" for engine, lack in lacks)
    command = next((lack.command for _, lack in lacks if lack.command), "studio doctor")
    raise MissingPrerequisite(f"nobody can look at pictures ({told}).", command=command)


def tell_eyes(readiness: Readiness, settings: Settings) -> dict[str, str]:
    """For `studio doctor`: whether the judge has eyes, whose, and how to give it some."""
    try:
        engine = choose_eyes(readiness)
    except MissingPrerequisite as error:
        mend = f" To give it eyes: {error.command}" if error.command != "studio doctor" else ""
        return {"judge": f"no: {error.message}{mend}"}
    whose = settings.vision if engine.role else ", ".join(engine.models)
    return {"judge": f"sees with {whose}, by {engine.name}"}


def shared_device(toolbox: Toolbox, name: str) -> Hold | None:
    """What has the server of the vision model on the device while it looks; None where it shares none with the studio.

    Args:
        name: of the engine that looks. Weights of the studio's own take their turn by themselves.
    """
    from agent.chat_models.on_device import hold_on, resident_of
    from configs.chat_models import find_endpoint
    from configs.services import load_services

    if not toolbox.registry.pick(TOOL, name).role or not toolbox.has_gpu:
        return None
    endpoint = find_endpoint(toolbox.settings.vision, network=toolbox.settings.network)
    if endpoint.is_remote or not resident_of(endpoint, toolbox.registry.models, load_services()):
        return None
    return hold_on(toolbox, endpoint)


def look_at(toolbox: Toolbox, file: Path, rubric: Rubric, cancel: threading.Event, wish: str = "") -> Artifact:
    """Have a picture looked at, through the same executor, workers and device as a film's.

    Args:
        file: a picture or a film.
        rubric: what it is held against.
        wish: name of an engine; empty chooses.

    Raises:
        ToolError: whatever keeps it from being looked at.
    """
    engine = choose_eyes(toolbox.readiness(), wish)
    args = {"file": str(file.expanduser().resolve()), "rubric": rubric.model_dump(mode="json")}
    call = Call(id="look", tool=TOOL, args=args, engine=engine.name, seed=toolbox.settings.seed)
    return toolbox.run_alone(call, FOLDER, "pictures that were looked at", cancel)
