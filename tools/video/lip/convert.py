"""Wav2Lip's published pickle, once, into safetensors: `python -m tools.video.lip.convert OLD.pth NEW.safetensors`.

The pickle is read with torch's `weights_only=True`: tensors and plain data, no programs. Runs where torch is: in the
studio with its `models` extra, else in the stack `wav2lip`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tools.errors import InvalidInput, StorageFailed, ToolError

__all__ = ["convert", "main"]


def convert(source: Path, target: Path) -> Path:
    """Write the generator's weights as safetensors; returns `target`.

    Raises:
        InvalidInput: the file is missing, cut off, no checkpoint of Wav2Lip, or asks for a program to be run; `target`
            is there already.
        MissingPrerequisite: torch is not here.
        StorageFailed: the disk is full or read-only.
    """
    from tools.video.lip.weights import check_libraries, into_network

    check_libraries()
    if not source.is_file():
        raise InvalidInput("there is no such file", where=str(source))
    if target.exists():
        raise InvalidInput("is there already", where=str(target))
    state = _weights(source)
    into_network(state, str(source))
    from safetensors.torch import save_file

    building = target.with_name(f".{target.name}.building")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        save_file(state, building, {"format": "pt"})
        os.replace(building, target)
    except OSError as error:
        raise StorageFailed(f"cannot write {target}: {error.strerror or error}.") from error
    finally:
        building.unlink(missing_ok=True)
    return target


def _weights(path: Path) -> dict[str, Any]:
    import pickle

    import torch

    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        told = next((line for line in str(error).splitlines() if "GLOBAL" in line or "Unsupported" in line), str(error))
        raise InvalidInput(
            f"asks for more than weights, and is not read: {told.strip()[:200]}", where=str(path)
        ) from error
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"cannot be read: {' '.join(str(error).split())[:200]}",
            where=str(path),
            hint="Take the checkpoint with a `state_dict` (wav2lip.pth, wav2lip_gan.pth), not the TorchScript one.",
        ) from error
    found = data.get("state_dict", data) if isinstance(data, dict) else None
    if not isinstance(found, dict) or not found:
        raise InvalidInput("holds no weights under `state_dict`", where=str(path))
    # `module.`: it was trained on several cards. One copy each: safetensors holds no two names of one memory.
    return {
        str(name).removeprefix("module."): tensor.detach().clone().contiguous()
        for name, tensor in found.items()
        if isinstance(tensor, torch.Tensor)
    }


def main(argv: list[str] | None = None) -> int:
    """The command; where torch is not, the same in the stack `wav2lip`."""
    words = sys.argv[1:] if argv is None else argv
    if len(words) != 2:
        print("usage: python -m tools.video.lip.convert WAV2LIP.pth NEW.safetensors", file=sys.stderr)
        return 2
    try:
        if find_spec("torch") is None:
            return _in_the_stack(words)
        path = convert(*(Path(word).expanduser().absolute() for word in words))
    except ToolError as error:
        print(f"convert: {error}", file=sys.stderr)
        return 1
    print(f"{path}\nNow: studio models path wav2lip '{path}'")
    return 0


def _in_the_stack(words: list[str]) -> int:
    from configs.engines import load_engines
    from configs.settings import Settings
    from tools.runtime.workers.stacks import environment_of, interpreter_of, search_path

    home = Settings().models_home
    python = interpreter_of("wav2lip", load_engines().stacks["wav2lip"], home)
    environment = search_path(environment_of("wav2lip", home))
    return subprocess.run([python, "-m", "tools.video.lip.convert", *words], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
