"""`studio transcribe FILE`: what is said in a recording or a film, as text or as subtitles.

Only Typer and the standard library are imported here; the command imports what it needs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["transcribe"]


def transcribe(
    file: Annotated[Path, typer.Argument(help="A sound or a film: wav, flac, mp3, m4a, ogg, mp4, mkv, webm.")],
    out: Annotated[
        list[Path] | None, typer.Option("--out", "-o", help="Written as it ends: .srt, .vtt or .txt. Repeatable.")
    ] = None,
    language: Annotated[str, typer.Option(help="Its code, as it; found out where it is not given.")] = "",
    engine: Annotated[
        str, typer.Option(help="faster_whisper, whisperx, faster_whisper_turbo, faster_whisper_small.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")] = False,
) -> None:
    """Write down what is said in a recording or a film, or make subtitles of it."""
    from agent.interrupts import CancelOnInterrupt
    from agent.toolbox import Toolbox
    from agent.transcribing import hear, write_down
    from configs.settings import Settings
    from tools.errors import InvalidInput
    from tools.transcription.tool import Transcribe

    places = out or []
    for place in places:
        if place.suffix.lower() not in (".srt", ".vtt", ".txt"):
            raise typer.BadParameter(f"{place}: it ends in .srt, .vtt or .txt.", param_hint="--out")
    if not file.expanduser().is_file():
        raise InvalidInput("there is no such file", where=str(file))
    toolbox = Toolbox(Settings())
    try:
        with CancelOnInterrupt() as cancel:
            artifact = hear(toolbox, file, cancel, language=language, wish=engine)
    finally:
        toolbox.close()
    found = Transcribe.Output.model_validate(artifact.output)
    for place in places:
        write_down(found, place)
    if as_json:
        typer.echo(json.dumps({"engine": artifact.record.engine, **artifact.output}, ensure_ascii=False))
        return
    typer.echo(_shown(found.text) or f"({found.note})")
    told = f"{found.language}, {found.duration_s:.0f} s" if found.language else f"{found.duration_s:.0f} s"
    typer.echo(f"{told}, by {artifact.record.engine} in {artifact.record.seconds:.0f} s", err=True)
    for note in found.notes:
        typer.echo(note, err=True)
    for place in places:
        typer.echo(f"written: {place}", err=True)


def _shown(text: str) -> str:
    """What was heard, line by line, without what would steer a terminal."""
    from agent.requests import without_controls

    return "\n".join(without_controls(line) for line in text.splitlines())
