"""What is in the air: beams, motes, steam, flames."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import LinearGradient
from tools.layout.light import with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.ink import Ink
from tools.layout.places.mood import rgba
from tools.layout.places.shapes import leaf, poly

__all__ = ["Flame", "Motes", "Shafts", "Steam"]


class Shafts(Brush):
    """Slanting beams of light through leaves, water or dusty air."""

    brush: Literal["shafts"]
    segment: ClassVar[str] = "light"
    x0: float
    x1: float
    count: int = Field(6, ge=1, le=20)
    top: float = -120
    bottom: float = 620
    slant: float = Field(-180, description="how far a beam moves sideways from top to bottom")
    width: float = 70
    color: str
    power: float = Field(0.3, ge=0, le=1)
    sway: float = 0.0

    def paint(self, ink: Ink) -> None:
        left = ink.mood.sky_weather.sun if not self.sway else 0.4 + 0.6 * ink.mood.sky_weather.sun
        if left < 0.1:
            return
        color = ink.tone(self.color)
        for i in range(self.count):
            f = (i + ink.dice.uniform(0.2, 0.8)) / self.count
            x = self.x0 + (self.x1 - self.x0) * f
            w = self.width * ink.dice.uniform(0.5, 1.4)
            wave = 1 + 0.35 * math.sin(ink.t * 0.7 + i * 2.2) if self.sway else 1.0
            drift = self.sway * math.sin(ink.t * 0.35 + i)
            alpha = self.power * left * ink.dice.uniform(0.5, 1.0) * wave
            for wide in (1.0, 0.55):
                a, b = x - w * wide / 2 + drift, x + w * wide / 2 + drift
                spread = w * 0.5 * wide
                beam = poly(
                    [
                        (a, self.top),
                        (b, self.top),
                        (b + self.slant + spread, self.bottom),
                        (a + self.slant - spread, self.bottom),
                    ]
                )
                fill = LinearGradient(
                    (0, self.top),
                    (0, self.bottom),
                    (
                        (0, with_alpha(color, alpha * 0.55)),
                        (0.4, with_alpha(color, alpha * 0.4)),
                        (1, with_alpha(color, 0)),
                    ),
                )
                ink.detail(beam, fill)


class Motes(Brush):
    """What drifts in the air: pollen, dust, falling leaves, fireflies."""

    brush: Literal["motes"]
    segment: ClassVar[str] = "light"
    what: Literal["dust", "leaves", "fireflies"] = "dust"
    x0: float = 0
    x1: float = 1280
    y0: float = 120
    y1: float = 640
    count: int = Field(30, ge=1, le=120)
    size: float = Field(2.2, gt=0)
    color: str

    def paint(self, ink: Ink) -> None:
        color, path, halos = ink.tone(self.color), skia.Path(), []
        for i in range(self.count):
            x, y = ink.loose.uniform(self.x0, self.x1), ink.loose.uniform(self.y0, self.y1)
            p, q = ink.loose.uniform(0, 6.28), ink.loose.uniform(0.3, 0.9)
            if self.what == "leaves":
                span = self.y1 - self.y0
                y = self.y0 + (y - self.y0 + ink.t * (28 + 20 * q)) % span
                x += 34 * math.sin(ink.t * q * 2 + p)
                leaf(path, x, y, math.sin(ink.t * 2 * q + p) * 1.2, self.size * 4, self.size * 1.4)
                continue
            x += 26 * math.sin(ink.t * q + p) + 8 * math.sin(ink.t * 1.3 + i)
            y += 18 * math.cos(ink.t * q * 0.8 + p)
            beat = 0.5 + 0.5 * math.sin(ink.t * (1 + q) + p)
            r = self.size * (0.5 + 0.7 * beat)
            path.addCircle(x, y, r)
            if self.what == "fireflies" and i % 2 == 0:
                halos.append((x, y, r * 7 * beat))
        for x, y, r in halos:
            ink.glow(x, y, r, r, with_alpha(color, 0.5))
        left = ink.mood.sky_weather.sun if self.what == "dust" else 1.0
        if self.what == "fireflies":
            # Fireflies shine by themselves, whatever the light.
            color = rgba(self.color) if self.color.startswith("#") else color
        ink.detail(path, with_alpha(color, (0.9 if self.what != "dust" else 0.55) * left))


class Steam(Brush):
    """Steam or smoke that curls up and thins out."""

    brush: Literal["steam"]
    segment: ClassVar[str] = "weather"
    x: float
    y: float
    rise: float = Field(120, gt=5)
    width: float = Field(16, gt=1)
    power: float = Field(0.35, ge=0, le=1)
    color: str = "#ffffff"

    def paint(self, ink: Ink) -> None:
        color = ink.tone(self.color)
        for i in range(7):
            f = (ink.t * 0.28 + i / 7) % 1.0
            x = self.x + self.width * (0.3 + f) * math.sin(ink.t * 0.9 + f * 5 + i)
            r = self.width * (0.5 + 1.3 * f)
            ink.glow(
                x,
                self.y - self.rise * f,
                r,
                r * 1.25,
                with_alpha(color, self.power * math.sin(math.pi * min(1.0, f + 0.08))),
            )


class Flame(Brush):
    """Small flames of a stove, a candle, a hearth."""

    brush: Literal["flame"]
    segment: ClassVar[str] = "light"
    spots: list[tuple[float, float, float]] = Field(min_length=1, max_length=30, description="x, y, height")
    color: str = "#ffb347"
    color_core: str = "#fff2b8"

    def paint(self, ink: Ink) -> None:
        outer, inner = skia.Path(), skia.Path()
        for i, (x, y, h) in enumerate(self.spots):
            k = h * (0.85 + 0.15 * math.sin(ink.t * 11 + i * 1.9))
            lean = h * 0.12 * math.sin(ink.t * 6 + i)
            for path, s in ((outer, 1.0), (inner, 0.55)):
                path.moveTo(x, y)
                path.cubicTo(x - k * 0.42 * s, y - k * 0.2 * s, x - k * 0.14 * s, y - k * 0.6 * s, x + lean, y - k * s)
                path.cubicTo(x + k * 0.16 * s, y - k * 0.6 * s, x + k * 0.42 * s, y - k * 0.2 * s, x, y)
                path.close()
        ink.detail(outer, with_alpha(rgba(self.color), 0.85))
        ink.detail(inner, with_alpha(rgba(self.color_core), 0.95))
