"""The schema of profiles.yaml: what a kind of machine may run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from configs.yaml_file import load_yaml_model

__all__ = ["PROFILES_YAML", "Profile", "ProfilesFile", "load_profiles"]

PROFILES_YAML = Path(__file__).with_name("profiles.yaml")


class Profile(BaseModel):
    """A kind of machine.

    Attributes:
        about: one line.
        budget_gb: device memory that weights and working memory may take together, in GiB; 0 means no GPU.
        margin_gb: GiB that are left free in any case.
        min_vram_gb: the profile is chosen from this much device memory on.
        dtype: of weights that are not quantised.
        quantise: how models are quantised that would not fit otherwise.
        offload: how models that still do not fit go through the device in parts: `group` streams groups of layers,
            `sequential` one layer after another.
        engines: by tool: names of engines in the order to prefer them; a tool not listed keeps the order of
            engines.yaml, less what needs a device the profile does not have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    about: str = Field(min_length=1)
    budget_gb: float = Field(ge=0.0)
    margin_gb: float = Field(0.5, ge=0.0)
    min_vram_gb: float = Field(0.0, ge=0.0)
    dtype: Literal["fp32", "fp16", "bf16"] = "fp16"
    quantise: Literal["none", "int8", "int4"] = "none"
    offload: Literal["none", "group", "sequential"] = "none"
    engines: dict[str, list[str]] = Field(default_factory=dict)


class ProfilesFile(BaseModel):
    """profiles.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    profiles: dict[str, Profile] = Field(min_length=1)


def load_profiles(path: Path = PROFILES_YAML) -> ProfilesFile:
    """Read profiles.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, ProfilesFile)
