"""The flat draw list: everything the draft engine shows is an item here, and every pass reads the same list.

World coordinates: x to the right, y down, one unit is one pixel of a 1280x720 wide shot, whose window is
x 0..1280, y 0..720. A grown child who stands in the middle of the stage is about 400 units tall.
What is drawn past this list goes missing from the masks, the depth and the line maps: so nothing is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import skia

__all__ = ["Color", "DrawList", "Fill", "Item", "Layer", "LinearGradient", "RadialGradient", "Stroke"]

Color = tuple[float, float, float, float]
"""Red, green, blue, alpha; each 0..1, not premultiplied."""


@dataclass(frozen=True, slots=True)
class LinearGradient:
    """From `start` to `end` in the item's coordinates; `stops` are (offset 0..1, colour)."""

    start: tuple[float, float]
    end: tuple[float, float]
    stops: tuple[tuple[float, Color], ...]


@dataclass(frozen=True, slots=True)
class RadialGradient:
    """Around `center` out to `radius` in the item's coordinates; `stops` are (offset 0..1, colour)."""

    center: tuple[float, float]
    radius: float
    stops: tuple[tuple[float, Color], ...]


Fill = Color | LinearGradient | RadialGradient


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line along the path, `width` in the item's units."""

    color: Color
    width: float
    round_ends: bool = True


@dataclass(slots=True)
class Item:
    """One shape.

    Attributes:
        path: in the item's own coordinates.
        fill, stroke: either may be None.
        transform: item -> world; None is the identity.
        depth: 0 nearest the camera .. 1 horizon, sky. A pair is a ramp (at the path's top, at its bottom): a floor.
        owner: id of the character it belongs to; "" for the set.
        segment: class for the segmentation map: sky, sea, ground, plant, building, prop, person, water, weather, ...
        outline: whether its edge is drawn in the line map.
        effect: light, shadow, glow, texture, weather: seen in the picture only, in no mask and no map.
        blur: radius in the item's units (dear: keep for what is baked).
        blend: skia blend mode by name: SrcOver, Multiply, Screen, Plus, Overlay, SoftLight.
        clip: path in the item's own coordinates that the item is cut to.
        opacity: 0..1, times the colours' own.
    """

    path: skia.Path
    fill: Fill | None = None
    stroke: Stroke | None = None
    transform: skia.Matrix | None = None
    depth: float | tuple[float, float] = 0.5
    owner: str = ""
    segment: str = "prop"
    outline: bool = True
    effect: bool = False
    blur: float = 0.0
    blend: str = "SrcOver"
    clip: skia.Path | None = None
    opacity: float = 1.0


@dataclass(slots=True)
class Layer:
    """Items that move together under the camera.

    Attributes:
        name: for people who read a dump.
        parallax: how far it follows the camera: 0 the sky at infinity, 1 the floor where characters stand, above 1
            what is nearer.
        animated: drawn anew in every frame; False is baked once a shot into a picture.
        items: painted in order.
    """

    name: str
    parallax: float = 1.0
    animated: bool = False
    items: list[Item] = field(default_factory=list)

    def add(self, item: Item) -> Item:
        """Append an item and return it."""
        self.items.append(item)
        return item


@dataclass(slots=True)
class DrawList:
    """Layers from back to front."""

    layers: list[Layer] = field(default_factory=list)

    def layer(self, name: str, *, parallax: float = 1.0, animated: bool = False) -> Layer:
        """Append a layer and return it."""
        layer = Layer(name, parallax, animated)
        self.layers.append(layer)
        return layer

    def items(self) -> Iterator[tuple[Layer, Item]]:
        """Every item with its layer, in painting order."""
        for layer in self.layers:
            for item in layer.items:
                yield layer, item
