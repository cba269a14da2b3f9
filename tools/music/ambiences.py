"""The schema of tools/music/ambiences.yaml: what is heard where, when, and in which weather."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from configs.yaml_file import YamlProblem, load_yaml_model
from tools.errors import InvalidInput
from tools.music.calls import CallName
from tools.music.textures import TextureName
from tools.storyboard import TimeOfDay, Weather

__all__ = ["AMBIENCES_PATH", "AmbienceBook", "Element", "load_ambiences"]

AMBIENCES_PATH = Path(__file__).with_name("ambiences.yaml")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Element(_Model):
    """One sound of a place.

    Attributes:
        sound: a texture (goes on) or a call (comes and goes).
        level: dB against the other elements of the place.
        times: at which it is heard.
        every_s: for a call: seconds between two, on average.
        pan: -1 left .. 1 right; None lets each call come from its own side.
        far: low-pass in Hz, as distance or a wall does.
    """

    sound: TextureName | CallName
    level: float = Field(0.0, ge=-60, le=6)
    times: list[TimeOfDay] = Field(default=["dawn", "day", "sunset", "night"], min_length=1)
    every_s: float = Field(8.0, ge=0.2, le=600)
    pan: Annotated[float, Field(ge=-1, le=1)] | None = None
    far: float | None = Field(None, ge=100, le=20_000)


class Place(_Model):
    """A sound bed. `weather` is how the weather reaches it: through the air, through walls, or not at all."""

    weather: Literal["outside", "muffled", "none"] = "outside"
    elements: list[Element] = Field(min_length=1)


class WeatherSound(_Model):
    """What a weather adds to a place, silences in it, and does to all that comes through the air."""

    add: list[Element] = Field(default_factory=list)
    silences: list[TextureName | CallName] = Field(default_factory=list)
    low_pass: float | None = Field(None, ge=200, le=20_000)
    gain: float = Field(0.0, ge=-24, le=6, description="dB, of the place's own sounds")


class AmbienceBook(_Model):
    """All of tools/music/ambiences.yaml."""

    fallback: Place = Field(description="for a place that is not in the list")
    places: dict[str, Place]
    weathers: dict[Weather, WeatherSound]

    def elements(self, place: str, time: TimeOfDay, weather: Weather) -> list[Element]:
        """The elements of a place at a time and in a weather, with levels and filters as they reach the ear."""
        found = self.places.get(place, self.fallback)
        sky = self.weathers.get(weather, WeatherSound()) if found.weather != "none" else WeatherSound()
        heard = []
        for element in found.elements:
            if time in element.times and element.sound not in sky.silences:
                outside = found.weather == "outside"
                far = min((hz for hz in (element.far, sky.low_pass if outside else None) if hz), default=None)
                level = element.level + (sky.gain if outside else 0.0)
                heard.append(element.model_copy(update={"far": far, "level": level}))
        for element in sky.add:
            if time in element.times:
                muffled = found.weather == "muffled"
                update = {"far": min(element.far or 20_000, 900.0), "level": element.level - 9.0} if muffled else {}
                heard.append(element.model_copy(update=update))
        return heard


def load_ambiences(path: Path = AMBIENCES_PATH) -> AmbienceBook:
    """Read the sound beds.

    Raises:
        InvalidInput: the file is missing or breaks the schema; names file and line.
    """
    try:
        return load_yaml_model(path, AmbienceBook)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem
