"""A whole town on a hillside, its windows, its lamps."""

from __future__ import annotations

import itertools
import math
from random import Random
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import LinearGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.ink import Ink
from tools.layout.places.mood import rgba
from tools.layout.places.shapes import blob, circles, ellipse, poly

__all__ = ["HillsideTown", "Lamps", "WaterLights", "Windows", "box"]


def box(path: skia.Path, x: float, y: float, w: float, h: float) -> None:
    """Add a rectangle to a path."""
    path.addRect(skia.Rect.MakeXYWH(x, y, w, h))


class Windows:
    """Collects the windows of many houses, so that a whole town costs a handful of items."""

    def __init__(self) -> None:
        self.lit, self.dark, self.shutter, self.frame, self.sill = (skia.Path() for _ in range(5))
        self.halos: list[tuple[float, float, float]] = []

    def add(self, ink: Ink, x: float, y: float, w: float, h: float, *, lit: float) -> None:
        """A window with its shutters, lit by chance `lit`."""
        on = ink.dice.random() < lit
        box(self.frame, x - w * 0.12, y - w * 0.12, w * 1.24, h + w * 0.24)
        box(self.lit if on else self.dark, x, y, w, h)
        box(self.shutter, x - w * 0.62, y, w * 0.46, h)
        box(self.shutter, x + w * 1.16, y, w * 0.46, h)
        box(self.sill, x - w * 0.25, y + h, w * 1.5, max(0.8, h * 0.1))
        if on:
            self.halos.append((x + w / 2, y + h / 2, max(w, h)))

    def paint(self, ink: Ink, shutter: str = "#5a7f6c") -> None:
        """Add them all."""
        glow = ink.light.glow
        pane = ink.mood.grade(rgba(ink.mood.time.sky[2][1]))
        ink.detail(self.frame, ink.tone("#f2e6d2", -0.15))
        ink.detail(self.dark, mix(ink.tone("#3d4763"), ink.hazed(pane), 0.2))
        ink.detail(self.shutter, ink.tone(shutter, -0.1))
        ink.detail(self.sill, ink.tone("#e9dcc6", 0.15))
        ink.detail(self.lit, mix(ink.tone("#4a5470"), ink.mood.lamp, min(1.0, 0.1 + glow * 1.25)))
        if glow > 0.25 and self.halos:
            large = max(r for _, _, r in self.halos) > 11
            for x, y, r in self.halos if large else []:
                ink.glow(x, y, r * 1.9, r * 1.9, with_alpha(ink.mood.lamp, 0.3 * glow))
            if not large:
                # Far houses: a flat halo of a few pixels looks just as soft, and a hundred of them are one item.
                ink.detail(circles([(x, y, r * 1.3) for x, y, r in self.halos]), with_alpha(ink.mood.lamp, 0.16 * glow))


