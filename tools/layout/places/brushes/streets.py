"""Rows of house fronts, seen straight on, and their awnings."""

from __future__ import annotations

from random import Random
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import Color, LinearGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.brushes.buildings import box
from tools.layout.places.ink import Ink
from tools.layout.places.mood import rgba
from tools.layout.places.shapes import blob, circles, leaf, poly

__all__ = ["Awning", "HouseRow"]


class _Front:
    """The small parts of many house fronts, collected so that each kind is one item."""

    KINDS = (
        "frame",
        "pane",
        "lit",
        "gleam",
        "bar",
        "shutter",
        "slat",
        "sill",
        "under",
        "leaf",
        "bloom",
        "rail",
        "snow",
    )

    def __init__(self) -> None:
        self.parts = {kind: skia.Path() for kind in self.KINDS}
        self.halos: list[tuple[float, float, float]] = []

    def window(self, ink: Ink, x: float, y: float, w: float, h: float, *, lit: float, plants: float) -> None:
        """A window with shutters around (x, y), the middle of its sill."""
        p, dice = self.parts, ink.dice
        left, top = x - w / 2, y - h
        box(p["frame"], left - w * 0.1, top - w * 0.12, w * 1.2, h + w * 0.12)
        on = dice.random() < lit
        box(p["lit" if on else "pane"], left, top, w, h)
        if on:
            self.halos.append((x, y - h / 2, h))
        else:
            p["gleam"].addPath(poly([(left, top), (left + w * 0.55, top), (left, top + h * 0.5)]))
        box(p["bar"], x - w * 0.035, top, w * 0.07, h)
        box(p["bar"], left, top + h * 0.42, w, w * 0.07)
        for side in (-1, 1):
            sx = x + side * w * 0.86 - w * 0.25
            box(p["shutter"], sx, top - w * 0.05, w * 0.5, h + w * 0.05)
            for k in range(7):
                box(p["slat"], sx + w * 0.07, top + h * (k + 0.6) / 7.4, w * 0.36, h * 0.045)
        box(p["sill"], left - w * 0.2, y, w * 1.4, h * 0.07)
        box(p["under"], left - w * 0.16, y + h * 0.07, w * 1.32, h * 0.06)
        flowers = dice.random() < plants
        if ink.snow:
            p["snow"].addRoundRect(skia.Rect.MakeXYWH(left - w * 0.2, y - h * 0.06, w * 1.4, h * 0.09), 3, 3)
        elif flowers:
            self._flowers(Random(f"{x:.0f} {y:.0f}"), x, y, w)

    def _flowers(self, dice: Random, x: float, y: float, w: float) -> None:
        for _ in range(9):
            lx = x + dice.uniform(-0.6, 0.6) * w
            leaf(self.parts["leaf"], lx, y + w * 0.05, dice.uniform(-2.6, -0.5), w * 0.34, w * 0.12, w * 0.12)
        for _ in range(7):
            r = w * dice.uniform(0.05, 0.09)
            self.parts["bloom"].addCircle(x + dice.uniform(-0.6, 0.6) * w, y - w * dice.uniform(-0.02, 0.22), r)

    def paint(self, ink: Ink, shutter: str, bloom: str) -> None:
        """Add them all."""
        p, glow = self.parts, ink.light.glow
        sky = ink.mood.grade(rgba(ink.mood.time.sky[1][1]))
        dark = mix(ink.tone("#39435e"), ink.hazed(sky), 0.3)
        lamp = mix(dark, ink.mood.lamp, min(1.0, 0.08 + glow * 1.25))
        colors: dict[str, Color] = {
            "under": with_alpha(ink.tone("#2a2238"), 0.3),
            "frame": ink.tone("#f3e8d6"),
            "pane": dark,
            "lit": lamp,
            "gleam": with_alpha(mix(sky, (1, 1, 1, 1), 0.4), 0.35),
            "bar": ink.tone("#efe3d0", -0.15),
            "shutter": ink.tone(shutter),
            "slat": with_alpha(ink.tone(ink.tone(shutter), -0.8), 0.5),
            "sill": ink.tone("#eadfcd", 0.1),
            "rail": ink.tone("#2e3040"),
            "leaf": ink.tone("#4f8f4a"),
            "bloom": ink.tone(bloom, 0.1),
            "snow": ink.white(),
        }
        for kind in (
            "under",
            "frame",
            "pane",
            "lit",
            "gleam",
            "bar",
            "shutter",
            "slat",
            "sill",
            "rail",
            "leaf",
            "bloom",
            "snow",
        ):
            if not p[kind].isEmpty():
                ink.fill(p[kind], colors[kind], outline=kind == "frame", effect=kind != "frame")
        if glow > 0.25:
            for x, y, r in self.halos:
                ink.glow(x, y, r * 1.7, r * 1.7, with_alpha(ink.mood.lamp, 0.32 * glow))


