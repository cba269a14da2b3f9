"""A folder of your own: characters, LoRAs, places, tools and engines beside the studio's, whose files stay as they are.

`STUDIO_OWN` names the folder. All of it is optional:

    characters.yaml       sheets as in configs/characters.yaml; one with the id of a known character takes its place
    voices.yaml           `voices` as in configs/voices.yaml, for the `voice` of a sheet
    loras.yaml            LoRAs as in configs/loras.yaml; `file` is looked for from the folder
    places/<id>.yaml      places as in tools/layout/packs/places, with `aliases` for the words that mean them
    engines.yaml          tools and engines as in configs/engines.yaml
    own_tools/*.py        their classes: `own_tools.<module>:<Class>`

It is an environment variable and no field of `Settings`, because workers read the same cast and places as the agent,
and because it names code that is run: nobody but who starts the studio may choose it.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel, ConfigDict, Field

from configs.engines import EnginesFile, Name, ToolEntry
from configs.yaml_file import YamlProblem, load_yaml_model

__all__ = [
    "OWN_PACKAGE",
    "OWN_VARIABLE",
    "allowed_modules",
    "open_own_package",
    "own_file",
    "own_folder",
    "own_places",
    "with_own_engines",
]

OWN_VARIABLE = "STUDIO_OWN"
OWN_PACKAGE = "own_tools"
_STUDIO = ("tools.",)


class OwnEnginesFile(BaseModel):
    """engines.yaml of the folder; `stacks` are the studio's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tools: dict[Name, ToolEntry] = Field(min_length=1)


def own_folder() -> Path | None:
    """The folder that `STUDIO_OWN` names; None where it names none.

    Raises:
        YamlProblem: it is not there.
    """
    named = os.environ.get(OWN_VARIABLE, "")
    if not named:
        return None
    folder = Path(named).expanduser().absolute()
    if not folder.is_dir():
        raise YamlProblem(f"there is no folder {named}", where=OWN_VARIABLE)
    return folder


def own_file(name: str) -> Path | None:
    """A file of the folder by name, if it is there."""
    folder = own_folder()
    path = folder / name if folder else None
    return path if path is not None and path.is_file() else None


def own_places() -> dict[str, Path]:
    """The files of the folder's places by id, sorted."""
    folder = own_folder()
    return {path.stem: path for path in sorted((folder / "places").glob("*.yaml"))} if folder else {}


def allowed_modules() -> tuple[str, ...]:
    """Prefixes of the modules that tools and engines may come from: the studio's, and those of the folder."""
    return (*_STUDIO, f"{OWN_PACKAGE}.") if own_folder() else _STUDIO


def with_own_engines(studio: EnginesFile) -> EnginesFile:
    """engines.yaml with the folder's tools and engines after the studio's, which keep their names and their order.

    An engine for a tool that there is already is used where it is named; it never takes the place of another.

    Raises:
        YamlProblem: the file is malformed, names a class outside `own_tools`, or a name that is taken.
    """
    path = own_file("engines.yaml")
    if path is None:
        return studio
    open_own_package()
    tools = dict(studio.tools)
    for name, entry in load_yaml_model(path, OwnEnginesFile).tools.items():
        tools[name] = _joined(name, entry, studio.tools.get(name), path)
    for name, tool in tools.items():
        for engine, about in tool.engines.items():
            if about.stack not in studio.stacks:
                raise YamlProblem(f"{name}/{engine}: there is no stack {about.stack!r}", where=str(path))
    return EnginesFile(stacks=studio.stacks, tools=tools)


def _joined(name: str, own: ToolEntry, known: ToolEntry | None, path: Path) -> ToolEntry:
    classes = [about.engine for about in own.engines.values()]
    if known is None:
        classes.append(own.tool)
    elif own.tool != known.tool:
        raise YamlProblem(f"{name} is the studio's tool {known.tool}; choose another name", where=str(path))
    for one in classes:
        if not one.startswith(f"{OWN_PACKAGE}."):
            raise YamlProblem(f"{name}: {one} is not in {OWN_PACKAGE}/", where=str(path))
    if known is None:
        return own
    taken = sorted(set(own.engines) & set(known.engines))
    if taken:
        raise YamlProblem(f"{name} has an engine {taken[0]} already; choose another name", where=str(path))
    return known.model_copy(update={"engines": {**known.engines, **own.engines}})


def open_own_package() -> None:
    """Let `own_tools` be imported from the folder; `sys.path` stays as it is, so nothing there can stand for another.

    Raises:
        YamlProblem: the folder is not there.
    """
    folder = own_folder()
    path = [str(folder / OWN_PACKAGE)] if folder else []
    loaded = sys.modules.get(OWN_PACKAGE)
    if loaded is not None and list(getattr(loaded, "__path__", ())) == path:
        importlib.invalidate_caches()
        return
    # That of another folder, named earlier in this process.
    for name in [one for one in sys.modules if one == OWN_PACKAGE or one.startswith(f"{OWN_PACKAGE}.")]:
        del sys.modules[name]
    package = ModuleType(OWN_PACKAGE, "Tools and engines of one's own.")
    package.__path__ = path
    sys.modules[OWN_PACKAGE] = package
    importlib.invalidate_caches()
