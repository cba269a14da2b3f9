"""What the composer knows about staging, as data: `direction/*.yaml`, validated and read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import load_yaml_model
from tools.storyboard import Aspect, Camera, Delivery, Emotion, Framing, Mood, TimeOfDay, Weather

__all__ = [
    "Acting",
    "Blocking",
    "Business",
    "Coverage",
    "Direction",
    "Lengths",
    "MoodWeights",
    "Phrases",
    "Place",
    "ShotPattern",
    "Tongue",
    "VerbForms",
    "fill",
    "load_direction",
]

Tongue = Literal["en", "it"]
"""The languages the planner answers in; every phrase stands in each of them."""
Framings = dict[Framing, float]


def number(value: float, tongue: Tongue) -> str:
    """A number without needless zeros: 9.0 -> 9, 8.50 -> 8.5, in Italian 8,5."""
    plain = f"{value:.2f}".rstrip("0").rstrip(".")
    return plain.replace(".", ",") if tongue == "it" else plain


def fill(template: str, tongue: Tongue, values: dict[str, object]) -> str:
    """A sentence with its values; lengths and other fractions are written as people of that language write them."""
    told = {name: number(value, tongue) if isinstance(value, float) else value for name, value in values.items()}
    return template.format(**told)


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VerbForms(_Model):
    """A sentence about one person and about many; `{who}` is filled with the names."""

    one: str
    many: str


class ByTongue(_Model):
    """A phrase in each language."""

    en: str
    it: str

    def of(self, tongue: Tongue) -> str:
        return self.it if tongue == "it" else self.en


class FormsByTongue(_Model):
    """A sentence about people in each language."""

    en: VerbForms
    it: VerbForms

    def of(self, tongue: Tongue) -> VerbForms:
        return self.it if tongue == "it" else self.en


class Business(_Model):
    """Something small to do in a place: poses and faces by turn, and how the action reads."""

    id: str
    people: int = Field(1, ge=1, le=8, description="how many it takes at least")
    poses: list[str] = Field(min_length=1)
    expressions: list[Emotion] = Field(min_length=1)
    framings: list[Framing] = Field(min_length=1)
    unless: list[Weather | TimeOfDay] = Field(default_factory=list)
    words: list[str] = Field(default_factory=list, description="words that ask for it, folded")
    opens: bool = Field(False, description="suits the first shot of a scene rather than the later ones")
    text: FormsByTongue


class Place(_Model):
    """A place: its sound bed, its names, what one does there; `floating`: there is no floor to stand on."""

    ambience: str
    names: ByTongue
    in_title: ByTongue
    floating: bool = False
    business: list[Business] = Field(min_length=1)


class _Places(_Model):
    places: dict[str, Place]
    anywhere: list[Business] = Field(min_length=1)
    default_place: str
    implied: dict[str, list[str]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _default_exists(self) -> _Places:
        if self.default_place not in self.places:
            raise ValueError(f"default_place {self.default_place!r} is not among the places")
        if strange := sorted(set(self.implied) - set(self.places)):
            raise ValueError(f"implied: {strange[0]!r} is not among the places")
        return self


class EmotionPlay(_Model):
    """How one emotion is played, speaking and silent, and how a listener answers it with the face."""

    speaking: list[str] = Field(min_length=1)
    silent: list[str] = Field(min_length=1)
    answers: list[Emotion] = Field(min_length=1)


class RestingFaces(_Model):
    """Faces for a weather or a time of day when nothing is said about feelings."""

    weather: Weather | None = None
    time: TimeOfDay | None = None
    mood: Mood | None = None
    faces: list[Emotion] = Field(min_length=1)


class Reaction(_Model):
    """What a close-up on a face of some emotion becomes."""

    expression: Emotion
    text: ByTongue


class Acting(_Model):
    """How emotions become poses and faces."""

    emotions: dict[Emotion, EmotionPlay]
    resting_faces: list[RestingFaces] = Field(min_length=1)
    reactions: dict[Emotion, Reaction]
    on_land_only: list[str]
    pose_faces: dict[str, Emotion]
    feelings_told: dict[Emotion, list[str]]
    poses: dict[str, FormsByTongue]

    @model_validator(mode="after")
    def _complete(self) -> Acting:
        missing = set(Emotion.__args__) - set(self.emotions)  # type: ignore[attr-defined]
        missing |= set(Emotion.__args__) - set(self.reactions)  # type: ignore[attr-defined]
        if missing:
            raise ValueError(f"emotions without direction: {', '.join(sorted(missing))}")
        last = self.resting_faces[-1]
        if last.weather or last.time or last.mood:
            raise ValueError("the last of resting_faces must hold everywhere")
        return self


class ShotPattern(_Model):
    """One shot of a pattern: what it shows and what is played."""

    framing: Framing
    camera: Camera
    who: Literal["all", "pair", "one", "none"]
    plays: Literal["business", "reaction", "rest"]
    opens: bool = False
    weight: float = Field(gt=0)


class Pattern(_Model):
    """The shots of a scene without speech: the opening, the middle again and again, the closing."""

    opening: ShotPattern
    middle: list[ShotPattern] = Field(min_length=1)
    closing: ShotPattern


class SpeechFraming(_Model):
    """A framing for a shot with speech."""

    framing: Framing
    camera: Camera


class DialogueCoverage(_Model):
    """How speech is covered."""

    opening: ShotPattern
    reaction: ShotPattern
    first: SpeechFraming
    following: list[SpeechFraming] = Field(min_length=1)
    near_emotions: list[Emotion]
    group_words_s: float = Field(gt=0, description="seconds of speech that one shot takes before the next begins")


class Lengths(_Model):
    """Times of shots in seconds."""

    default_total_s: float
    still_s: float
    title_card_s: float
    shot_s: float
    opening_with_dialogue_s: float
    reaction_s: float
    shortest_s: float
    longest_s: float
    single_until_s: float = Field(description="a film up to this long is one shot")
    two_until_s: float = Field(description="and up to this long two")
    mean_s: float
    after_speech_s: float = Field(description="breath after the speech of a shot, beyond the timeline's own tail")


class Blocking(_Model):
    """Where people may stand in a frame."""

    body_width: Framings
    head_width: Framings
    aspect_factor: dict[Aspect, float]
    capacity: dict[Aspect, dict[Framing, int]]
    near: float
    row_step: float
    pair: dict[Aspect, tuple[float, float]]
    look_room: float
    margin: float


class Pace(_Model):
    """How much slower than usual a line is said."""

    emotions: dict[Emotion, float]
    deliveries: dict[Delivery, float]


class Coverage(_Model):
    """Shot patterns, lengths, pace and blocking."""

    patterns: dict[Literal["nobody", "one", "several"], Pattern]
    dialogue: DialogueCoverage
    lengths: Lengths
    pace: Pace
    blocking: Blocking
    stage_limit: int


class MoodWeights(_Model):
    """What each cue adds to each mood."""

    order: list[Mood]
    emotions: dict[Emotion, dict[Mood, float]]
    times: dict[TimeOfDay, dict[Mood, float]]
    weathers: dict[Weather, dict[Mood, float]]
    places: dict[str, dict[Mood, float]]
    poses: dict[str, dict[Mood, float]]


class Phrases(_Model):
    """Sentences to the user, by name and language."""

    words: dict[str, ByTongue]
    sentences: dict[str, ByTongue]
    framings: dict[Framing, ByTongue]
    cameras: dict[Camera, ByTongue]
    times: dict[TimeOfDay, ByTongue]
    times_in_title: dict[TimeOfDay, ByTongue]
    weathers: dict[Weather, ByTongue]
    moods: dict[Mood, ByTongue]
    emotions: dict[Emotion, ByTongue]

    def say(self, sentence: str, tongue: Tongue, /, **values: object) -> str:
        """A sentence by its name, with its values filled in."""
        told = fill(self.sentences[sentence].of(tongue), tongue, values)
        return told[:1].upper() + told[1:]


class Direction(_Model):
    """All of it."""

    places: dict[str, Place]
    anywhere: list[Business]
    default_place: str
    implied: dict[str, list[str]]
    acting: Acting
    coverage: Coverage
    mood: MoodWeights
    phrases: Phrases

    def place(self, location: str) -> Place | None:
        """The place of that id, None for one that the data do not know."""
        return self.places.get(location)

    def likely_place(self, told: str) -> str:
        """Where words that name no place most likely play (`they bake cookies`: in the kitchen)."""
        words = f" {told} "
        return next((id_ for id_, known in self.implied.items() if any(f" {word} " in words for word in known)),
                    self.default_place)  # fmt: skip

    def floats(self, location: str) -> bool:
        """Whether people swim there."""
        place = self.places.get(location)
        return place is not None and place.floating


@cache
def load_direction() -> Direction:
    """Read `direction/*.yaml`.

    Raises:
        YamlProblem: a file breaks its schema; names file and line.
    """
    folder = Path(__file__).with_name("direction")
    places = load_yaml_model(folder / "places.yaml", _Places)
    return Direction(
        places=places.places,
        anywhere=places.anywhere,
        default_place=places.default_place,
        implied=places.implied,
        acting=load_yaml_model(folder / "acting.yaml", Acting),
        coverage=load_yaml_model(folder / "coverage.yaml", Coverage),
        mood=load_yaml_model(folder / "mood.yaml", MoodWeights),
        phrases=load_yaml_model(folder / "phrases.yaml", Phrases),
    )
