"""Open country: a painted distance, turf, tracks, grass, lying snow."""

from __future__ import annotations

import itertools
import math
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import Color, LinearGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush, Curve
from tools.layout.places.brushes.ground import lay_floor
from tools.layout.places.ink import EAST, NORTH, WEST, Ink
from tools.layout.places.shapes import Point, circles, leaf, lens, smooth

__all__ = ["Backdrop", "Grass", "SnowLine", "Track", "Turf"]


class Backdrop(Brush):
    """A painted distance: colours from top to bottom, and a light in it."""

    brush: Literal["backdrop"]
    segment: ClassVar[str] = "sky"
    colors: list[str] = Field(min_length=2, max_length=6)
    top: float = -60
    bottom: float = 560
    light: tuple[float, float, float] | None = Field(None, description="x, y, radius of the light")
    color_light: str = "#ffffff"

    def paint(self, ink: Ink) -> None:
        last = len(self.colors) - 1
        stops = tuple((i / last, ink.tone(c)) for i, c in enumerate(self.colors))
        area = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, NORTH, EAST, self.bottom + 120))
        ink.fill(area, LinearGradient((0, self.top), (0, self.bottom), stops))
        if self.light:
            x, y, r = self.light
            color = ink.tone(self.color_light)
            power = 0.35 + 0.5 * ink.mood.sky_weather.sun
            ink.glow(x, y, r, r * 0.9, with_alpha(color, power * 0.8))
            ink.glow(x, y, r * 0.45, r * 0.55, with_alpha(color, power))


