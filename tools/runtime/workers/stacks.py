"""Environments of their own for libraries that clash with the studio's: where each lies, and its interpreter."""

from __future__ import annotations

import os
from pathlib import Path

from configs.engines import StackEntry
from tools.errors import MissingPrerequisite

__all__ = ["environment_of", "interpreter_in", "interpreter_of"]


def environment_of(name: str, models_home: Path) -> Path:
    """The virtual environment of a stack: beside the models, which are as large and as easily fetched again."""
    return models_home / ".stacks" / name


def interpreter_in(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def interpreter_of(name: str, stack: StackEntry, models_home: Path | None) -> str:
    """Which interpreter runs a stack; empty is the studio's own.

    Raises:
        MissingPrerequisite: its environment was not made yet.
    """
    if stack.python or not stack.requires:
        return stack.python
    python = interpreter_in(environment_of(name, models_home)) if models_home else None
    if python is None or not python.exists():
        raise MissingPrerequisite(
            f"the environment of {name} is not there ({stack.about}).", command=f"studio stacks install {name}"
        )
    return str(python.absolute())