class HouseRow(Brush):
    """House fronts side by side, seen straight on, standing at `foot`."""

    brush: Literal["house_row"]
    segment: ClassVar[str] = "building"
    x0: float
    x1: float
    foot: float
    width: float = Field(150, gt=10, description="of a house, about")
    height: float = Field(300, gt=10, description="of a house, about")
    vary: float = Field(0.2, ge=0, le=0.8)
    colors: list[str] = Field(min_length=1, max_length=14)
    color_roof: str = "#c4694c"
    color_shutters: list[str] = Field(default_factory=lambda: ["#4f7d6a", "#5b7fa6", "#8a5a44", "#3f6f7d"])
    color_doors: list[str] = Field(default_factory=lambda: ["#5a3d2e", "#2f5c5f", "#7d3434"])
    lit: float = Field(0.5, ge=0, le=1)
    plants: float = Field(0.3, ge=0, le=1)
    ground_floor: Literal["doors", "shops", "none"] = "doors"
    sink: float = Field(20, description="how far the walls go on below their foot, hidden by what is nearer")

    def paint(self, ink: Ink) -> None:
        x, i = self.x0, 0
        last = ""
        while x < self.x1:
            w = self.width * (1 + ink.dice.uniform(-1, 1) * self.vary * 0.7)
            h = self.height * (1 + ink.dice.uniform(-1, 1) * self.vary)
            color = ink.dice.choice([c for c in self.colors if c != last] or self.colors)
            self._house(ink, x, w, h, color, i)
            last, x, i = color, x + w, i + 1

    def _house(self, ink: Ink, x: float, w: float, h: float, color: str, number: int) -> None:
        top, dice = self.foot - h, ink.dice
        wall = ink.tone(color, dice.uniform(-0.06, 0.06))
        body = skia.Path.Rect(skia.Rect.MakeXYWH(x, top, w, h + self.sink))
        sign = 1 if ink.light.direction[0] > 0 else -1
        lit, dark = ink.tone(wall, 0.26 * ink.light.strength), ink.tone(wall, -0.3)
        left, right = (dark, lit) if sign > 0 else (lit, dark)
        ink.fill(
            body, LinearGradient((x, 0), (x + w, 0), ((0, left), (0.35, wall), (0.75, wall), (1, right))), outline=True
        )
        for _ in range(4):
            patch = blob(
                x + w * dice.uniform(0.1, 0.9), top + h * dice.uniform(0.1, 0.9), w * 0.16, w * 0.09, dice, rough=0.4
            )
            ink.detail(patch, with_alpha(ink.tone(wall, dice.choice((0.4, -0.4))), 0.16), clip=body)
        grime = ink.tone(wall, -0.9)
        ink.detail(
            body,
            LinearGradient(
                (0, self.foot - h * 0.3), (0, self.foot), ((0, with_alpha(grime, 0)), (1, with_alpha(grime, 0.38)))
            ),
        )
        self._roof(ink, x, w, top, wall)
        front = _Front()
        floors = max(2, round(h / (self.width * 0.62)))
        cols = max(1, round(w / (self.width * 0.46)))
        size = min(self.width * 0.15, w / cols * 0.34)
        open_floor = 0 if self.ground_floor == "none" else 1
        for row in range(floors - open_floor):
            y = top + h * (row + 0.78) / floors
            for col in range(cols):
                cx = x + w * (col + 0.5) / cols
                front.window(ink, cx, y, size, size * 1.75, lit=self.lit, plants=self.plants)
                if row == floors - open_floor - 1 and dice.random() < 0.3:
                    self._balcony(front, cx, y, size)
        front.paint(ink, dice.choice(self.color_shutters), dice.choice(("#e0524f", "#e68ab0", "#f2b84a")))
        if open_floor:
            self._entrance(ink, x, w, h / floors, number)

    def _roof(self, ink: Ink, x: float, w: float, top: float, wall: Color) -> None:
        rise, over = self.width * 0.17, self.width * 0.045
        tile = ink.tone(self.color_roof, ink.dice.uniform(-0.12, 0.12))
        if ink.snow:
            tile = ink.white(-0.05)
        if ink.dice.random() < 0.6:
            cx = x + w * ink.dice.uniform(0.2, 0.75)
            chimney = skia.Path.Rect(skia.Rect.MakeXYWH(cx, top - rise * 1.75, w * 0.1, rise * 1.3))
            ink.solid(chimney, ink.tone(wall, -0.15), form=0.5)
            cap = skia.Path.Rect(skia.Rect.MakeXYWH(cx - w * 0.02, top - rise * 1.85, w * 0.14, rise * 0.2))
            ink.solid(cap, ink.white() if ink.snow else tile, outline=False)
        slope = poly(
            [(x - over, top), (x + rise * 0.5, top - rise), (x + w - rise * 0.5, top - rise), (x + w + over, top)]
        )
        ink.fill(
            slope,
            LinearGradient(
                (0, top - rise), (0, top), ((0, ink.tone(tile, 0.3 * ink.light.strength)), (1, ink.tone(tile, -0.3)))
            ),
            outline=True,
        )
        if not ink.snow:
            grooves = skia.Path()
            count = max(4, int(w / (self.width * 0.07)))
            for i in range(count + 1):
                f = i / count
                bx, tx = x - over + (w + 2 * over) * f, x + rise * 0.5 + (w - rise) * f
                grooves.addPath(poly([(tx, top - rise), (bx - 1, top), (bx + 1, top)]))
            ink.detail(grooves, with_alpha(ink.tone(tile, -1.0), 0.45))
            rounds = circles(
                [(x - over + (w + 2 * over) * (i + 0.5) / count, top, w / count * 0.5) for i in range(count)]
            )
            ink.detail(rounds, ink.tone(tile, -0.12))
        cornice = skia.Path()
        box(cornice, x - over * 0.3, top + self.width * 0.03, w + over * 0.6, self.width * 0.035)
        ink.detail(cornice, ink.tone(wall, 0.35))
        drop = skia.Path.Rect(skia.Rect.MakeXYWH(x, top + self.width * 0.06, w, self.width * 0.12))
        dark = ink.tone(wall, -1.0)
        ink.detail(
            drop,
            LinearGradient(
                (0, top + self.width * 0.06),
                (0, top + self.width * 0.18),
                ((0, with_alpha(dark, 0.5)), (1, with_alpha(dark, 0))),
            ),
        )

    def _balcony(self, front: _Front, x: float, y: float, size: float) -> None:
        rail = front.parts["rail"]
        box(front.parts["sill"], x - size * 1.3, y + size * 0.1, size * 2.6, size * 0.14)
        box(rail, x - size * 1.25, y - size * 0.65, size * 2.5, size * 0.07)
        for i in range(12):
            box(rail, x - size * 1.25 + size * 2.45 * i / 11, y - size * 0.6, size * 0.05, size * 0.75)

    def _entrance(self, ink: Ink, x: float, w: float, floor: float, number: int) -> None:
        dice = ink.dice
        if self.ground_floor == "shops" and number % 2 == 0:
            self._shop(ink, x, w, floor)
            return
        dw, dh = self.width * 0.2, min(self.width * 0.42, floor * 0.85)
        dx = x + w * dice.choice((0.3, 0.5, 0.7))
        frame, door = skia.Path(), skia.Path()
        for path, grow in ((frame, self.width * 0.025), (door, 0.0)):
            half = dw / 2 + grow
            path.moveTo(dx - half, self.foot + 2)
            path.lineTo(dx - half, self.foot - dh + half)
            path.cubicTo(
                dx - half,
                self.foot - dh - half * 0.3 - grow,
                dx + half,
                self.foot - dh - half * 0.3 - grow,
                dx + half,
                self.foot - dh + half,
            )
            path.lineTo(dx + half, self.foot + 2)
            path.close()
        ink.detail(frame, ink.tone("#e6dac6", -0.1))
        ink.solid(door, dice.choice(self.color_doors), form=0.4)
        panel = skia.Path()
        for k in (-1, 1):
            box(panel, dx + k * dw * 0.24 - dw * 0.15, self.foot - dh * 0.42, dw * 0.3, dh * 0.34)
        ink.detail(panel, with_alpha(ink.tone("#1e1622"), 0.3))

    def _shop(self, ink: Ink, x: float, w: float, floor: float) -> None:
        h = floor * 0.74
        opening = skia.Path.Rect(skia.Rect.MakeXYWH(x + w * 0.12, self.foot - h, w * 0.76, h))
        warm = mix(ink.tone("#4a3a3c"), ink.mood.lamp, 0.25 + 0.65 * ink.light.glow)
        ink.upright(opening, warm, ink.tone("#3a2c30", -0.1))
        things = skia.Path()
        for i in range(9):
            box(things, x + w * (0.16 + 0.075 * i), self.foot - h * ink.dice.uniform(0.15, 0.5), w * 0.05, h * 0.5)
        ink.detail(things, with_alpha(ink.tone("#2a2028"), 0.4), clip=opening)
        awning = Awning(
            brush="awning",
            x=x + w * 0.06,
            y=self.foot - h * 1.12,
            width=w * 0.88,
            drop=floor * 0.3,
            color=ink.dice.choice(("#c8473c", "#3f7f77", "#d79a3c", "#4a6fa5")),
        )
        awning.paint(ink)


