"""Hand-drawn things: SVG path data in `packs/places/props/*.yaml`, lit and set down by this brush."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import skia
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from configs.yaml_file import YamlProblem, load_yaml_model
from tools.errors import InvalidInput
from tools.layout.drawlist import Stroke
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.ink import Ink
from tools.layout.places.mood import Hex
from tools.layout.places.shapes import lens, svg_path

__all__ = ["PROPS", "Prop", "PropFile", "load_prop"]

PROPS = Path(__file__).resolve().parents[2] / "packs" / "places" / "props"


def _check_data(data: str) -> str:
    svg_path(data)
    return data


class PropPart(BaseModel):
    """One shape of a prop.

    Attributes:
        d: SVG path data (M L H V C S Q T Z) in the prop's units: (0, 0) is where it stands, y down.
        color: `#rrggbb`, or `tint` for the colour that the place gives.
        form: 0 flat .. 1 round.
        shift: -1 darker .. 1 lighter than its colour.
        edge: width of the thin dark contour.
        line: width; the path is drawn as a line instead of filled.
        lamp: it shines when it is dark.
        alpha: 0..1.
        detail: texture only, in no map.
        snow: it is only there when snow lies.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    d: Annotated[str, AfterValidator(_check_data)]
    color: Hex | Literal["tint"] = "tint"
    form: float = Field(0.45, ge=0, le=1)
    shift: float = Field(0.0, ge=-1, le=1)
    edge: float = Field(0.0, ge=0)
    rim: float = Field(0.0, ge=0)
    line: float = Field(0.0, ge=0)
    lamp: bool = False
    alpha: float = Field(1.0, ge=0, le=1)
    detail: bool = False
    snow: bool = False


class PropFile(BaseModel):
    """A prop: parts from back to front, drawn in a box `width` x `height` that stands on (0, 0)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: float = Field(gt=0)
    height: float = Field(gt=0)
    shadow: float = Field(0.6, ge=0, le=2, description="half width of its shadow, in widths")
    glow: tuple[float, float, float] | None = Field(None, description="x, y, radius of its light, in the prop's units")
    segment: str = "prop"
    parts: list[PropPart] = Field(min_length=1, max_length=200)


@lru_cache(maxsize=256)
def load_prop(path: Path) -> PropFile:
    """Read a prop.

    Raises:
        InvalidInput: with `file:line`.
    """
    try:
        return load_yaml_model(path, PropFile)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from None


class Prop(Brush):
    """A prop from the props folder, standing on (x, y), `size` units tall at scale 1."""

    brush: Literal["prop"]
    prop: str = Field(pattern=r"^[a-z0-9_]+$")
    x: float
    y: float
    size: float = Field(gt=0, description="height in world units")
    flip: bool = False
    turn: float = Field(0.0, description="degrees")
    color: str = "#b05a4a"
    shadow: bool = True
    afloat: bool = Field(False, description="it lies in water: a reflection, small waves at the water line")
    bob: float = Field(0.0, description="units it rocks up and down, in layers that move")

    @property
    def file(self) -> Path:
        """Where the prop is read from."""
        return PROPS / f"{self.prop}.yaml"

    def paint(self, ink: Ink) -> None:
        sheet = load_prop(self.file)
        k = self.size / sheet.height
        y = self.y + self.bob * math.sin(ink.t * 1.2 + self.x * 0.01)
        turn = self.turn + (1.6 * math.sin(ink.t * 0.9 + self.x * 0.013) if self.bob else 0.0)
        matrix = skia.Matrix()
        matrix.setScale(-k if self.flip else k, k)
        matrix.postRotate(turn)
        matrix.postTranslate(self.x, y)
        if self.afloat:
            half = sheet.width * k * 0.5
            mirror = ink.tone(ink.tone(self.color), -0.75)
            ink.glow(self.x, self.y + self.size * 0.1, half * 1.12, self.size * 0.2, with_alpha(mirror, 0.75), core=0.3)
        if self.shadow and sheet.shadow and not self.afloat:
            half = sheet.width * k * sheet.shadow
            ink.shadow(self.x, self.y, half, half * 0.17, 1.0)
        on_floor = ink.stage.item_depth(self.y) if ink.layer.parallax == 1.0 else ink.depth
        for part in sheet.parts:
            if part.snow and not ink.snow:
                continue
            self._part(ink, part, matrix, k, on_floor, sheet.segment)
        if self.afloat:
            self._water_line(ink, sheet.width * k)
        if sheet.glow and ink.light.glow > 0.1:
            gx, gy, gr = sheet.glow
            spot = matrix.mapXY(gx, gy)
            lamp = ink.mood.lamp
            ink.glow(spot.x(), spot.y(), gr * k, gr * k, with_alpha(lamp, 0.5 * ink.light.glow), core=0.03)

    def _water_line(self, ink: Ink, width: float) -> None:
        waves = skia.Path()
        for i in range(4):
            w = width * (0.34 + 0.12 * math.sin(ink.t * 1.5 + i * 2))
            x = self.x + (i - 1.5) * width * 0.24 + 4 * math.sin(ink.t * 0.8 + i)
            lens(waves, x - w / 2, self.y + self.size * 0.05 * (1 + 0.9 * (i % 2)), w, 1.2, max(1.0, self.size * 0.016))
        ink.detail(waves, with_alpha(ink.white(), 0.5))

    def _part(self, ink: Ink, part: PropPart, matrix: skia.Matrix, k: float, depth: float, segment: str) -> None:
        path = svg_path(part.d)
        path.transform(matrix)
        ref = self.color if part.color == "tint" else part.color
        color = ink.tone(ink.tone(ref), part.shift)
        if part.lamp:
            color = mix(color, ink.mood.lamp, min(1.0, 0.15 + ink.light.glow))
        color = with_alpha(color, color[3] * part.alpha)
        if part.line:
            ink.fill(path, None, stroke=Stroke(color, part.line * k), effect=part.detail, depth=depth, segment=segment)
        elif part.detail or part.lamp:
            ink.fill(path, color, effect=part.detail, depth=depth, segment=segment)
        else:
            ink.solid(path, color, form=part.form, edge=part.edge * k, rim=part.rim * k, depth=depth, segment=segment)
