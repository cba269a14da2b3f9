"""Paths of weights on this machine, and the libraries that read them; without importing those."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tools.errors import InvalidInput
from tools.models import inspect_file, require_family
from tools.models.libraries import require_libraries

__all__ = [
    "check_libraries",
    "file_stamp",
    "placed",
    "require_safetensors",
    "the_file",
]

LIBRARIES = ("torch", "diffusers", "transformers", "accelerate", "peft", "compel")


def check_libraries() -> None:
    """See that the libraries of image models are installed.

    Raises:
        MissingPrerequisite: with the command that installs them.
    """
    require_libraries("image models need", LIBRARIES)


def require_safetensors(path: Path, *families: str, base: str = "") -> None:
    """See that a file of weights is safe to load and of the family asked for; its content counts, not its name.

    Raises:
        InvalidInput: it is a pickle, damaged, or of another family; names the file.
    """
    found = inspect_file(path)
    if found.format != "safetensors":
        raise InvalidInput(f"{path} holds {found.format}; safetensors are read here", where=str(path))
    require_family(found, *families, base=base)


def placed(source: str, model: str) -> str:
    """Where a companion of a model lies: the path given, else what is on this machine by its name; or empty."""
    if source or not model:
        return source
    from configs.models import load_models
    from configs.settings import Settings
    from tools.models.shelf import Shelf

    models = load_models()
    return Shelf(Settings().models_home, models).source_of(model) or models.models[model].source


def the_file(path: Path) -> Path:
    """The one safetensors file of a folder; a file is itself.

    Raises:
        InvalidInput: the folder holds none, or several.
    """
    if path.is_file():
        return path
    found = sorted(path.rglob("*.safetensors"))
    if len(found) != 1:
        raise InvalidInput(f"holds {len(found)} safetensors files; name the one that is meant", where=str(path))
    return found[0]


def file_stamp(source: str) -> str:
    """A digest of a file or folder of weights by names, sizes and times of change: cheap, also at 7 GB."""
    path = Path(source).expanduser()
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for one in files:
        if one.exists():
            known = one.stat()
            name = one.relative_to(path) if path.is_dir() else one.name
            digest.update(f"{name}\0{known.st_size}\0{known.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]