class Awning(Brush):
    """A striped awning with a scalloped hem."""

    brush: Literal["awning"]
    segment: ClassVar[str] = "prop"
    x: float
    y: float
    width: float = Field(gt=5)
    drop: float = Field(40, gt=2)
    color: str = "#c8473c"
    color_stripe: str = "#f6ead6"

    def paint(self, ink: Ink) -> None:
        count = max(4, round(self.width / (self.drop * 0.42)))
        flare = self.width * 0.04
        hem = self.y + self.drop
        stripes = (skia.Path(), skia.Path())
        for i in range(count):
            a, b = i / count, (i + 1) / count
            t0, t1 = self.x + self.width * a, self.x + self.width * b
            b0, b1 = self.x - flare + (self.width + 2 * flare) * a, self.x - flare + (self.width + 2 * flare) * b
            path = stripes[i % 2]
            path.moveTo(t0, self.y)
            path.lineTo(t1, self.y)
            path.lineTo(b1, hem)
            path.quadTo((b0 + b1) / 2, hem + self.drop * 0.38, b0, hem)
            path.close()
        shade = skia.Path.Rect(skia.Rect.MakeLTRB(self.x, hem, self.x + self.width, hem + self.drop * 0.9))
        dark = ink.tone("#241a30")
        ink.detail(
            shade,
            LinearGradient(
                (0, hem), (0, hem + self.drop * 0.9), ((0, with_alpha(dark, 0.5)), (1, with_alpha(dark, 0)))
            ),
        )
        for path, ref in zip(stripes, (self.color, self.color_stripe), strict=True):
            color = ink.tone(ref)
            if ink.snow:
                color = mix(color, ink.white(), 0.5)
            ink.fill(
                path,
                LinearGradient(
                    (0, self.y),
                    (0, hem),
                    ((0, ink.tone(color, 0.25 * ink.light.strength)), (1, ink.tone(color, -0.25))),
                ),
                outline=path is stripes[0],
            )
