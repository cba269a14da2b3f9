"""The second piece: what happens, beat by beat; a beat becomes a shot, or the few shots that its lines need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from agent.chat_models.base import Piece
from agent.planners.chat_pieces.choices import choice, narrowed
from agent.planners.chat_pieces.texts import Action, Sentence, Title
from tools.storyboard import Camera, Emotion, Facing, Framing, Mood, TimeOfDay, Weather

__all__ = ["Actor", "Newcomer", "Outline", "OutlineBeat", "outline_of"]

MOST_ACTORS = 4


class Actor(Piece):
    """Who is seen in a beat, and how."""

    who: str
    pose: str | None = Field(description="what the body does; null leaves it to the studio")
    expression: Emotion | None
    facing: Facing | None = Field(description="null leaves it to the studio")


class OutlineBeat(Piece):
    """One moment of the film."""

    place: str | None
    time_of_day: TimeOfDay | None
    weather: Weather | None
    framing: Framing | None = Field(description="null where several shots may show it")
    camera: Camera | None
    mood: Mood | None
    action: Action = Field(description="what one sees happen, in one sentence in the user's language; no spoken words")
    people: Annotated[
        list[Actor], BeforeValidator(lambda value: value[:MOST_ACTORS] if isinstance(value, list) else value)
    ] = Field(description="who is seen", max_length=MOST_ACTORS)


class Outline(Piece):
    """A film in beats."""

    title: Title = Field(description="of the film, in the user's language, at most six words")
    beats: list[OutlineBeat]


class Newcomer(Piece):
    """A character that the request leaves to you."""

    name: Title = Field(description="a first name")
    looks: Sentence = Field(description="age, hair, clothes, in a few words of English")
    species: Literal["human", "cat", "dog", "fox", "bear", "rabbit", "mouse", "robot", "sea_monster"]
    age: Literal["child", "teen", "adult", "elder"]
    gender: Literal["boy", "girl", "neutral"]


class Cast(Piece):
    """The characters that the request asks you to invent."""

    characters: list[Newcomer] = Field(min_length=1, max_length=3)


def outline_of(
    places: Sequence[str], poses: Sequence[str], cast: Sequence[str], least: int, most: int
) -> type[Outline]:
    """The piece for this cast with so many beats."""
    actor = narrowed(Actor, who=choice(cast or ("nobody",)), pose=choice(poses) | None)
    people = Annotated[list[actor], Field(max_length=MOST_ACTORS if cast else 0)]  # type: ignore[valid-type]
    beat = narrowed(OutlineBeat, place=choice(places) | None, people=people)
    beats = Annotated[list[beat], Field(min_length=least, max_length=most)]  # type: ignore[valid-type]
    return narrowed(Outline, beats=beats)
