"""`transcribe`: what was said in a recording, with the time of every word."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.base import ArtifactRef, Tool, ToolInput, ToolOutput

__all__ = ["HeardSegment", "HeardWord", "Transcribe"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeardWord(_Model):
    """A word with its times in seconds from the start of the recording; `probability` is the recogniser's own."""

    text: str
    start: float
    end: float
    probability: float = Field(ge=0.0, le=1.0)


class HeardSegment(_Model):
    """What was said in one breath, as the recogniser cuts it; times in seconds."""

    text: str
    start: float
    end: float
    words: list[HeardWord]


class Transcribe(Tool):
    """Write down what is said in a recording or a film, with the time of every word."""

    name = "transcribe"

    class Input(ToolInput):
        audio: ArtifactRef | None = Field(None, description="a result with sound: a spoken line, a mix, a film")
        file: str = Field("", max_length=4096, description="or a file: wav, flac, mp3, m4a, ogg, mp4, mkv, webm")
        language: Annotated[str, Field(pattern=r"^([a-z]{2,3})?$")] = Field(
            "", description="its code, as `it`; empty finds it out"
        )
        words: bool = Field(True, description="with the time of every word")

        @model_validator(mode="after")
        def _one_source(self) -> Transcribe.Input:
            if (self.audio is None) == (not self.file):
                raise ValueError("give either `audio`, a result, or `file`, a path")
            return self

    class Output(ToolOutput):
        file: str = Field(description="the text, one segment a line, UTF-8")
        text: str = Field(description="all of it; empty where nobody speaks")
        language: str = Field(description="its code; empty where nobody speaks and none was given")
        language_probability: float = Field(ge=0.0, le=1.0)
        duration_s: float
        segments: list[HeardSegment]
        key: str = Field("", description="of the result that was listened to; empty for a file")
        note: str = Field("", description="why there is no text, where there is none")
        notes: list[str] = Field(default_factory=list, description="what else to know, as where the times come from")

        @property
        def words(self) -> list[HeardWord]:
            """Every word, in order."""
            return [word for segment in self.segments for word in segment.words]
