"""Checkpoints that are made once and kept: under the hash of the code, the arguments and the libraries that make them.

base = built(make_base, seed=1)     # a folder, made by the first test or scenario that asks, found by all others
"""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from knowledge.user_cache import user_cache

__all__ = ["KEPT_IN_VARIABLE", "built", "kept", "kept_in"]

KEPT_IN_VARIABLE = "STUDIO_TEST_CHECKPOINTS"

LIBRARIES = ("torch", "diffusers", "transformers", "safetensors", "peft", "gguf")


def kept_in() -> Path:
    """Where they are kept: STUDIO_TEST_CHECKPOINTS; in a checkout beside pytest's own cache, else the user's cache."""
    if named := os.environ.get(KEPT_IN_VARIABLE):
        return Path(named)
    root = Path(__file__).parents[2]
    if (root / "pyproject.toml").is_file():
        return root / ".pytest_cache" / "checkpoints"
    return user_cache() / "checkpoints"


def built(make: Callable[..., Path], **args: Any) -> Path:
    """What `make(folder, **args)` returns, made now or long ago. Do not write into it.

    Args:
        make: a maker of this package: writes into an empty folder, returns the path of what it wrote.
        args: its arguments; paths among them must be kept checkpoints themselves.
    """
    root = kept_in()
    root.mkdir(parents=True, exist_ok=True)
    folder = _folder(make, args)
    if not _told(folder).exists():
        # Several processes ask at once; one makes it.
        with (root / f".{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _told(folder).exists():
                _make(make, args, folder)
    return _path_in(folder)


def kept(make: Callable[..., Path], **args: Any) -> Path | None:
    """What `built` returns where it was made before; None where it was not."""
    folder = _folder(make, args)
    return _path_in(folder) if _told(folder).exists() else None


def _folder(make: Callable[..., Path], args: dict[str, Any]) -> Path:
    return kept_in() / f"{make.__name__.removeprefix('make_')}-{_key(make, args)}"


def _told(folder: Path) -> Path:
    return folder / "made.json"


def _path_in(folder: Path) -> Path:
    return folder / str(json.loads(_told(folder).read_text())["path"])


def _make(make: Callable[..., Path], args: dict[str, Any], folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder.parent) as temp:
        room = Path(temp) / "made"
        room.mkdir()
        made = make(room, **args)
        (room / "made.json").write_text(json.dumps({"path": str(made.relative_to(room))}))
        shutil.rmtree(folder, ignore_errors=True)
        room.rename(folder)


def _key(make: Callable[..., Path], args: dict[str, Any]) -> str:
    known = {
        "make": f"{make.__module__}:{make.__qualname__}",
        "args": {name: str(value) for name, value in sorted(args.items())},
        "libraries": {name: _version(name) for name in LIBRARIES},
        "source": [hashlib.sha256(file.read_bytes()).hexdigest() for file in _sources(make)],
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]


def _sources(make: Callable[..., Path]) -> list[Path]:
    """The maker's own file, and those of this package that it takes something from, at once or by way of others."""
    found: set[Path] = set()
    wanted = {Path(inspect.getfile(make))}
    while wanted:
        file = wanted.pop()
        found.add(file)
        names = re.findall(rf"{re.escape(__package__ or '')}\.(\w+)", file.read_text(encoding="utf-8"))
        wanted |= {path for name in names if (path := Path(__file__).with_name(f"{name}.py")).exists()} - found
    return sorted(found)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
