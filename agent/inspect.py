"""What `studio show`, `studio doctor` and `studio tools` print."""

from __future__ import annotations

import json
import shutil
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from agent.printing import open_console, plain, tell
from configs.settings import Settings
from tools.base import Engine
from tools.errors import InvalidInput, MissingPrerequisite, ToolError

if TYPE_CHECKING:
    from tools.runtime.manifest import AttemptRecord, Manifest

__all__ = ["show_doctor", "show_production", "show_tools"]


def show_production(name: str, *, as_json: bool, checks: bool = False) -> None:
    """Print one production, or the list of all.

    Args:
        checks: also every check of the judge, with what it measured.

    Raises:
        InvalidInput: there is no such production.
    """
    from tools.runtime.production import Production

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
    from tools.runtime.production import Production

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


def show_doctor(*, as_json: bool) -> int:
    """Print what this machine has and lacks; 0 when the embedded engines all work, else 1."""
    report = _examine()
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        console = open_console()
        for section, rows in report.items():
            if not isinstance(rows, dict):
                continue
            console.print(f"[bold]{section}[/]")
            for name, told in rows.items():
                console.print(f"  {name:28} {told}", markup=False)
    return 0 if report["ok"] else 1


def _examine() -> dict[str, Any]:
    from configs.profiles import load_profiles
    from tools.registry import Registry
    from tools.runtime.hardware import choose_profile, detect

    settings = Settings()
    found = detect()
    profile = choose_profile(found, load_profiles().profiles, settings.profile)
    registry = Registry.load()
    engines, ok = {}, True
    for tool in registry.tools():
        for spec in registry.engines(tool.name):
            try:
                _engine_class(spec.path)().check()
                engines[f"{tool.name}/{spec.name}"] = "ready"
            except MissingPrerequisite as error:
                engines[f"{tool.name}/{spec.name}"] = f"lacks: {error}"
                ok = ok and not spec.embedded
            except Exception as error:  # an engine that cannot even be imported is a finding, not a crash
                engines[f"{tool.name}/{spec.name}"] = f"broken: {type(error).__name__}: {error}"
                ok = False
    libraries = {}
    for name in ("langgraph", "langchain-core", "skia-python", "av", "numpy", "scipy", "espeakng-loader", "rapidfuzz"):
        try:
            libraries[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            libraries[name], ok = f'lacks: pip install "{name}"', False
    disk = shutil.disk_usage(
        next(p for p in [settings.productions.absolute(), *settings.productions.absolute().parents] if p.exists())
    )
    machine = {
        "system": found.system,
        "python": found.python,
        "cpu cores": str(found.cpus),
        "memory": f"{found.memory_gb:g} GB",
        "gpu": ", ".join(f"{gpu.name}, {gpu.memory_gb:g} GB, driver {gpu.driver}" for gpu in found.gpus) or "none",
        "profile": profile,
        "productions": str(settings.productions.absolute()),
    }
    for number, note in enumerate(found.notes, 1):
        machine[f"note {number}"] = note
    machine["disk free"] = f"{disk.free / 1e9:.1f} GB"
    return {
        "ok": ok,
        "machine": machine,
        "engines": engines,
        "libraries": libraries,
        "planner": {"now": settings.planner},
    }


def _engine_class(path: str) -> type[Engine[Any, Any]]:
    module, _, name = path.partition(":")
    found: type[Engine[Any, Any]] = getattr(import_module(module), name)
    return found
