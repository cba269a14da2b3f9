"""The schema of videos.yaml: what each video model draws well, how it is asked, and how a shot moves in words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.loras import LoraEntry
from configs.yaml_file import load_yaml_model

__all__ = [
    "VIDEOS_YAML",
    "ClipRules",
    "LtxEntry",
    "MotionEntry",
    "SvdEntry",
    "VideoPreset",
    "VideosFile",
    "load_videos",
]

VIDEOS_YAML = Path(__file__).with_name("videos.yaml")

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,47}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClipRules(_Model):
    """What a model draws at once.

    Attributes:
        width, height: in pixels, that it was trained on; other shapes are drawn at about the same area.
        step: sizes are multiples of it, in pixels.
        frames: at most at once, of the form `k * frames_step + 1`.
        frames_step: see `frames`.
        least_frames: fewer are not drawn.
        overlap: frames of one clip that the next begins with, of the same form.
        windows: how many clips a shot is made of before a lower rate is taken.
        fps: at which it draws best.
        slowest, fastest: rates that it may be asked for.
    """

    width: int = Field(ge=64, le=4096)
    height: int = Field(ge=64, le=4096)
    step: int = Field(32, ge=8)
    frames: int = Field(ge=2)
    frames_step: int = Field(1, ge=1)
    least_frames: int = Field(2, ge=2)
    overlap: int = Field(1, ge=1)
    windows: int = Field(4, ge=1)
    fps: int = Field(ge=1, le=60)
    slowest: int = Field(ge=1, le=60)
    fastest: int = Field(ge=1, le=60)

    @model_validator(mode="after")
    def _consistent(self) -> ClipRules:
        for name in ("frames", "least_frames", "overlap"):
            if (getattr(self, name) - 1) % self.frames_step:
                raise ValueError(f"{name}: must be of the form k * {self.frames_step} + 1")
        if self.overlap >= self.frames:
            raise ValueError("overlap: a clip must hold more than what it begins with")
        if self.least_frames > self.frames:
            raise ValueError("least_frames: more than `frames`")
        if not self.slowest <= self.fps <= self.fastest:
            raise ValueError("fps: must lie between slowest and fastest")
        return self


class VideoPreset(_Model):
    """How much effort a clip gets.

    Attributes:
        about: one line.
        steps: of denoising; LTX cannot do it in one.
        guidance: classifier-free guidance; 1 or less computes no negative prompt. Of SVD: on the last frame.
    """

    about: str = Field(min_length=1)
    steps: int = Field(ge=2, le=200)
    guidance: float = Field(ge=0.0, le=30.0)


class LtxEntry(_Model):
    """LTX-Video.

    Attributes:
        clip: what it draws at once.
        tokens: of a prompt that it reads; what is longer is cut off, and said.
        decode_timestep, decode_noise: of decoders that are told how noisy their input is (0.9.1 and later).
        condition_noise: added to frames that a clip begins with, for livelier motion.
        first, last: how strongly the shot's picture, and the one it ends on, hold.
        loras: for LTX, by name; those whose `when` names a character, place, style or preset of the shot are worn.
    """

    clip: ClipRules
    tokens: int = Field(256, ge=16, le=512)
    decode_timestep: float = Field(0.05, ge=0.0, le=1.0)
    decode_noise: float = Field(0.025, ge=0.0, le=1.0)
    condition_noise: float = Field(0.025, ge=0.0, le=1.0)
    first: float = Field(1.0, gt=0.0, le=1.0)
    last: float = Field(1.0, gt=0.0, le=1.0)
    loras: dict[Name, LoraEntry] = Field(default_factory=dict)


class MotionEntry(_Model):
    """How much a shot moves, as SVD's motion bucket (1 to 255; 127 is the middle of what it was trained on).

    Attributes:
        still: where nothing moves.
        camera, poses: by camera and pose: what is added.
        speech: what is added where somebody speaks.
    """

    still: int = Field(ge=1, le=255)
    camera: dict[str, int]
    poses: dict[str, int]
    speech: int = 0


class SvdEntry(_Model):
    """Stable Video Diffusion.

    Attributes:
        clip: what it draws at once.
        guidance_first: guidance on the first frame; it rises to the preset's on the last.
        noise: added to the picture before it is read: more moves more, and keeps less.
        decode_chunk: frames that are decoded together.
        motion: how much a shot moves.
    """

    clip: ClipRules
    guidance_first: float = Field(1.0, ge=0.0, le=30.0)
    noise: float = Field(0.02, ge=0.0, le=1.0)
    decode_chunk: int = Field(8, ge=1, le=64)
    motion: MotionEntry


class VideosFile(_Model):
    """videos.yaml.

    Attributes:
        presets: by name.
        defaults: by engine: the preset where the call names none.
        camera: by camera: words for its movement.
        speaking: words where somebody speaks.
        negative: what is avoided, besides what the style avoids.
        ltx, svd: the models.
    """

    presets: dict[Name, VideoPreset] = Field(min_length=1)
    defaults: dict[Name, Name]
    camera: dict[str, str]
    speaking: str = ""
    negative: tuple[str, ...] = ()
    ltx: LtxEntry
    svd: SvdEntry

    @model_validator(mode="after")
    def _names_exist(self) -> VideosFile:
        for engine, preset in self.defaults.items():
            if preset not in self.presets:
                raise ValueError(f"defaults.{engine}: there is no preset {preset!r}")
        return self


def load_videos(path: Path = VIDEOS_YAML) -> VideosFile:
    """Read videos.yaml.

    Raises:
        YamlProblem: with file and line.
    """
    return load_yaml_model(path, VideosFile)