class HillsideTown(Brush):
    """Houses stacked up a hill, roof above roof: walls in the sun's colours, windows lit at night."""

    brush: Literal["hillside_town"]
    segment: ClassVar[str] = "building"
    crest: list[tuple[float, float]] = Field(min_length=2, max_length=30, description="the hill's line, left to right")
    foot: float
    house: float = Field(34, gt=4, le=200, description="width of a house")
    rows: int = Field(8, ge=1, le=20)
    colors: list[str] = Field(min_length=2, max_length=12)
    color_roof: str = "#c8674a"
    tower: float | None = Field(None, description="world x of a bell tower")
    lit: float = Field(0.45, ge=0, le=1)

    def paint(self, ink: Ink) -> None:
        x0, x1 = self.crest[0][0], self.crest[-1][0]
        windows = Windows()
        if self.tower is not None:
            self._tower(ink, self.tower, self._crest_y(self.tower) + self.house * 0.8)
        for row in range(self.rows):
            f = (row + 1) / self.rows
            x = x0 + ink.dice.uniform(-0.5, 0.5) * self.house
            while x < x1:
                w = self.house * ink.dice.uniform(0.68, 1.2)
                crest = self._crest_y(x + w / 2)
                base = crest + (self.foot - crest) * f + ink.dice.uniform(-3, 3)
                tall = self.house * ink.dice.uniform(0.95, 1.75) * (0.85 + 0.3 * f)
                room = self.foot - crest
                if room > tall * 0.55 and (row == self.rows - 1 or ink.dice.random() < 0.88):
                    self._house(ink, windows, x, base, w, min(tall, room + tall * 0.35), f)
                elif ink.dice.random() < 0.8:
                    self._tree(ink, x + w / 2, base, self.house * ink.dice.uniform(0.4, 0.7))
                x += w * ink.dice.uniform(0.84, 1.02)
            windows.paint(ink)
            windows = Windows()

    def _crest_y(self, x: float) -> float:
        points = self.crest
        for (ax, ay), (bx, by) in itertools.pairwise(points):
            if x <= bx:
                f = max(0.0, (x - ax) / ((bx - ax) or 1.0))
                return ay + (by - ay) * f
        return points[-1][1]

    def _house(self, ink: Ink, windows: Windows, x: float, base: float, w: float, h: float, near: float) -> None:
        wall = ink.tone(ink.dice.choice(self.colors), ink.dice.uniform(-0.12, 0.1))
        side = 1 if ink.light.direction[0] > 0 else -1
        top = base - h
        body = skia.Path.Rect(skia.Rect.MakeXYWH(x, top, w, h + self.house * 0.5))
        lit_side, dark_side = ink.tone(wall, 0.3 * ink.light.strength), ink.tone(wall, -0.42)
        left, right = (dark_side, lit_side) if side > 0 else (lit_side, dark_side)
        ink.fill(body, LinearGradient((x, 0), (x + w, 0), ((0, left), (0.5, wall), (1, right))), outline=True)
        slant = self.house * 0.2
        over = w * 0.07
        roof_h = self.house * 0.26
        roof = poly(
            [
                (x - over, top + 1),
                (x + slant * 0.8, top - roof_h),
                (x + w - slant * 0.8, top - roof_h),
                (x + w + over, top + 1),
            ]
        )
        tile = ink.tone(self.color_roof, ink.dice.uniform(-0.15, 0.15))
        if ink.snow:
            tile = ink.white(-0.06)
        ink.fill(
            roof,
            LinearGradient(
                (0, top - roof_h), (0, top), ((0, ink.tone(tile, 0.3 * ink.light.strength)), (1, ink.tone(tile, -0.25)))
            ),
            outline=True,
        )
        eave = skia.Path()
        box(eave, x - over * 0.4, top + 0.5, w + over * 0.8, max(1.2, h * 0.06))
        ink.detail(eave, with_alpha(ink.tone(wall, -1.0), 0.45))
        count = max(1, int(w / (self.house * 0.42)))
        floors = max(1, int(h / (self.house * 0.62)))
        ww, wh = self.house * 0.105, self.house * 0.2
        for row in range(floors):
            for col in range(count):
                if ink.dice.random() < 0.12:
                    continue
                wx = x + w * (col + 0.5) / count - ww / 2
                wy = top + h * (row + 0.38) / floors - wh / 2 + 2
                windows.add(ink, wx, wy, ww, wh, lit=self.lit * (0.7 + 0.3 * near))

    def _tree(self, ink: Ink, x: float, base: float, r: float) -> None:
        shape = blob(x, base - r * 0.7, r * 0.9, r, ink.dice, points=7)
        ink.solid(shape, "#5d8a56", form=0.6, outline=False, segment="plant")
        if ink.snow:
            ink.detail(blob(x, base - r * 1.2, r * 0.65, r * 0.4, Random(f"{x:.0f}"), points=7), ink.white())

    def _tower(self, ink: Ink, x: float, base: float) -> None:
        w, h = self.house * 0.62, self.house * 2.9
        shaft = skia.Path.Rect(skia.Rect.MakeXYWH(x - w / 2, base - h, w, h))
        ink.solid(shaft, self.colors[0], form=0.5)
        ledge = skia.Path()
        for f in (0.0, 0.3):
            box(ledge, x - w * 0.6, base - h + h * f - 2, w * 1.2, self.house * 0.08)
        ink.detail(ledge, ink.tone(self.colors[0], -0.35))
        arch = skia.Path()
        box(arch, x - w * 0.17, base - h * 0.88, w * 0.34, h * 0.13)
        arch.addCircle(x, base - h * 0.88, w * 0.17)
        ink.detail(arch, mix(ink.tone("#3a3550"), ink.mood.lamp, 0.8 * ink.light.glow))
        cap = poly([(x - w * 0.62, base - h), (x, base - h - self.house * 0.95), (x + w * 0.62, base - h)])
        ink.solid(cap, "#f7f8ff" if ink.snow else self.color_roof, form=0.6)


class Lamps(Brush):
    """The glow of lamps at these spots, when it is dark enough."""

    brush: Literal["lamp_glow"]
    segment: ClassVar[str] = "light"
    spots: list[tuple[float, float, float]] = Field(min_length=1, description="x, y, radius")
    flicker: float = Field(0.0, ge=0, le=1)

    def paint(self, ink: Ink) -> None:
        power = ink.light.glow
        if power < 0.1:
            return
        for i, (x, y, r) in enumerate(self.spots):
            wave = 1.0 + self.flicker * 0.3 * (math.sin(ink.t * 9.1 + i * 2) + math.sin(ink.t * 5.7 + i)) / 2
            lamp = ink.mood.lamp
            ink.glow(x, y, r * wave, r * wave, with_alpha(lamp, 0.42 * power * wave), core=0.03)
            ink.glow(x, y, r * 0.25, r * 0.25, with_alpha(mix(lamp, (1, 1, 1, 1), 0.5), 0.8 * power), core=0.1)


class WaterLights(Brush):
    """Wavering reflections of lit windows under a waterside town."""

    brush: Literal["water_lights"]
    segment: ClassVar[str] = "sea"
    x0: float
    x1: float
    y: float
    length: float = 46
    count: int = Field(24, ge=0, le=120)

    def paint(self, ink: Ink) -> None:
        power = ink.light.glow
        if power < 0.3:
            return
        path = skia.Path()
        for i in range(self.count):
            x = ink.dice.uniform(self.x0, self.x1)
            for k in range(4):
                f = (k + ink.dice.random()) / 4
                w = (3 + 7 * f) * (0.7 + 0.3 * math.sin(ink.t * 2 + i + k))
                path.addPath(
                    ellipse(x + 2.5 * math.sin(ink.t * 1.3 + k * 2 + i), self.y + f * self.length, w, 0.8 + 0.7 * f)
                )
        ink.detail(path, with_alpha(ink.mood.lamp, 0.5 * power))
