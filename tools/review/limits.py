"""The limits of limits.yaml as typed data."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import YamlProblem, load_yaml_model
from tools.errors import InvalidInput
from tools.storyboard import Framing, TimeOfDay

__all__ = [
    "LIMITS_FILE",
    "FilmLimits",
    "ImageLimits",
    "Limits",
    "MeaningLimits",
    "Range",
    "SoundLimits",
    "SpeechLimits",
    "StageLimits",
    "SubtitleLimits",
    "Weight",
    "default_limits",
    "load_limits",
]

LIMITS_FILE = Path(__file__).with_name("limits.yaml")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Range(_Model):
    """From `low` to `high`, both allowed."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        return self


Share = Field(ge=0.0, le=1.0)


class ImageLimits(_Model):
    """Of the picture as a picture."""

    min_deviation: float
    min_colours: int
    mean_luma: dict[TimeOfDay, Range]
    haze_lift: float
    max_black_share: float = Share
    max_black_share_night: float = Share
    max_white_share: float = Share
    min_sharpness: float
    min_sharpness_empty: float
    min_face_contrast: float = Field(gt=0.0)


class StageLimits(_Model):
    """Of who stands where in it."""

    min_area: dict[Framing, float]
    back_scale: float = Field(gt=0.0, le=1.0)
    min_in_frame: dict[Framing, float]
    min_visible: float = Share
    max_hidden: float = Share
    min_face_in_frame: float = Share
    max_face_covered: float = Share
    min_keypoints_inside: float = Share
    keypoint_slack: float
    crowd: int = Field(ge=2)
    order_gap: float


class SpeechLimits(_Model):
    """Of one spoken line."""

    min_level_db: float
    silence_db: float
    lead: Range
    tail: Range
    words_per_second: Range
    loudness: Range
    clipped_run: int = Field(ge=1)
    min_words: float = Share
    slack: float
    max_rate: float = Field(ge=1.0, le=1.6)
    max_word_errors: float = Share


class SoundLimits(_Model):
    """Of music, ambience and the mix."""

    mix_loudness: Range
    ambience_loudness: Range
    bed_loudness: Range
    silence_db: float
    max_dropout_s: float
    length_slack_s: float
    min_speech_db: float


class SubtitleLimits(_Model):
    """Of the subtitles of a film."""

    early_s: float
    late_s: float
    max_reading_speed: float
    duration: Range
    max_lines: int


class FilmLimits(_Model):
    """Of a shot in motion and of the whole film."""

    black_luma: float
    max_black_share: float = Share
    still_level: int
    max_still_s: float
    max_still_film: float = Share
    min_sound_db: float


class MeaningLimits(_Model):
    """Of what a vision model sees."""

    min_overall: float = Field(gt=0.0, le=1.0)
    margin: float = Share
    min_criterion: float = Field(gt=0.0, le=1.0)


class Weight(_Model):
    """What failing a check costs; a hard one keeps the whole below the threshold."""

    weight: float = Field(gt=0.0, le=1.0)
    hard: bool


class Limits(_Model):
    """The whole file."""

    image: ImageLimits
    stage: StageLimits
    speech: SpeechLimits
    sound: SoundLimits
    subtitles: SubtitleLimits
    film: FilmLimits
    meaning: MeaningLimits
    hard_factor: float = Field(gt=0.0, lt=0.7)
    weights: dict[str, Weight]

    @model_validator(mode="after")
    def _complete(self) -> Limits:
        for name, table, wanted in (
            ("image.mean_luma", self.image.mean_luma, TimeOfDay),
            ("stage.min_area", self.stage.min_area, Framing),
            ("stage.min_in_frame", self.stage.min_in_frame, Framing),
        ):
            missing = [key for key in wanted.__args__ if key not in table]  # type: ignore[attr-defined]
            if missing:
                raise ValueError(f"{name} lacks {', '.join(missing)}")
        return self


def load_limits(path: Path = LIMITS_FILE) -> Limits:
    """Read and validate a limits file.

    Raises:
        InvalidInput: it is missing or breaks the schema; names file and line.
    """
    try:
        return load_yaml_model(path, Limits)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem


@cache
def default_limits() -> Limits:
    """The limits that come with the studio; read once a process, and never changed (frozen)."""
    return load_limits()
