"""What `studio show` and `studio tools` print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from agent.printing import open_console, plain, tell
from configs.settings import Settings
from tools.errors import InvalidInput, ToolError

if TYPE_CHECKING:
    from tools.runtime.storage.manifest import AttemptRecord, Manifest

__all__ = ["show_production", "show_tools"]


def show_production(name: str, *, as_json: bool, checks: bool = False) -> None:
    """Print one production, or the list of all.

    Args:
        checks: also every check of the judge, with what it measured.

    Raises:
        InvalidInput: there is no such production.
    """
    from tools.runtime.storage.production import Production

    settings = Settings()
    console = open_console()
    folders = sorted(path.parent for path in settings.productions.glob("*/manifest.json"))
    if not name:
        rows = [{"name": folder.name, "title": _title(folder)} for folder in folders]
        if as_json:
            print(json.dumps(rows, ensure_ascii=False, indent=2))
        elif not rows:
            console.print(f"There is no production in {settings.productions} yet.", markup=False)
        else:
            for row in rows:
                tell(console, f"{row['name']}  {row['title']}")
        return
    folder = next((path for path in (settings.productions / name, Path(name)) if _is_production(path)), None)
    if folder is None:
        known = ", ".join(path.name for path in folders) or "none yet"
        raise InvalidInput(f"there is no production {name!r}.", hint=f"There are: {known}.")
    manifest = Production.found(folder).manifest()
    if as_json:
        print(manifest.model_dump_json(indent=2))
        return
    tell(console, manifest.title, "bold")
    for request in manifest.request:
        tell(console, f"  “{request}”")
    console.print(_attempts_table(manifest))
    if checks:
        _show_checks(console, manifest.attempts)
    missing = {
        (check["name"].partition(".")[0], check["detail"])
        for r in manifest.attempts
        for check in r.checks
        if check["status"] == "not_run"
    }
    for name, detail in sorted(missing):
        tell(console, f"  {name}: {detail}", "dim")
    for path in manifest.exports:
        tell(console, f"  {folder / path}", whole=True)
    for told in [*manifest.assumptions, *manifest.degraded]:
        tell(console, f"  {told}", "dim")


def _attempts_table(manifest: Manifest) -> Table:
    """A row an attempt; of several at one call the kept one is marked."""
    table = Table(header_style="dim", box=SIMPLE_HEAD, pad_edge=False)
    for column in ("call", "engine", "attempt", "score", "seconds"):
        table.add_column(column, no_wrap=True)
    table.add_column("fell short", overflow="fold")
    for record in manifest.attempts:
        kept = " kept" if record.best and len(manifest.of_call(record.call)) > 1 else ""
        table.add_row(
            plain(record.call),
            plain(record.engine),
            f"{record.attempt}{kept}",
            "" if record.score is None else f"{record.score:.2f}",
            f"{record.seconds:.1f}",
            plain(", ".join(_names(record.checks, "failed")) or record.error),
        )
    return table


def _names(checks: list[dict[str, Any]], status: str) -> list[str]:
    return [str(check["name"]) for check in checks if check["status"] == status]


def _show_checks(console: Console, attempts: list[AttemptRecord]) -> None:
    """A line a check, below the attempt that it was made on."""
    marks = {"passed": "ok", "failed": "failed", "not_run": "not run"}
    for record in attempts:
        tell(console, f"{record.call}, attempt {record.attempt}", "bold")
        for check in record.checks:
            style = "red" if check["status"] == "failed" else ""
            told = check["detail"].removeprefix("not run: ")
            tell(console, f"  {marks[check['status']]:8}{check['name']}: {told}", style)


def _is_production(folder: Path) -> bool:
    try:
        return (folder / "manifest.json").is_file()
    except (OSError, ValueError):
        # Too long for a name, say.
        return False


def _title(folder: Path) -> str:
    from tools.runtime.storage.production import Production

    try:
        return Production.found(folder).manifest().title
    except ToolError as error:
        return f"({error})"


def show_tools(*, as_json: bool) -> None:
    """Print the tools with their engines."""
    from tools.registry import Registry

    registry = Registry.load()
    if as_json:
        schemas = [spec.function for spec in registry.tools()]
        print(json.dumps(schemas, ensure_ascii=False, indent=2))
        return
    table = Table(header_style="dim")
    for column in ("tool", "what it does", "engines"):
        table.add_column(column, overflow="fold")
    for spec in registry.tools():
        table.add_row(spec.name, spec.description, ", ".join(engine.name for engine in registry.engines(spec.name)))
    open_console().print(table)
