"""`write_subtitles`: .srt and .vtt from the word times of the spoken clips."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tools.base import Tool, ToolInput, ToolOutput
from tools.music.tool import ShotSound

__all__ = ["SubtitleCue", "WriteSubtitles"]


class SubtitleCue(BaseModel):
    """A subtitle: seconds from the start of the film, at most two lines of text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: float
    end: float
    text: str
    speaker: str


class WriteSubtitles(Tool):
    """Write the subtitles of a film, timed by its words."""

    name = "write_subtitles"

    class Input(ToolInput):
        fps: int = Field(description="frames a second of the film")
        shots: list[ShotSound] = Field(min_length=1, description="in order, with what is said in them")
        names: dict[str, str] = Field(default_factory=dict, description="by character id: the name shown")
        show_names: bool = Field(False, description="write who speaks before each line")
        max_chars: int = Field(42, ge=16, le=80, description="a line (BBC subtitle guidelines: about 37-42)")

    class Output(ToolOutput):
        srt: str
        vtt: str
        cues: list[SubtitleCue]