class Turf(Brush):
    """Ground of earth, moss or grass."""

    brush: Literal["turf"]
    segment: ClassVar[str] = "ground"
    edge: Curve
    colors: list[str] = Field(min_length=2, max_length=6)
    tufts: int = Field(60, ge=0, le=400)
    color_litter: str = Field("", description="colour of fallen leaves, none if empty")
    light: float = Field(0.35, ge=0, le=1)

    def paint(self, ink: Ink) -> None:
        line = self.edge.points(WEST, EAST)
        tones = [ink.tone(c) for c in self.colors]
        if ink.snow:
            tones = [mix(t, ink.white(-0.06), 0.68 + 0.24 * i / (len(tones) - 1)) for i, t in enumerate(tones)]
        if ink.wet:
            tones = [ink.tone(t, -0.25) for t in tones]
        last = len(tones) - 1
        lay_floor(ink, line, tuple((i / last, t) for i, t in enumerate(tones)))
        dark, pale = ink.tone(tones[-1], -0.6), ink.tone(tones[last // 2], 0.5)
        for _ in range(12):
            x, y = ink.dice.uniform(-300, 1580), ink.dice.uniform(self.edge.y + 20, 730)
            k = ink.stage.scale_y(y)
            bright = ink.dice.random() < 0.45
            color = with_alpha(pale, self.light * ink.light.strength) if bright else with_alpha(dark, 0.35)
            ink.glow(x, y, ink.dice.uniform(110, 260) * k, ink.dice.uniform(9, 22) * k, color)
        if self.light > 0.3 and ink.mood.sky_weather.sun > 0.5:
            for _ in range(26):
                x, y = ink.dice.uniform(-200, 1480), self.edge.y + 16 + 210 * ink.dice.random()
                k = ink.stage.scale_y(y)
                ink.glow(
                    x,
                    y,
                    ink.dice.uniform(16, 60) * k,
                    ink.dice.uniform(4, 9) * k,
                    with_alpha(ink.light.key, 0.4 * ink.light.strength),
                    core=0.4,
                )
        if self.color_litter:
            path = skia.Path()
            for _ in range(90):
                y = self.edge.y + 14 + 330 * ink.dice.random() ** 1.3
                size = ink.dice.uniform(5, 11) * ink.stage.scale_y(y)
                leaf(path, ink.dice.uniform(-500, 1780), y, ink.dice.uniform(0, 6.28), size, size * 0.4)
            ink.detail(path, with_alpha(ink.tone(self.color_litter), 0.2 if ink.snow else 0.75))
        self._tufts(ink, tones[last // 2])

    def _tufts(self, ink: Ink, mid: Color) -> None:
        paths = (skia.Path(), skia.Path())
        for i in range(self.tufts):
            y = self.edge.y + 6 + 380 * ink.dice.random() ** 1.5
            k, x = ink.stage.scale_y(y), ink.dice.uniform(-500, 1780)
            for blade in range(5):
                a = -math.pi / 2 + (blade - 2) * 0.3 + ink.dice.uniform(-0.1, 0.1)
                leaf(paths[i % 2], x + (blade - 2) * 3 * k, y, a, ink.dice.uniform(12, 24) * k, 2.4 * k, 3 * k)
        ink.detail(paths[0], ink.tone(mid, -0.35))
        ink.detail(paths[1], ink.tone(mid, 0.18))


class Track(Brush):
    """A trodden path that winds away over the ground."""

    brush: Literal["track"]
    segment: ClassVar[str] = "ground"
    points: list[tuple[float, float]] = Field(min_length=3, max_length=12, description="its middle, from near to far")
    width: float = Field(240, gt=10, description="at the scale of a character")
    color: str
    color_edge: str = Field("", description="of the grass that grows over its edges; none if empty")

    def paint(self, ink: Ink) -> None:
        left, right = [], []
        for x, y in self.points:
            half = self.width / 2 * ink.stage.scale_y(y)
            left.append((x - half * ink.dice.uniform(0.92, 1.08), y))
            right.append((x + half * ink.dice.uniform(0.92, 1.08), y))
        shape = smooth(left + right[::-1])
        color = ink.tone(self.color)
        if ink.snow:
            color = mix(color, ink.white(-0.15), 0.72)
        box = shape.getBounds()
        fill = LinearGradient(
            (0, box.top()), (0, 740), ((0, ink.tone(color, 0.25)), (0.5, color), (1, ink.tone(color, -0.3)))
        )
        soft = skia.Path(shape)
        ink.fill(soft, with_alpha(ink.tone(color, -0.5), 0.35), effect=True, blur=9)
        ink.detail(shape, fill)
        stones, shade = [], []
        for _ in range(46):
            y = box.top() + (750 - box.top()) * ink.dice.random() ** 0.8
            k = ink.stage.scale_y(y)
            x, r = ink.dice.uniform(box.left(), box.right()), ink.dice.uniform(1.5, 5) * k
            stones.append((x, y, r))
            shade.append((x, y + r * 0.4, r * 1.05))
        ink.detail(circles(shade), with_alpha(ink.tone(color, -0.8), 0.4), clip=shape)
        ink.detail(circles(stones), with_alpha(ink.tone(color, 0.3), 0.6), clip=shape)
        for _ in range(7):
            y = box.top() + (740 - box.top()) * ink.dice.random()
            k = ink.stage.scale_y(y)
            ink.glow(
                ink.dice.uniform(box.left(), box.right()), y, 90 * k, 11 * k, with_alpha(ink.tone(color, -0.5), 0.22)
            )
        if self.color_edge:
            # The curve runs inside its points: the grass follows just inside.
            mids = [
                [(x0 * 0.94 + xm * 0.06, y) for (x0, y), (xm, _) in zip(side, self.points, strict=True)]
                for side in (left, right)
            ]
            self._edges(ink, mids)

    def _edges(self, ink: Ink, sides: list[list[Point]]) -> None:
        blades = (skia.Path(), skia.Path())
        for line in sides:
            for (ax, ay), (bx, by) in itertools.pairwise(line):
                count = int(math.hypot(bx - ax, by - ay) / 7)
                for i in range(count):
                    f = (i + ink.dice.random()) / count
                    x, y = ax + (bx - ax) * f, ay + (by - ay) * f
                    k = ink.stage.scale_y(y)
                    a = -math.pi / 2 + ink.dice.uniform(-0.7, 0.7)
                    leaf(
                        blades[i % 2],
                        x + ink.dice.uniform(-9, 9) * k,
                        y + 3 * k,
                        a,
                        ink.dice.uniform(7, 19) * k,
                        2.2 * k,
                        3 * k,
                    )
        base = ink.tone(self.color_edge)
        for path, shift in zip(blades, (-0.3, 0.15), strict=True):
            color = ink.tone(base, shift)
            ink.detail(path, mix(color, ink.white(), 0.7) if ink.snow else color)


class Grass(Brush):
    """Tall grass and flowers at the frame's edge."""

    brush: Literal["grass"]
    segment: ClassVar[str] = "plant"
    x0: float
    x1: float
    y: float
    size: float = Field(60, gt=3)
    count: int = Field(50, ge=1, le=400)
    color: str = "#5f9a4a"
    colors_flower: list[str] = Field(default_factory=list)

    def paint(self, ink: Ink) -> None:
        ink = ink.standing(self.y)
        base = ink.tone(self.color)
        paths = (skia.Path(), skia.Path(), skia.Path())
        heads: list[tuple[float, float, float]] = []
        for i in range(self.count):
            x = ink.dice.uniform(self.x0, self.x1)
            long, a = self.size * ink.dice.uniform(0.5, 1.1), -math.pi / 2 + ink.dice.uniform(-0.4, 0.4)
            leaf(paths[i % 3], x, self.y + ink.dice.uniform(0, 6), a, long, self.size * 0.05, long * 0.12)
            if ink.dice.random() < 0.3:
                heads.append(
                    (
                        x + math.cos(a) * long * 0.9,
                        self.y + math.sin(a) * long * 0.86,
                        self.size * ink.dice.uniform(0.045, 0.08),
                    )
                )
        for path, shift in zip(paths, (-0.55, -0.1, 0.3), strict=True):
            color = ink.tone(base, shift)
            ink.fill(path, mix(color, ink.white(), 0.55) if ink.snow else color, outline=shift == -0.1)
        if self.colors_flower and not ink.snow:
            for k, ref in enumerate(self.colors_flower):
                some = heads[k :: len(self.colors_flower)]
                petals = [
                    (x + math.cos(a) * r, y + math.sin(a) * r, r * 0.8)
                    for x, y, r in some
                    for a in (0, 1.26, 2.51, 3.77, 5.03)
                ]
                ink.detail(circles(petals), ink.tone(ref, 0.1))
                ink.detail(circles([(x, y, r * 0.6) for x, y, r in some]), ink.tone("#f2c84a"))


class SnowLine(Brush):
    """Snow that lies along an edge: a sill, a wall, a branch."""

    brush: Literal["snow_line"]
    segment: ClassVar[str] = "snow"
    points: list[tuple[float, float]] = Field(min_length=2, max_length=20)
    thick: float = Field(8, gt=0)

    def paint(self, ink: Ink) -> None:
        if not ink.snow:
            return
        path = skia.Path()
        for (ax, ay), (bx, by) in zip(self.points, self.points[1:], strict=False):
            lens(path, ax, ay, bx - ax, self.thick * 0.4, self.thick)
            path.addPath(
                circles([(ax + (bx - ax) * i / 8, ay + (by - ay) * i / 8, self.thick * 0.6) for i in range(9)])
            )
        ink.fill(path, ink.white(), outline=False)
