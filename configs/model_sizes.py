"""The schema of model_sizes.yaml: what a model is expected to take, until it was measured on this machine."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from configs.yaml_file import load_yaml_model

__all__ = ["MODEL_SIZES_YAML", "ModelSize", "ModelSizesFile", "load_model_sizes"]

MODEL_SIZES_YAML = Path(__file__).with_name("model_sizes.yaml")


class ModelSize(BaseModel):
    """What one model is expected to take.

    Attributes:
        about: which weights, in which number format.
        weights_gb: device memory while it is resident, in 10^9 bytes.
        working_gb: device memory that a call of it takes besides, in 10^9 bytes.
        load_s: seconds from host memory, or from asleep, to the device.
        cold_s: seconds more the first time, from disk.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = Field(min_length=1)
    weights_gb: float = Field(gt=0.0, le=1000.0)
    working_gb: float = Field(ge=0.0, le=1000.0)
    load_s: float = Field(gt=0.0, le=3600.0)
    cold_s: float = Field(ge=0.0, le=3600.0)


class ModelSizesFile(BaseModel):
    """model_sizes.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: dict[str, ModelSize] = Field(min_length=1)


def load_model_sizes(path: Path = MODEL_SIZES_YAML) -> ModelSizesFile:
    """Read model_sizes.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, ModelSizesFile)
