"""A place: read from one YAML file of the pack, painted in layers behind and before the cast."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.own import own_places
from configs.yaml_file import YamlProblem, load_yaml_model
from tools.errors import InvalidInput
from tools.layout.drawlist import Color, DrawList
from tools.layout.light import Light
from tools.layout.places.brushes import AnyBrush
from tools.layout.places.brushes.props import Prop, load_prop
from tools.layout.places.ink import Ink
from tools.layout.places.mood import LIGHT_FILE, Hex, LightChange, LightFile, Mood, check_hex, make_light, rgba
from tools.layout.places.shapes import svg_path
from tools.layout.places.stage import Stage
from tools.storyboard import TimeOfDay, Weather

__all__ = ["PACK", "Place", "PlaceFile", "load_place", "load_place_file", "own_place_words", "place_ids"]

PACK = Path(__file__).resolve().parents[1] / "packs" / "places"

When = Literal["back", "motion", "front"]


class LayerFile(BaseModel):
    """A layer of a place.

    Attributes:
        part: back (behind the cast, baked), motion (behind the cast, drawn anew each frame), front (before the cast).
        parallax: how far it follows the camera: 0 the sky, 1 the floor.
        depth: 0 nearest .. 1 horizon, of what has no depth of its own.
        haze: 0..1, how far its colours go towards the distance in clear weather.
        clip: SVG path in world units that the layer is kept to.
        elements: painted in order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    part: When = "back"
    parallax: float = Field(ge=0, le=3)
    depth: float = Field(ge=0, le=1)
    haze: float = Field(0.0, ge=0, le=1)
    clip: str | None = None
    elements: list[AnyBrush] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _clip_is_a_path(self) -> LayerFile:
        if self.clip is not None:
            svg_path(self.clip)
        return self


class PlaceFile(BaseModel):
    """`packs/places/<id>.yaml`; README.md beside it tells how to write one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    aliases: list[str] = Field(default_factory=list)
    kind: Literal["outdoor", "indoor", "underwater"] = "outdoor"
    stage: Stage
    light: dict[TimeOfDay, LightChange] = Field(default_factory=dict)
    palette: dict[str, Hex | dict[TimeOfDay, Hex]] = Field(default_factory=dict)
    layers: list[LayerFile] = Field(min_length=1, max_length=40)

    @model_validator(mode="after")
    def _colors_are_known(self) -> PlaceFile:
        for name, value in self.palette.items():
            if isinstance(value, dict) and len(value) < 4:
                raise ValueError(f"palette.{name}: needs dawn, day, sunset and night")
        for layer in self.layers:
            for number, element in enumerate(layer.elements):
                for ref in element.color_refs():
                    where = f"layer {layer.name}, element {number} ({element.brush})"
                    if ref.startswith("#"):
                        check_hex(ref, where)
                    elif ref and ref not in self.palette:
                        raise ValueError(f"{where}: no colour {ref!r} in the palette")
        return self


@lru_cache(maxsize=4)
def _light_file(path: Path) -> LightFile:
    try:
        return load_yaml_model(path, LightFile)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from None


class Place:
    """Somewhere a scene can play.

    Attributes:
        id, name, aliases: how it is called.
        sky: outdoors: weather falls.
        underwater, indoor: the other kinds.
        blocked: world x ranges of big props, where nobody should be put.
        files: every file of the pack that the picture depends on.
    """

    def __init__(self, place_id: str, file: PlaceFile, tones: LightFile, files: list[Path]) -> None:
        self.id = place_id
        self.name = file.name
        self.aliases = list(file.aliases)
        self.sky = file.kind == "outdoor"
        self.underwater = file.kind == "underwater"
        self.indoor = file.kind == "indoor"
        self.blocked = list(file.stage.blocked)
        self.files = files
        self._file = file
        self._tones = tones

    def floor_y(self, depth: float) -> float:
        """World y of the floor for depth 0 near .. 1 far."""
        return self._file.stage.floor_y(depth)

    def scale_at(self, depth: float) -> float:
        """Size of a character at this depth, in the perspective of `floor_y`; 1.0 at depth 0.3."""
        return self._file.stage.scale_at(depth)

    def depth_at(self, depth: float) -> float:
        """The `Item.depth` of what stands on the floor at stage depth 0..1: agrees with the floor's own ramp."""
        return self._file.stage.item_depth(self.floor_y(depth))

    @property
    def horizon(self) -> float:
        """World y of the horizon."""
        return self._file.stage.horizon

    def light(self, time_of_day: TimeOfDay, weather: Weather) -> Light:
        """The light here at this hour in this weather."""
        stage = self._file.stage
        mood = self._mood(time_of_day, weather)
        shaded = self.indoor or self.underwater
        return make_light(mood, self._file.light.get(time_of_day), stage.sun[time_of_day], indoor=shaded)

    def paint_back(self, draw: DrawList, light: Light, *, seed: int, weather: Weather, time_of_day: TimeOfDay) -> None:
        """Append the layers behind the cast that do not move."""
        self._paint("back", draw, light, self._mood(time_of_day, weather), seed, 0.0)

    def paint_motion(
        self, draw: DrawList, light: Light, *, seed: int, weather: Weather, time_of_day: TimeOfDay, t: float
    ) -> None:
        """Append the layers behind the cast that move, as they are `t` seconds into the shot."""
        self._paint("motion", draw, light, self._mood(time_of_day, weather), seed, t)

    def paint_front(self, draw: DrawList, light: Light, *, seed: int, weather: Weather, time_of_day: TimeOfDay) -> None:
        """Append the layers before the cast; they leave the middle third free."""
        self._paint("front", draw, light, self._mood(time_of_day, weather), seed, 0.0)

    def _mood(self, time_of_day: TimeOfDay, weather: Weather) -> Mood:
        try:
            return Mood(time_of_day, weather, self._tones.times[time_of_day], self._tones.weathers[weather])
        except KeyError as missing:
            raise InvalidInput(f"packs/light.yaml has no {missing}", where="time_of_day, weather") from None

    def _palette(self, mood: Mood) -> dict[str, tuple[Color, bool]]:
        found: dict[str, tuple[Color, bool]] = {}
        for name, value in self._file.palette.items():
            painted = isinstance(value, dict)
            found[name] = (rgba(value[mood.time_of_day] if isinstance(value, dict) else value), painted)
        return found

    def _paint(self, part: When, draw: DrawList, light: Light, mood: Mood, seed: int, t: float) -> None:
        palette = self._palette(mood)
        for sheet in self._file.layers:
            if sheet.part != part:
                continue
            layer = draw.layer(f"{self.id}.{sheet.name}", parallax=sheet.parallax, animated=part == "motion")
            share = 1.0 if self.sky else 0.35 if self.underwater else 0.0
            air = mood.sky_weather.haze * share
            haze = min(0.95, sheet.haze + (1 - sheet.haze) * air * sheet.depth**1.4)
            clip = svg_path(sheet.clip) if sheet.clip else None
            ink = Ink(
                layer,
                light,
                mood,
                palette,
                self._file.stage,
                sheet.depth,
                haze,
                Random(0),
                Random(0),
                air=share,
                t=t,
                clip=clip,
            )
            for number, element in enumerate(sheet.elements):
                if element.times and mood.time_of_day not in element.times:
                    continue
                if element.weathers and mood.weather not in element.weathers:
                    continue
                name = f"{self.id}/{sheet.name}/{number}/{element.seed}"
                hand = ink.ready(dice=Random(name), loose=Random(f"{name}/{seed}"), segment=element.segment)
                element.paint(hand)


