"""What is said in a recording: the engine that hears it, and what is written down of it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tools.artifact import Artifact, write_atomic
from tools.base import Call
from tools.errors import MissingPrerequisite

if TYPE_CHECKING:
    from agent.toolbox import Toolbox
    from tools.readiness import Readiness
    from tools.registry import EngineSpec
    from tools.transcription.tool import Transcribe

__all__ = ["choose_recogniser", "hear", "write_down"]

TOOL = "transcribe"
FOLDER = "transcripts"
"""A production of its own, beside the conversations: a recording that was heard once is found there again."""


def choose_recogniser(readiness: Readiness, wish: str = "") -> EngineSpec:
    """The engine that is named, else the first that is ready, else the smallest that runs without a GPU.

    Raises:
        MissingPrerequisite: it, or all of them, lack something; says the command that mends it.
    """
    engines = [readiness.registry.pick(TOOL, wish)] if wish else readiness.registry.engines(TOOL)
    ready = [engine for engine in engines if readiness.lack(engine, named=bool(wish)) is None]
    # Without a GPU the smallest one whose weights are here is still worth waiting for.
    ready += [engine for engine in reversed(engines) if readiness.lack(engine, named=True) is None]
    if ready:
        return ready[0]
    lack = readiness.lack(engines[-1], named=True)
    told = (lack.what, lack.command) if lack else ("it is not ready", "")
    raise MissingPrerequisite(f"{engines[-1].name}: {told[0]}.", command=told[1] or "studio doctor")


def hear(toolbox: Toolbox, file: Path, cancel: threading.Event, *, language: str = "", wish: str = "") -> Artifact:
    """Have a recording heard, through the same executor, workers and device as a film's.

    Args:
        file: a sound or a film.
        language: its code; empty finds it out.
        wish: name of an engine; empty chooses.

    Raises:
        ToolError: whatever keeps it from being heard.
    """
    args = {"file": str(file.expanduser().resolve()), "language": language}
    engine = choose_recogniser(toolbox.readiness(), wish)
    call = Call(id="transcript", tool=TOOL, args=args, engine=engine.name, seed=toolbox.settings.seed)
    return toolbox.run_alone(call, FOLDER, "recordings that were heard", cancel)


def write_down(found: Transcribe.Output, place: Path) -> None:
    """Write a transcript as its name ends: `.srt`, `.vtt` or `.txt`.

    Raises:
        StorageFailed: it cannot be written.
    """
    from tools.transcription.captions import written_as

    write_atomic(place, written_as(place.suffix.lower(), found).encode())
