"""Look at a folder of a model (as diffusers and transformers write it) before anything loads it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.errors import MissingPrerequisite
from tools.models.contents import content_at
from tools.models.header import WrongFile
from tools.models.inspect import ModelFile, PickleRefused, inspect_file

__all__ = ["ModelFolder", "RemoteCodeRefused", "files_of", "inspect_folder"]

_MOST_FILES = 20_000
_DEEPEST = 12
_SKIPPED = {".git", ".cache", ".parts", "__pycache__"}
_PICKLE_NAMES = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".th", ".npy", ".npz", ".sav", ".model"}
_MAX_JSON = 16_000_000
_MAX_BRACKETS = 1_000_000
_PLAIN_JSON = {"tokenizer.json", "vocab.json", "added_tokens.json", "special_tokens_map.json"}
"""Tables of words: no loader takes the name of a class out of them."""
_LIBRARIES = {"diffusers", "transformers", "stable_diffusion", "onnxruntime", "flax"}
"""From which a pipeline's parts may come, by its model_index.json; `stable_diffusion` is a part of diffusers."""


class RemoteCodeRefused(WrongFile):
    """A folder whose settings ask for code of its own to be run."""


@dataclass(frozen=True)
class ModelFolder:
    """A folder that was inspected.

    Attributes:
        path: of it.
        weights: its safetensors, GGUF, ONNX and CTranslate2 files.
        passed_over: pickles beside safe weights, and programs: they are never read.
    """

    path: Path
    weights: tuple[ModelFile, ...]
    passed_over: tuple[Path, ...]

    @property
    def parameters(self) -> int:
        """Numbers in all its weights."""
        return sum(file.parameters for file in self.weights)


def inspect_folder(path: Path) -> ModelFolder:
    """Look at every file of a folder: weights by their headers, settings for what they ask to be run.

    Raises:
        RemoteCodeRefused: a config.json has an `auto_map`, or a model_index.json names a library of its own.
        PickleRefused: a pickle under another name, or one with no safe weights beside it.
        WrongFile: a link leads out of the folder, a header lies, an index names files elsewhere, it has no weights.
        MissingPrerequisite: it is not there.
    """
    weights: list[ModelFile] = []
    pickles: list[Path] = []
    programs: list[Path] = []
    for file in files_of(path):
        try:
            content = content_at(file)
        except OSError as error:
            raise WrongFile(f"it cannot be read: {error.strerror or error}", where=str(file)) from None
        if content == "pickle":
            if file.suffix.lower() not in _PICKLE_NAMES:
                inspect_file(file)
            pickles.append(file)
        elif file.suffix == ".json":
            _check_settings(file)
        elif content in ("safetensors", "gguf", "ctranslate2") or file.suffix.lower() in (
            ".safetensors",
            ".gguf",
            ".onnx",
        ):
            weights.append(inspect_file(file))
        elif file.suffix == ".py":
            programs.append(file)
    safe = {file.path.parent for file in weights}
    for pickle in pickles:
        if pickle.parent not in safe and not _is_a_leftover(pickle):
            raise PickleRefused(
                "this is a pickle with no safetensors beside it: loading it could run any program",
                where=str(pickle),
                hint="Get the same model as .safetensors, or remove the file where nothing needs it.",
            )
    if not weights:
        raise WrongFile("there are no weights in this folder", where=str(path))
    return ModelFolder(path, tuple(weights), tuple(sorted([*pickles, *programs])))


def _is_a_leftover(path: Path) -> bool:
    """What a trainer leaves behind; no loader looks for it."""
    return path.name in {
        "training_args.bin",
        "optimizer.bin",
        "optimizer.pt",
        "scheduler.pt",
        "rng_state.pth",
        "scheduler.bin",
    }


