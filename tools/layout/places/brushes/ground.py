"""Floors outdoors: sand, and what lies on it."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import Color, LinearGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush, Curve
from tools.layout.places.ink import EAST, SOUTH, WEST, Ink
from tools.layout.places.mood import rgba
from tools.layout.places.shapes import Point, below, blob, circles, ellipse, lens, poly
from tools.layout.places.stage import NEAREST_Y

__all__ = ["Dune", "Footprints", "PuddleRings", "Puddles", "Sand", "Shade", "lay_floor"]


def lay_floor(
    ink: Ink, line: list[Point], stops: tuple[tuple[float, Color], ...], *, segment: str = "ground"
) -> skia.Path:
    """Add a floor from the line `line` down to the south end: a ramp of depth as far as the frame goes, flat below it.

    Returns its whole shape, for what is painted on it.
    """
    top = min(y for _, y in line)
    depths = (ink.stage.item_depth(top), 0.0)
    middle = stops[len(stops) // 2][1]
    ink.fill(below(line, NEAREST_Y), middle, outline=True, depth=depths, segment=segment)
    apron = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, NEAREST_Y - 2, EAST, SOUTH))
    ink.fill(apron, middle, depth=0.0, segment=segment)
    whole = below(line, SOUTH)
    ink.detail(whole, LinearGradient((0, top), (0, 740), stops))
    return whole


class Sand(Brush):
    """A beach: warm gradient, wet at the water, ripples, grains; under snow white."""

    brush: Literal["sand"]
    segment: ClassVar[str] = "ground"
    edge: Curve
    colors: list[str] = Field(min_length=2, max_length=6, description="from the water to the viewer")
    color_wet: str

    def paint(self, ink: Ink) -> None:
        line = self.edge.points(WEST, EAST, lift=10)
        tones = [ink.tone(c) for c in self.colors]
        if ink.snow:
            tones = [mix(t, ink.white(0.05), 0.62 + 0.28 * i / (len(tones) - 1)) for i, t in enumerate(tones)]
        if ink.wet:
            tones = [ink.tone(t, -0.35) for t in tones]
        last = len(tones) - 1
        lay_floor(ink, line, tuple((i / last, t) for i, t in enumerate(tones)))
        wet = ink.tone(self.color_wet)
        strip = poly(line + [(x, y + 24) for x, y in self.edge.points(WEST, EAST, lift=-12)][::-1])
        ink.detail(
            strip, LinearGradient((0, self.edge.y - 10), (0, self.edge.y + 46), ((0, wet), (1, with_alpha(wet, 0.0))))
        )
        self._shine(ink)
        self._ripples(ink, tones)

    def _shine(self, ink: Ink) -> None:
        sx, _ = ink.stage.sun[ink.mood.time_of_day]
        sun = ink.mood.sky_weather.sun
        sky = ink.mood.grade(rgba(ink.mood.time.sky[-1][1]))
        ink.glow(sx, self.edge.y + 26, 430, 20, with_alpha(sky, 0.3 + 0.3 * sun))
        if sun > 0.2:
            ink.glow(560, 610, 620, 90, with_alpha(ink.light.key, 0.3 * ink.light.strength * sun))

    def _ripples(self, ink: Ink, tones: list[Color]) -> None:
        dark, pale = ink.tone(tones[-1], -0.55), ink.tone(tones[0], 0.5)
        for _ in range(9):
            x, y = ink.dice.uniform(-200, 1480), ink.dice.uniform(self.edge.y + 60, 730)
            k = ink.stage.scale_y(y)
            ink.glow(x, y, ink.dice.uniform(120, 300) * k, ink.dice.uniform(7, 15) * k, with_alpha(dark, 0.3))
        for color, alpha, lift in ((dark, 0.2, 0.0), (pale, 0.25, 3.0)):
            path = skia.Path()
            dice = ink.dice
            for _ in range(30):
                y = self.edge.y + 45 + (300 * dice.random() ** 1.4)
                k = ink.stage.scale_y(y)
                lens(
                    path, dice.uniform(-500, 1700), y + lift, dice.uniform(60, 210) * k, dice.uniform(1, 5) * k, 2.6 * k
                )
            ink.detail(path, with_alpha(color, alpha))
        for color, alpha in ((dark, 0.45), (pale, 0.5)):
            grains = []
            for _ in range(150):
                y = self.edge.y + 40 + (380 * ink.dice.random() ** 1.2)
                grains.append((ink.dice.uniform(-500, 1780), y, ink.dice.uniform(0.5, 1.5) * ink.stage.scale_y(y)))
            ink.detail(circles(grains), with_alpha(color, alpha))


class Dune(Brush):
    """A soft swelling of the ground: a lit crest and a shade that fades below it."""

    brush: Literal["dune"]
    segment: ClassVar[str] = "ground"
    edge: Curve
    color: str
    height: float = 46
    x0: float = WEST
    x1: float = EAST

    def paint(self, ink: Ink) -> None:
        line = self.edge.points(self.x0, self.x1)
        span = self.x1 - self.x0
        line = [
            (x, y + (0 if span > 2000 else self.height * (1 - math.sin(math.pi * (x - self.x0) / span)) ** 2))
            for x, y in line
        ]
        color = mix(ink.tone(self.color), ink.white(), 0.75) if ink.snow else ink.tone(self.color)
        fill = LinearGradient(
            (0, self.edge.y - 6), (0, self.edge.y + self.height), ((0, color), (1, with_alpha(color, 0)))
        )
        ink.detail(below(line, self.edge.y + self.height), fill)
        crest = line + [(x, y + 3.0) for x, y in line[::-1]]
        ink.detail(poly(crest), with_alpha(ink.tone(color, 0.6), 0.4))


_SOLE = (
    (0.0, 0.0, 0.5, 0.3),
    (0.06, -0.5, 0.62, 0.36),
    (-0.42, -0.98, 0.2, 0.13),
    (-0.02, -1.04, 0.14, 0.1),
    (0.34, -0.96, 0.12, 0.09),
)
"""A bare right foot as ellipses (x, y, half width, half height): heel, ball, toes."""


class Footprints(Brush):
    """A track that walks off."""

    brush: Literal["footprints"]
    segment: ClassVar[str] = "ground"
    points: list[tuple[float, float]] = Field(min_length=2, max_length=12, description="where the track leads")
    steps: int = Field(9, ge=2, le=40)
    color: str

    def paint(self, ink: Ink) -> None:
        color = ink.tone(self.color)
        dark, pale = skia.Path(), skia.Path()
        legs = len(self.points) - 1
        for i in range(self.steps):
            f = i / (self.steps - 1) * legs
            k = min(int(f), legs - 1)
            (ax, ay), (bx, by) = self.points[k], self.points[k + 1]
            x, y = ax + (bx - ax) * (f - k), ay + (by - ay) * (f - k)
            s = ink.stage.scale_y(y) * 8.0
            side = 1 if i % 2 else -1
            x += side * s * 1.15
            for path, lift in ((pale, 1.6), (dark, 0.0)):
                for dx, dy, rx, ry in _SOLE:
                    path.addPath(ellipse(x + side * dx * s, y + dy * s + lift, rx * s, ry * s))
        ink.detail(pale, with_alpha(ink.tone(color, 0.7), 0.5))
        ink.detail(dark, with_alpha(ink.tone(color, -0.8), 0.42))


class Puddles(Brush):
    """Pools after rain, that mirror the sky; only there when it rains."""

    brush: Literal["puddles"]
    segment: ClassVar[str] = "water"
    count: int = Field(6, ge=0, le=30)
    top: float = 520
    bottom: float = 715
    spots: list[tuple[float, float, float]] = Field(
        default_factory=list, description="x, y, half width; else by chance"
    )

    def paint(self, ink: Ink) -> None:
        if not ink.wet:
            return
        spots = self.spots or [
            (
                ink.dice.uniform(-60, 1340),
                self.top + (self.bottom - self.top) * (i + 0.5) / self.count,
                ink.dice.uniform(50, 120),
            )
            for i in range(self.count)
        ]
        sky = [ink.mood.grade(rgba(c)) for _, c in ink.mood.time.sky]
        for x, y, half in spots:
            k = ink.stage.scale_y(y)
            path = blob(x, y, half * k, half * 0.17 * k, ink.dice, rough=0.2)
            path.addPath(
                blob(x + half * 0.7 * k, y + half * 0.07 * k, half * 0.5 * k, half * 0.08 * k, ink.dice, rough=0.2)
            )
            path.addPath(
                blob(x - half * 0.8 * k, y - half * 0.06 * k, half * 0.4 * k, half * 0.06 * k, ink.dice, rough=0.2)
            )
            ink.glow(x, y, half * 1.5 * k, half * 0.3 * k, with_alpha(ink.tone("#20242f"), 0.25))
            box = path.getBounds()
            fill = LinearGradient(
                (0, box.top()), (0, box.bottom()), ((0, with_alpha(sky[-1], 0.7)), (1, with_alpha(sky[1], 0.5)))
            )
            ink.detail(path, fill)
            if ink.light.glow > 0.3:
                ink.glow(x, y, half * 0.5 * k, half * 0.1 * k, with_alpha(ink.mood.lamp, 0.35 * ink.light.glow))
            shine = skia.Path()
            lens(shine, x - half * 0.5 * k, y - half * 0.05 * k, half * 0.8 * k, 1.5, 2.0 * k)
            ink.detail(shine, (1, 1, 1, 0.35))


class PuddleRings(Brush):
    """Rings of the drops on wet ground, while it rains."""

    brush: Literal["drop_rings"]
    segment: ClassVar[str] = "water"
    top: float = 520
    bottom: float = 720
    count: int = Field(26, ge=0, le=120)

    def paint(self, ink: Ink) -> None:
        if not ink.wet:
            return
        rings = skia.Path()
        for _ in range(self.count):
            y = ink.dice.uniform(self.top, self.bottom)
            x, age = ink.dice.uniform(-120, 1400), (ink.t * ink.dice.uniform(1.1, 1.7) + ink.dice.random()) % 1.0
            r = (2 + age * 15) * ink.stage.scale_y(y)
            rings.addPath(ellipse(x, y, r, r * 0.3))
        ink.line(rings, (1, 1, 1, 0.24), 1.1)


class Shade(Brush):
    """A cast shadow on floor or wall, drawn by hand: it is there when the sun is."""

    brush: Literal["shade"]
    segment: ClassVar[str] = "ground"
    points: list[tuple[float, float]] = Field(min_length=3, max_length=20)
    soft: float = Field(6, ge=0, le=40)
    power: float = Field(0.8, ge=0, le=1)

    def paint(self, ink: Ink) -> None:
        left = ink.mood.sky_weather.sun * ink.light.strength
        if left < 0.1:
            return
        s = ink.light.shadow
        color = with_alpha(s, s[3] * self.power * left)
        ink.fill(poly(self.points), color, effect=True, blur=self.soft)
