"""`studio models`: which models there are and which of them are here; get, register, check and remove them.

Only Typer and the standard library are imported here; each command imports what it needs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from configs.models import ModelEntry
    from tools.models.shelf import Checked, ModelRecord, Shelf

__all__ = ["models"]

models = typer.Typer(
    name="models",
    help="The models that engines need: list, pull, check, path, remove.",
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

NOT_GOOD = 3
"""Exit code where a model that was checked is not as it was."""
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The model's name; `studio models` lists them.")]


@models.callback()
def _default(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_models(here=False, as_json=as_json)
    elif as_json:
        raise typer.BadParameter(f"it belongs behind {context.invoked_subcommand}.", param_hint="--json")


@models.command(name="list")
def list_models(
    here: Annotated[bool, typer.Option("--here", help="Only those that are on this machine.")] = False,
    as_json: AsJson = False,
) -> None:
    """List every model: what it is for, its size, its licence, and whether it is here."""
    shelf = _shelf()
    records = shelf.records()
    names = [*shelf.models.models, *(name for name in records if name not in shelf.models.models)]
    rows = [_row(name, shelf.models.models.get(name), records.get(name)) for name in names]
    if here:
        rows = [row for row in rows if row["here"]]
    if as_json:
        _print_json(rows)
        return
    if not rows:
        _say("There are no models on this machine. `studio models` lists those that can be got.")
        return
    from rich.table import Table

    from agent.printing import open_console, plain

    table = Table(header_style="dim", box=None, pad_edge=False)
    for column in ("model", "disk", "GPU", "licence", "here", "what it does"):
        table.add_column(column, overflow="fold", no_wrap=column == "model")
    purpose = ""
    for row in rows:
        if row["purpose"] != purpose:
            purpose = row["purpose"]
            table.add_row(plain(purpose, "bold"))
        sizes = row["weights_gb"]
        size = sizes.get("fp16") or next(iter(sizes.values()), 0)
        allowed = {True: "", False: ": not commercial"}.get(row["commercial"], ": unclear")
        cells = (
            row["name"], f"{row['download_gb']:g}" if row["download_gb"] else "", f"{size:g}" if size else "",
            row["licence"] + allowed, row["here"] or ("by hand" if row["by_hand"] else "no"), row["about"],
        )  # fmt: skip
        table.add_row(*(plain(cell) for cell in cells))
    open_console().print(table)
    _say("disk: GB; GPU: GiB in fp16; --json has every width, repository and revision.", "dim")
    _say("`studio models pull NAME` gets one; `studio models path NAME PATH` takes one that you have.", "dim")


@models.command()
def pull(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Models by name; `studio models` lists them.")],
    as_json: AsJson = False,
) -> None:
    """Get models from the Hugging Face Hub, verified; the same command goes on where it was cut off."""
    from agent.interrupts import CancelOnInterrupt
    from tools.models.hub import Hub
    from tools.models.pull import pull as pull_model

    shelf = _shelf()
    # All names first: a slip in the last one is told before gigabytes are fetched.
    entries = {name: _entry(shelf, name) for name in names}
    rows = []
    for name, entry in entries.items():
        _say_licence(name, entry)
        with CancelOnInterrupt() as stop, _Bar(f"pulling {name}") as bar:
            record = pull_model(name, entry, shelf, Hub(), bar.update, stop.is_set)
        rows.append(_row(name, entry, record))
        if as_json:
            continue
        _say(f"{name}: {record.bytes / 1e9:.2f} GB, {record.family}, revision {record.revision[:12]}")
        _say(f"  {record.path}", whole=True)
        if not entry.weights:
            _say("No engine of this version loads it yet.", "dim")
    if as_json:
        _print_json(rows[0] if len(rows) == 1 else rows)


@models.command()
def check(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Only this model; none checks all that are here.")] = "",
    full: Annotated[bool, typer.Option("--full", help="Hash every file; else only those that were changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare models with what was recorded of them; exit code 3 where one is not as it was."""
    from agent.interrupts import CancelOnInterrupt

    shelf = _shelf()
    names = [name] if name else list(shelf.records())
    with CancelOnInterrupt() as stop, _Bar("checking") as bar:
        found = [shelf.check(one, full=full, progress=bar.update, cancelled=stop.is_set) for one in names]
    if as_json:
        _print_json([{"name": one.name, "ok": one.ok, "full": one.full, "problems": one.problems} for one in found])
    else:
        _tell_checked(found)
    if not all(one.ok for one in found):
        raise typer.Exit(NOT_GOOD)