def files_of(path: Path) -> Iterator[Path]:
    """Every file of a folder, by name; no link out of it is followed.

    Raises:
        WrongFile: a link leads out, or it holds too much.
        MissingPrerequisite: it is not there.
    """
    if not path.is_dir():
        raise MissingPrerequisite(f"{path}: there is no such folder.", command="studio models list")
    inside = [path.resolve()]
    if path.resolve().parent.name == "snapshots" and (path.resolve().parent.parent / "blobs").is_dir():
        # The hub's own cache: a snapshot is a folder of links to the blobs beside it.
        inside.append(path.resolve().parent.parent / "blobs")
    yield from _walk(path, inside, [_MOST_FILES], 0)


def _walk(folder: Path, inside: list[Path], left: list[int], depth: int) -> Iterator[Path]:
    if depth > _DEEPEST:
        raise WrongFile("its folders nest too deeply", where=str(folder))
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        left[0] -= 1
        if left[0] < 0:
            raise WrongFile(f"it holds more than {_MOST_FILES:,} files", where=str(folder))
        path = Path(entry.path)
        if entry.is_symlink():
            target = path.resolve()
            if not any(target.is_relative_to(root) for root in inside):
                raise WrongFile(f"this is a link that leads out of the folder, to {target}", where=str(path))
            if target.is_dir():
                raise WrongFile("this is a link to a folder", where=str(path))
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in _SKIPPED:
                yield from _walk(path, inside, left, depth + 1)
        elif entry.is_file():
            yield path
        else:
            raise WrongFile("this is no file", where=str(path))


def _check_settings(path: Path) -> None:
    if path.name in _PLAIN_JSON:
        return
    data = _json(path)
    if path.name.endswith(".index.json"):
        _check_index(data, path)
    if path.name == "model_index.json":
        _check_pipeline(data, path)
    named = _find_code(data)
    if named:
        raise RemoteCodeRefused(
            f"its {named} asks for a program of its own to be run; the studio runs no code that comes with weights",
            where=str(path),
            hint="Get a version that transformers or diffusers reads by itself.",
        )


def _json(path: Path) -> Any:
    with path.open("rb") as stream:
        raw = stream.read(_MAX_JSON + 1)
    if len(raw) > _MAX_JSON or raw.count(b"{") + raw.count(b"[") > _MAX_BRACKETS:
        raise WrongFile("it is too large for settings", where=str(path))
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise WrongFile(f"it is no JSON: {str(error)[:120]}", where=str(path)) from None


def _find_code(data: Any) -> str:
    """The first key that makes a loader import a module from the folder or the network; empty where there is none."""
    pending = [data]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            for key in ("auto_map", "custom_pipelines", "custom_pipeline", "trust_remote_code"):
                if item.get(key):
                    return key
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return ""


def _check_pipeline(data: Any, path: Path) -> None:
    if not isinstance(data, dict) or not isinstance(data.get("_class_name"), str):
        raise RemoteCodeRefused("its _class_name is no name of a pipeline of diffusers", where=str(path))
    for part, value in data.items():
        if not isinstance(value, list) or part.startswith("_"):
            continue
        library = value[0] if value else None
        if len(value) == 2 and all(isinstance(word, str | None) for word in value) and library in {*_LIBRARIES, None}:
            continue
        # A part may also be a plain setting that is a list, of numbers say; a module is named by text.
        if library is None or not isinstance(library, str):
            continue
        raise RemoteCodeRefused(f"its part {part!r} is to come from {str(library)[:60]!r}", where=str(path))


def _check_index(data: Any, path: Path) -> None:
    shards = data.get("weight_map") if isinstance(data, dict) else None
    if not isinstance(shards, dict):
        raise WrongFile("it has no weight_map", where=str(path))
    for name in {value for value in shards.values() if isinstance(value, str)} | {
        "" for v in shards.values() if not isinstance(v, str)
    }:
        parts = Path(name).parts
        if not name or Path(name).is_absolute() or ".." in parts or "\\" in name or "\0" in name:
            raise WrongFile(f"it names {name[:80]!r}, which lies elsewhere", where=str(path))
        if name.endswith((".safetensors", ".gguf")) and not (path.parent / name).exists():
            raise MissingPrerequisite(f"{path}: the file {name} of it is missing.", command="studio models check")
