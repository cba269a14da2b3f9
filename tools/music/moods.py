"""The schema of tools/music/moods.yaml: what makes a score sound calm, tense or triumphant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import YamlProblem, load_yaml_model
from tools.errors import InvalidInput
from tools.music.instruments import Drum, Pitched
from tools.storyboard import Mood

__all__ = ["MODES", "MOODS_PATH", "MoodBook", "MoodScore", "load_moods"]

MOODS_PATH = Path(__file__).with_name("moods.yaml")
Mode = Literal["ionian", "dorian", "phrygian", "lydian", "mixolydian", "aeolian", "harmonic_minor"]
MODES: dict[str, tuple[int, ...]] = {
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
    "harmonic_minor": (0, 2, 3, 5, 7, 8, 11),
}
"""Semitones above the tonic of the seven steps."""
Degree = Annotated[int, Field(ge=1, le=7)]
Accompaniment = Literal["arpeggio", "waltz", "strum", "oompah", "pulse", "block", "chimes"]
BassLine = Literal["whole", "root_fifth", "walking", "pedal", "eighths"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Model):
    """Who plays, how loud (0..1), and where between left (-1) and right (1)."""

    instrument: Pitched
    level: float = Field(ge=0.0, le=1.0)
    pan: float = Field(0.0, ge=-1.0, le=1.0)


class DrumPart(_Model):
    """`pattern` has one character for each sixteenth of a bar: `x` a stroke, `o` a soft one, `.` none."""

    drum: Drum
    level: float = Field(ge=0.0, le=1.0)
    pan: float = Field(0.0, ge=-1.0, le=1.0)
    pattern: str = Field(pattern=r"^[xo.]{8,16}$")


class MoodScore(_Model):
    """How music of one mood is written."""

    tempo: tuple[float, float] = Field(description="beats a minute, slowest and fastest")
    beats: Literal[3, 4] = 4
    mode: Mode
    tonics: list[Annotated[int, Field(ge=48, le=71)]] = Field(min_length=1, description="MIDI numbers")
    progressions: list[Annotated[list[Degree], Field(min_length=4, max_length=4)]] = Field(min_length=2)
    sevenths: bool = False
    rhythms: list[Annotated[list[float], Field(min_length=1)]] = Field(
        min_length=2, description="of a bar of melody, in beats; a negative number is a rest"
    )
    leap: float = Field(0.25, ge=0.0, le=1.0, description="how often the melody jumps and does not step")
    range: tuple[int, int] = Field(description="lowest and highest step of the melody from the tonic")
    melody: Part
    answer: Part | None = Field(None, description="plays every other phrase")
    accompaniment: Accompaniment
    harmony: Part
    pad: Part | None = None
    bass: Part | None = None
    bass_line: BassLine = "whole"
    drums: list[DrumPart] = Field(default_factory=list)
    swing: float = Field(0.0, ge=0.0, le=0.35, description="by how much the second eighth of a beat comes late")
    brightness: float = Field(1.0, ge=0.2, le=3.0)
    room: float = Field(0.25, ge=0.0, le=0.8, description="level of the reverb")
    staccato: float = Field(1.0, ge=0.2, le=1.2, description="part of its written length that a melody note is held")

    @model_validator(mode="after")
    def _fits_its_bar(self) -> MoodScore:
        for rhythm in self.rhythms:
            if abs(sum(abs(beat) for beat in rhythm) - self.beats) > 1e-6:
                raise ValueError(f"rhythm {rhythm} does not fill a bar of {self.beats} beats")
        if not 30 <= self.tempo[0] <= self.tempo[1] <= 240:
            raise ValueError("tempo must rise, between 30 and 240")
        if self.range[1] - self.range[0] < 7:
            raise ValueError("the melody needs a range of at least an octave (7 steps)")
        for part in self.drums:
            if len(part.pattern) != 4 * self.beats:
                raise ValueError(f"the pattern of {part.drum} needs {4 * self.beats} characters")
        return self


class MoodBook(_Model):
    """All of tools/music/moods.yaml."""

    moods: dict[Mood, MoodScore]

    @model_validator(mode="after")
    def _complete(self) -> MoodBook:
        missing = set(get_args(Mood)) - set(self.moods)
        if missing:
            raise ValueError(f"moods: these are missing: {', '.join(sorted(missing))}")
        return self


def load_moods(path: Path = MOODS_PATH) -> MoodBook:
    """Read the moods.

    Raises:
        InvalidInput: the file is missing or breaks the schema; names file and line.
    """
    try:
        return load_yaml_model(path, MoodBook)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem
