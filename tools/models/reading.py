"""What every reader of weights does around its library: where files are, what they say of themselves, what failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.errors import InvalidInput, MissingPrerequisite

__all__ = ["local_path", "model_folder", "reading", "settings_of"]


def local_path(source: str, what: str, command: str) -> Path:
    """A registered folder or file.

    Args:
        source: as registered.
        what: for people.
        command: what registers or fetches it.

    Raises:
        MissingPrerequisite: nothing is registered, or it is not there.
    """
    if not source:
        raise MissingPrerequisite(f"{what} is not on this machine.", command=command)
    path = Path(source).expanduser()
    if not path.exists():
        raise MissingPrerequisite(f"{what}: there is no {path}.", command=command)
    return path


def model_folder(name: str, source: str, holds: str) -> Path:
    """The folder that a model is read from.

    Args:
        name: of the model, in models.yaml.
        source: where it is said to be; empty where it is nowhere.
        holds: what lies in such a folder, for the person who registered another.

    Raises:
        MissingPrerequisite: it is not there; names the command that gets it.
        InvalidInput: it is a file.
    """
    folder = local_path(source, name, f"studio models pull {name}")
    if not folder.is_dir():
        raise InvalidInput("is no folder", where=str(folder), hint=f"Register the folder that holds {holds}.")
    return folder


def settings_of(path: Path) -> dict[str, Any]:
    """A file of settings beside weights, such as config.json.

    Raises:
        InvalidInput: it cannot be read, or holds something else; names it.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot be read: {str(error)[:120]}", where=str(path)) from error
    if not isinstance(data, dict):
        raise InvalidInput("is no mapping", where=str(path))
    return data


@contextmanager
def reading(path: Path, what: str, hint: str = "Fetch it again, or register another.") -> Iterator[None]:
    """Turn what a loader fails with into an error that names the file. Memory that ran out stays what it is.

    Args:
        path: what is read.
        what: the model, for people.
        hint: what to do about it.

    Raises:
        InvalidInput: it cannot be read.
    """
    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, AssertionError) as error:
        if "alloc" in str(error):
            raise
        told = " ".join(str(error).split()) or type(error).__name__
        raise InvalidInput(f"cannot be read as {what}: {told[:200]}", where=str(path), hint=hint) from error
