"""Environments of their own for libraries that clash with the studio's: where each lies, whether it is whole.

An environment is whole once its record lies in it, which is the last thing that `stack_making` writes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from configs.engines import StackEntry
from tools.errors import MissingPrerequisite

__all__ = [
    "BASE", "RECORD", "StackRecord", "State", "environment_of", "interpreter_in", "interpreter_of", "record_in",
    "search_path", "state_of",
]  # fmt: skip

BASE = (
    "pydantic>=2.12,<3",
    "pydantic-settings>=2.11,<3",
    "pyyaml>=6.0.2,<7",
    "numpy>=2.2,<3",
    "scipy>=1.15,<2",
    "espeakng-loader>=0.2.4,<0.3",
)
"""What the studio's own code needs in a worker: of its dependencies those that `tools` imports on the way to a voice. A
test holds them against pyproject.toml, and against what is imported."""

RECORD = "studio-stack.json"
State = Literal["shared", "absent", "unfinished", "outdated", "whole"]


class StackRecord(BaseModel):
    """What an environment was made of.

    Attributes:
        requires, base: what was asked for.
        python: version of its interpreter.
        installed: version of every distribution in it.
        bytes: on disk.
        seconds: that it took.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    requires: tuple[str, ...]
    base: tuple[str, ...]
    python: str
    installed: dict[str, str] = Field(min_length=1)
    bytes: int = Field(ge=0)
    seconds: float = Field(ge=0.0)


def environment_of(name: str, models_home: Path) -> Path:
    """The virtual environment of a stack: beside the models, which are as large and as easily fetched again."""
    return models_home / ".stacks" / name


def interpreter_in(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def record_in(environment: Path) -> StackRecord | None:
    """What an environment was made of; None where it is not there, not whole, or its record was damaged."""
    try:
        record = StackRecord.model_validate_json((environment / RECORD).read_bytes())
    except (OSError, ValidationError):
        return None
    return record if interpreter_in(environment).exists() else None


def state_of(name: str, stack: StackEntry, models_home: Path) -> State:
    """How an environment stands: `outdated` was made for other requirements than engines.yaml has now."""
    if stack.python or not stack.requires:
        return "shared"
    environment = environment_of(name, models_home)
    record = record_in(environment)
    if record is None:
        return "unfinished" if environment.exists() else "absent"
    return "whole" if (record.requires, record.base) == (stack.requires, BASE) else "outdated"


def interpreter_of(name: str, stack: StackEntry, models_home: Path | None) -> str:
    """Which interpreter runs a stack; empty is the studio's own.

    Raises:
        MissingPrerequisite: its environment was not made yet, not wholly, or for other requirements.
    """
    if stack.python or not stack.requires:
        return stack.python
    state = state_of(name, stack, models_home) if models_home else "absent"
    if models_home is None or state != "whole":
        told = {"unfinished": "was not made wholly", "outdated": "was made for other versions"}.get(
            state, "is not there"
        )
        raise MissingPrerequisite(
            f"the environment of {name} {told} ({stack.about}).", command=f"studio stacks install {name}"
        )
    return str(interpreter_in(environment_of(name, models_home)).absolute())


def search_path(environment: Path) -> dict[str, str]:
    """How the studio's own code is found by an environment's interpreter, and nothing else of the studio's.

    In a source tree the studio's packages lie alone. Where it is installed, they lie among all its libraries, which
    would then be found before those of the environment: links lead to its packages, past the libraries.
    """
    root = Path(__file__).resolve().parents[3]
    if (root / "pyproject.toml").is_file() or not list(root.glob("*.dist-info")):
        return {"PYTHONPATH": str(root)}
    links = environment / "studio"
    links.mkdir(exist_ok=True)
    for package in ("tools", "configs"):
        link = links / package
        if not link.is_symlink() or link.resolve() != root / package:
            link.unlink(missing_ok=True)
            link.symlink_to(root / package)
    return {"PYTHONPATH": str(links)}
