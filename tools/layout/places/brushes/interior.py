"""Rooms: walls, the window with the hour and the weather outside, counters, steam, patches of sun."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import Color, LinearGradient, RadialGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.brushes.buildings import box
from tools.layout.places.ink import EAST, NORTH, WEST, Ink
from tools.layout.places.mood import rgba
from tools.layout.places.shapes import circles, cloud_outline, ellipse, poly, smooth

__all__ = ["Beam", "Ceiling", "Counter", "Flame", "Shelf", "Steam", "Tiles", "Wall", "WindowView"]


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


class WindowView(Brush):
    """A window: sky, hills and sea behind its panes, rain on the glass, snow on the sill."""

    brush: Literal["window"]
    segment: ClassVar[str] = "window"
    x: float
    y: float
    width: float = Field(gt=20)
    height: float = Field(gt=20)
    color_frame: str = "#f2e6d2"
    color_hill: str = "#7aa386"
    color_sea: str = "#4fa3d6"
    curtain: str = ""
    columns: int = Field(2, ge=1, le=6)
    rows: int = Field(2, ge=1, le=6)
    arch: bool = False

    def paint(self, ink: Ink) -> None:
        x, y, w, h = self.x, self.y, self.width, self.height
        hole = skia.Path.Rect(skia.Rect.MakeXYWH(x, y, w, h))
        reveal = skia.Path.Rect(skia.Rect.MakeXYWH(x - 16, y - 16, w + 32, h + 30))
        frame = ink.tone(self.color_frame)
        ink.solid(reveal, frame, form=0.25)
        self._outside(ink, hole)
        self._weather(ink, hole)
        bars = skia.Path()
        for i in range(self.columns + 1):
            box(bars, x + w * i / self.columns - 4.5, y - 4, 9, h + 8)
        for i in range(self.rows + 1):
            box(bars, x - 4, y + h * i / self.rows - 4.5, w + 8, 9)
        shade = skia.Path(bars)
        shade.offset(2.5, 3.5)
        ink.detail(shade, with_alpha(ink.tone("#2a2233"), 0.3), clip=hole)
        bars.setFillType(skia.PathFillType.kWinding)
        ink.fill(bars, frame, outline=True)
        ink.crescent(bars, with_alpha(ink.tone(frame, -0.8), 0.4), 2.0, away=True)
        sill = skia.Path.Rect(skia.Rect.MakeXYWH(x - 30, y + h + 8, w + 60, 16))
        ink.solid(sill, frame, form=0.4)
        under = skia.Path.Rect(skia.Rect.MakeXYWH(x - 26, y + h + 24, w + 52, 22))
        dark = ink.tone("#2a2233")
        ink.detail(
            under,
            LinearGradient((0, y + h + 24), (0, y + h + 46), ((0, with_alpha(dark, 0.35)), (1, with_alpha(dark, 0)))),
        )
        if self.curtain:
            self._curtains(ink)

    def _outside(self, ink: Ink, hole: skia.Path) -> None:
        mood, x, y, w, h = ink.mood, self.x, self.y, self.width, self.height
        sky = tuple((at, mood.grade(rgba(c))) for at, c in mood.time.sky)
        horizon = y + h * 0.66
        ink.fill(hole, LinearGradient((0, y - h * 0.2), (0, horizon), sky), depth=0.98, segment="sky")
        left = mood.sky_weather.sun
        if left > 0.1:
            glow, disc = mood.grade(rgba(mood.time.sun.glow)), rgba(mood.time.sun.disc)
            sx, sy = (
                x + w * 0.3,
                {"day": y + h * 0.16, "night": y + h * 0.22, "dawn": y + h * 0.5}.get(mood.time_of_day, y + h * 0.58),
            )
            halo = _halo(sx, sy, w * 0.6, with_alpha(glow, 0.7 * left))
            ink.detail(hole, halo)
            r = 15.0
            ink.detail(ellipse(sx, sy, r, r), with_alpha(disc, 0.3 + 0.7 * left), clip=hole)
        if mood.time.stars * left > 0.4:
            ink.detail(
                circles(
                    [
                        (x + ink.dice.random() * w, y + ink.dice.random() * h * 0.5, ink.dice.uniform(0.7, 1.5))
                        for _ in range(26)
                    ]
                ),
                (1, 1, 0.95, 0.9),
                clip=hole,
            )
        cloud_tone = mood.time.cloud
        for cx, cy, cw, ch in ((0.72, 0.3, 0.5, 0.15), (0.16, 0.42, 0.36, 0.1)):
            outline, _ = cloud_outline(w * cw, h * ch, 5, ink.dice)
            shape = poly([(x + w * cx + px, y + h * cy + py) for px, py in outline])
            top, foot = mood.grade(rgba(cloud_tone.body)), mood.grade(rgba(cloud_tone.under))
            ink.detail(shape, LinearGradient((0, y + h * (cy - ch)), (0, y + h * cy), ((0, top), (1, foot))), clip=hole)
        haze = mood.haze
        # What lies outside is lit by the sky, not by the lamp of the room.
        dim = {"night": 0.42, "dawn": 0.9, "sunset": 0.85}.get(mood.time_of_day, 1.0)
        tint = rgba(mood.time.light.tint)

        def out(ref: str, far: float) -> Color:
            c = rgba(ref) if ref.startswith("#") else ink.palette[ref][0]
            lit = mood.grade(
                (
                    c[0] * tint[0] * (0.6 + 0.4 * dim),
                    c[1] * tint[1] * (0.6 + 0.4 * dim),
                    c[2] * tint[2] * (0.6 + 0.4 * dim),
                    1.0,
                )
            )
            return mix(lit, haze, min(0.9, far + mood.sky_weather.haze * 0.6))

        sea = skia.Path.Rect(skia.Rect.MakeLTRB(x, horizon, x + w, y + h))
        ink.detail(
            sea,
            LinearGradient((0, horizon), (0, y + h), ((0, out(self.color_sea, 0.6)), (1, out(self.color_sea, 0.1)))),
        )
        hill = smooth(
            [
                (x - 20, y + h),
                (x - 20, y + h * 0.5),
                (x + w * 0.16, y + h * 0.47),
                (x + w * 0.36, y + h * 0.6),
                (x + w * 0.58, y + h * 0.72),
                (x + w * 0.62, y + h),
            ]
        )
        color = out(self.color_hill, 0.25)
        ink.detail(hill, mix(color, (0.95, 0.96, 1.0, 1.0), 0.55) if ink.mood.weather == "snow" else color, clip=hole)
        walls, roofs, lights = skia.Path(), skia.Path(), skia.Path()
        for i in range(11):
            hx, hy = x + w * (0.02 + 0.045 * i), y + h * (0.58 + 0.016 * i) + ink.dice.uniform(-5, 16)
            s = w * 0.05
            box(walls, hx, hy, s, s * 1.2)
            roofs.addPath(poly([(hx - 2, hy + 1), (hx + s / 2, hy - s * 0.4), (hx + s + 2, hy + 1)]))
            box(lights, hx + s * 0.36, hy + s * 0.4, s * 0.28, s * 0.36)
        ink.detail(walls, out("#f0cfa8", 0.15), clip=hole)
        ink.detail(roofs, (0.95, 0.96, 1, 1) if ink.mood.weather == "snow" else out("#cc6a4c", 0.15), clip=hole)
        dusk = mood.time.light.glow
        ink.detail(lights, mix(out("#4a5068", 0.1), mood.lamp, dusk), clip=hole)

    def _weather(self, ink: Ink, hole: skia.Path) -> None:
        x, y, w, h = self.x, self.y, self.width, self.height
        sheen = skia.Path()
        for f, wide in ((0.16, 0.1), (0.62, 0.05)):
            sheen.addPath(
                poly(
                    [
                        (x + w * f, y),
                        (x + w * (f + wide), y),
                        (x + w * (f + wide - 0.16), y + h),
                        (x + w * (f - 0.16), y + h),
                    ]
                )
            )
        ink.detail(sheen, (1, 1, 1, 0.1), clip=hole)
        if ink.mood.weather == "rain":
            drops, runs = skia.Path(), skia.Path()
            for _ in range(70):
                dx, dy = x + ink.dice.random() * w, y + ink.dice.random() * h
                drops.addOval(skia.Rect.MakeXYWH(dx, dy, 2.4, 3.6))
                if ink.dice.random() < 0.3:
                    box(runs, dx + 0.4, dy - 34 * ink.dice.random(), 1.5, 34)
            ink.detail(runs, (1, 1, 1, 0.22), clip=hole)
            ink.detail(drops, (1, 1, 1, 0.55), clip=hole)
        if ink.mood.weather == "snow":
            flakes = [
                (x + ink.dice.random() * w, y + ink.dice.random() * h, ink.dice.uniform(1, 2.6)) for _ in range(60)
            ]
            ink.detail(circles(flakes), (1, 1, 1, 0.85), clip=hole)
            heap = smooth(
                [
                    (x - 6, y + h + 6),
                    (x - 6, y + h - 12),
                    (x + w * 0.3, y + h - 26),
                    (x + w * 0.55, y + h - 12),
                    (x + w * 0.8, y + h - 22),
                    (x + w + 6, y + h - 14),
                    (x + w + 6, y + h + 6),
                ]
            )
            snow = mix((0.97, 0.98, 1, 1), rgba(ink.mood.time.veil), 0.35 if ink.night else 0.05)
            ink.detail(heap, snow, clip=hole)
        if ink.mood.weather == "fog":
            ink.detail(hole, with_alpha(ink.mood.haze, 0.4))

    def _curtains(self, ink: Ink) -> None:
        x, y, w, h = self.x, self.y, self.width, self.height
        color = ink.tone(self.curtain)
        rod = skia.Path.RRect(skia.RRect.MakeRectXY(skia.Rect.MakeXYWH(x - 62, y - 38, w + 124, 8), 4, 4))
        for side in (-1, 1):
            edge = x - 50 if side < 0 else x + w + 50
            tie = y + h * 0.66

            def at(f: float, *, side: int = side, edge: float = edge) -> float:
                return edge - side * f

            shape = skia.Path()
            shape.moveTo(at(0), y - 34)
            shape.lineTo(at(118), y - 34)
            shape.cubicTo(at(112), y + h * 0.3, at(70), tie - 30, at(34), tie)
            shape.cubicTo(at(52), y + h * 0.8, at(58), y + h * 0.95, at(60), y + h + 34)
            shape.lineTo(at(-4), y + h + 34)
            shape.close()
            a, b = (at(0), at(110))
            ink.fill(
                shape,
                LinearGradient(
                    (a, 0),
                    (b, 0),
                    ((0, ink.tone(color, -0.25)), (0.5, color), (1, ink.tone(color, 0.35 * ink.light.strength))),
                ),
                outline=True,
                opacity=0.96,
            )
            folds = skia.Path()
            for k in range(5):
                f0, f1 = 10 + 22 * k, 6 + 6 * k
                folds.addPath(
                    smooth(
                        [
                            (at(f0), y - 34),
                            (at(f0 * 0.9), y + h * 0.3),
                            (at(f1), tie),
                            (at(f1 + 3), tie),
                            (at(f0 * 0.9 + 7), y + h * 0.3),
                            (at(f0 + 7), y - 34),
                        ]
                    )
                )
                folds.addPath(
                    smooth(
                        [(at(f1), tie), (at(f1 * 1.6), y + h + 34), (at(f1 * 1.6 + 5), y + h + 34), (at(f1 + 3), tie)]
                    )
                )
            ink.detail(folds, with_alpha(ink.tone(color, -0.8), 0.3), clip=shape)
            band = skia.Path.RRect(
                skia.RRect.MakeRectXY(skia.Rect.MakeXYWH(min(at(-4), at(40)), tie - 6, 44, 13), 5, 5)
            )
            ink.solid(band, ink.tone(color, -0.4), form=0.5)
        ink.solid(rod, "#8a5f3e", form=0.5)


def _halo(x: float, y: float, r: float, color: Color) -> RadialGradient:
    """A glow as a fill, for shapes that cut it."""
    return RadialGradient(
        (x, y), r, ((0.0, color), (0.45, with_alpha(color, color[3] * 0.36)), (1.0, with_alpha(color, 0.0)))
    )


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


class Beam(Brush):
    """The patch of sun or moon that a window throws on the floor."""

    brush: Literal["beam"]
    segment: ClassVar[str] = "light"
    points: list[tuple[float, float]] = Field(
        min_length=4, max_length=4, description="of the patch, from upper left, clockwise"
    )
    source: list[tuple[float, float]] = Field(default_factory=list, description="of the window: the air between shines")
    panes: int = Field(2, ge=1, le=6)

    def paint(self, ink: Ink) -> None:
        power = ink.mood.sky_weather.sun * {"night": 0.5, "dawn": 0.8}.get(ink.mood.time_of_day, 1.0)
        if power < 0.2:
            return
        color = ink.mood.grade(rgba(ink.mood.time.sun.glow))
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = self.points
        patch = skia.Path()
        for i in range(self.panes):
            for j in range(2):
                quad = []
                for u, v in ((i + 0.06, j + 0.06), (i + 0.94, j + 0.06), (i + 0.94, j + 0.94), (i + 0.06, j + 0.94)):
                    u, v = u / self.panes, v / 2
                    top = (ax + (bx - ax) * u, ay + (by - ay) * u)
                    low = (dx + (cx - dx) * u, dy + (cy - dy) * u)
                    quad.append((top[0] + (low[0] - top[0]) * v, top[1] + (low[1] - top[1]) * v))
                patch.addPath(poly(quad))
        ink.fill(patch, with_alpha(color, 0.42 * power), effect=True, blur=2.5)
        if len(self.source) == 2:
            (sx, sy), (tx, ty) = self.source
            air = poly([(sx, sy), (tx, ty), (bx, by), (ax, ay)])
            ink.detail(
                air,
                LinearGradient(
                    (sx, sy), (ax, ay), ((0, with_alpha(color, 0.24 * power)), (1, with_alpha(color, 0.02)))
                ),
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
