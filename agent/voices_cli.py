"""`studio voice`: a person's own voices; add, check, try and remove them.

Only Typer and the standard library are imported here; each command imports what it needs.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from configs.settings import Settings
    from tools.voice.records import VoiceRecord
    from tools.voice.shelf import VoiceShelf

__all__ = ["voice"]

voice = typer.Typer(
    name="voice",
    help="Voices of your own: list, add, check, say, remove.",
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

NOT_GOOD = 3
"""Exit code where a voice that was checked may not, or cannot, be used."""
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]
Character = Annotated[str, typer.Argument(metavar="CHARACTER", help="Whose lines it speaks, as `luca`.")]
Kind = Annotated[str, typer.Option("--kind", "-k", help="gpt_sovits, xtts, parler or elevenlabs.")]


@voice.callback()
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_voices(as_json=False)


@voice.command(name="list")
def list_voices(as_json: AsJson = False) -> None:
    """List your voices: for which engine, whose they are, and what they may be used for."""
    rows = [
        _row(one.record) if one.record else {"path": str(one.path), "problem": one.problem} for one in _shelf().look()
    ]
    if as_json:
        _print_json(rows)
        return
    if not rows:
        _say("There are no voices of your own; every character speaks with an embedded one.")
        _say("`studio voice add CHARACTER --kind gpt_sovits ...` adds one; see its --help.", "dim")
        return
    from rich.table import Table

    from agent.printing import open_console, plain

    table = Table(header_style="dim", box=None, pad_edge=False)
    for column in ("character", "engine", "whose", "allowed for", "recordings"):
        table.add_column(column, overflow="fold")
    for row in rows:
        if "problem" in row:
            table.add_row(plain(Path(row["path"]).name, "red"), plain(""), plain(""), plain(row["problem"], "red"))
            continue
        whose = row["whose"] or ("NO CONSENT" if row["cloned"] else "nobody's")
        cells = (row["character"], row["kind"], whose, row["allowed_for"], ", ".join(row["recordings"]))
        table.add_row(*(plain(cell) for cell in cells))
    open_console().print(table)


@voice.command()
def add(
    character: Character,
    kind: Kind,
    reference: Annotated[
        list[str] | None,
        typer.Option(
            "--reference",
            "-r",
            metavar="[EMOTION=]FILE[:SAID[:LANGUAGE]]",
            help="A WAV in which the voice speaks, with what is said in it; again for other emotions.",
        ),
    ] = None,
    gpt: Annotated[str, typer.Option(help="gpt_sovits: weights (.ckpt).")] = "",
    sovits: Annotated[str, typer.Option(help="gpt_sovits: weights (.pth).")] = "",
    on_server: Annotated[str, typer.Option(help="gpt_sovits elsewhere: folder of the recordings on its server.")] = "",
    description: Annotated[str, typer.Option(help="parler: how the voice sounds, in words.")] = "",
    voice_id: Annotated[str, typer.Option(help="elevenlabs: the voice's id there.")] = "",
    stock: Annotated[bool, typer.Option("--stock", help="elevenlabs: one of its own voices, nobody's.")] = False,
    whose: Annotated[str, typer.Option(help="Whose voice it is. Without it a cloned voice is refused.")] = "",
    source: Annotated[str, typer.Option(help="Where the recordings come from.")] = "",
    allows: Annotated[str, typer.Option(help="What that person allows it to be used for.")] = "",
    given_by: Annotated[str, typer.Option(help="Who agreed, where it was not that person.")] = "",
    given_on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When; today if not said.")] = None,
    note: Annotated[str, typer.Option(help="Anything you want to remember.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="In place of the one that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a character a voice of its own. Recordings are listened to first; they stay where they are."""
    from tools.errors import InvalidInput, MissingPrerequisite
    from tools.voice.enrolling import Agreement, enrol

    shelf = _shelf()
    if shelf.path_of(character, kind).exists() and not replace:
        raise InvalidInput(f"{character} has a voice for {kind} already.", hint="--replace puts this one in its place.")
    agreement = Agreement(whose, source, allows, given_by, given_on.date() if given_on else None)
    made = enrol(
        character, kind, references=reference or (), gpt=gpt, sovits=sovits, on_server=on_server,
        description=description, voice_id=voice_id, stock=stock, note=note, agreement=agreement,
    )  # fmt: skip
    if made.cloned and made.consent is None:
        raise MissingPrerequisite(
            "this is somebody's voice, and nothing says that they agreed.",
            command='add --whose "NAME" --source "WHERE FROM" --allows "WHAT FOR"',
        )
    path = shelf.put(made)
    if as_json:
        _print_json(_row(made))
        return
    _say(f"{character} has a voice for {kind}.")
    _say(f"  {path}", "dim", whole=True)
    if made.consent is not None:
        _say(f"  {made.consent.whose}, for: {made.consent.allowed_for}", "dim")


