"""House fronts that run into depth, and what hangs on lines between them."""

from __future__ import annotations

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
from tools.layout.places.shapes import Point, blob, circles, poly

__all__ = ["LineOf", "Wing"]


class Wing(Brush):
    """A house at the side of the frame whose front runs into depth, towards the vanishing point."""

    brush: Literal["wing"]
    segment: ClassVar[str] = "building"
    near: float = Field(description="world x of its near end")
    far: float = Field(description="world x of its far end")
    top: float = Field(description="world y of its roof at the near end")
    foot: float = Field(description="world y of its foot at the near end")
    vanish: float = 640
    color: str
    color_shutter: str = "#4f7d6a"
    floors: int = Field(4, ge=1, le=12)
    bays: int = Field(4, ge=1, le=20)
    lit: float = Field(0.5, ge=0, le=1)
    door: bool = True

    def _at(self, ink: Ink, u: float, v: float) -> Point:
        """Screen point of u (0 near end .. 1 far end), v (0 foot .. 1 roof)."""
        end = (self.far - self.vanish) / (self.near - self.vanish)
        s = 1 / (1 + u * (1 / end - 1))
        y = self.foot + (self.top - self.foot) * v
        return self.vanish + (self.near - self.vanish) * s, ink.stage.horizon + (y - ink.stage.horizon) * s

    def _quad(self, ink: Ink, u0: float, u1: float, v0: float, v1: float) -> skia.Path:
        return poly([self._at(ink, u0, v0), self._at(ink, u1, v0), self._at(ink, u1, v1), self._at(ink, u0, v1)])

    def paint(self, ink: Ink) -> None:
        wall = ink.tone(self.color)
        # A wing on the left faces right: it is lit when the light comes from the right.
        faces = 1 if self.near < self.vanish else -1
        sun = ink.light.direction[0] * faces
        wall = ink.tone(wall, 0.3 * sun * ink.light.strength if sun > 0 else 0.5 * sun)
        body = self._quad(ink, 0, 1, -0.04, 1)
        (x0, _), (x1, _) = self._at(ink, 0, 0), self._at(ink, 1, 0)
        ink.fill(body, LinearGradient((x0, 0), (x1, 0), ((0, ink.tone(wall, -0.28)), (1, wall))), outline=True)
        grime = ink.tone(wall, -0.9)
        low, high = self._at(ink, 0, 0)[1], self._at(ink, 0, 0.3)[1]
        ink.detail(body, LinearGradient((0, high), (0, low), ((0, with_alpha(grime, 0)), (1, with_alpha(grime, 0.4)))))
        for v in (i / self.floors for i in range(1, self.floors)):
            ink.detail(self._quad(ink, 0, 1, v - 0.006, v + 0.006), with_alpha(ink.tone(wall, 0.3), 0.6))
        ink.detail(self._quad(ink, 0, 1, 0.93, 0.985), with_alpha(ink.tone(wall, -1.0), 0.35))
        eave = ink.white() if ink.snow else ink.tone("#b8603f")
        ink.fill(self._quad(ink, -0.02, 1.02, 0.985, 1.035), eave, outline=True)
        for _ in range(7):
            u, v = ink.dice.uniform(0.03, 0.97), ink.dice.uniform(0.05, 0.95)
            (px, py), (qx, _) = self._at(ink, u, v), self._at(ink, min(1.0, u + 0.05), v)
            size = abs(qx - px) + 12
            patch = blob(px, py, size, size * 0.6, ink.dice, rough=0.4)
            ink.detail(patch, with_alpha(ink.tone(wall, ink.dice.choice((0.4, -0.45))), 0.16), clip=body)
        self._windows(ink)

    def _windows(self, ink: Ink) -> None:
        parts = {
            kind: skia.Path()
            for kind in ("under", "frame", "pane", "lit", "gleam", "bar", "shutter", "slat", "sill", "door")
        }
        halos: list[tuple[float, float, float]] = []
        boxes: list[tuple[float, float, float]] = []
        add = self._quad
        for row in range(self.floors):
            for bay in range(self.bays):
                u, v = (bay + 0.5) / self.bays, (row + 0.2) / self.floors
                w, h = 0.15 / self.bays, 0.52 / self.floors
                if row == 0 and self.door and bay % 2 == 0:
                    self._door(ink, parts, u, w, h)
                    continue
                on = ink.dice.random() < self.lit
                parts["under"].addPath(add(ink, u - w * 1.3, u + w * 1.5, v - 0.05 * h - 0.02, v - 0.012))
                parts["frame"].addPath(add(ink, u - w * 1.2, u + w * 1.2, v - 0.005, v + h + 0.008))
                parts["lit" if on else "pane"].addPath(add(ink, u - w, u + w, v, v + h))
                parts["bar"].addPath(add(ink, u - w * 0.07, u + w * 0.07, v, v + h))
                parts["bar"].addPath(add(ink, u - w, u + w, v + h * 0.62, v + h * 0.66))
                if not on:
                    corner = [
                        self._at(ink, u - w, v + h),
                        self._at(ink, u + w * 0.3, v + h),
                        self._at(ink, u - w, v + h * 0.4),
                    ]
                    parts["gleam"].addPath(poly(corner))
                for side in (-1, 1):
                    inner, outer = u + side * w * 1.15, u + side * w * 2.1
                    parts["shutter"].addPath(add(ink, inner, outer, v, v + h))
                    for k in range(6):
                        y = v + h * (k + 0.7) / 6.6
                        parts["slat"].addPath(
                            add(ink, inner + side * w * 0.15, outer - side * w * 0.15, y, y + h * 0.04)
                        )
                parts["sill"].addPath(add(ink, u - w * 1.5, u + w * 1.5, v - 0.014, v))
                (ax, ay), (_, by) = self._at(ink, u, v), self._at(ink, u, v + h)
                if on:
                    halos.append((ax, (ay + by) / 2, abs(ay - by)))
                elif ink.dice.random() < 0.35:
                    boxes.append((u, v, w))
        self._paint_parts(ink, parts)
        for u, v, w in boxes:
            self._flowers(ink, u, v, w)
        for x, y, r in halos if ink.light.glow > 0.25 else []:
            ink.glow(x, y, r * 1.3, r * 1.4, with_alpha(ink.mood.lamp, 0.3 * ink.light.glow))

    def _door(self, ink: Ink, parts: dict[str, skia.Path], u: float, w: float, h: float) -> None:
        parts["frame"].addPath(self._quad(ink, u - w * 1.5, u + w * 1.5, 0, h * 1.5))
        parts["door"].addPath(self._quad(ink, u - w * 1.2, u + w * 1.2, 0, h * 1.4))
        for side in (-1, 1):
            a, b = u + side * w * 0.2, u + side * w * 1.0
            for low, high in ((0.12, 0.6), (0.72, 1.28)):
                parts["slat"].addPath(self._quad(ink, a, b, h * low, h * high))

    def _flowers(self, ink: Ink, u: float, v: float, w: float) -> None:
        (x0, y0), (x1, _) = self._at(ink, u - w * 1.2, v), self._at(ink, u + w * 1.2, v)
        dice = Random(f"{u:.4f} {v:.4f}")
        size = abs(x1 - x0) * 0.16
        box_path = self._quad(ink, u - w * 1.2, u + w * 1.2, v - 0.004, v + 0.026)
        ink.detail(box_path, ink.tone("#a8583c"))
        green, bloom = [], []
        for i in range(9):
            x = x0 + (x1 - x0) * (i + 0.5) / 9
            green.append((x, y0 - size * dice.uniform(0.9, 1.5), size * dice.uniform(0.6, 0.9)))
            bloom.append((x + size * 0.2, y0 - size * dice.uniform(1.0, 2.0), size * dice.uniform(0.28, 0.45)))
        ink.detail(circles(green), ink.tone("#4f8f4a"))
        ink.detail(
            circles(bloom),
            ink.white(-0.05) if ink.snow else ink.tone(("#e0524f", "#e68ab0", "#f2b84a")[dice.randrange(3)], 0.1),
        )

    def _paint_parts(self, ink: Ink, parts: dict[str, skia.Path]) -> None:
        dark = ink.tone("#3a4360")
        shutter = ink.tone(self.color_shutter, -0.1)
        sky = ink.mood.grade(rgba(ink.mood.time.sky[1][1]))
        colors = {
            "under": with_alpha(ink.tone("#2a2238"), 0.25),
            "frame": ink.tone("#eee2ce", -0.1),
            "pane": mix(dark, ink.hazed(sky), 0.2),
            "lit": mix(dark, ink.mood.lamp, min(1.0, 0.06 + 1.25 * ink.light.glow)),
            "gleam": with_alpha(mix(sky, (1, 1, 1, 1), 0.4), 0.28),
            "bar": ink.tone("#e8dcc8", -0.2),
            "shutter": shutter,
            "slat": with_alpha(ink.tone(shutter, -0.9), 0.45),
            "sill": ink.white() if ink.snow else ink.tone("#e6dac6"),
            "door": ink.tone("#5d4030"),
        }
        for kind in ("under", "frame", "pane", "lit", "gleam", "bar", "shutter", "door", "slat", "sill"):
            # Frames and doors are what one would draw of a house front; the rest is painted on.
            drawn = kind in ("frame", "door")
            ink.fill(parts[kind], colors[kind], outline=drawn, effect=not drawn)


