"""How a video model is to set a shot in motion: the part of `animate_shot`'s arguments that the animatic ignores."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.base import ArtifactRef

__all__ = ["Filming", "VideoLoraUse"]

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,47}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VideoLoraUse(_Model):
    """One LoRA for LTX-Video: by its name in videos.yaml, or a file by path."""

    name: str = Field("", max_length=80, description="in videos.yaml")
    file: str = Field("", max_length=1024, description="safetensors")
    weight: float = Field(1.0, ge=-2.0, le=2.0, description="how strongly")

    @model_validator(mode="after")
    def _one_of_two(self) -> VideoLoraUse:
        if bool(self.name) == bool(self.file):
            raise ValueError("name a LoRA by `name` or by `file`")
        return self


class Filming(_Model):
    """What a video model may be told beyond the shot. Everything left out follows the shot and videos.yaml."""

    preset: Name | Literal[""] = Field("", description="of videos.yaml, as draft, standard, distilled")
    steps: int | None = Field(None, ge=2, le=200, description="of the sampler; None: of the model")
    guidance: float | None = Field(None, ge=0.0, le=30.0, description="1 or less: the negative prompt has no effect")
    prompt: str = Field("", max_length=2000, description="words to add")
    negative: str = Field("", max_length=2000, description="what to avoid, besides the usual")
    last: ArtifactRef | None = Field(None, description="a generate_image artifact that the shot ends on (LTX)")
    loras: list[VideoLoraUse] | None = Field(None, max_length=4, description="None: those of the shot (LTX)")
    motion: int | None = Field(None, ge=1, le=255, description="motion bucket of SVD; None: by what moves")
