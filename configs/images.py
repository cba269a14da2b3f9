"""The schema of images.yaml: how image models are asked - words, presets, adapters for identity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import load_yaml_model

__all__ = ["IMAGES_YAML", "IdentityEntry", "ImagesFile", "Preset", "StyleWords", "load_images"]

IMAGES_YAML = Path(__file__).with_name("images.yaml")

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,47}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Preset(_Model):
    """How much effort a picture gets.

    Attributes:
        about: one line.
        steps: of denoising.
        guidance: classifier-free guidance; 1 or less computes no negative prompt.
        scheduler: name of a sampler, see tools/image/sdxl/schedulers.py.
        refine_from: fraction of the steps after which the refiner goes on, where it is there; 1 is never.
        compile: the UNet is compiled on first use, which takes minutes and makes the steps after that faster.
    """

    about: str = Field(min_length=1)
    steps: int = Field(ge=1, le=200)
    guidance: float = Field(ge=0.0, le=30.0)
    scheduler: Name = "dpmpp_2m"
    refine_from: float = Field(1.0, gt=0.0, le=1.0)
    compile: bool = False


class StyleWords(_Model):
    """What is added to every prompt of a style, and what is avoided."""

    suffix: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()


class IdentityEntry(_Model):
    """An IP-Adapter: reference pictures shape the people of a picture.

    Attributes:
        about: one line.
        model, encoder_model: names of the adapter and of its image encoder in models.yaml.
        file: the adapter (safetensors) by path; goes before `model`.
        image_encoder: folder of the CLIP vision model; goes before `encoder_model`.
        scale: how strongly.
    """

    about: str = Field(min_length=1)
    model: str = ""
    encoder_model: str = ""
    file: str = ""
    image_encoder: str = ""
    scale: float = Field(0.6, ge=0.0, le=1.5)


class ImagesFile(_Model):
    """images.yaml.

    Attributes:
        default: the preset where none is asked for.
        presets: by name.
        styles: words by style; `other` holds for styles that are not listed.
        identity: the IP-Adapter.
        replay: on a card of NVIDIA, record the passes of a step once a picture and replay them: the same pixels, less
            waiting for Python, more memory while it is drawn.
    """

    default: Name
    presets: dict[Name, Preset] = Field(min_length=1)
    styles: dict[Name, StyleWords]
    identity: IdentityEntry
    replay: bool = False

    @model_validator(mode="after")
    def _names_exist(self) -> ImagesFile:
        if self.default not in self.presets:
            raise ValueError(f"default: there is no preset {self.default!r}")
        if "other" not in self.styles:
            raise ValueError("styles: there must be one named other")
        return self


def load_images(path: Path = IMAGES_YAML) -> ImagesFile:
    """Read images.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, ImagesFile)