class LineOf(Brush):
    """Washing, pennants or little lamps on a line between two points; they sway in layers that move."""

    brush: Literal["line_of"]
    what: Literal["washing", "pennants", "lamps"] = "washing"
    start: tuple[float, float]
    end: tuple[float, float]
    sag: float = 24
    count: int = Field(8, ge=1, le=60)
    size: float = Field(26, gt=1)
    colors: list[str] = Field(
        default_factory=lambda: ["#f4ece0", "#e0655a", "#6fa3c8", "#f2c14e", "#8fb98a", "#f4ece0"]
    )

    def _at(self, f: float, t: float) -> Point:
        (ax, ay), (bx, by) = self.start, self.end
        return ax + (bx - ax) * f, ay + (by - ay) * f + 4 * f * (1 - f) * (self.sag + 1.5 * math.sin(t * 1.3))

    def paint(self, ink: Ink) -> None:
        points = [self._at(i / 20, ink.t) for i in range(21)]
        ink.line(poly(points, close=False), ink.tone("#4a4050"), max(1.0, self.size * 0.045), effect=False)
        if self.what == "lamps":
            self._lamps(ink)
            return
        for k, ref in enumerate(self.colors):
            path = skia.Path()
            for i in range(k, self.count, len(self.colors)):
                self._cloth(ink, path, i)
            if not path.isEmpty():
                color = ink.tone(ref)
                ink.fill(path, color, outline=True)
                ink.crescent(path, with_alpha(ink.tone(color, -0.7), 0.45), self.size * 0.12, away=True)

    def _cloth(self, ink: Ink, path: skia.Path, i: int) -> None:
        dice_w, dice_h = (0.6 + 0.4 * ((i * 7) % 5) / 4), (0.8 + 0.5 * ((i * 11) % 7) / 6)
        f0 = (i + 0.5) / self.count
        x, y = self._at(f0, ink.t)
        sway = self.size * 0.16 * math.sin(ink.t * 1.7 + i * 1.1)
        s = self.size
        if self.what == "pennants":
            path.addPath(poly([(x - s * 0.4, y), (x + s * 0.4, y), (x + sway, y + s * 0.95)]))
            return
        w, h = s * dice_w, s * 1.25 * dice_h
        path.moveTo(x - w / 2, y)
        path.lineTo(x + w / 2, y)
        path.cubicTo(x + w / 2 + sway * 0.4, y + h * 0.5, x + w * 0.46 + sway, y + h * 0.8, x + w * 0.5 + sway, y + h)
        path.quadTo(x + sway, y + h * 1.05, x - w * 0.5 + sway, y + h * 0.98)
        path.cubicTo(x - w * 0.54 + sway, y + h * 0.7, x - w / 2 + sway * 0.4, y + h * 0.4, x - w / 2, y)
        path.close()

    def _lamps(self, ink: Ink) -> None:
        glow = max(0.15, ink.light.glow)
        spots = [self._at((i + 0.5) / self.count, ink.t) for i in range(self.count)]
        if ink.light.glow > 0.2:
            for x, y in spots:
                ink.glow(x, y + 4, self.size * 1.6, self.size * 1.6, with_alpha(ink.mood.lamp, 0.4 * ink.light.glow))
        bulbs = circles([(x, y + self.size * 0.2, self.size * 0.2) for x, y in spots])
        ink.detail(bulbs, mix(ink.tone("#f4e8d0"), mix(ink.mood.lamp, (1, 1, 1, 1), 0.4), glow))
