"""One line said by one engine, through the same executor, workers and device as a film's."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from configs.settings import Settings
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import InvalidInput, MissingPrerequisite

if TYPE_CHECKING:
    from tools.readiness import Readiness
    from tools.registry import EngineSpec

__all__ = ["choose_engine", "say_line"]

TOOL = "synthesize_speech"
FOLDER = "lines"
"""A production of its own, beside the conversations: a line that was said once is found there again."""


def choose_engine(readiness: Readiness, settings: Settings, args: Mapping[str, Any], wish: str = "") -> EngineSpec:
    """The engine of a line: the one that is named, else the first that is ready and has the character's own voice.

    Raises:
        MissingPrerequisite: the named one lacks something; says the command that mends it.
        InvalidInput: there is none of that name, or it does not speak the language.
    """
    from tools.voice.shelf import VoiceShelf

    shelf = VoiceShelf(settings.voices_home)
    engines = [readiness.registry.pick(TOOL, wish)] if wish else readiness.registry.engines(TOOL)
    for engine in sorted(engines, key=lambda one: one.embedded):
        lack = readiness.lack(engine, named=bool(wish))
        speaks = not engine.languages or args["language"] in engine.languages
        has_voice = bool(engine.voices) and shelf.get(args["character"], engine.voices) is not None
        if wish and lack is not None:
            raise MissingPrerequisite(f"{wish}: {lack.what}.", command=lack.command or "studio doctor")
        if wish and not speaks:
            there = ", ".join(engine.languages)
            raise InvalidInput(f"{wish} does not speak {args['language']!r}, only {there}", where="--language")
        if wish or (lack is None and speaks and (has_voice or engine.embedded) and not engine.paid):
            return engine
    raise InvalidInput(f"no voice here speaks {args['language']!r}", where="--language")


def say_line(settings: Settings, args: Mapping[str, Any], wish: str, cancel: threading.Event) -> Artifact:
    """Say a line.

    Args:
        args: of `synthesize_speech`.
        wish: name of an engine; empty chooses.

    Raises:
        ToolError: whatever keeps it from being said.
    """
    from agent.toolbox import Toolbox

    toolbox = Toolbox(settings)
    try:
        engine = choose_engine(toolbox.readiness(), settings, args, wish)
        call = Call(id="line", tool=TOOL, args=dict(args), engine=engine.name, seed=settings.seed)
        return toolbox.run_alone(call, FOLDER, "lines that were tried", cancel)
    finally:
        toolbox.close()
