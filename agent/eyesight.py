"""Who looks at pictures for the judge: which engine, at which model; what is lacking where none does."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tools.artifact import Artifact
from tools.base import Call
from tools.errors import MissingPrerequisite

if TYPE_CHECKING:
    from agent.toolbox import Toolbox
    from configs.settings import Settings
    from tools.readiness import Readiness
    from tools.registry import EngineSpec
    from tools.seeing.tool import Rubric

__all__ = ["choose_eyes", "look_at", "tell_eyes"]

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
