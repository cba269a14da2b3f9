"""`generate_image`: one picture of one shot, with the maps that condition other engines."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from tools.base import Tool, ToolInput, ToolOutput
from tools.image.rendering import Rendering
from tools.storyboard import CastMember, Shot

__all__ = ["ControlMap", "GenerateImage", "OnStage", "StageAdjustment"]

ControlMap = Literal["depth", "line", "canny", "openpose", "segmentation"]


class StageAdjustment(BaseModel):
    """What the quality loop may change about a shot's layout; all zero is the storyboard as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dx: dict[str, float] = Field(default_factory=dict, description="by character: shift, fraction of the width")
    zoom: float = Field(1.0, ge=0.4, le=2.0, description="camera: below 1 shows more")
    dy: float = Field(0.0, ge=-0.5, le=0.5, description="camera: shift upwards, fraction of the height")
    exposure: float = Field(1.0, ge=0.4, le=2.5, description="brightness of the picture, times its own")


class OnStage(BaseModel):
    """Where a character is in the picture. Boxes are x0, y0, x1, y1 in pixels; they may reach past the frame."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    body: tuple[float, float, float, float]
    face: tuple[float, float, float, float]
    visible: float = Field(description="part of the character's own silhouette that the picture shows, 0..1")
    in_frame: float = Field(description="part of the silhouette that lies inside the frame, 0..1")
    hidden_by: dict[str, float] = Field(description="by other character: part of the silhouette it covers, 0..1")
    keypoints: list[tuple[float, float, float]] = Field(
        description="OpenPose-18 (COCO order) x, y in pixels and 1 where visible, 0 where not; right is the person's"
    )
    facing_back: bool = False


class GenerateImage(Tool):
    """Draw one shot of the storyboard: the picture, a mask per character, and the control maps asked for."""

    name = "generate_image"

    class Input(ToolInput):
        shot: Shot = Field(description="what to draw")
        cast: list[CastMember] = Field(description="who is in it, with the looks of those without a sheet")
        style: str = Field("pixar_3d", description="name of a style, as pixar_3d")
        width: int = Field(1280, ge=64, le=4096, description="pixels")
        height: int = Field(720, ge=64, le=4096, description="pixels")
        maps: list[ControlMap] = Field(
            default_factory=lambda: list(get_args(ControlMap)), description="control maps to make besides the picture"
        )
        adjust: StageAdjustment = Field(
            StageAdjustment(), description="changes to the layout; left out: as the shot says"
        )
        rendering: Rendering | None = Field(None, description="for image models; the draft engine draws without it")

    class Output(ToolOutput):
        image: str = Field(description="PNG, RGB")
        plain: str = Field("", description="PNG: the same without the shot's title, where it has one")
        variants: list[str] = Field(default_factory=list, description="PNG: by the seeds that follow, where asked for")
        width: int
        height: int
        masks: dict[str, str] = Field(description="by character: PNG, 8-bit, 255 where the picture shows it")
        maps: dict[str, str] = Field(description="by kind: PNG")
        on_stage: dict[str, OnStage]
        location: str = Field(description="the place that was drawn")
        notes: list[str] = Field(default_factory=list, description="what was drawn otherwise than asked, and why")
        loras: dict[str, str] = Field(
            default_factory=dict, description="by name, LoRAs that it was drawn with: how strongly, and which file"
        )
        controls: dict[str, str] = Field(
            default_factory=dict, description="by kind, maps that it was drawn after: how strongly, over which part"
        )
