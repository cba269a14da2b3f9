"""`lip_sync`: the lips of a shot's speakers go with what is heard."""

from __future__ import annotations

from pydantic import Field

from tools.base import ArtifactRef, Tool, ToolInput
from tools.video.tool import AnimateShot

__all__ = ["LipSync"]


class LipSync(Tool):
    """Make the lips of a moving shot follow its speech. For generated pictures; the animatic draws lips itself."""

    name = "lip_sync"

    class Input(ToolInput):
        shot: str = Field(min_length=1, max_length=64, description="id of the shot, for errors and notes")
        duration_s: float = Field(
            ge=0.5, le=120.0, description="of the shot in the storyboard, before speech stretched it"
        )
        clip: ArtifactRef = Field(description="the moving shot (animate_shot)")
        picture: ArtifactRef = Field(description="its still (generate_image): where everybody's face is")
        speech: list[ArtifactRef] = Field(
            min_length=1, description="one per line of the shot, in order, as it was animated"
        )

    Output = AnimateShot.Output
