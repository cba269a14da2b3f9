"""The shared language: a storyboard is what the agent writes and everything else reads.

A storyboard is typed, readable and editable. All that is made afterwards is a deterministic function of it.
`load_storyboard` and `save_storyboard` keep it as YAML; errors name the file and the line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import dump_yaml, load_yaml_model

__all__ = [
    "ASPECT_SIZES",
    "CastMember",
    "ControlImage",
    "Emotion",
    "Framing",
    "Line",
    "Look",
    "Placement",
    "Shot",
    "Storyboard",
    "load_storyboard",
    "save_storyboard",
    "slugify",
]

Framing = Literal["wide", "full", "medium", "close", "detail"]
Camera = Literal["static", "push", "pull", "pan"]
TimeOfDay = Literal["dawn", "day", "sunset", "night"]
Weather = Literal["clear", "rain", "fog", "snow"]
Emotion = Literal[
    "neutral",
    "happy",
    "sad",
    "excited",
    "angry",
    "scared",
    "surprised",
    "thoughtful",
    "tender",
    "sleepy",
    "smug",
]
"""How a line is said, and how a face looks: one vocabulary for both."""
Delivery = Literal["normal", "soft", "whisper", "shout"]
Facing = Literal["left", "right", "front", "back"]
Language = Literal["en", "it", "de", "es", "fr"]
Aspect = Literal["16:9", "9:16", "1:1", "4:3"]
Mood = Literal[
    "calm", "cheerful", "playful", "tender", "adventurous", "melancholy", "tense", "mysterious", "triumphant"
]

ASPECT_SIZES: dict[str, tuple[int, int]] = {
    "16:9": (1280, 720),
    "9:16": (720, 1280),
    "1:1": (960, 960),
    "4:3": (960, 720),
}
"""Width and height in pixels of the film for each aspect."""

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
"""A name that is safe in a path: lower case letters, digits, `_` and `-`."""


def slugify(text: str, fallback: str = "untitled") -> str:
    """Return `text` as a `Slug`: accents dropped, all else than letters and digits turned to `_`."""
    import unicodedata

    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")[:48].strip("_")
    return slug or fallback


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Look(_Model):
    """What a character looks like; the rig draws any mixture of these.

    Colours are names (`red`, `brown`, ...) or `#rrggbb`. What is left at None the rig picks, seeded by the
    character's id, so that a described character looks the same in every shot and every run.
    """

    description: str = Field("", description="in words, for image models")
    species: Literal["human", "cat", "dog", "fox", "bear", "rabbit", "mouse", "robot", "sea_monster"] = Field(
        "human", description="what kind of being"
    )
    age: Literal["child", "teen", "adult", "elder"] = Field("child", description="how old")
    gender: Literal["boy", "girl", "neutral"] = Field("neutral", description="as what it is drawn")
    build: Literal["slim", "average", "sturdy"] = Field("average", description="of the body")
    height: float = Field(1.0, ge=0.5, le=1.6, description="relative to a grown child of the cast")
    skin: str | None = Field(None, description="a colour")
    hair: Literal["short", "tousled", "curly", "long", "ponytail", "bun", "braids", "bob", "spiky", "bald"] | None = (
        Field(None, description="its cut")
    )
    hair_color: str | None = Field(None, description="a colour")
    eye_color: str | None = Field(None, description="a colour")
    freckles: bool = Field(False, description="on the face")
    top: Literal["tshirt", "striped_tshirt", "tank_top", "shirt", "sweater", "hoodie", "raincoat", "dress"] | None = (
        Field(None, description="what is worn above")
    )
    top_color: str | None = Field(None, description="a colour")
    bottom: Literal["shorts", "trousers", "skirt"] | None = Field(None, description="what is worn below")
    bottom_color: str | None = Field(None, description="a colour")
    shoes: Literal["barefoot", "sandals", "sneakers", "boots"] | None = Field(None, description="what is on the feet")
    accessories: list[
        Literal[
            "glasses", "cap", "straw_hat", "beanie", "crown", "bow", "scarf", "beard", "moustache", "backpack", "apron"
        ]
    ] = Field(default_factory=list, max_length=6, description="what else is worn or carried")


class CastMember(_Model):
    """One character of the production; `known` ones have a sheet in configs/characters.yaml."""

    id: Slug = Field(description="name that shots use")
    name: str = Field(min_length=1, max_length=80, description="as people say it")
    known: bool = Field(description="has a sheet in characters.yaml")
    look: Look | None = Field(None, description="how to draw one that is not known; None for known ones")


class Placement(_Model):
    """Where and how a character stands in a shot."""

    character: Slug = Field(description="id of a member of the cast")
    pose: Slug = Field("stand", description="name of a pose; see list_places")
    expression: Emotion = Field("neutral", description="of the face")
    facing: Facing = Field("front", description="where the body looks, in the picture")
    x: float = Field(0.5, ge=0.0, le=1.0, description="fraction of the frame's width, of the hips")
    depth: float = Field(0.3, ge=0.0, le=1.0, description="0 nearest the camera, 1 at the back of the stage")


class Line(_Model):
    """One line of dialogue."""

    character: Slug = Field(description="id of who speaks")
    text: str = Field(min_length=1, max_length=600, description="the words, without quotes or directions")
    emotion: Emotion = Field("neutral", description="how it is said")
    delivery: Delivery = Field("normal", description="how loud")
    language: Language = Field("en", description="of the words")


class ControlImage(_Model):
    """A reference picture a person gave for a shot."""

    kind: Literal["openpose", "depth", "canny", "line", "segmentation", "normal", "reference"] = Field(
        description="what the picture shows"
    )
    image: str = Field(min_length=1, max_length=1024, description="path of the picture")


class Shot(_Model):
    """One shot: a place, a camera, who is there, what is said."""

    id: Slug = Field(description="its name in the storyboard, as s1")
    framing: Framing = Field("wide", description="how much of the people is seen")
    camera: Camera = Field("static", description="how the camera moves")
    location: Slug = Field("beach", description="id of a place; see list_places")
    time_of_day: TimeOfDay = Field("day", description="the light")
    weather: Weather = Field("clear", description="of outdoor places")
    duration_s: float = Field(4.0, ge=0.5, le=120.0, description="seconds; speech may make it longer")
    action: str = Field("", max_length=1000, description="what happens, in words")
    text_overlay: str = Field("", max_length=200, description="a title drawn over the picture")
    placements: list[Placement] = Field(default_factory=list, max_length=8, description="who stands where")
    dialogue: list[Line] = Field(default_factory=list, max_length=24, description="what is said, in order")
    control: list[ControlImage] = Field(
        default_factory=list, max_length=8, description="reference pictures for image models"
    )
    music: Mood | None = Field("calm", description="mood of the score; null is none")
    ambience: Slug | None = Field(None, description="id of a sound bed; None is silence")
    # Left out of what is written where they say nothing, so that results made before they existed keep their hashes.
    prompt: str | None = Field(
        None,
        max_length=1000,
        exclude_if=lambda value: value is None,
        description="words for image and video models, beside what the shot says itself; the draft draws without them",
    )
    negative: str | None = Field(
        None, max_length=600, exclude_if=lambda value: value is None, description="what those models are to avoid"
    )

    @model_validator(mode="after")
    def _each_character_once(self) -> Shot:
        seen = [p.character for p in self.placements]
        if len(seen) != len(set(seen)):
            raise ValueError(f"shot {self.id} places a character twice")
        return self


class Storyboard(_Model):
    """A whole production on paper."""

    title: str = Field(min_length=1, max_length=120)
    style: str = Field("pixar_3d", max_length=80)
    aspect: Aspect = "16:9"
    fps: int = Field(24, ge=8, le=60)
    duration_s: float = Field(ge=0.5, le=1800.0, description="the sum of the shots")
    cast: list[CastMember] = Field(default_factory=list, max_length=16)
    shots: list[Shot] = Field(min_length=1, max_length=60)

    @model_validator(mode="after")
    def _consistent(self) -> Storyboard:
        cast = [member.id for member in self.cast]
        if len(cast) != len(set(cast)):
            raise ValueError("cast names a character twice")
        ids = [shot.id for shot in self.shots]
        if len(ids) != len(set(ids)):
            raise ValueError("two shots have the same id")
        for shot in self.shots:
            for name in [p.character for p in shot.placements] + [line.character for line in shot.dialogue]:
                if name not in cast:
                    raise ValueError(
                        f"shot {shot.id} names {name!r}, who is not in the cast ({', '.join(cast) or 'empty'})"
                    )
        return self

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the film in pixels."""
        return ASPECT_SIZES[self.aspect]


def load_storyboard(path: Path) -> Storyboard:
    """Read a storyboard from YAML.

    Raises:
        InvalidInput: the file is missing, is not YAML or breaks the schema; names file and line.
    """
    from configs.yaml_file import YamlProblem
    from tools.errors import InvalidInput

    try:
        return load_yaml_model(path, Storyboard)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem


def save_storyboard(storyboard: Storyboard, path: Path) -> None:
    """Write a storyboard as YAML that reads well, atomically."""
    from tools.artifact import write_atomic

    header = (
        "# A storyboard: edit any line, then `studio render` this file; only what depends on the line is made again.\n"
    )
    write_atomic(path, (header + dump_yaml(storyboard.model_dump(mode="json", exclude_none=True))).encode())
