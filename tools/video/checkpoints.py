"""Checkpoints of video models: looked at file by file before they are read; whole in memory afterwards, or an error."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.errors import EngineFailed, InvalidInput
from tools.model import Placing
from tools.models import inspect_file, require_family
from tools.models.libraries import require_libraries
from tools.models.whole import require_filled

__all__ = [
    "check_libraries",
    "check_part",
    "narrowed",
    "settled",
]

LIBRARIES = ("torch", "diffusers", "transformers", "accelerate", "peft", "PIL")
TORCHAO = f"{sys.executable} -m pip install --no-deps 'torchao>=0.18,<0.19'"


def check_libraries() -> None:
    """See that the libraries of video models are installed.

    Raises:
        MissingPrerequisite: with the command that installs them.
    """
    require_libraries("video models need", LIBRARIES)


def check_part(folder: Path, family: str, hint: str) -> None:
    """See that a folder of a checkpoint holds settings and safetensors of a family; only headers are read.

    Raises:
        InvalidInput: it does not: a file is a pickle, cut off, or of another family; names it.
    """
    if not (folder / "config.json").is_file():
        raise InvalidInput("there is no config.json in it", where=str(folder), hint=hint)
    found = [inspect_file(file) for file in sorted(folder.glob("*.safetensors"))]
    if not found:
        raise InvalidInput(
            "there are no safetensors in it; pickles (.bin, .ckpt, .pt) are not loaded", where=str(folder), hint=hint
        )
    # Of what was cut into several files some may hold nothing that tells what they are.
    fitting = [file for file in found if file.family.name == family]
    require_family(fitting[0] if fitting else found[0], family)


def settled(modules: Mapping[str, Any], path: Path) -> None:
    """Make modules ready to be used, once every weight of them was in the file.

    Raises:
        InvalidInput: some are lacking; names the file and the first.
    """
    require_filled(modules, path)
    for module in modules.values():
        module.requires_grad_(False).eval()


def narrowed(module: Any, placing: Placing) -> None:
    """Keep the matrices of a module in 8 bits, where the placing says so; what is small stays as it is.

    Raises:
        MissingPrerequisite: torchao is not installed.
        EngineFailed: it is to be narrower than it can be.
    """
    if placing.quantise == "none":
        return
    if placing.quantise != "int8":
        raise EngineFailed(f"video models are kept in 8 bits or more, not in {placing.quantise}.")
    require_libraries("weights in 8 bits need", ["torchao"], TORCHAO)
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    quantize_(module, Int8WeightOnlyConfig())
