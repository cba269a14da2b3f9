"""Rooms: walls, ceilings, tiles, counters, shelves, rugs."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import LinearGradient
from tools.layout.light import with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.brushes.buildings import box
from tools.layout.places.ink import EAST, NORTH, WEST, Ink
from tools.layout.places.shapes import ellipse, poly, smooth

__all__ = ["Ceiling", "Counter", "Rug", "Shelf", "Tiles", "Wall"]


class Wall(Brush):
    """The back wall of a room: plaster in two colours with a rail between, darker in its corners."""

    brush: Literal["wall"]
    segment: ClassVar[str] = "wall"
    foot: float
    color: str
    color_low: str = ""
    rail: float | None = Field(None, description="world y where the lower colour begins")
    beams: int = Field(0, ge=0, le=12, description="beams of the ceiling")
    ceiling: float = Field(-40, description="world y of the ceiling")

    def paint(self, ink: Ink) -> None:
        color = ink.tone(self.color)
        area = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, NORTH, EAST, self.foot + 6))
        ink.fill(
            area,
            LinearGradient(
                (0, self.ceiling),
                (0, self.foot),
                ((0, ink.tone(color, -0.4)), (0.35, color), (1, ink.tone(color, -0.18))),
            ),
        )
        x, y = ink.stage.sun[ink.mood.time_of_day]
        lit = with_alpha(ink.light.key, 0.34 * ink.light.strength)
        ink.glow(x, y, 620, 420, lit)
        for _ in range(14):
            px, py = ink.dice.uniform(-200, 1480), ink.dice.uniform(self.ceiling, self.foot)
            ink.glow(
                px,
                py,
                ink.dice.uniform(60, 190),
                ink.dice.uniform(20, 60),
                with_alpha(ink.tone(color, ink.dice.choice((-0.5, 0.4))), 0.1),
            )
        if self.rail is not None:
            self._lower(ink)
        ink.glow(-40, 300, 330, 620, with_alpha(ink.tone(color, -1.0), 0.35))
        ink.glow(1320, 300, 330, 620, with_alpha(ink.tone(color, -1.0), 0.35))

    def _lower(self, ink: Ink) -> None:
        rail = self.rail or 0.0
        low = ink.tone(self.color_low or self.color, -0.05)
        panel = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, rail, EAST, self.foot + 4))
        ink.detail(panel, LinearGradient((0, rail), (0, self.foot), ((0, low), (1, ink.tone(low, -0.35)))))
        strip = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, rail - 5, EAST, rail + 5))
        ink.detail(
            strip, LinearGradient((0, rail - 5), (0, rail + 5), ((0, ink.tone(low, 0.4)), (1, ink.tone(low, -0.5))))
        )


class Ceiling(Brush):
    """Wooden beams above."""

    brush: Literal["ceiling"]
    segment: ClassVar[str] = "wall"
    y: float
    color: str
    color_beam: str
    beams: int = Field(6, ge=0, le=20)

    def paint(self, ink: Ink) -> None:
        color, beam = ink.tone(self.color), ink.tone(self.color_beam)
        area = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, NORTH, EAST, self.y))
        ink.upright(area, ink.tone(color, -0.6), ink.tone(color, -0.1), outline=True)
        horizon = ink.stage.horizon
        for i in range(self.beams * 2 + 1):
            x = 640 + (i - self.beams) * 230.0
            far = 640 + (x - 640) * 0.98
            k = (NORTH - horizon) / (self.y - horizon)
            near = 640 + (far - 640) * k
            w = 24.0
            shape = poly([(far - w, self.y), (far + w, self.y), (near + w * k, NORTH), (near - w * k, NORTH)])
            ink.fill(
                shape,
                LinearGradient((0, self.y), (0, self.y - 160), ((0, beam), (1, ink.tone(beam, -0.6)))),
                outline=True,
            )
        sill = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, self.y - 4, EAST, self.y + 16))
        ink.fill(
            sill,
            LinearGradient((0, self.y - 4), (0, self.y + 16), ((0, ink.tone(beam, 0.2)), (1, ink.tone(beam, -0.4)))),
            outline=True,
        )
        shade = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, self.y + 16, EAST, self.y + 64))
        dark = ink.tone(color, -1.0)
        ink.detail(
            shade,
            LinearGradient((0, self.y + 16), (0, self.y + 64), ((0, with_alpha(dark, 0.45)), (1, with_alpha(dark, 0)))),
        )


class Tiles(Brush):
    """A field of painted wall tiles."""

    brush: Literal["tiles"]
    segment: ClassVar[str] = "wall"
    x0: float
    x1: float
    y0: float
    y1: float
    size: float = Field(34, gt=4)
    color: str
    color_paint: str
    color_accent: str

    def paint(self, ink: Ink) -> None:
        base = ink.tone(self.color)
        field = skia.Path.Rect(skia.Rect.MakeLTRB(self.x0, self.y0, self.x1, self.y1))
        ink.detail(field, ink.tone(base, -0.35))
        plain, painted, accent, shine = (skia.Path() for _ in range(4))
        s, rows, cols = self.size, round((self.y1 - self.y0) / self.size), round((self.x1 - self.x0) / self.size)
        w, h = (self.x1 - self.x0) / cols, (self.y1 - self.y0) / rows
        for row in range(rows):
            for col in range(cols):
                x, y = self.x0 + col * w, self.y0 + row * h
                plain.addRoundRect(skia.Rect.MakeXYWH(x + 1, y + 1, w - 2, h - 2), 2, 2)
                cx, cy = x + w / 2, y + h / 2
                if (row + col) % 2 == 0:
                    for a in (0.785, 2.356, 3.927, 5.498):
                        painted.addPath(
                            ellipse(cx + math.cos(a) * s * 0.2, cy + math.sin(a) * s * 0.2, s * 0.12, s * 0.12)
                        )
                    accent.addCircle(cx, cy, s * 0.1)
                else:
                    painted.addPath(
                        poly([(cx, cy - s * 0.3), (cx + s * 0.3, cy), (cx, cy + s * 0.3), (cx - s * 0.3, cy)])
                    )
                    accent.addPath(
                        poly([(cx, cy - s * 0.16), (cx + s * 0.16, cy), (cx, cy + s * 0.16), (cx - s * 0.16, cy)])
                    )
                if (row * 5 + col * 3) % 7 == 0:
                    shine.addPath(poly([(x + 3, y + 3), (x + w * 0.5, y + 3), (x + 3, y + h * 0.5)]))
        ink.detail(plain, LinearGradient((0, self.y0), (0, self.y1), ((0, ink.tone(base, -0.12)), (1, base))))
        ink.detail(painted, with_alpha(ink.tone(self.color_paint), 0.8))
        ink.detail(accent, with_alpha(ink.tone(self.color_accent), 0.9))
        ink.detail(shine, with_alpha(ink.light.key, 0.35))


class Counter(Brush):
    """A kitchen counter along the wall: cupboards under a worktop."""

    brush: Literal["counter"]
    segment: ClassVar[str] = "furniture"
    x0: float
    x1: float
    top: float
    foot: float
    doors: int = Field(5, ge=1, le=40)
    color: str
    color_top: str
    drawers: bool = True

    def paint(self, ink: Ink) -> None:
        color, slab = ink.tone(self.color), ink.tone(self.color_top)
        depth = ink.stage.item_depth(self.foot)
        body = skia.Path.Rect(skia.Rect.MakeLTRB(self.x0, self.top, self.x1, self.foot))
        ink.fill(
            body,
            LinearGradient((0, self.top), (0, self.foot), ((0, color), (1, ink.tone(color, -0.35)))),
            outline=True,
            depth=depth,
        )
        w = (self.x1 - self.x0) / self.doors
        high, low, edge, knobs = (skia.Path() for _ in range(4))
        split = self.top + (self.foot - self.top) * (0.3 if self.drawers else 0.04)
        for i in range(self.doors):
            x = self.x0 + w * i
            panels = [(split + 6, self.foot - 20)]
            if self.drawers:
                panels.append((self.top + 24, split - 4))
            for y0, y1 in panels:
                box(edge, x + 6, y0, w - 12, y1 - y0)
                high.addRoundRect(skia.Rect.MakeLTRB(x + 8, y0 + 2, x + w - 8, y1 - 2), 3, 3)
                low.addRoundRect(skia.Rect.MakeLTRB(x + 20, y0 + 11, x + w - 20, y1 - 11), 3, 3)
            knobs.addCircle(x + (w - 24 if i % 2 == 0 else 24), split + 34, 4)
            if self.drawers:
                knobs.addCircle(x + w / 2, (self.top + 20 + split) / 2, 4)
        ink.detail(edge, with_alpha(ink.tone(color, -1.0), 0.55))
        ink.detail(
            high,
            LinearGradient((0, self.top), (0, self.foot), ((0, ink.tone(color, 0.22)), (1, ink.tone(color, -0.12)))),
        )
        ink.detail(
            low, LinearGradient((0, self.top), (0, self.foot), ((0, ink.tone(color, -0.1)), (1, ink.tone(color, -0.3))))
        )
        ink.detail(knobs, ink.tone("#c9a24a", 0.2))
        plinth = skia.Path.Rect(skia.Rect.MakeLTRB(self.x0, self.foot - 14, self.x1, self.foot))
        ink.detail(plinth, ink.tone(color, -0.95))
        top = skia.Path.RRect(
            skia.RRect.MakeRectXY(skia.Rect.MakeLTRB(self.x0 - 8, self.top - 8, self.x1 + 8, self.top + 12), 4, 4)
        )
        ink.fill(
            top,
            LinearGradient(
                (0, self.top - 8),
                (0, self.top + 12),
                ((0, ink.tone(slab, 0.5)), (0.35, slab), (1, ink.tone(slab, -0.5))),
            ),
            outline=True,
            depth=depth,
        )
        shade = skia.Path.Rect(skia.Rect.MakeLTRB(self.x0, self.top + 12, self.x1, self.top + 34))
        dark = ink.tone(color, -1.0)
        ink.detail(
            shade,
            LinearGradient(
                (0, self.top + 12), (0, self.top + 34), ((0, with_alpha(dark, 0.5)), (1, with_alpha(dark, 0)))
            ),
        )
        floor = skia.Path.Rect(skia.Rect.MakeLTRB(self.x0 - 10, self.foot, self.x1 + 10, self.foot + 22))
        ink.detail(
            floor,
            LinearGradient(
                (0, self.foot),
                (0, self.foot + 22),
                ((0, with_alpha(ink.light.shadow, 0.6)), (1, with_alpha(ink.light.shadow, 0))),
            ),
        )


class Shelf(Brush):
    """A wooden shelf on brackets."""

    brush: Literal["shelf"]
    segment: ClassVar[str] = "furniture"
    x0: float
    x1: float
    y: float
    color: str = "#9a6a42"

    def paint(self, ink: Ink) -> None:
        for x in (self.x0 + 24, self.x1 - 24):
            bracket = smooth([(x - 5, self.y + 4), (x + 5, self.y + 4), (x + 5, self.y + 34), (x - 5, self.y + 30)])
            ink.solid(bracket, "#3a3440", form=0.4)
        shade = skia.Path.Rect(skia.Rect.MakeLTRB(self.x0 + 4, self.y + 8, self.x1 + 8, self.y + 30))
        dark = ink.tone("#2a2233")
        ink.detail(
            shade,
            LinearGradient((0, self.y + 8), (0, self.y + 30), ((0, with_alpha(dark, 0.4)), (1, with_alpha(dark, 0)))),
        )
        board = skia.Path.RRect(
            skia.RRect.MakeRectXY(skia.Rect.MakeLTRB(self.x0, self.y - 2, self.x1, self.y + 9), 2, 2)
        )
        ink.solid(board, self.color, form=0.3)


class Rug(Brush):
    """A round woven rug that lies on the floor."""

    brush: Literal["rug"]
    segment: ClassVar[str] = "ground"
    x: float
    y: float
    width: float = Field(gt=20)
    color: str
    color_band: str

    def paint(self, ink: Ink) -> None:
        half, flat = self.width / 2, self.width * 0.115
        ink.glow(self.x, self.y + 6, half * 1.08, flat * 1.25, with_alpha(ink.light.shadow, 0.5), core=0.6)
        depth = ink.stage.item_depth(self.y)
        base, band = ink.tone(self.color), ink.tone(self.color_band)
        ink.fill(ellipse(self.x, self.y + 3, half, flat), ink.tone(base, -0.6), depth=depth, outline=True)
        for i, share in enumerate((1.0, 0.86, 0.74, 0.52, 0.4, 0.16)):
            ring = ellipse(self.x, self.y, half * share, flat * share)
            ink.detail(ring, base if i % 2 == 0 else band)
        weave = skia.Path()
        for i in range(12):
            share = 0.2 + 0.78 * i / 11
            weave.addPath(ellipse(self.x, self.y, half * share, flat * share))
        ink.line(weave, with_alpha(ink.tone(base, -0.9), 0.16), 1.4)
