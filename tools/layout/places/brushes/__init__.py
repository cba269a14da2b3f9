"""The brushes: one class each, its fields are what a place's YAML may say, `paint` draws it."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from tools.layout.places.brushes.base import Brush, Curve
from tools.layout.places.brushes.buildings import Cypresses, Hill, HillsideTown, Lamps, Peaks, WaterLights
from tools.layout.places.brushes.ground import Dune, Footprints, PuddleRings, Puddles, Sand, Shade
from tools.layout.places.brushes.interior import Beam, Ceiling, Counter, Flame, Rug, Shelf, Steam, Tiles, Wall, WindowView
from tools.layout.places.brushes.nature import (
    Backdrop,
    Ferns,
    Foliage,
    Grass,
    Motes,
    Pines,
    Shafts,
    SnowLine,
    Track,
    Trunks,
    Turf,
)
from tools.layout.places.brushes.palms import Palm
from tools.layout.places.brushes.paving import Kerb, Mast, Paving, Railing
from tools.layout.places.brushes.props import Prop
from tools.layout.places.brushes.reef import Bubbles, Caustics, Coral, Fish, Kelp, Seabed, Surface, Wreck
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
from tools.layout.places.brushes.streets import Awning, HouseRow, LineOf, Wing
from tools.layout.places.brushes.water import Foam, Glints, Jet, Sea

__all__ = ["AnyBrush", "Brush", "Curve", "brush_names"]

AnyBrush = Annotated[
    AirBands | Awning | Backdrop | Beam | Birds | Bubbles | Caustics | Ceiling | Cloud | CloudCover |
    CloudStreaks | Coral | Counter | Cypresses | Dune | Ferns | Fish | Flame | Foam | Foliage | Footprints |
    Glints | Grass | Hill | HillsideTown | HouseRow | Jet | Kelp | Kerb | Lamps | LineOf | Mast | Peaks | Motes | Palm |
    Paving | Pines | Prop | PuddleRings | Puddles | Railing | Rug | Sand | Sea | Seabed | Shade | Shafts | Shelf | Sky |
    SkySpecks | SnowLine | Stars | Steam | Sun | Surface | Tiles | Track | Trunks | Turf | Twinkle | Wall |
    WaterLights | WindowView | Wing | Wreck,
    Field(discriminator="brush"),
]  # fmt: skip


def brush_names() -> list[str]:
    """What `brush:` may say, sorted."""
    union = get_args(AnyBrush)[0]
    return sorted(kind.model_fields["brush"].annotation.__args__[0] for kind in get_args(union))