def _place_files() -> dict[str, Path]:
    """By id: those of the pack, and those of a folder of one's own, which go before."""
    return {path.stem: path for path in sorted(PACK.glob("*.yaml"))} | own_places()


def place_ids() -> list[str]:
    """Ids of the places that can be drawn, sorted: those of the pack, and those of a folder of one's own."""
    return sorted(_place_files())


def load_place(place_id: str) -> Place:
    """The place of this id.

    Raises:
        InvalidInput: there is none, or its files break the schema (`file:line` in the message).
    """
    files = _place_files()
    if place_id not in files:
        raise InvalidInput(f"no place {place_id!r}", where="location", hint=f"Known: {', '.join(sorted(files))}.")
    path = files[place_id]
    return _load(path, path.stat().st_mtime_ns)


def own_place_words() -> dict[str, list[str]]:
    """By id of each place in a folder of one's own: the words that mean it, its name first.

    Raises:
        InvalidInput: with `file:line`.
    """
    places = [load_place(place_id) for place_id in own_places()]
    return {
        one.id: list(dict.fromkeys([one.name.removeprefix("the "), one.id.replace("_", " "), *one.aliases]))
        for one in places
    }


@lru_cache(maxsize=64)
def _load(path: Path, _stamp: int) -> Place:
    return load_place_file(path)


def load_place_file(path: Path) -> Place:
    """The place that a YAML file describes, which need not lie in the pack; its id is the file's name.

    Raises:
        InvalidInput: with `file:line`.
    """
    try:
        file = load_yaml_model(path, PlaceFile)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from None
    props = sorted({element.file for element in _elements(file) if isinstance(element, Prop)})
    for prop in props:
        load_prop(prop)
    return Place(path.stem, file, _light_file(LIGHT_FILE), [path, LIGHT_FILE, *props])


def _elements(file: PlaceFile) -> Iterator[AnyBrush]:
    for layer in file.layers:
        yield from layer.elements