@voice.command()
def remove(character: Character, kind: Kind, as_json: AsJson = False) -> None:
    """Forget a voice, and the consent for it; recordings and weights stay where they are."""
    _shelf().remove(character, kind)
    if as_json:
        _print_json({"character": character, "kind": kind, "removed": True})
    else:
        _say(f"{character} has no voice for {kind} any more. What it said before stays in your productions.")


@voice.command()
def check(
    character: Annotated[str, typer.Argument(metavar="[CHARACTER]", help="Only this one's; none checks all.")] = "",
    as_json: AsJson = False,
) -> None:
    """See whether voices may and can be used: consent, recordings, weights; exit code 3 where one may not."""
    from tools.errors import InvalidInput

    found = [one for one in _shelf().look() if not character or one.path.name.startswith(f"{character}.")]
    if character and not found:
        raise InvalidInput(f"{character} has no voice of its own.", hint="`studio voice` lists those there are.")
    rows = []
    for one in found:
        problem = one.problem or (_problem(one.record) if one.record else "")
        rows.append({"voice": one.path.stem, "good": not problem, "problem": problem})
    if as_json:
        _print_json(rows)
    for row in [] if as_json else rows:
        _say(f"{row['voice']}: {'good' if row['good'] else row['problem']}", "" if row["good"] else "red", whole=True)
    if not rows and not as_json:
        _say("There are no voices of your own to check.")
    if not all(row["good"] for row in rows):
        raise typer.Exit(NOT_GOOD)


@voice.command()
def say(
    character: Character,
    text: Annotated[str, typer.Argument(help="What is to be said.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A WAV; CHARACTER.wav if not said.")] = None,
    engine: Annotated[str, typer.Option("--engine", "-e", help="By name; else the first that is ready.")] = "",
    language: Annotated[str, typer.Option("--language", "-l", help="en, it, de, es or fr.")] = "en",
    emotion: Annotated[str, typer.Option(help="neutral, happy, sad, excited, ...")] = "neutral",
    delivery: Annotated[str, typer.Option(help="normal, soft, whisper or shout.")] = "normal",
    rate: Annotated[float, typer.Option(help="Times the voice's own.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Another seed gives another take.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Have a character say a line, as in a film, and write it to a WAV."""
    from agent.interrupts import CancelOnInterrupt
    from agent.saying import say_line
    from configs.settings import Settings
    from tools.artifact import write_atomic

    args = {
        "text": text, "character": character, "language": language, "emotion": emotion, "delivery": delivery,
        "rate": rate,
    }  # fmt: skip
    with CancelOnInterrupt() as cancel:
        artifact = say_line(Settings(seed=seed), args, engine, cancel)
    place = out or Path(f"{character}.wav")
    write_atomic(place, artifact.file(artifact.output["file"]).read_bytes())
    row = {
        "file": str(place), "engine": artifact.record.engine, "voice": artifact.output["voice"],
        "seconds": round(artifact.output["duration_s"], 2), "took_s": round(artifact.record.seconds, 2),
    }  # fmt: skip
    if as_json:
        _print_json(row)
    else:
        _say(f"{place}: {row['seconds']:g} s by {row['engine']}, made in {row['took_s']:g} s", whole=True)


def _problem(record: VoiceRecord) -> str:
    """What keeps a voice from being used; empty where nothing does."""
    from tools.errors import ToolError
    from tools.voice.references import hear, unfit
    from tools.voice.shelf import permitted

    try:
        permitted(record)
        for one in record.recordings:
            wrong = unfit(hear(one.file), record.kind)
            if wrong:
                return f"{one.file} {wrong}"
    except ToolError as error:
        return str(error)
    return ""


def _settings() -> Settings:
    from configs.settings import Settings

    return Settings()


def _shelf() -> VoiceShelf:
    from tools.voice.shelf import VoiceShelf

    return VoiceShelf(_settings().voices_home)


def _row(record: VoiceRecord) -> dict[str, Any]:
    consent = record.consent
    return {
        "character": record.character,
        "kind": record.kind,
        "cloned": record.cloned,
        "whose": consent.whose if consent else "",
        "source": consent.source if consent else "",
        "allowed_for": consent.allowed_for if consent else "",
        "given_on": consent.given_on.isoformat() if consent else "",
        "recordings": [one.emotion for one in record.recordings],
        "note": record.note,
    }


def _say(text: str, style: str = "", *, whole: bool = False) -> None:
    from agent.printing import open_console, tell

    tell(open_console(), text, style, whole=whole)


def _print_json(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2))
