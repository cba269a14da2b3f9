"""The first piece: what is wanted. Asked only where the rules were not sure, or left something open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from agent.chat_models.base import Piece
from agent.planners.chat_pieces.choices import choice, choices, narrowed
from agent.planners.chat_pieces.texts import Sentence
from tools.storyboard import Mood, TimeOfDay, Weather

__all__ = ["Understanding", "understanding_of"]


def _first(count: int) -> BeforeValidator:
    return BeforeValidator(lambda value: value[:count] if isinstance(value, list) else value)


class Understanding(Piece):
    """What a request means."""

    kind: Literal["scene", "edit", "question", "smalltalk"] = Field(
        description="scene: something new is to be made; edit: the present scene is to be changed"
    )
    goal: Sentence = Field(description="the request in one short sentence, in the user's language")
    place: str | None = Field(description="where it plays; null where nothing fits or nothing suggests one")
    time_of_day: TimeOfDay | None
    weather: Weather | None
    mood: Mood | None = Field(description="of the music and the whole scene")
    characters: Annotated[list[str], _first(4)] = Field(
        description="who of the cast should take part; none where the request needs nobody", max_length=4
    )
    dialogue: bool = Field(description="whether somebody should speak in it")
    assumptions: Annotated[list[Sentence], _first(3)] = Field(
        description="what you took for granted, each one short sentence to the user", max_length=3
    )
    unclear: Annotated[list[Sentence], _first(2)] = Field(
        description="what you would ask the user; none where you can begin", max_length=2
    )


def understanding_of(places: Sequence[str], cast: Sequence[str]) -> type[Understanding]:
    """The piece with the places and the cast there are."""
    return narrowed(Understanding, place=choice(places) | None, characters=choices(cast))
