"""`studio look PICTURE`: what the judge's eyes see in any picture, with scores and reasons.

Only Typer and the standard library are imported here; the command imports what it needs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["look"]


def look(
    picture: Annotated[Path, typer.Argument(help="A picture or a film: png, jpg, webp, gif, bmp, mp4, mkv, webm.")],
    about: Annotated[str, typer.Option(help="What it should show, in your own words.")] = "",
    engine: Annotated[str, typer.Option(help="vision_server or qwen_vl; else the first that is ready.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")] = False,
) -> None:
    """Ask the vision model about a picture: does it show what you wanted, and has it faults?"""
    from agent.eyesight import look_at
    from agent.interrupts import CancelOnInterrupt
    from agent.toolbox import Toolbox
    from configs.settings import Settings
    from tools.errors import InvalidInput
    from tools.seeing.rubric import rubric_about
    from tools.seeing.tool import SeePicture

    # Whether it is a picture is found out in a worker: what is hostile is not opened here.
    if not picture.expanduser().is_file():
        raise InvalidInput("there is no such file", where=str(picture))
    toolbox = Toolbox(Settings())
    try:
        with CancelOnInterrupt() as cancel:
            artifact = look_at(toolbox, picture, rubric_about(about), cancel, engine)
    finally:
        toolbox.close()
    found = SeePicture.Output.model_validate(artifact.output)
    if as_json:
        typer.echo(json.dumps({"engine": artifact.record.engine, **artifact.output}, ensure_ascii=False))
        return
    for score in found.scores:
        typer.echo(f"{score.score:4.2f}  {score.name:10} {score.reason}")
    typer.echo(f"{found.overall:4.2f}  overall")
    told = f"by {found.model}, {found.tokens} tokens in {found.seconds:.0f} s"
    typer.echo("; ".join([told, *found.notes]), err=True)
