"""The brushes: one class each, its fields are what a place's YAML may say, `paint` draws it."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from tools.layout.places.brushes.air import Flame, Motes, Shafts, Steam
from tools.layout.places.brushes.base import Brush, Curve
from tools.layout.places.brushes.buildings import HillsideTown, Lamps, WaterLights
from tools.layout.places.brushes.country import Cypresses, Hill, Peaks
from tools.layout.places.brushes.ground import Dune, Footprints, PuddleRings, Puddles, Sand, Shade
from tools.layout.places.brushes.meadows import Backdrop, Grass, SnowLine, Track, Turf
from tools.layout.places.brushes.palms import Palm
from tools.layout.places.brushes.paving import Kerb, Paving
from tools.layout.places.brushes.props import Prop
from tools.layout.places.brushes.rails import Mast, Railing
from tools.layout.places.brushes.reef import Bubbles, Caustics, Coral, Fish, Kelp, Seabed, Surface, Wreck
from tools.layout.places.brushes.rooms import Ceiling, Counter, Rug, Shelf, Tiles, Wall
from tools.layout.places.brushes.sky import (
    AirBands,
    Birds,
    Cloud,
    CloudCover,
    CloudStreaks,
    Sky,
    SkySpecks,
    Stars,
    Sun,
    Twinkle,
)
from tools.layout.places.brushes.streets import Awning, HouseRow
from tools.layout.places.brushes.water import Foam, Glints, Jet, Sea
from tools.layout.places.brushes.windows import Beam, WindowView
from tools.layout.places.brushes.wings import LineOf, Wing
from tools.layout.places.brushes.woods import Ferns, Foliage, Pines, Trunks

__all__ = ["AnyBrush", "Brush", "Curve", "brush_names"]

AnyBrush = Annotated[
    AirBands | Awning | Backdrop | Beam | Birds | Bubbles | Caustics | Ceiling | Cloud | CloudCover |
    CloudStreaks | Coral | Counter | Cypresses | Dune | Ferns | Fish | Flame | Foam | Foliage | Footprints |
    Glints | Grass | Hill | HillsideTown | HouseRow | Jet | Kelp | Kerb | Lamps | LineOf | Mast | Motes |
    Palm | Paving | Peaks | Pines | Prop | PuddleRings | Puddles | Railing | Rug | Sand | Sea | Seabed |
    Shade | Shafts | Shelf | Sky | SkySpecks | SnowLine | Stars | Steam | Sun | Surface | Tiles | Track |
    Trunks | Turf | Twinkle | Wall | WaterLights | WindowView | Wing | Wreck,
    Field(discriminator="brush"),
]  # fmt: skip


def brush_names() -> list[str]:
    """What `brush:` may say, sorted."""
    union = get_args(AnyBrush)[0]
    return sorted(kind.model_fields["brush"].annotation.__args__[0] for kind in get_args(union))
