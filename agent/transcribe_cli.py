"""`studio transcribe FILE`: what is said in a recording or a film, as text or as subtitles.

Only Typer and the standard library are imported here; the command imports what it needs.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from configs.settings import Settings
    from tools.artifact import Artifact
    from tools.readiness import Readiness
    from tools.registry import EngineSpec

__all__ = ["transcribe"]

TOOL = "transcribe"
FOLDER = "transcripts"
"""A production of its own, beside the conversations: a recording that was heard once is found there again."""


def transcribe(
    file: Annotated[Path, typer.Argument(help="A sound or a film: wav, flac, mp3, m4a, ogg, mp4, mkv, webm.")],
    out: Annotated[
        list[Path] | None, typer.Option("--out", "-o", help="Written as it ends: .srt, .vtt or .txt. Repeatable.")
    ] = None,
    language: Annotated[str, typer.Option(help="Its code, as it; found out where it is not given.")] = "",
    engine: Annotated[str, typer.Option(help="faster_whisper, faster_whisper_turbo, faster_whisper_small.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")] = False,
) -> None:
    """Write down what is said in a recording or a film, or make subtitles of it."""
    from agent.interrupts import CancelOnInterrupt
    from configs.settings import Settings
    from tools.artifact import write_atomic
    from tools.transcription.captions import written_as
    from tools.transcription.tool import Transcribe

    places = out or []
    for place in places:
        if place.suffix.lower() not in (".srt", ".vtt", ".txt"):
            raise typer.BadParameter(f"{place}: it ends in .srt, .vtt or .txt.", param_hint="--out")
    args = {"file": str(file.expanduser().resolve()), "language": language}
    with CancelOnInterrupt() as cancel:
        artifact = _heard(Settings(), args, engine, cancel)
    found = Transcribe.Output.model_validate(artifact.output)
    for place in places:
        write_atomic(place, written_as(place.suffix.lower(), found).encode())
    if as_json:
        typer.echo(json.dumps({"engine": artifact.record.engine, **artifact.output}, ensure_ascii=False))
        return
    typer.echo(found.text or f"({found.note})")
    told = f"{found.language}, {found.duration_s:.0f} s" if found.language else f"{found.duration_s:.0f} s"
    typer.echo(f"{told}, by {artifact.record.engine} in {artifact.record.seconds:.0f} s", err=True)
    for place in places:
        typer.echo(f"written: {place}", err=True)


def choose(readiness: Readiness, wish: str) -> EngineSpec:
    """The engine that is named, else the first that is ready, else the smallest that runs without a GPU.

    Raises:
        MissingPrerequisite: it, or all of them, lack something; says the command that mends it.
    """
    from tools.errors import MissingPrerequisite

    engines = [readiness.registry.pick(TOOL, wish)] if wish else readiness.registry.engines(TOOL)
    ready = [engine for engine in engines if readiness.lack(engine, named=bool(wish)) is None]
    # Without a GPU the smallest one whose weights are here is still worth waiting for.
    ready += [engine for engine in reversed(engines) if readiness.lack(engine, named=True) is None]
    if ready:
        return ready[0]
    lack = readiness.lack(engines[-1], named=True)
    told = (lack.what, lack.command) if lack else ("it is not ready", "")
    raise MissingPrerequisite(f"{engines[-1].name}: {told[0]}.", command=told[1] or "studio doctor")


def _heard(settings: Settings, args: dict[str, Any], wish: str, cancel: threading.Event) -> Artifact:
    """Through the same executor, workers and device as a film's.

    Raises:
        ToolError: whatever keeps it from being heard.
    """
    from agent.toolbox import Toolbox
    from tools.base import Call
    from tools.errors import ToolError
    from tools.models.shelf import Shelf
    from tools.readiness import Readiness
    from tools.runtime.executor import Executor
    from tools.runtime.storage.production import Production

    toolbox = Toolbox(settings)
    try:
        registry = toolbox.registry
        readiness = Readiness(
            registry,
            Shelf(settings.models_home, registry.models),
            gpu=registry.profile is not None and registry.profile.budget_gb > 0,
            network=settings.network,
        )
        call = Call(id="transcript", tool=TOOL, args=args, engine=choose(readiness, wish).name, seed=settings.seed)
        production = Production.at(settings.state_dir / FOLDER, "recordings that were heard")
        with production.lock():
            executor = Executor(registry, production.store, toolbox.pool, cancel=cancel, lane=toolbox.lane)
            result = executor.run([call])["transcript"]
        if isinstance(result, ToolError):
            raise result
        return result
    finally:
        toolbox.close()
