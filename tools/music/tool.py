"""`compose_music`, `make_ambience` and `mix_sound`: all that is heard besides the voices."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tools.base import ArtifactRef, Tool, ToolInput, ToolOutput
from tools.storyboard import Mood, TimeOfDay, Weather

__all__ = ["Bed", "ComposeMusic", "MakeAmbience", "MixSound", "ShotSound"]


class ComposeMusic(Tool):
    """Compose a score of a mood and a length."""

    name = "compose_music"

    class Input(ToolInput):
        mood: Mood = Field(description="of the music")
        duration_s: float = Field(ge=0.5, le=1800, description="seconds")
        prompt: str = Field("", max_length=400, description="what to hear, in words; the embedded one goes by mood")
        place: str = Field("", max_length=48, description="id of a sound bed, as `beach`: gives the music its colour")
        loop: bool = Field(False, description="its end leads into its start; the embedded one has an end")

    class Output(ToolOutput):
        file: str = Field(description="WAV, 16 bit, stereo, 48 kHz")
        sample_rate: int
        duration_s: float
        lufs: float
        notes: list[str] = Field(default_factory=list, description="what the engine was told, or could not do")


class MakeAmbience(Tool):
    """Make the sound of a place: sea, wind, rain, birds, voices far off."""

    name = "make_ambience"

    class Input(ToolInput):
        place: str = Field(description="id of a sound bed: beach, harbour, town_square, kitchen, forest, underwater")
        time_of_day: TimeOfDay = Field("day", description="what is awake")
        weather: Weather = Field("clear", description="what falls or blows")
        duration_s: float = Field(ge=0.5, le=1800, description="seconds")

    class Output(ToolOutput):
        file: str = Field(description="WAV, 16 bit, stereo, 48 kHz")
        sample_rate: int
        duration_s: float
        lufs: float


class ShotSound(BaseModel):
    """A shot as the mixer sees it: its length in the storyboard, and its spoken lines in order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    duration_s: float = Field(description="seconds in the storyboard")
    speech: list[ArtifactRef] = Field(default_factory=list, description="results of synthesize_speech, in order")


class Bed(BaseModel):
    """Music or ambience under the shots `first` to `last` (0-based, inclusive); faded, looped or cut to fit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sound: ArtifactRef = Field(description="result of compose_music or make_ambience")
    first: int = Field(description="first shot it lies under, from 0")
    last: int = Field(description="last shot it lies under")


class MixSound(Tool):
    """Mix voices, music and ambience of a whole film: beds ducked under speech, -16 LUFS, no clipping."""

    name = "mix_sound"

    class Input(ToolInput):
        fps: int = Field(description="frames a second of the film")
        shots: list[ShotSound] = Field(min_length=1, description="in order, with what is said in them")
        music: list[Bed] = Field(default_factory=list, description="what is heard under which shots")
        ambience: list[Bed] = Field(default_factory=list, description="what is heard under which shots")
        voices: bool = Field(True, description="False: the lines keep their time but are not heard")
        target_lufs: float = Field(-16.0, description="loudness of the whole")

    class Output(ToolOutput):
        file: str = Field(description="WAV, 16 bit, stereo, 48 kHz")
        sample_rate: int
        duration_s: float
        lufs: float
        peak_db: float
        speech: list[tuple[float, float]] = Field(description="start and end of each line in the film, seconds")
