"""A checkpoint is whole, or it is not read: every weight of a model lies in its files, in its shape.

transformers fills what is lacking with random values, diffusers leaves it without memory; both say so in the log alone.
Weights that a model has no place for are left where they are, for published files carry some (the positions of CLIP
that older versions saved, the other half of a model of which one is used). Layers beyond those that config.json
counts are not: then the file belongs to another, deeper model.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.errors import InvalidInput
from tools.models.inspect import inspect_file

__all__ = ["holder", "misshapen", "naming_tensors", "read_whole", "require_filled", "require_whole"]

_HINT = "Fetch it again, or register another file."
_NUMBER = re.compile(r"\.\d+(?=\.|$)")
_SHAPES = re.compile(r"because (\S+) expected shape torch\.Size\(\[(.*?)\]\), but got torch\.Size\(\[(.*?)\]\)")
"""What diffusers says of a tensor that does not fit (`load_model_dict_into_meta`, 0.42)."""


def read_whole(kind: Any, folder: Path, what: str, **options: Any) -> Any:
    """A model from its folder, in host memory: all of it, from safetensors alone, without asking the network.

    Args:
        kind: a class of transformers or diffusers.
        what: the model, for the message.
        options: of its `from_pretrained`.

    Raises:
        InvalidInput: a tensor is lacking, has another shape, or belongs to a deeper model; names file and tensor.
    """
    if str(kind.__module__).startswith("transformers."):
        # Otherwise its error names no tensor: "look at the above report".
        options["ignore_mismatched_sizes"] = True
    with naming_tensors(folder):
        model, found = kind.from_pretrained(
            str(folder), output_loading_info=True, use_safetensors=True, local_files_only=True, **options
        )
    require_whole(folder, found, what, model)
    return model


def require_whole(folder: Path, found: Mapping[str, Any], what: str, model: Any = None) -> None:
    """See that a loader of transformers or diffusers found every weight, and no layers beyond those of the model.

    Args:
        folder: that was read.
        found: its `output_loading_info`.
        model: that was read; None where layers beyond it are not to be looked for.

    Raises:
        InvalidInput: names the file and the first tensor.
    """
    for name, there, wanted in sorted(found.get("mismatched_keys") or (), key=lambda one: str(one[0])):
        raise misshapen(holder(folder, str(name)), str(name), there, wanted)
    lacking = sorted(str(one) for one in found["missing_keys"])
    if lacking:
        raise _lacking(holder(folder, lacking[0]), lacking, what)
    if model is None:
        return
    known = {_NUMBER.sub(".#", name) for name in model.state_dict()}
    more = sorted(str(name) for name in found.get("unexpected_keys") or () if _NUMBER.sub(".#", str(name)) in known)
    if more:
        raise InvalidInput(
            f"holds {len(more)} weights of {what} beyond the layers that config.json counts, as {more[0]}",
            where=str(holder(folder, more[0])), hint="They belong to different models: fetch both again.",
        )  # fmt: skip


def require_filled(modules: Mapping[str, Any], path: Path) -> None:
    """See that every tensor of modules has memory: diffusers leaves without it what was in no file.

    Args:
        modules: by the name of the part.
        path: what was read.

    Raises:
        InvalidInput: some are lacking; names the file and the first.
    """
    for part, module in modules.items():
        lacking = [name for name, tensor in module.state_dict().items() if tensor.is_meta]
        if lacking:
            file = holder(path / part, lacking[0]) if (path / part).is_dir() else path
            raise _lacking(file, lacking, f"the {part}")


@contextmanager
def naming_tensors(path: Path) -> Iterator[None]:
    """Turn what diffusers fails with into an error that names file and tensor.

    Raises:
        InvalidInput: a tensor has another shape than the model, or is lacking in a single file.
    """
    try:
        yield
    except NotImplementedError as error:
        # A module was to be moved before anybody could look at it; which one, and what of it has no memory, is told by
        # where it failed.
        for frame, _ in traceback.walk_tb(error.__traceback__):
            module = frame.f_locals.get("self")
            if callable(getattr(module, "state_dict", None)):
                require_filled({type(module).__name__: module}, path)
        raise
    except ValueError as error:
        told = _SHAPES.search(str(error))
        if told is None:
            raise
        name, wanted, there = told.groups()
        file = holder(path, name) if path.is_dir() else path
        raise misshapen(file, name, there.split(", "), wanted.split(", ")) from error


def holder(folder: Path, name: str) -> Path:
    """The file of a folder that holds a tensor, or should: the only one, the shard; the folder where that is not told.

    Names in files may have a prefix that the model has not, and the other way round.
    """
    files = sorted(folder.glob("*.safetensors"))
    if len(files) == 1:
        return files[0]
    for file in files:
        if any(_same(name, one) for one in inspect_file(file).tensors):
            return file
    for index in sorted(folder.glob("*.index*.json")):
        try:
            shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            return next((folder / Path(file).name for one, file in shards.items() if _same(name, one)), folder)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
    return folder


def _same(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _lacking(file: Path, names: list[str], what: str) -> InvalidInput:
    return InvalidInput(f"lacks {len(names)} weights of {what}, as {names[0]}", where=str(file), hint=_HINT)


def misshapen(file: Path, name: str, there: Any, wanted: Any) -> InvalidInput:
    """What is said of a tensor whose shape is not `wanted`."""
    shapes = [" x ".join(str(size) for size in shape) for shape in (there, wanted)]
    return InvalidInput(f"{name} has the shape {shapes[0]}, and {shapes[1]} is needed", where=str(file), hint=_HINT)
