"""The folder of a model that hears, as the user has it; looked for without importing anything."""

from __future__ import annotations

from pathlib import Path

from tools.errors import InvalidInput, MissingPrerequisite

__all__ = ["model_folder"]


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
    folder = Path(source).expanduser()
    if not source or not folder.exists():
        told = f"{name}: there is no {folder}." if source else f"{name} is not on this machine."
        raise MissingPrerequisite(told, command=f"studio models pull {name}")
    if not folder.is_dir():
        raise InvalidInput("is no folder", where=str(folder), hint=f"Register the folder that holds {holds}.")
    return folder
