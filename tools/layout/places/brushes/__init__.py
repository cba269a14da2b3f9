"""The brushes: one class each, its fields are what a place's YAML may say, `paint` draws it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tools.layout.places.brushes.base import Brush, Curve
from tools.layout.places.brushes.buildings import Cypresses, Hill, HillsideTown, Lamps, WaterLights
from tools.layout.places.brushes.ground import Dune, Footprints, PuddleRings, Puddles, Sand
from tools.layout.places.brushes.palms import Palm
from tools.layout.places.brushes.props import Prop
from tools.layout.places.brushes.sky import AirBands, Birds, Cloud, CloudCover, CloudStreaks, Sky, SkySpecks, Stars, Sun, Twinkle
from tools.layout.places.brushes.water import Foam, Glints, Sea

__all__ = ["AnyBrush", "Brush", "Curve"]

AnyBrush = Annotated[
    AirBands | Birds | Cloud | CloudCover | CloudStreaks | Cypresses | Dune | Foam | Footprints | Glints | Hill
    | HillsideTown | Lamps | Palm | Prop | PuddleRings | Puddles | Sand | Sea | Sky | SkySpecks | Stars | Sun | Twinkle
    | WaterLights,
    Field(discriminator="brush"),
]  # fmt: skip
