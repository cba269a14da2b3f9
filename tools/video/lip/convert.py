"""Wav2Lip's published pickle, once, into safetensors: `python -m tools.video.lip.convert OLD.pth NEW.safetensors`.

The pickle is read with torch's `weights_only=True`: tensors and plain data, no programs. Runs where torch is: in the
studio with its `models` extra, else in the stack `wav2lip`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from tools.errors import InvalidInput, StorageFailed
from tools.models.converting import read_pickled, run_conversion

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
    hint = "Take the checkpoint with a `state_dict` (wav2lip.pth, wav2lip_gan.pth), not the TorchScript one."
    # `module.`: it was trained on several cards.
    return {
        name.removeprefix("module."): tensor for name, tensor in read_pickled(path, "state_dict", hint=hint).items()
    }


def main(argv: list[str] | None = None) -> int:
    """The command; where torch is not, the same in the stack `wav2lip`."""
    words = sys.argv[1:] if argv is None else argv
    module, arguments = "tools.video.lip.convert", "WAV2LIP.pth NEW.safetensors"
    return run_conversion(words, module, arguments, "wav2lip", "wav2lip", convert)


if __name__ == "__main__":
    sys.exit(main())
