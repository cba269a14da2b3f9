"""Published pickles, once, into safetensors: what the commands that do it have in common.

A pickle is read with torch's `weights_only=True`: tensors and plain data, no programs. Older torch than 2.6 could be
made to run some all the same (CVE-2025-32434), and is refused.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tools.errors import InvalidInput, MissingPrerequisite, ToolError

__all__ = ["read_pickled", "run_conversion"]

_OLDEST_TORCH = (2, 6)


def read_pickled(path: Path, under: str, stand_ins: Sequence[Any] = (), hint: str = "") -> dict[str, Any]:
    """The tensors of a checkpoint by name, each a copy of its own: safetensors holds no two names of one memory.

    Args:
        under: key of the checkpoint under which they are; where it is not there, they are the checkpoint.
        stand_ins: classes that may be made besides, with the names they stand for.
        hint: what to do where it cannot be read.

    Raises:
        InvalidInput: it is cut off, holds no weights, or asks for a program to be run; names the file.
        MissingPrerequisite: this torch is too old to be trusted with it.
    """
    import pickle

    import torch

    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < _OLDEST_TORCH:
        raise MissingPrerequisite(
            f"torch {torch.__version__} may run programs of a pickle.",
            command=f"{sys.executable} -m pip install 'torch>=2.6'",
        )
    try:
        with torch.serialization.safe_globals(list(stand_ins)):
            data = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        told = next((line for line in str(error).splitlines() if "GLOBAL" in line or "Unsupported" in line), str(error))
        raise InvalidInput(
            f"asks for more than weights, and is not read: {told.strip()[:200]}", where=str(path)
        ) from error
    except (OSError, RuntimeError, ValueError, EOFError, LookupError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"cannot be read: {' '.join(str(error).split())[:200]}", where=str(path), hint=hint
        ) from error
    found = data.get(under, data) if isinstance(data, dict) else None
    if not isinstance(found, dict) or not found:
        raise InvalidInput(f"holds no weights under `{under}`", where=str(path))
    return {
        str(name): tensor.detach().clone().contiguous()
        for name, tensor in found.items()
        if isinstance(tensor, torch.Tensor)
    }


def run_conversion(
    argv: Sequence[str], module: str, arguments: str, stack: str, model: str, convert: Callable[[Path, Path], Path]
) -> int:
    """The command of a conversion; where torch is not, the same in the environment of a stack.

    Args:
        argv: its two words.
        module: that `python -m` runs.
        arguments: for the line that says how it is called.
        model: name in models.yaml of what it makes.

    Returns:
        The exit code.
    """
    if len(argv) != 2:
        print(f"usage: python -m {module} {arguments}", file=sys.stderr)
        return 2
    try:
        if find_spec("torch") is None:
            return _in_the_stack(stack, module, argv)
        made = convert(*(Path(word).expanduser().absolute() for word in argv))
    except ToolError as error:
        print(f"{module.rpartition('.')[2]}: {error}", file=sys.stderr)
        return 1
    print(f"{made}\nNow: studio models path {model} '{made}'")
    return 0


def _in_the_stack(stack: str, module: str, words: Sequence[str]) -> int:
    from configs.engines import load_engines
    from configs.settings import Settings
    from tools.runtime.workers.stacks import environment_of, interpreter_of, search_path

    home = Settings().models_home
    python = interpreter_of(stack, load_engines().stacks[stack], home)
    # -P: beside what was downloaded, a folder `tools` must not be taken for ours.
    command = [python, "-P", "-m", module, *words]
    return subprocess.run(command, env=search_path(environment_of(stack, home)), check=False).returncode
