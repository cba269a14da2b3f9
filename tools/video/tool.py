"""`animate_shot`: one shot in motion, and `edit_video`: the shots joined to a film with its sound."""

from __future__ import annotations

from pydantic import Field

from tools.base import ArtifactRef, Tool, ToolInput, ToolOutput
from tools.image.tool import StageAdjustment
from tools.storyboard import CastMember, Shot
from tools.video.filming import Filming

__all__ = ["AnimateShot", "EditVideo"]


class AnimateShot(Tool):
    """Animate one shot: blinking, breathing, gesture, lips that follow the speech, camera, weather. No sound."""

    name = "animate_shot"

    class Input(ToolInput):
        shot: Shot = Field(description="what to set in motion")
        cast: list[CastMember] = Field(description="who is in it, with the looks of those without a sheet")
        style: str = Field("pixar_3d", description="name of a style, as pixar_3d")
        width: int = Field(1280, ge=64, le=4096, description="pixels, even")
        height: int = Field(720, ge=64, le=4096, description="pixels, even")
        fps: int = Field(24, ge=8, le=60, description="frames a second")
        speech: list[ArtifactRef] = Field(default_factory=list, description="one per line of the shot, in order")
        picture: ArtifactRef | None = Field(None, description="the shot's still, for engines that set it in motion")
        filming: Filming | None = Field(None, description="for video models; the animatic moves without it")
        burn_subtitles: bool = Field(False, description="draw the words into the picture")
        adjust: StageAdjustment = Field(StageAdjustment(), description="changes to the layout, as for the still")

    class Output(ToolOutput):
        file: str = Field(description="MP4, H.264, no sound, first frame a key frame")
        width: int
        height: int
        fps: int
        frames: int
        duration_s: float
        notes: list[str] = Field(default_factory=list, description="what was made otherwise than asked, and why")


class EditVideo(Tool):
    """Join shots without encoding them again, and add sound and subtitles as tracks."""

    name = "edit_video"

    class Input(ToolInput):
        title: str = Field(description="of the film")
        shots: list[ArtifactRef] = Field(min_length=1, description="results of animate_shot, in order")
        sound: ArtifactRef | None = Field(None, description="result of mix_sound")
        subtitles: ArtifactRef | None = Field(None, description="result of write_subtitles")
        language: str = Field("en", description="code of the spoken language, as en")

    class Output(ToolOutput):
        file: str = Field(description="MP4: H.264, AAC, mov_text")
        width: int
        height: int
        fps: int
        frames: int
        duration_s: float
        has_sound: bool
        has_subtitles: bool
