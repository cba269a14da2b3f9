"""The schema of controlnets.yaml: which ControlNet reads which map, and how strongly."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from configs.yaml_file import load_yaml_model

__all__ = ["CONTROLNETS_YAML", "ControlNetEntry", "ControlNetsFile", "load_controlnets"]

CONTROLNETS_YAML = Path(__file__).with_name("controlnets.yaml")

ControlKind = Literal["openpose", "depth", "canny", "line", "segmentation", "normal"]


class ControlNetEntry(BaseModel):
    """One ControlNet.

    Attributes:
        model: its name in models.yaml, where it is pulled or registered by path.
        otherwise: the model that is taken where `model` is not on this machine.
        source: folder or safetensors file on this machine; goes before both.
        strength: how strongly it conditions.
        start, end: fraction of the steps in which it does.
        by_default: used for every shot, from the layout's own map, where it is registered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = ""
    otherwise: str = ""
    source: str = ""
    strength: float = Field(1.0, ge=0.0, le=2.0)
    start: float = Field(0.0, ge=0.0, lt=1.0)
    end: float = Field(1.0, gt=0.0, le=1.0)
    by_default: bool = False


class ControlNetsFile(BaseModel):
    """controlnets.yaml: by kind of map."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    controlnets: dict[ControlKind, ControlNetEntry] = Field(default_factory=dict)
    canny_low: int = Field(100, ge=1, le=1000, description="thresholds of the edges of a user's picture")
    canny_high: int = Field(200, ge=1, le=2000)


def load_controlnets(path: Path = CONTROLNETS_YAML) -> ControlNetsFile:
    """Read controlnets.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, ControlNetsFile)