@models.command()
def path(
    name: Name,
    place: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="A file or folder of yours; none shows where it is.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Register a file or folder that you have under a name; it stays where it is, is looked at, and never changed."""
    from agent.interrupts import CancelOnInterrupt

    shelf = _shelf()
    if place is None:
        record = shelf.needed(name)
    else:
        with CancelOnInterrupt() as stop, _Bar(f"looking at {name}") as bar:
            record = shelf.register(name, place, bar.update, stop.is_set)
    entry = shelf.models.models.get(name)
    if as_json:
        _print_json(_row(name, entry, record))
        return
    _say(shelf.source_of(name), whole=True)
    if place is not None:
        _say(f"{name}: {record.family}, {record.bytes / 1e9:.2f} GB", "dim")
        if entry is not None:
            _say_licence(name, entry)
        else:
            _say_own_name(name, shelf)


@models.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove a model that was pulled, with its files; one that was registered by path is forgotten, its files stay."""
    shelf = _shelf()
    record = shelf.remove(name)
    pulled = record.kind == "pulled"
    if as_json:
        _print_json(
            {"name": name, "files_removed": pulled, "path": record.path, "bytes": record.bytes if pulled else 0}
        )
    elif pulled:
        _say(f"{name} is removed; {record.bytes / 1e9:.2f} GB are free again.")
    else:
        _say(f"{name} is forgotten; its files stay:")
        _say(f"  {record.path}", whole=True)


def _shelf() -> Shelf:
    from configs.models import load_models
    from configs.settings import Settings
    from tools.models.shelf import Shelf

    return Shelf(Settings().models_home, load_models())


def _entry(shelf: Shelf, name: str) -> ModelEntry:
    """The entry of a model.

    Raises:
        InvalidInput: models.yaml has none of that name.
    """
    from difflib import get_close_matches

    from tools.errors import InvalidInput

    entry = shelf.models.models.get(name)
    if entry is None:
        close = get_close_matches(name, shelf.models.models, n=1, cutoff=0.5)
        hint = f"Did you mean {close[0]!r}?" if close else "`studio models` lists those there are."
        raise InvalidInput(f"there is no model {name!r}.", hint=hint)
    return entry


def _row(name: str, entry: ModelEntry | None, record: ModelRecord | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": name,
        "about": entry.about if entry else f"your own: {record.family}" if record else "",
        "purpose": entry.purpose if entry else "yours",
        "licence": entry.licence if entry else "your own to know",
        "commercial": entry.commercial if entry else "unclear",
        "repo": entry.repo if entry else "",
        "revision": record.revision if record and record.revision else entry.revision if entry else "",
        "download_gb": entry.download_gb if entry else round(record.bytes / 1e9, 2) if record else 0,
        "weights_gb": dict(entry.weights_gb) if entry else {},
        "loadable": bool(entry and entry.weights),
        "by_hand": entry.by_hand if entry else "",
        "here": record.kind if record else "",
        "path": record.path if record else "",
        "bytes": record.bytes if record else 0,
        "family": record.family if record else "",
    }
    return row


def _say_own_name(name: str, shelf: Shelf) -> None:
    """No engine looks for a name of one's own by itself; a slip of the pen would never be noticed."""
    from difflib import get_close_matches

    from agent.printing import open_console, tell

    close = get_close_matches(name, shelf.models.models, n=1, cutoff=0.8)
    meant = f"; if {close[0]} was meant: studio models remove {name}" if close else ""
    tell(open_console(stderr=True), f"{name}: a name of your own{meant}", "yellow" if close else "dim")


def _say_licence(name: str, entry: ModelEntry) -> None:
    """The licence; on standard error, so that it is read also beside JSON."""
    from agent.printing import open_console, tell

    console = open_console(stderr=True)
    tell(console, f"{name}: licence {entry.licence or 'unknown'}")
    if entry.commercial is False:
        tell(console, "  It does not allow commercial use. Read it before you publish what you make.", "yellow")
    elif entry.commercial == "unclear":
        tell(console, "  Whether it allows commercial use depends on who you are: read it first.", "yellow")
    if entry.note:
        tell(console, f"  {entry.note}", "dim")


def _tell_checked(found: list[Checked]) -> None:
    for one in found:
        how = "every byte" if one.full else "sizes and times; --full reads every byte"
        _say(f"{one.name}: {'good' if one.ok else 'NOT as it was'} ({how})", "" if one.ok else "red")
        for file, problem in one.problems.items():
            _say(f"  {problem if file == '.' else f'{file} {problem}'}", whole=True)
    if not found:
        _say("There are no models on this machine to check.")


class _Bar:
    """A bar on standard error, drawn only for a person who looks."""

    def __init__(self, what: str) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        from agent.printing import open_console

        console = open_console(stderr=True)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task(what, total=None)
        self._what = what

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, file: str, done: int, total: int) -> None:
        """Show how far it is; see `tools.models.shelf.Progress`."""
        from agent.requests import without_controls

        told = f"{self._what}: {Path(without_controls(file)).name}"
        self._progress.update(self._task, description=told, completed=done, total=total)


def _say(text: str, style: str = "", *, whole: bool = False) -> None:
    from agent.printing import open_console, tell

    tell(open_console(), text, style, whole=whole)


def _print_json(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2))
