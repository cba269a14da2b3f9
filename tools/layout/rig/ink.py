"""The brush: how a surface takes the light. Every item of a character passes through here."""

from __future__ import annotations

import math
from dataclasses import dataclass

import skia

from tools.layout.drawlist import Color, Fill, Item, Layer, LinearGradient, RadialGradient, Stroke
from tools.layout.light import Light, lit, mix, with_alpha

__all__ = ["Brush", "darker", "lighter"]

Point = tuple[float, float]
WARM_INK: Color = (0.24, 0.12, 0.13, 1.0)


def darker(color: Color, k: float) -> Color:
    """The colour with its light times 1 - k, a little warmer in the dark."""
    f = 1.0 - k
    return (color[0] * (f + 0.06 * k), color[1] * f, color[2] * (f + 0.03 * k), color[3])


def lighter(color: Color, k: float) -> Color:
    """The colour drawn towards white by k."""
    return (color[0] + (1 - color[0]) * k, color[1] + (1 - color[1]) * k, color[2] + (1 - color[2]) * k, color[3])


@dataclass(slots=True)
class Brush:
    """Paints for one character in one frame.

    Attributes:
        light_dir: towards the light, in the coordinates of what is painted now.
        ink: width of outlines, in the same coordinates.
    """

    layer: Layer
    owner: str
    light: Light
    matrix: skia.Matrix
    depth: float
    ink: float
    light_dir: Point
    unit: float = 1.0

    def placed(self, x: float, y: float, degrees: float = 0.0, sx: float = 1.0, sy: float = 1.0) -> Brush:
        """A brush for a part that stands at x, y, turned and scaled; a negative `sx` mirrors it."""
        matrix = skia.Matrix()
        matrix.preConcat(self.matrix)
        matrix.preTranslate(x, y)
        if degrees:
            matrix.preRotate(degrees)
        if sx != 1.0 or sy != 1.0:
            matrix.preScale(sx, sy)
        a = math.radians(-degrees)
        lx, ly = self.light_dir
        lx, ly = lx * math.cos(a) - ly * math.sin(a), lx * math.sin(a) + ly * math.cos(a)
        if sx < 0:
            lx = -lx
        size = abs(sy)
        return Brush(
            self.layer, self.owner, self.light, matrix, self.depth, self.ink / size, (lx, ly), self.unit * size
        )

    def nearer(self, by: float) -> Brush:
        """The same brush a little nearer to us (maps only)."""
        brush = self.placed(0, 0)
        brush.depth = max(0.0, self.depth - by)
        return brush

    # --- colours -----------------------------------------------------------------------------------------------

    def tone(self, color: Color) -> Color:
        """The surface colour in this light."""
        return lit(color, self.light)

    def bright(self, color: Color, k: float = 1.0) -> Color:
        """The side towards the light."""
        c = lit(color, self.light)
        return with_alpha(mix(lighter(c, 0.05 * k), self.light.key, min(0.5, 0.16 * k * self.light.strength)), color[3])

    def shade(self, color: Color, k: float = 1.0) -> Color:
        """The side away from it."""
        c = lit(color, self.light)
        dark = (c[0] * 0.7, c[1] * 0.62, c[2] * 0.66, color[3])
        return with_alpha(mix(mix(c, dark, 0.75 * k), self.light.ambient, 0.22 * k), color[3])

    def line_colour(self, color: Color) -> Color:
        """Ink for this surface: its own dark, warm."""
        c = lit(color, self.light)
        return with_alpha(mix((c[0] * 0.36, c[1] * 0.26, c[2] * 0.3, 1.0), lit(WARM_INK, self.light), 0.45), 1.0)

    def across(self, path: skia.Path) -> tuple[Point, Point]:
        """Two points on the path's box: the one nearest the light and the one farthest from it."""
        box = path.getBounds()
        cx, cy = box.centerX(), box.centerY()
        lx, ly = self.light_dir
        # Nearly overhead or level light still models the form from the side.
        ly = ly * 0.55 - 0.25
        length = math.hypot(lx, ly) or 1.0
        lx, ly = lx / length, ly / length
        r = abs(lx) * box.width() / 2 + abs(ly) * box.height() / 2
        return (cx + lx * r, cy + ly * r), (cx - lx * r, cy - ly * r)

    # --- items -------------------------------------------------------------------------------------------------

    def put(
        self,
        path: skia.Path,
        fill: Fill | None = None,
        stroke: Stroke | None = None,
        *,
        outline: bool = False,
        effect: bool = False,
        clip: skia.Path | None = None,
        blend: str = "SrcOver",
        opacity: float = 1.0,
    ) -> None:
        """One item as it is."""
        self.layer.add(
            Item(
                path=path,
                fill=fill,
                stroke=stroke,
                transform=self.matrix,
                depth=self.depth,
                owner=self.owner,
                segment="person",
                outline=outline,
                effect=effect,
                clip=clip,
                blend=blend,
                opacity=opacity,
            )
        )

    def modelled(self, path: skia.Path, color: Color, shade: float = 1.0) -> LinearGradient:
        """The light across a surface of this outline."""
        near, far = self.across(path)
        return LinearGradient(
            near, far, ((0.0, self.bright(color, shade)), (0.42, self.tone(color)), (1.0, self.shade(color, shade)))
        )

    def form(
        self,
        path: skia.Path,
        color: Color,
        *,
        ink: float = 1.0,
        under: bool = True,
        shade: float = 1.0,
        rim: float = 1.0,
        edge: bool = True,
        along: skia.Path | None = None,
    ) -> None:
        """A modelled surface: ink around it, soft light across it, a bright edge towards the light, a dark one away.

        Args:
            ink: width of the outline, times the usual; 0 draws none (the caller draws its own).
            under: the outline lies under the fill (so that only its outer half shows).
            shade: how strongly light and shade part.
            rim: how strong the bright edge is; 0 leaves it out.
            edge: whether the outline belongs in the line map.
            along: the part of the edge that takes the bright and the dark stroke; None is all of it.
        """
        near, far = self.across(path)
        fill = self.modelled(path, color, shade)
        if ink and under:
            line = self.line_colour(color)
            self.put(path, line, Stroke(line, self.ink * 2 * ink), outline=edge)
            self.put(path, fill)
        else:
            self.put(path, fill, Stroke(self.line_colour(color), self.ink * ink) if ink else None, outline=edge)
        if rim:
            self.edges(path, color, rim, near, far, shade, along=along)

    def edges(
        self,
        path: skia.Path,
        color: Color,
        rim: float,
        near: Point,
        far: Point,
        shade: float = 1.0,
        *,
        along: skia.Path | None = None,
        clip: skia.Path | None = None,
    ) -> None:
        """Strokes inside the outline: the bright one fades away from the light, the dark one towards it."""
        box = path.getBounds()
        size = min(box.width(), box.height())
        width = max(1.6, min(9.0, size * 0.17))
        dark = with_alpha(self.shade(darker(color, 0.25)), 1.0)
        strength = self.light.strength
        mid = ((near[0] + far[0]) / 2, (near[1] + far[1]) / 2)
        edge, clip = along or path, clip or path
        self.glaze(clip, edge, width * 2.0, far, mid, with_alpha(dark, 0.42 * shade))
        self.glaze(
            clip, edge, width * 0.95, near, mid, with_alpha(self.light.rim, min(1.0, (0.3 + 0.5 * strength) * rim))
        )

    def glaze(self, clip: skia.Path, edge: skia.Path, width: float, start: Point, end: Point, color: Color) -> None:
        """A stroke along `edge`, seen inside `clip`, in `color` at `start`, gone at `end`."""
        paint = skia.Paint(Style=skia.Paint.kStroke_Style, StrokeWidth=width, StrokeJoin=skia.Paint.kRound_Join)
        band = skia.Path()
        paint.getFillPath(edge, band)
        clear = with_alpha(color, 0.0)
        self.put(band, LinearGradient(start, end, ((0.0, color), (1.0, clear))), effect=True, clip=clip)

    def line(
        self, path: skia.Path, color: Color, width: float = 1.0, *, edge: bool = False, alpha: float = 1.0
    ) -> None:
        """An ink line, `width` times the usual, in the ink of `color`."""
        self.put(
            path,
            None,
            Stroke(with_alpha(self.line_colour(color), alpha), self.ink * width),
            outline=edge,
            effect=not edge,
        )

    def stroke(self, path: skia.Path, color: Color, width: float, *, clip: skia.Path | None = None) -> None:
        """A line in a surface colour, `width` in units."""
        self.put(path, None, Stroke(self.tone(color), width), effect=True, clip=clip)

    def flat(
        self, path: skia.Path, color: Color, *, clip: skia.Path | None = None, effect: bool = True, ink: float = 0.0
    ) -> None:
        """A plain surface in this light; with `ink`, outlined."""
        stroke = Stroke(self.line_colour(color), self.ink * ink) if ink else None
        self.put(path, self.tone(color), stroke, effect=effect, clip=clip)

    def soft(
        self, x: float, y: float, radius: float, color: Color, *, clip: skia.Path | None = None, squash: float = 1.0
    ) -> None:
        """A soft round spot that fades to nothing; `squash` flattens it."""
        clear = with_alpha(color, 0.0)
        path = skia.Path()
        path.addOval(skia.Rect.MakeLTRB(x - radius, y - radius * squash, x + radius, y + radius * squash))
        self.put(
            path,
            RadialGradient((x, y), radius, ((0.0, color), (0.45, with_alpha(color, color[3] * 0.62)), (1.0, clear))),
            effect=True,
            clip=clip,
        )

    def fade(self, path: skia.Path, color: Color, start: Point, end: Point, *, clip: skia.Path | None = None) -> None:
        """The path filled with `color` at `start`, clear at `end`: contact shadows."""
        self.put(
            path, LinearGradient(start, end, ((0.0, color), (1.0, with_alpha(color, 0.0)))), effect=True, clip=clip
        )

    def shadow(self, color: Color, alpha: float = 0.4) -> Color:
        """A contact shadow on a surface of this colour."""
        return with_alpha(mix(darker(self.tone(color), 0.62), self.light.ambient, 0.3), alpha)
