"""Single files of LTX-Video: of which generation one is, and the settings that diffusers needs to read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from configs.yaml_file import load_yaml_model
from tools.models.header import TensorInfo

__all__ = ["generation_of", "settings_beside", "write_settings"]

_YAML = Path(__file__).with_name("generations.yaml")
_CLASSES = {"transformer": "LTXVideoTransformer3DModel", "vae": "AutoencoderKLLTXVideo"}


class _Generation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    vae: dict[str, Any]
    transformer: dict[str, Any] = Field(default_factory=dict)


class _Generations(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    generations: dict[str, _Generation]


def generation_of(tensors: Mapping[str, TensorInfo]) -> str:
    """The generation of a file, by its tensors; the rules are those by which diffusers converts the names."""
    if any(name.endswith("transformer_blocks.47.scale_shift_table") for name in tensors):
        return "0.9.7"
    encoded = tensors.get("vae.encoder.conv_out.conv.weight")
    if encoded is not None and encoded.shape[1] == 2048:
        return "0.9.5"
    return "0.9.1" if "vae.decoder.last_time_embedder.timestep_embedder.linear_1.weight" in tensors else "0.9.0"


def settings_beside(file: Path) -> Path | None:
    """A folder with settings for a file: named as the file, or `ltx-config` beside it; None where there is none."""
    for folder in (file.with_suffix(""), file.with_name("ltx-config")):
        if all((folder / part / "config.json").is_file() for part in _CLASSES):
            return folder
    return None


def write_settings(generation: str, folder: Path) -> Path:
    """Write the settings of a generation as diffusers reads them, into an empty folder; returns that."""
    known = load_yaml_model(_YAML, _Generations).generations[generation]
    for part, values in {"transformer": known.transformer, "vae": known.vae}.items():
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text(json.dumps({"_class_name": _CLASSES[part], **values}))
    return folder
