"""The painter's hand: what a brush is given to draw with."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from random import Random

import skia

from tools.layout.drawlist import Color, Fill, Item, Layer, LinearGradient, RadialGradient, Stroke
from tools.layout.light import Light, lit, mix, with_alpha
from tools.layout.places.mood import Mood, rgba
from tools.layout.places.shapes import ellipse
from tools.layout.places.stage import Stage

__all__ = ["EAST", "NORTH", "SOUTH", "WEST", "Ink"]

WEST, EAST, NORTH, SOUTH = -700.0, 1980.0, -700.0, 1100.0
"""World units that are painted, whatever the frame shows."""

Depth = float | tuple[float, float]
Ref = str | Color
"""A colour of the place's palette by name, `#rrggbb`, or a colour that is final."""


@dataclass
class Ink:
    """A layer to draw into, and the light, colours and dice to do it with.

    Attributes:
        layer: items are added here.
        light, mood: of the picture.
        palette: name -> (colour, painted): painted ones are final for this time of day, others are lit.
        stage: where floor, horizon and sun are.
        depth: of this layer's items, unless a brush says otherwise.
        haze: 0..1, how far this layer's colours go towards the distance.
        dice: seeded by place, layer and element, so that a place looks the same in every shot.
        loose: seeded by the shot: for what may differ from shot to shot (birds, fish, twinkling).
        air: 0..1, how much of the weather reaches in here: 1 outdoors, 0 in a room.
        t: seconds since the shot began, for layers that move.
        clip: area, in world units, that this layer is kept to; None: everywhere.
    """

    layer: Layer
    light: Light
    mood: Mood
    palette: dict[str, tuple[Color, bool]]
    stage: Stage
    depth: float
    haze: float
    dice: Random
    loose: Random
    air: float = 1.0
    t: float = 0.0
    clip: skia.Path | None = None
    segment: str = "prop"
    _known: dict[str, Color] = field(default_factory=dict)

    def ready(self, *, dice: Random, loose: Random, segment: str) -> Ink:
        """The same hand for the next element."""
        return dataclasses.replace(self, dice=dice, loose=loose, segment=segment)

    def standing(self, y: float) -> Ink:
        """The hand for a thing that stands at world y: on the cast's own floor it has the floor's depth there."""
        if self.layer.parallax != 1.0:
            return self
        return dataclasses.replace(self, depth=self.stage.item_depth(y), _known={})

    # -- colours

    @property
    def snow(self) -> bool:
        return self.air == 1.0 and self.mood.weather == "snow"

    @property
    def wet(self) -> bool:
        return self.air == 1.0 and self.mood.weather == "rain"

    @property
    def night(self) -> bool:
        return self.mood.time_of_day == "night"

    def tone(self, ref: Ref, shift: float = 0.0) -> Color:
        """A colour as it looks here: lit or painted for the hour, graded by the weather, hazed by distance.

        Args:
            ref: palette name, `#rrggbb` or a finished colour (which is only shifted).
            shift: 1 brings it to the key light, -1 to the ambient shade.
        """
        if isinstance(ref, str):
            color = self._known.get(ref)
            if color is None:
                local, painted = self.palette[ref] if ref in self.palette else (rgba(ref), False)
                # Near things keep their colours in bad weather. What the light tints needs less of the veil: the tint
                # knows the weather already.
                far = self.air * (0.4 + 0.6 * self.depth)
                color = self.mood.grade(local, 0.45 * self.air + 0.55 * far)
                if not painted:
                    color = self.mood.grade(lit(local, self.light), 0.55 * far)
                color = self._known[ref] = self.hazed(color)
        else:
            color = ref
        if shift > 0:
            return with_alpha(mix(color, self.hazed(self.light.key), shift), color[3])
        if shift < 0:
            shade = self.light.ambient
            # Multiplied as well as mixed: a shade that is only mixed looks chalky on dark colours.
            dark = (color[0] * shade[0], color[1] * shade[1], color[2] * shade[2], color[3])
            return mix(color, mix(dark, with_alpha(self.hazed(shade), color[3]), 0.3), -shift)
        return color

    def hazed(self, color: Color) -> Color:
        """The colour seen through this layer's share of air."""
        return with_alpha(mix(color, self.mood.haze, self.haze), color[3])

    def white(self, shift: float = 0.0) -> Color:
        """Snow and foam in this light."""
        return self.tone("#f7f8ff", shift)

    # -- shapes

    def fill(
        self,
        path: skia.Path,
        fill: Fill | None,
        *,
        outline: bool = False,
        effect: bool = False,
        depth: Depth | None = None,
        segment: str | None = None,
        transform: skia.Matrix | None = None,
        clip: skia.Path | None = None,
        blur: float = 0.0,
        blend: str = "SrcOver",
        opacity: float = 1.0,
        stroke: Stroke | None = None,
    ) -> Item:
        """Add a shape."""
        if clip is None:
            clip = self.clip
        return self.layer.add(
            Item(
                path=path,
                fill=fill,
                stroke=stroke,
                transform=transform,
                depth=self.depth if depth is None else depth,
                segment=segment or self.segment,
                outline=outline and not effect,
                effect=effect,
                blur=blur,
                blend=blend,
                clip=clip,
                opacity=opacity,
            )
        )

    def line(
        self, path: skia.Path, color: Color, width: float, *, effect: bool = True, clip: skia.Path | None = None
    ) -> Item:
        """Add a stroke; a texture unless it is a thing of its own (a rope, a mast)."""
        return self.fill(path, None, stroke=Stroke(color, width), effect=effect, clip=clip)

    def detail(self, path: skia.Path, fill: Fill, *, clip: skia.Path | None = None, opacity: float = 1.0) -> Item:
        """Add texture, shade or shine: seen in the picture, in no map."""
        return self.fill(path, fill, effect=True, clip=clip, opacity=opacity)

    def solid(
        self,
        path: skia.Path,
        ref: Ref,
        *,
        form: float = 0.35,
        outline: bool = True,
        edge: float = 0.0,
        rim: float = 0.0,
        depth: Depth | None = None,
        segment: str | None = None,
    ) -> skia.Path:
        """Add a thing with volume: lit on the side of the light, shaded on the other.

        Args:
            path: its shape, in world units.
            ref: its colour.
            form: how round it looks: contrast from the lit to the shaded side.
            edge: width of a thin dark contour, 0 for none.
            rim: width of the bright edge on the side of the light, 0 for none.
        """
        box = path.getBounds()
        dx, dy = self.light.direction
        cx, cy = box.centerX(), box.centerY()
        rx, ry = max(box.width() / 2, 1.0) * 0.9, max(box.height() / 2, 1.0) * 0.9
        power = form * (0.45 + 0.55 * self.light.strength)
        base = self.tone(ref)
        gradient = LinearGradient(
            (cx + dx * rx, cy + dy * ry),
            (cx - dx * rx, cy - dy * ry),
            ((0.0, self.tone(base, power * 0.55)), (0.42, base), (1.0, self.tone(base, -power * 1.25))),
        )
        contour = Stroke(with_alpha(self.tone(base, -0.85), 0.75), edge) if edge else None
        self.fill(path, gradient, outline=outline, depth=depth, segment=segment, stroke=contour)
        if rim:
            self.crescent(path, with_alpha(self.hazed(self.light.rim), 0.8 * self.light.strength), rim)
        return path

    def crescent(self, path: skia.Path, color: Color, width: float, *, away: bool = False) -> None:
        """Add the sliver of `path` that faces the light (or, `away`, the dark)."""
        sign = 1.0 if away else -1.0
        dx, dy = self.light.direction
        moved = skia.Path(path)
        moved.offset(dx * width * sign, dy * width * sign)
        both = skia.Path(path)
        both.addPath(moved)
        # A minus A', without a path operation: what lies in one of the two only, kept to A.
        both.setFillType(skia.PathFillType.kEvenOdd)
        self.fill(both, color, effect=True, clip=path)

    def glow(
        self, x: float, y: float, rx: float, ry: float, color: Color, *, core: float = 0.0, blend: str = "SrcOver"
    ) -> Item:
        """Add a soft ellipse of light or shade that fades to nothing; `color`'s alpha is at its middle.

        Cheaper than a blur by far, so that it may be used freely.
        """
        clear = with_alpha(color, 0.0)
        half = with_alpha(color, color[3] * 0.36)
        stops = ((0.0, color), (core, color), (core + (1 - core) * 0.45, half), (1.0, clear))
        matrix = skia.Matrix()
        matrix.setScale(rx, ry)
        matrix.postTranslate(x, y)
        # The layer's clip is in world units, this item's own are scaled ones: so it stays unclipped.
        return self.layer.add(
            Item(
                path=ellipse(0, 0, 1, 1),
                fill=RadialGradient((0, 0), 1.0, stops),
                transform=matrix,
                depth=self.depth,
                segment=self.segment,
                outline=False,
                effect=True,
                blend=blend,
            )
        )

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 1.0) -> Item:
        """Add the soft shadow of a thing that stands on the floor, thrown away from the light."""
        dx = -self.light.direction[0] * rx * 0.45 * self.light.strength
        s = self.light.shadow
        return self.glow(x + dx, y, rx, ry, with_alpha(s, min(1.0, s[3] * 1.2 * strength)), core=0.15)

    def upright(self, path: skia.Path, top: Color, bottom: Color, **flags: bool) -> Item:
        """Add a shape filled from `top` to `bottom`."""
        box = path.getBounds()
        return self.fill(path, LinearGradient((0, box.top()), (0, box.bottom()), ((0.0, top), (1.0, bottom))), **flags)  # type: ignore[arg-type]
