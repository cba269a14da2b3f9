"""A window seen from inside, with the hour and the weather in it, and the light it throws."""

from __future__ import annotations

from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import Color, LinearGradient, RadialGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.brushes.buildings import box
from tools.layout.places.ink import Ink
from tools.layout.places.mood import rgba
from tools.layout.places.shapes import circles, cloud_outline, ellipse, merged, poly, smooth

__all__ = ["Beam", "WindowView"]


def _halo(x: float, y: float, r: float, color: Color) -> RadialGradient:
    """A glow as a fill, for shapes that cut it."""
    return RadialGradient(
        (x, y), r, ((0.0, color), (0.45, with_alpha(color, color[3] * 0.36)), (1.0, with_alpha(color, 0.0)))
    )


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
    color_curtain: str = ""
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
        bars = merged(bars)
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
        if self.color_curtain:
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
        color = ink.tone(self.color_curtain)
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
