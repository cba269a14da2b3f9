"""`studio stacks`: libraries that clash with the studio's, each set in an environment of its own.

Only Typer and the standard library are imported here; each command imports what it needs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from configs.engines import EnginesFile, StackEntry

__all__ = ["stacks"]

stacks = typer.Typer(
    name="stacks",
    help="Environments for engines whose libraries clash with the studio's: list, install, check, remove.",
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

NOT_GOOD = 3
"""Exit code where an environment that was checked is not as it was made."""
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone on standard output.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The stack's name; `studio stacks` lists them.")]
Engines = Annotated[Path | None, typer.Option("--engines", help="Another engines.yaml than the studio's own.")]
STATES = {
    "shared": "the studio's own", "absent": "no", "unfinished": "not wholly", "outdated": "for other versions",
    "whole": "yes",
}  # fmt: skip


@stacks.callback()
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_stacks(as_json=False, engines=None)


@stacks.command(name="list")
def list_stacks(as_json: AsJson = False, engines: Engines = None) -> None:
    """List every stack: its engines, whether its environment is here, and its size."""
    file, home = _engines(engines), _home()
    rows = [_row(name, entry, file, home) for name, entry in file.stacks.items()]
    if as_json:
        _print_json(rows)
        return
    from rich.table import Table

    from agent.printing import open_console, plain

    table = Table(header_style="dim", box=None, pad_edge=False)
    for column in ("stack", "here", "size", "engines", "what it is"):
        table.add_column(column, overflow="fold", no_wrap=column in ("stack", "here", "engines"))
    for row in rows:
        size = f"{row['bytes'] / 1e9:.1f} GB" if row["bytes"] else ""
        cells = (row["name"], STATES[row["state"]], size, "\n".join(row["engines"][:6]), row["about"])
        table.add_row(*(plain(cell) for cell in cells))
    open_console().print(table)
    if any(row["state"] in ("absent", "unfinished", "outdated") for row in rows):
        _say("`studio stacks install NAME` makes one; it takes some minutes and about 2 GB, 7 with CUDA.", "dim")


@stacks.command()
def install(
    name: Name,
    python: Annotated[
        str, typer.Option("--python", help="Interpreter to make it with; the studio's own if none.")
    ] = "",
    again: Annotated[bool, typer.Option("--again", help="Make it anew also where it is whole.")] = False,
    as_json: AsJson = False,
    engines: Engines = None,
) -> None:
    """Make a stack's environment: what it requires by version, in a folder of its own beside the models."""
    from agent.interrupts import CancelOnInterrupt
    from tools.runtime.workers.stack_making import install_stack

    file, home = _engines(engines), _home()
    entry = _entry(file, name)
    before = _row(name, entry, file, home)
    with CancelOnInterrupt() as stop, _Bar(f"installing {name}") as bar:
        record = install_stack(name, entry, home, python=python, again=again, tell=bar.update, is_cancelled=stop.is_set)
    row = _row(name, entry, file, home)
    if as_json:
        _print_json({**row, "seconds": round(record.seconds, 1), "installed": record.installed})
        return
    made = "is here already" if before["state"] == "whole" and not again else f"made in {record.seconds:.0f} s"
    _say(f"{name}: {made}, {record.bytes / 1e9:.2f} GB, Python {record.python}, {len(record.installed)} packages")
    _say(f"  {row['path']}", whole=True)
    if row["engines"]:
        _say(f"  for {', '.join(row['engines'])}", "dim")


@stacks.command()
def check(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Only this one; none checks all that are here.")] = "",
    as_json: AsJson = False,
    engines: Engines = None,
) -> None:
    """Look whether environments are as they were made, and the studio runs in them; exit code 3 where one is not."""
    from tools.runtime.workers.stack_making import check_stack

    file, home = _engines(engines), _home()
    known = {name: _entry(file, name)} if name else file.stacks
    found = {
        one: check_stack(one, entry, home)
        for one, entry in known.items()
        if name or _row(one, entry, file, home)["state"] not in ("shared", "absent")
    }
    if as_json:
        _print_json([{"name": one, "ok": not problems, "problems": problems} for one, problems in found.items()])
    for one, problems in {} if as_json else found.items():
        _say(f"{one}: {'NOT as it was made' if problems else 'good'}", "red" if problems else "")
        for problem in problems:
            _say(f"  {problem}", whole=True)
        if problems:
            _say(f"  To mend it: studio stacks install {one} --again")
    if not found and not as_json:
        _say("There are no environments of stacks on this machine to check.")
    if any(found.values()):
        raise typer.Exit(NOT_GOOD)


@stacks.command()
def remove(name: Name, as_json: AsJson = False, engines: Engines = None) -> None:
    """Remove a stack's environment; models stay."""
    from tools.runtime.workers.stack_making import remove_stack

    _entry(_engines(engines), name)
    size = remove_stack(name, _home())
    if as_json:
        _print_json({"name": name, "bytes": size})
        return
    _say(f"{name} is removed; {size / 1e9:.2f} GB are free again.")


def _home() -> Path:
    from configs.settings import Settings

    return Settings().models_home.absolute()


def _engines(path: Path | None) -> EnginesFile:
    from configs.engines import ENGINES_YAML, load_engines

    return load_engines(path or ENGINES_YAML)


def _entry(file: EnginesFile, name: str) -> StackEntry:
    """The entry of a stack.

    Raises:
        InvalidInput: engines.yaml has none of that name.
    """
    from difflib import get_close_matches

    from tools.errors import InvalidInput

    if name not in file.stacks:
        close = get_close_matches(name, file.stacks, n=1, cutoff=0.5)
        hint = f"Did you mean {close[0]!r}?" if close else "`studio stacks` lists those there are."
        raise InvalidInput(f"there is no stack {name!r}.", hint=hint)
    return file.stacks[name]


def _row(name: str, entry: StackEntry, file: EnginesFile, home: Path) -> dict[str, Any]:
    from tools.runtime.workers.stacks import environment_of, record_in, state_of

    environment = environment_of(name, home)
    state = state_of(name, entry, home)
    record = record_in(environment) if state != "shared" else None
    engines = [
        f"{tool}/{engine}"
        for tool, about in file.tools.items()
        for engine, one in about.engines.items()
        if one.stack == name
    ]
    return {
        "name": name, "about": entry.about, "state": state, "requires": list(entry.requires), "engines": engines,
        "bytes": record.bytes if record else 0, "python": record.python if record else "",
        "path": "" if state == "shared" else str(environment),
    }  # fmt: skip


class _Bar:
    """A bar on standard error, drawn only for a person who looks; others are told each step once."""

    def __init__(self, what: str) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        from agent.printing import open_console

        self._console = open_console(stderr=True)
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
        self._progress = Progress(
            *columns, console=self._console, transient=True, disable=not self._console.is_terminal
        )
        self._task = self._progress.add_task(what, total=1.0)
        self._what, self._last = what, ""

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, fraction: float, text: str) -> None:
        """Show how far it is; see `tools.runtime.workers.stack_making.Tell`."""
        from agent.printing import tell
        from agent.requests import without_controls

        told = f"{self._what}: {without_controls(text)}"
        self._progress.update(self._task, description=told[:100], completed=fraction)
        if not self._console.is_terminal and told != self._last:
            tell(self._console, told, "dim")
        self._last = told


def _say(text: str, style: str = "", *, whole: bool = False) -> None:
    from agent.printing import open_console, tell

    tell(open_console(), text, style, whole=whole)


def _print_json(data: Any) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2))
