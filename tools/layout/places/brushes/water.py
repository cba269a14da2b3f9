"""The sea: its colours, ripples, the sun's path on it, foam at the shore."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import LinearGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush, Curve
from tools.layout.places.ink import EAST, WEST, Ink
from tools.layout.places.mood import rgba
from tools.layout.places.shapes import circles, lens, poly

__all__ = ["Foam", "Glints", "Jet", "Sea"]


class Sea(Brush):
    """Open water from the horizon down to `bottom`."""

    brush: Literal["sea"]
    segment: ClassVar[str] = "sea"
    bottom: float = 560
    colors: list[str] = Field(min_length=2, max_length=8, description="from the horizon to the shore")
    shore: float = Field(490, description="world y where the last colour is reached")
    ripples: int = Field(110, ge=0, le=400)

    def paint(self, ink: Ink) -> None:
        top = ink.stage.horizon
        last = len(self.colors) - 1
        stops = tuple((i / last, self._far(ink, ink.tone(c), i / last)) for i, c in enumerate(self.colors))
        area = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, top, EAST, self.bottom))
        ramp = (1.0, ink.stage.item_depth(self.bottom))
        ink.fill(area, LinearGradient((0, top), (0, self.shore), stops), outline=True, depth=ramp)
        sx, _ = ink.stage.sun[ink.mood.time_of_day]
        sun = ink.mood.sky_weather.sun
        glow = ink.mood.grade(rgba(ink.mood.time.sun.glow))
        if sun > 0:
            ink.glow(sx, top + 6, 520, 60, with_alpha(glow, 0.5 * sun))
            ink.glow(sx, top + 70, 170, 150, with_alpha(glow, 0.3 * sun))
        line = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, top - 0.5, EAST, top + 1.2))
        ink.detail(line, with_alpha(mix(ink.mood.haze, (1, 1, 1, 1), 0.4), 0.5))
        self._ripples(ink, top)

    def _far(self, ink: Ink, color: tuple[float, float, float, float], f: float) -> tuple[float, float, float, float]:
        return mix(color, ink.mood.haze, ink.mood.sky_weather.haze * (1 - f) ** 1.5)

    def _ripples(self, ink: Ink, top: float) -> None:
        pale = ink.mood.grade(mix(rgba(ink.mood.time.sky[-1][1]), (1, 1, 1, 1), 0.2))
        deep = ink.tone(ink.tone(self.colors[max(0, len(self.colors) - 3)]), -0.7)
        bands = 5
        for band in range(bands):
            f = (band + 0.5) / bands
            y0, y1 = (
                top + (self.shore - top) * (band / bands) ** 1.5,
                top + (self.shore - top) * ((band + 1) / bands) ** 1.5,
            )
            for color, alpha in ((pale, 0.34), (deep, 0.3)):
                path = skia.Path()
                for _ in range(self.ripples // (2 * bands)):
                    x, y = ink.dice.uniform(-320, 1600), ink.dice.uniform(y0 + 3, y1)
                    lens(
                        path, x, y, ink.dice.uniform(28, 120) * (0.35 + f), 1 + 5 * f * ink.dice.random(), 0.8 + 2.4 * f
                    )
                ink.detail(path, with_alpha(color, alpha * (0.5 + 0.5 * f)))


class Glints(Brush):
    """The broken path of sun or moon on the water; it sparkles."""

    brush: Literal["glints"]
    segment: ClassVar[str] = "sea"
    bottom: float = 480
    spread: float = 170
    count: int = Field(64, ge=0, le=300)

    def paint(self, ink: Ink) -> None:
        left = ink.mood.sky_weather.sun
        sx, _ = ink.stage.sun[ink.mood.time_of_day]
        top = ink.stage.horizon + 6
        color = rgba(ink.mood.time.sun.disc)
        low = skia.Path()
        high = skia.Path()
        for i in range(self.count if left > 0.15 else 0):
            f = ink.dice.random() ** 1.3
            y = top + (self.bottom - top) * f
            x = sx + ink.dice.gauss(0, 1) * self.spread * (0.3 + 0.55 * f)
            phase, rate = ink.dice.uniform(0, 6.28), ink.dice.uniform(1.0, 2.6)
            blink = 0.5 + 0.5 * math.sin(ink.t * rate + phase)
            w = (10 + 44 * f) * (0.35 + 0.65 * blink)
            lens(
                low if i % 2 else high,
                x - w / 2,
                y + math.sin(ink.t * 0.8 + phase) * 1.5,
                w,
                0.6 + f,
                1.0 + 3.2 * f * blink,
            )
        if left > 0.15:
            ink.detail(low, with_alpha(color, 0.45 * left))
            ink.detail(high, with_alpha(color, 0.85 * left))
        if ink.wet:
            self._drops(ink, top)

    def _drops(self, ink: Ink, top: float) -> None:
        rings = skia.Path()
        for _ in range(26):
            f = ink.dice.random()
            x, y = ink.dice.uniform(-100, 1380), top + 30 + (self.bottom - top - 30) * f
            age = (ink.t * 1.4 + ink.dice.random()) % 1.0
            r = 2 + age * (6 + 12 * f)
            rings.addOval(skia.Rect.MakeLTRB(x - r, y - r * 0.3, x + r, y + r * 0.3))
        ink.line(rings, (1, 1, 1, 0.28), 1.0)


class Foam(Brush):
    """The edge of the water on the sand: it comes and goes, with foam and lines of small waves behind it."""

    brush: Literal["foam"]
    segment: ClassVar[str] = "sea"
    edge: Curve
    color_water: str
    lines: int = Field(3, ge=0, le=8)
    reach: float = Field(7, description="how far it runs up and back, in units")

    def paint(self, ink: Ink) -> None:
        swash = self.reach * math.sin(ink.t * 1.1)
        points = [
            (x, y + swash + 2.2 * math.sin(x * 0.021 + ink.t * 1.3) + 1.2 * math.sin(x * 0.057 - ink.t))
            for x, y in self.edge.points(WEST, EAST, step=18)
        ]
        white = ink.white(0.15)
        water = ink.tone(self.color_water)
        # Thin water over the sand, then the lip of foam: thick where the wave turns.
        back = [(x, y - 26) for x, y in points]
        clear = LinearGradient(
            (0, self.edge.y - 34), (0, self.edge.y + 8), ((0.0, with_alpha(water, 0)), (1.0, with_alpha(water, 0.85)))
        )
        ink.fill(poly(points + back[::-1]), clear, effect=True)
        lip = [(x, y + 3 + 4.2 * (0.5 + 0.5 * math.sin(x * 0.0115 + 0.6 * math.sin(ink.t * 0.5)))) for x, y in points]
        ink.detail(poly(points + [(x, y + 7) for x, y in lip[::-1]]), with_alpha(ink.tone("#6b5040"), 0.12))
        under = [(x, y - 3 - 2.5 * math.sin(x * 0.031 + ink.t * 0.7)) for x, y in points]
        ink.detail(poly(lip + under[::-1]), white)
        for k in range(self.lines):
            self._line(ink, k, white)

    def _line(self, ink: Ink, k: int, white: tuple[float, float, float, float]) -> None:
        lift = 15 + 17 * k
        thin = max(0.9, 2.6 - 0.5 * k)
        sway = 4 * math.sin(ink.t * 0.9 - k)
        upper = [
            (x, y + sway + 4 * math.sin(x * 0.013 + k * 2 + ink.t * 0.4))
            for x, y in self.edge.points(WEST, EAST, lift=lift, step=26)
        ]
        width = [thin * max(0.1, math.sin(x * 0.0069 + 2.1 * k + 0.2 * ink.t)) for x, _ in upper]
        band = upper + [(x, y + w) for (x, y), w in zip(upper[::-1], width[::-1], strict=True)]
        ink.detail(poly(band), with_alpha(white, 0.75 - 0.14 * k))
        spots = []
        for _ in range(16):
            i = ink.dice.randrange(8, len(upper) - 8)
            x, y = upper[i]
            spots.append((x + ink.dice.uniform(-12, 12), y + ink.dice.uniform(-7, 9), ink.dice.uniform(0.8, 2.6)))
        ink.detail(circles(spots), with_alpha(white, 0.6))


class Jet(Brush):
    """The water of a fountain: it rises from (x, y), and falls `fall` units in threads `spread` wide."""

    brush: Literal["jet"]
    segment: ClassVar[str] = "water"
    x: float
    y: float
    spread: float = Field(60, gt=1)
    fall: float = Field(100, gt=1)
    rise: float = 26
    color: str = "#d9f2f7"

    def paint(self, ink: Ink) -> None:
        color = ink.tone(self.color, 0.2)
        threads, drops = skia.Path(), []
        for i in range(12):
            side = (i + 0.5) / 6 - 1
            reach = side * self.spread * (0.75 + 0.25 * math.sin(ink.t * 3 + i * 2.1))
            w = 1.1 + 1.2 * ink.dice.random()
            top = self.y - self.rise * (1 - 0.3 * abs(side))
            threads.moveTo(self.x - w / 2, self.y)
            threads.cubicTo(
                self.x + reach * 0.3, top - 6, self.x + reach * 0.9, top, self.x + reach, self.y + self.fall
            )
            threads.cubicTo(
                self.x + reach * 0.9 - w, top + 2, self.x + reach * 0.3 - w, top - 3, self.x - w / 2, self.y
            )
            threads.close()
            for k in range(4):
                f = (ink.t * 0.9 + ink.dice.random() + k / 4) % 1.0
                # On the thread's own parabola, so that drops run along it.
                drops.append(
                    (self.x + reach * f, self.y - 4 * self.rise * f * (1 - f) * 0.6 + self.fall * f * f, 1.0 + 1.4 * f)
                )
        ink.detail(threads, with_alpha(color, 0.55))
        ink.detail(circles(drops), with_alpha(ink.white(0.2), 0.85))
        foam = [
            (
                self.x + ink.dice.uniform(-1, 1) * self.spread,
                self.y + self.fall + ink.dice.uniform(-3, 3),
                2 + 2 * math.sin(ink.t * 4 + j) ** 2,
            )
            for j in range(12)
        ]
        ink.detail(circles(foam), with_alpha(ink.white(), 0.5))
