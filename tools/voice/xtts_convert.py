"""XTTS's published pickle, once, into safetensors: `python -m tools.voice.xtts_convert FOLDER NEW_FOLDER`.

The pickle is read with torch's `weights_only=True`: tensors and plain data, no programs. The settings that coqui-tts
left in it are objects; empty stand-ins of this file take their places, and are thrown away. What else it asks for is
refused. Runs where torch is: in the studio with its `models` extra, else in the stack `xtts`.
"""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tools.errors import InvalidInput, MissingPrerequisite
from tools.models.converting import read_pickled, run_conversion

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
    stand_ins = [(type(name.rpartition(".")[2], (), {}), name) for name in _SETTINGS]
    weights = {}
    for name, tensor in read_pickled(path, "model", stand_ins).items():
        plain = name.removeprefix("xtts.")
        if plain.partition(".")[0] not in _NOT_NEEDED:
            weights[plain] = tensor
    if not any(name.startswith("gpt.") for name in weights):
        raise InvalidInput("is no checkpoint of XTTS: it has no `gpt` in it", where=str(path))
    return weights


def main(argv: list[str] | None = None) -> int:
    """The command; where torch is not, the same in the stack `xtts`."""
    words = sys.argv[1:] if argv is None else argv
    module, arguments = "tools.voice.xtts_convert", "FOLDER_WITH_MODEL_PTH NEW_FOLDER"
    return run_conversion(words, module, arguments, "xtts", "xtts_v2", convert)


if __name__ == "__main__":
    sys.exit(main())
