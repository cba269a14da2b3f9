"""`scene.yaml`: the models of the scene that orders are compared on, and how long its calls take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from configs.yaml_file import load_yaml_model
from tools.runtime.scheduling.problem import Model

__all__ = ["RetryRule", "SceneData", "Seconds", "load_scene_data"]

_GB = 1_000_000_000


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelEntry(_Entry):
    """A model: 10^9 bytes while resident, and besides while a call runs."""

    about: str
    weights_gb: float = Field(gt=0)
    working_gb: float = Field(ge=0)


class Copying(_Entry):
    """How fast weights come: 10^9 bytes a second from host memory and from disk, and seconds to set up."""

    host_gb_s: float = Field(gt=0)
    disk_gb_s: float = Field(gt=0)
    set_up_s: float = Field(ge=0)


class Seconds(_Entry):
    """How long one call takes, by what it does."""

    plan: float = Field(gt=0)
    layout: float = Field(gt=0)
    prompt: float = Field(gt=0)
    image: float = Field(gt=0)
    judge: float = Field(gt=0)
    animate: float = Field(gt=0)
    speak: float = Field(gt=0)
    align: float = Field(gt=0)
    music: float = Field(gt=0)
    review: float = Field(gt=0)
    cut: float = Field(gt=0)


class RetryRule(_Entry):
    """How often a verdict asks for the work again, and how many attempts there are in all."""

    chance: float = Field(ge=0, le=1)
    attempts: int = Field(ge=1)


class Retries(_Entry):
    """By what the verdict is on."""

    picture: RetryRule
    clip: RetryRule
    line: RetryRule


class SceneData(_Entry):
    """The whole file."""

    budget_gb: float = Field(gt=0)
    copying: Copying
    models: Mapping[str, ModelEntry]
    seconds: Seconds
    retry: Retries
    lines: float = Field(ge=0, le=1)

    @property
    def budget(self) -> int:
        """Bytes of the device."""
        return round(self.budget_gb * _GB)

    def to_models(self) -> list[Model]:
        """The models as the scheduler knows them."""
        return [
            Model(
                name,
                weights=round(entry.weights_gb * _GB),
                working=round(entry.working_gb * _GB),
                load_s=round(entry.weights_gb / self.copying.host_gb_s + self.copying.set_up_s, 3),
                cold_s=round(entry.weights_gb / self.copying.disk_gb_s, 3),
            )
            for name, entry in self.models.items()
        ]


def load_scene_data() -> SceneData:
    """Read the file beside this module.

    Raises:
        YamlProblem: it breaks its schema.
    """
    return load_yaml_model(Path(__file__).with_name("scene.yaml"), SceneData)
