"""Paths of weights on this machine, and the libraries that read them; without importing those."""

from __future__ import annotations

import hashlib
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tools.errors import InvalidInput, MissingPrerequisite
from tools.model import Placing
from tools.models import inspect_file, require_family

__all__ = [
    "check_libraries",
    "file_stamp",
    "install_command",
    "local_path",
    "placed",
    "require_safetensors",
    "the_file",
    "torch_dtype",
]

LIBRARIES = ("torch", "diffusers", "transformers", "accelerate", "peft", "compel")


def install_command() -> str:
    """What installs the libraries of image models into this interpreter."""
    root = Path(__file__).parents[3]
    what = f"-e '{root}[models]'" if (root / "pyproject.toml").is_file() else "'animation-studio[models]'"
    return f"{sys.executable} -m pip install {what}"


def check_libraries() -> None:
    """See that the libraries of image models are installed.

    Raises:
        MissingPrerequisite: with the command that installs them.
    """
    lacking = [name for name in LIBRARIES if find_spec(name) is None]
    if lacking:
        raise MissingPrerequisite(f"image models need {', '.join(lacking)}.", command=install_command())


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


def torch_dtype(placing: Placing) -> Any:
    """torch's dtype of a placing."""
    import torch

    return {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[placing.dtype]
