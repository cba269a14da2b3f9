"""Far hills, mountains and the trees on them."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import Color, LinearGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.ink import Ink
from tools.layout.places.shapes import Point, circles, leaf, poly, smooth

__all__ = ["Cypresses", "Hill", "Peaks"]


class Hill(Brush):
    """A far hill or headland through the given crest points."""

    brush: Literal["hill"]
    segment: ClassVar[str] = "hill"
    crest: list[tuple[float, float]] = Field(min_length=3, max_length=40)
    foot: float
    color: str
    color_foot: str = ""
    rim: float = Field(0.0, ge=0, le=10)
    bushes: int = Field(0, ge=0, le=200)

    def paint(self, ink: Ink) -> None:
        line: list[Point] = list(self.crest)
        path = smooth([line[0], *line, line[-1]], close=False)
        path.lineTo(line[-1][0], self.foot)
        path.lineTo(line[0][0], self.foot)
        path.close()
        top = min(y for _, y in line)
        color = ink.tone(self.color)
        if ink.snow:
            color = mix(color, ink.white(-0.1), 0.6)
        low = ink.tone(self.color_foot) if self.color_foot else mix(color, ink.mood.haze, 0.35)
        gradient = LinearGradient((0, top), (0, self.foot), ((0, color), (1, low)))
        ink.fill(path, gradient, outline=True)
        if self.bushes:
            self._bushes(ink, path, color)
        if self.rim:
            ink.crescent(path, with_alpha(ink.hazed(ink.light.rim), 0.55 * ink.light.strength), self.rim)

    def _bushes(self, ink: Ink, path: skia.Path, color: Color) -> None:
        bounds = path.getBounds()
        dark, pale = [], []
        for _ in range(self.bushes):
            x = ink.dice.uniform(bounds.left(), bounds.right())
            y = ink.dice.uniform(bounds.top(), self.foot)
            r = ink.dice.uniform(4, 13)
            dark.append((x, y, r))
            pale.append((x + ink.light.direction[0] * r * 0.3, y - r * 0.3, r * 0.62))
        ink.detail(circles(dark), with_alpha(ink.tone(color, -0.5), 0.45), clip=path)
        ink.detail(circles(pale), with_alpha(ink.tone(color, 0.3), 0.35), clip=path)


class Peaks(Brush):
    """Far mountains: sharp ridges, a lit and a shaded flank, snow on their heads."""

    brush: Literal["peaks"]
    segment: ClassVar[str] = "hill"
    crest: list[tuple[float, float]] = Field(
        min_length=3, max_length=40, description="valley, summit, valley, summit ..."
    )
    foot: float
    color: str
    snow_line: float = Field(0.3, ge=0, le=1, description="share of a mountain that is white")

    def paint(self, ink: Ink) -> None:
        color = ink.tone(self.color)
        top = min(y for _, y in self.crest)
        body = poly([*self.crest, (self.crest[-1][0], self.foot), (self.crest[0][0], self.foot)])
        low = mix(color, ink.mood.haze, 0.55)
        ink.fill(body, LinearGradient((0, top), (0, self.foot), ((0, color), (1, low))), outline=True)
        sign = 1 if ink.light.direction[0] > 0 else -1
        bright, white = skia.Path(), skia.Path()
        share = 0.75 if ink.snow else self.snow_line
        for (ax, ay), (px, py), (bx, by) in zip(self.crest, self.crest[1:], self.crest[2:], strict=False):
            if not (py < ay and py < by):
                continue
            ex, ey = (bx, by) if sign > 0 else (ax, ay)
            bend = (px - sign * 12, py + (self.foot - py) * 0.45)
            bright.addPath(poly([(px, py), (ex, ey), (ex, self.foot), (px + sign * 30, self.foot), bend]))
            cap = [(px, py)]
            steps = 6
            right = (px + (bx - px) * share, py + (by - py) * share)
            left = (px + (ax - px) * share, py + (ay - py) * share)
            cap.append(right)
            for i in range(1, steps):
                f = i / steps
                x = right[0] + (left[0] - right[0]) * f
                y = right[1] + (left[1] - right[1]) * f + (10 if i % 2 else -4) * share * 2
                cap.append((x, y))
            cap.append(left)
            white.addPath(poly(cap))
        ink.detail(white, with_alpha(mix(color, ink.white(0.1), 0.7), 0.9), clip=body)
        lit = ink.tone(color, 0.55 * ink.light.strength)
        ink.detail(
            bright,
            LinearGradient((0, top), (0, self.foot), ((0, with_alpha(lit, 0.5)), (1, with_alpha(lit, 0)))),
            clip=body,
        )


class Cypresses(Brush):
    """Slim dark trees on a slope."""

    brush: Literal["cypresses"]
    segment: ClassVar[str] = "plant"
    spots: list[tuple[float, float, float]] = Field(min_length=1, description="x, foot y, height")
    color: str = "#3f6b4d"

    def paint(self, ink: Ink) -> None:
        for x, y, h in self.spots:
            path = skia.Path()
            leaf(path, x, y, -math.pi / 2 + ink.dice.uniform(-0.03, 0.03), h, h * 0.24)
            ink.solid(path, self.color, form=0.7, outline=True)
            if ink.snow:
                ink.crescent(path, with_alpha(ink.white(), 0.8), h * 0.035)
