"""`review_artifact`: measure a result against what the storyboard asked for."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.base import ArtifactRef, Tool, ToolInput, ToolOutput
from tools.storyboard import CastMember, Shot

__all__ = ["Check", "ReviewArtifact", "ReviewKind"]

ReviewKind = Literal["image", "speech", "music", "sound", "subtitles", "shot", "film"]


class Check(BaseModel):
    """One measured property.

    Attributes:
        name: which check, as `face_in_frame.luca`.
        status: `not_run` never counts as passed; `detail` then says what it needs.
        score: 0..1; None where it was not run.
        detail: the measured value, the limit, and what is wrong, in one plain sentence.
        fix: what the next attempt should change, in the words of `tools.review.fixes`; empty where nothing helps.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    status: Literal["passed", "failed", "not_run"]
    score: float | None = Field(None, ge=0.0, le=1.0)
    detail: str = ""
    fix: dict[str, float | str] = Field(default_factory=dict)


class ReviewArtifact(Tool):
    """Score one artifact with checks that really run, and say which could not be run and why."""

    name = "review_artifact"

    class Input(ToolInput):
        kind: ReviewKind = Field(description="what it is")
        subject: ArtifactRef = Field(description="the result to score")
        shot: Shot | None = Field(None, description="for image, shot and speech: the shot as the storyboard has it")
        cast: list[CastMember] = Field(default_factory=list, description="who is in the shot")
        speech: list[ArtifactRef] = Field(default_factory=list, description="for subtitles and film: the spoken clips")
        heard: ArtifactRef | None = Field(None, description="for speech: result of transcribe about it")
        faces: ArtifactRef | None = Field(None, description="for image: result of compare_faces about it")
        seen: ArtifactRef | None = Field(None, description="for image and shot: result of see_picture about it")
        expect_duration_s: float | None = Field(None, description="seconds it should last")
        expect_streams: list[Literal["video", "audio", "subtitles"]] = Field(
            default_factory=list, description="for film: what it should hold"
        )
        expect_size: tuple[int, int] | None = Field(None, description="width and height in pixels it should have")
        max_speech_s: float | None = Field(None, description="for speech: the time there is for it")

    class Output(ToolOutput):
        score: float = Field(ge=0.0, le=1.0, description="the worst failed check weighs most; see review/scoring.py")
        passed: bool
        checks: list[Check]
