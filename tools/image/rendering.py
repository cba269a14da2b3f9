"""How an image model is to render a picture: the part of `generate_image`'s arguments that the draft ignores."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.base import ArtifactRef

__all__ = ["ControlUse", "LoraUse", "ReferenceUse", "Rendering"]

ControlKind = Literal["openpose", "depth", "canny", "line", "segmentation", "normal"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,47}$")]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LoraUse(_Model):
    """One LoRA: by its name in loras.yaml, or a file by path."""

    name: str = Field("", max_length=80, description="in loras.yaml")
    file: str = Field("", max_length=1024, description="safetensors, in kohya's or diffusers' names")
    weight: float = Field(1.0, ge=-2.0, le=2.0, description="how strongly")
    character: str = Field("", description="whose it is; with several people in the picture it shapes this one alone")

    @model_validator(mode="after")
    def _one_of_two(self) -> LoraUse:
        if bool(self.name) == bool(self.file):
            raise ValueError("name a LoRA by `name` or by `file`")
        return self


class ControlUse(_Model):
    """One ControlNet: which map, how strongly, and in which part of the steps."""

    kind: ControlKind = Field(description="which map")
    strength: float | None = Field(None, ge=0.0, le=2.0, description="None: as in controlnets.yaml")
    start: Fraction = Field(0.0, description="fraction of the steps from which it works")
    end: Fraction = Field(1.0, description="fraction of the steps up to which it works")
    model: str = Field("", max_length=1024, description="folder or file; empty: as in controlnets.yaml")

    @model_validator(mode="after")
    def _in_order(self) -> ControlUse:
        if self.start >= self.end:
            raise ValueError("a ControlNet's start must lie before its end")
        return self


class ReferenceUse(_Model):
    """A picture that shows how a character looks."""

    image: str = Field(min_length=1, max_length=1024, description="path of the picture")
    character: str = Field("", max_length=64, description="whom it shows; empty: everybody in the picture")
    weight: float = Field(1.0, ge=0.0, le=2.0, description="how strongly; of several pictures of one the mean counts")


class Rendering(_Model):
    """What an image model may be told beyond the shot. Everything left out follows the shot and the configuration."""

    preset: Name | Literal[""] = Field("", description="draft, standard, high, character, master, lightning")
    variants: int = Field(1, ge=1, le=8, description="pictures of the same layout, by this seed and those that follow")
    steps: int | None = Field(None, ge=1, le=200, description="of the sampler; None: of the preset")
    guidance: float | None = Field(None, ge=0.0, le=30.0, description="1 or less: the negative prompt has no effect")
    scheduler: Name | Literal[""] = Field("", description="name of a sampler, as `dpmpp_2m` or `euler`")
    prompt: str = Field("", max_length=4000, description="words to add; (word)1.3 is stronger, (word)0.7 weaker")
    negative: str = Field("", max_length=2000, description="what to avoid, besides the usual")
    loras: list[LoraUse] | None = Field(None, max_length=8, description="None: those of the characters, place, style")
    controls: list[ControlUse] | None = Field(None, max_length=4, description="None: those that are registered")
    control_scale: float = Field(1.0, ge=0.3, le=2.0, description="times the strength of every ControlNet")
    likeness_scale: float = Field(
        1.0, ge=0.3, le=2.0, description="times the weights of the characters' LoRAs and references"
    )
    start: ArtifactRef | None = Field(None, description="picture of an earlier call to begin from")
    start_image: str = Field("", max_length=1024, description="picture file to begin from")
    strength: float = Field(0.6, gt=0.0, le=1.0, description="how much of the picture begun from may change")
    repair: str = Field("", max_length=64, description="redraw only this character, within its mask")
    regional: bool = Field(True, description="several people are each drawn by their own words within their masks")
    refine_from: Fraction | None = Field(None, description="fraction of the steps after which the refiner goes on")
    references: list[ReferenceUse] = Field(default_factory=list, max_length=12, description="for the IP-Adapter")
    identity: float | None = Field(None, ge=0.0, le=1.5, description="weight of reference pictures; None: configured")

    @model_validator(mode="after")
    def _consistent(self) -> Rendering:
        if self.start is not None and self.start_image:
            raise ValueError("begin from one picture, `start` or `start_image`")
        if self.repair and self.start is None and not self.start_image:
            raise ValueError("a repair needs the picture to repair: `start` or `start_image`")
        return self
