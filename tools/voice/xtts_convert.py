"""XTTS's published pickle, once, into safetensors: `python -m tools.voice.xtts_convert FOLDER NEW_FOLDER`.

The pickle is read with torch's `weights_only=True`: tensors and plain data, no programs. The settings that coqui-tts
left in it are objects; empty stand-ins of this file take their places, and are thrown away. What else it asks for is
refused. Runs where torch is: in the studio with its `models` extra, else in the stack `xtts`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tools.errors import InvalidInput, MissingPrerequisite, ToolError

__all__ = ["convert", "main"]

_SETTINGS = (
    "TTS.tts.configs.xtts_config.XttsConfig",
    "TTS.tts.configs.xtts_config.XttsArgs",
    "TTS.tts.configs.xtts_config.XttsAudioConfig",
    "TTS.tts.models.xtts.XttsArgs",
    "TTS.tts.models.xtts.XttsAudioConfig",
    "TTS.config.shared_configs.BaseDatasetConfig",
)
_NOT_NEEDED = ("torch_mel_spectrogram_style_encoder", "torch_mel_spectrogram_dvae", "dvae")
"""Parts that only training needs; coqui-tts leaves them out, too (`get_compatible_checkpoint_state_dict`)."""


def convert(source: Path, target: Path) -> Path:
    """Write model.safetensors, config.json and vocab.json into a new folder; returns it.

    Args:
        source: a folder with model.pth, config.json and vocab.json, as coqui publishes it.

    Raises:
        InvalidInput: a file is missing, cut off, is no such checkpoint, or asks for a program to be run.
        MissingPrerequisite: torch is not here.
    """
    if find_spec("torch") is None or find_spec("safetensors") is None:
        raise MissingPrerequisite("converting XTTS needs torch.", command="studio stacks install xtts")
    for name in ("model.pth", "config.json", "vocab.json"):
        if not (source / name).is_file():
            raise InvalidInput(f"holds no {name}", where=str(source))
    if target.exists() and any(target.iterdir()):
        raise InvalidInput("is there already, and not empty", where=str(target))
    weights = _weights(source / "model.pth")
    from safetensors.torch import save_file

    building = target.with_name(f".{target.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        save_file(weights, building / "model.safetensors", {"format": "pt"})
        for name in ("config.json", "vocab.json"):
            shutil.copyfile(source / name, building / name)
        if target.exists():
            target.rmdir()
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target


def _weights(path: Path) -> dict[str, Any]:
    import pickle

    import torch

    stand_ins: list[Any] = [(type(name.rpartition(".")[2], (), {}), name) for name in _SETTINGS]
    try:
        with torch.serialization.safe_globals(stand_ins):
            data = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        told = next((line for line in str(error).splitlines() if "GLOBAL" in line or "Unsupported" in line), str(error))
        raise InvalidInput(
            f"asks for more than weights, and is not read: {told.strip()[:200]}", where=str(path)
        ) from error
    except (OSError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise InvalidInput(f"cannot be read: {' '.join(str(error).split())[:200]}", where=str(path)) from error
    found = data.get("model", data) if isinstance(data, dict) else None
    if not isinstance(found, dict) or not found:
        raise InvalidInput("holds no weights under `model`", where=str(path))
    weights = {}
    for name, tensor in found.items():
        plain = str(name).removeprefix("xtts.")
        if isinstance(tensor, torch.Tensor) and plain.partition(".")[0] not in _NOT_NEEDED:
            # One copy each: safetensors holds no two names of one memory.
            weights[plain] = tensor.detach().clone().contiguous()
    if not any(name.startswith("gpt.") for name in weights):
        raise InvalidInput("is no checkpoint of XTTS: it has no `gpt` in it", where=str(path))
    return weights


def main(argv: list[str] | None = None) -> int:
    """The command; where torch is not, the same in the stack `xtts`."""
    words = sys.argv[1:] if argv is None else argv
    if len(words) != 2:
        print("usage: python -m tools.voice.xtts_convert FOLDER_WITH_MODEL_PTH NEW_FOLDER", file=sys.stderr)
        return 2
    try:
        if find_spec("torch") is None:
            return _in_the_stack(words)
        folder = convert(*(Path(word).expanduser().absolute() for word in words))
    except ToolError as error:
        print(f"xtts_convert: {error}", file=sys.stderr)
        return 1
    print(f"{folder}\nNow: studio models path xtts_v2 '{folder}'")
    return 0


def _in_the_stack(words: list[str]) -> int:
    from configs.engines import load_engines
    from configs.settings import Settings
    from tools.runtime.workers.stacks import environment_of, interpreter_of, search_path

    home = Settings().models_home
    python = interpreter_of("xtts", load_engines().stacks["xtts"], home)
    environment = search_path(environment_of("xtts", home))
    return subprocess.run([python, "-m", "tools.voice.xtts_convert", *words], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
