"""`synthesize_speech`: one line of dialogue as sound, with the times of its words and mouth shapes."""

from __future__ import annotations

from pydantic import Field

from tools.base import Tool, ToolInput, ToolOutput
from tools.storyboard import Delivery, Emotion, Language, Look
from tools.timeline import SpokenClip

__all__ = ["SynthesizeSpeech"]


class SynthesizeSpeech(Tool):
    """Say one line in a character's voice. The clip has 0.5 s of silence before the speech and 1.0 s after."""

    name = "synthesize_speech"

    class Input(ToolInput):
        text: str = Field(min_length=1, max_length=600, description="the words")
        character: str = Field(description="id of who speaks; chooses the voice")
        look: Look | None = Field(None, description="of a character without a voice of its own: one is chosen by it")
        emotion: Emotion = Field("neutral", description="how it is said")
        delivery: Delivery = Field("normal", description="how loud")
        language: Language = Field("en", description="of the words")
        rate: float = Field(1.0, ge=0.6, le=1.6, description="speaking rate, times the voice's own")
        exact_s: float | None = Field(None, gt=1.5, le=300.0, description="seconds the clip lasts, padded with silence")

    class Output(ToolOutput, SpokenClip):
        """A `SpokenClip`: WAV, 16 bit, mono."""
