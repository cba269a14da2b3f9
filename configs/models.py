"""The schema of models.yaml: the weights that engines share, with their sizes.

Sizes and times are what is assumed until this machine has measured its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from configs.engines import ClassPath, Name
from configs.yaml_file import load_yaml_model

__all__ = ["MODELS_YAML", "ModelEntry", "ModelsFile", "load_models"]

MODELS_YAML = Path(__file__).with_name("models.yaml")

Width = Literal["fp32", "fp16", "bf16", "int8", "int4"]


class ModelEntry(BaseModel):
    """Weights that are on a device as a whole, or not.

    Attributes:
        about: one line.
        weights: the class that reads them.
        stack: which worker they live in; the engines that use them live there, too.
        source: folder, file or repository they are read from.
        weights_gb: GiB on the device by width; widths that are not listed cannot be loaded.
        working_gb: GiB that a call of it needs besides, at most.
        load_s: seconds from host memory to the device; 0 reckons with `copy_gb_s` of the file.
        cold_s: seconds from disk to host memory; 0 reckons with `disk_gb_s` of the file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = Field(min_length=1)
    weights: ClassPath
    stack: Name = "core"
    source: str = ""
    weights_gb: dict[Width, float] = Field(min_length=1)
    working_gb: float = Field(0.0, ge=0.0)
    load_s: float = Field(0.0, ge=0.0)
    cold_s: float = Field(0.0, ge=0.0)


class ModelsFile(BaseModel):
    """models.yaml.

    Attributes:
        copy_gb_s: GiB a second from pinned host memory to the device.
        disk_gb_s: GiB a second from disk.
        models: by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    copy_gb_s: float = Field(20.0, gt=0.0)
    disk_gb_s: float = Field(1.0, gt=0.0)
    models: dict[Name, ModelEntry] = Field(default_factory=dict)


def load_models(path: Path = MODELS_YAML) -> ModelsFile:
    """Read models.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, ModelsFile)
