"""Railings, fences, parapets, masts."""

from __future__ import annotations

from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import LinearGradient
from tools.layout.light import with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.ink import Ink
from tools.layout.places.shapes import poly

__all__ = ["Mast", "Railing"]


_TURNED = ((1.0, 0.0), (1.0, 0.12), (0.4, 0.2), (1.1, 0.42), (0.4, 0.74), (1.0, 1.0))
"""Half of a turned post: (half widths out, share of the height), from its foot up."""


class Railing(Brush):
    """A railing, fence or parapet that runs across, standing at world y."""

    brush: Literal["railing"]
    segment: ClassVar[str] = "prop"
    x0: float
    x1: float
    y: float
    height: float = Field(90, gt=4)
    gap: float = Field(60, gt=6, description="between posts")
    post: float = Field(9, gt=0.5)
    rails: list[float] = Field(default_factory=lambda: [1.0, 0.5], description="at these shares of the height")
    kind: Literal["posts", "turned", "pickets", "wall"] = "posts"
    color: str = "#f2e8d8"

    def paint(self, ink: Ink) -> None:
        color, top = ink.tone(self.color), self.y - self.height
        depth = ink.stage.item_depth(self.y)
        if self.kind == "wall":
            body = skia.Path.Rect(skia.Rect.MakeLTRB(self.x0, top, self.x1, self.y))
            lit, low = ink.tone(color, 0.12), ink.tone(color, -0.4)
            ink.fill(
                body,
                LinearGradient((0, top), (0, self.y), ((0, lit), (1, low))),
                outline=True,
                depth=depth,
                segment="building",
            )
            shade = skia.Path.Rect(skia.Rect.MakeLTRB(self.x0, self.y, self.x1, self.y + 26))
            dark = ink.light.shadow
            ink.detail(shade, LinearGradient((0, self.y), (0, self.y + 26), ((0, dark), (1, with_alpha(dark, 0)))))
        else:
            self._posts(ink, top, depth)
        bars = skia.Path()
        thick = self.post * (1.6 if self.kind == "wall" else 0.8)
        for share in self.rails:
            y = self.y - self.height * share
            bars.addRect(skia.Rect.MakeLTRB(self.x0, y, self.x1, y + thick))
        ink.fill(bars, ink.tone(color, 0.2), outline=True, depth=depth)
        gleam = skia.Path(bars)
        gleam.offset(0, thick * 0.55)
        ink.detail(gleam, with_alpha(ink.tone(color, -0.9), 0.35), clip=bars)
        if ink.snow:
            cap = skia.Path.Rect(skia.Rect.MakeLTRB(self.x0, top - 5, self.x1, top + 2))
            ink.detail(cap, ink.white())

    def _posts(self, ink: Ink, top: float, depth: float) -> None:
        posts, color = skia.Path(), ink.tone(self.color)
        count = max(1, round((self.x1 - self.x0) / self.gap))
        for i in range(count + 1):
            x = self.x0 + (self.x1 - self.x0) * i / count
            w = self.post / 2
            if self.kind == "turned":
                side = [(x + w * out, self.y - self.height * up) for out, up in _TURNED]
                posts.addPath(poly(side + [(2 * x - px, py) for px, py in side[::-1]]))
            elif self.kind == "pickets":
                posts.addPath(poly([(x - w, self.y), (x - w, top), (x, top - w * 1.6), (x + w, top), (x + w, self.y)]))
            else:
                posts.addRect(skia.Rect.MakeLTRB(x - w, top, x + w, self.y))
        ink.fill(posts, color, outline=True, depth=depth)
        dark = skia.Path(posts)
        dark.offset(self.post * 0.45 * (1 if ink.light.direction[0] < 0 else -1), 0)
        ink.detail(dark, with_alpha(ink.tone(color, -0.8), 0.4), clip=posts)


class Mast(Brush):
    """A mast at the side of the frame, with shrouds and a furled sail."""

    brush: Literal["mast"]
    segment: ClassVar[str] = "prop"
    x: float
    y: float
    width: float = Field(40, gt=4)
    color: str = "#a8774c"

    def paint(self, ink: Ink) -> None:
        w = self.width / 2
        ropes = skia.Path()
        for reach in (-330, -230, 150, 230):
            ropes.addPath(poly([(self.x, -600), (self.x + reach, self.y)], close=False))
        for i in range(14):
            y = 60 + i * 52
            f = (y + 600) / (self.y + 600)
            ropes.addPath(poly([(self.x - 330 * f, y), (self.x - 230 * f, y)], close=False))
        ink.line(ropes, ink.tone("#5a4636"), 2.6, effect=False)
        pole = poly([(self.x - w * 0.8, -700), (self.x + w * 0.8, -700), (self.x + w, self.y), (self.x - w, self.y)])
        ink.solid(pole, self.color, form=0.8, edge=1.5, rim=w * 0.12)
        bands = skia.Path()
        for y in (-120, 180, 470):
            bands.addRoundRect(skia.Rect.MakeXYWH(self.x - w * 1.12, y, w * 2.24, w * 0.5), 3, 3)
        ink.solid(bands, "#4a4652", form=0.6, edge=1.0)
        boom = poly([(self.x, 40), (self.x - 640, 6), (self.x - 640, 30), (self.x, 66)])
        ink.solid(boom, self.color, form=0.6, edge=1.4)
        sail = skia.Path()
        sail.moveTo(self.x - 8, 26)
        for i in range(8):
            x = self.x - 8 - 78 * i
            sail.cubicTo(x - 20, -30, x - 58, -34, x - 78, 22 - 4 * i)
        sail.lineTo(self.x - 640, 34)
        sail.lineTo(self.x - 8, 60)
        sail.close()
        ink.solid(sail, "#f4ead6", form=0.4, edge=1.4)
