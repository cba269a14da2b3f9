"""Woods: trunks, foliage, ferns, firs."""

from __future__ import annotations

import math
from random import Random
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import Color, LinearGradient, RadialGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.ink import NORTH, Ink
from tools.layout.places.shapes import circles, ellipse, leaf, lens, merged, ribbon

__all__ = ["Ferns", "Foliage", "Pines", "Trunks"]


class Trunks(Brush):
    """Tree trunks that rise out of the frame."""

    brush: Literal["trunks"]
    segment: ClassVar[str] = "plant"
    spots: list[tuple[float, float, float]] = Field(min_length=1, description="x, foot y, width")
    color: str
    top: float = NORTH
    bark: bool = True
    color_moss: str = "#6f9a4a"

    def paint(self, ink: Ink) -> None:
        for x, foot, width in self.spots:
            self._trunk(ink.standing(foot), x, foot, width)

    def _trunk(self, ink: Ink, x: float, foot: float, w: float) -> None:
        dice = ink.dice
        lean, bend, knots = dice.uniform(-0.5, 0.5) * w, dice.uniform(-0.35, 0.35) * w, 14
        tall = foot - self.top
        points, widths = [], []
        for i in range(knots + 1):
            f = i / knots
            y = foot - tall * f
            points.append((x + lean * f * 2 + bend * math.sin(f * 5.0), y))
            flare = 0.75 * math.exp(-(foot - y) / (w * 0.75))
            widths.append(w * (1 + flare) * (1 - 0.3 * f))
        # A few more near the foot, where the flare curves.
        low = [(x + d, foot - w * k) for d, k in ((0, 0.0), (0, 0.22), (0, 0.55))]
        points = low + points[1:]
        widths = [w * 1.9, w * 1.5, w * 1.22, *widths[1:]]
        shape = ribbon(points, widths)
        ink.shadow(x, foot + w * 0.05, w * 1.9, w * 0.3)
        ink.detail(ellipse(x, foot, w * 0.94, w * 0.12), ink.tone(ink.tone(self.color), -0.5))
        for side in (-1, 1):
            root = skia.Path()
            leaf(
                root,
                x + side * w * 0.35,
                foot - w * 0.18,
                0.35 if side > 0 else math.pi - 0.35,
                w * dice.uniform(0.8, 1.2),
                w * 0.2,
            )
            ink.detail(root, ink.tone(ink.tone(self.color), -0.4))
        base = ink.tone(self.color)
        sign = 1 if ink.light.direction[0] > 0 else -1
        gradient = LinearGradient(
            (x + sign * w * 0.6, 0), (x - sign * w * 0.6, 0),
            ((0, ink.tone(base, 0.4 * ink.light.strength)), (0.4, base), (1, ink.tone(base, -0.8))),
        )  # fmt: skip
        ink.fill(shape, gradient, outline=True)
        if self.bark:
            self._bark(ink, shape, x, foot, w, base, lean)
        rim = with_alpha(ink.hazed(ink.light.rim), 0.6 * ink.light.strength)
        ink.crescent(shape, rim, max(1.2, w * 0.045))
        if ink.snow:
            ink.crescent(shape, with_alpha(ink.white(), 0.75), w * 0.1)

    def _bark(self, ink: Ink, shape: skia.Path, x: float, foot: float, w: float, base: Color, lean: float) -> None:
        dice = Random(f"bark {x} {w}")
        dark, pale = skia.Path(), skia.Path()
        for _ in range(int(26 + w / 5)):
            y = foot - dice.random() ** 1.2 * 800
            bx = x + lean * (foot - y) / 900 * 1.3 + dice.uniform(-0.5, 0.5) * w
            long = w * dice.uniform(0.4, 1.3)
            for path, shift in ((dark, 0.0), (pale, w * 0.03)):
                path.moveTo(bx + shift, y)
                path.cubicTo(
                    bx + w * 0.06 + shift, y + long * 0.3, bx - w * 0.05 + shift, y + long * 0.6, bx + shift, y + long
                )
                path.cubicTo(bx - w * 0.02 + shift, y + long * 0.6, bx + w * 0.1 + shift, y + long * 0.3, bx + shift, y)
                path.close()
        ink.detail(dark, with_alpha(ink.tone(base, -1.0), 0.55), clip=shape)
        ink.detail(pale, with_alpha(ink.tone(base, 0.5), 0.25), clip=shape)
        moss, blades = skia.Path(), skia.Path()
        sign = -1 if ink.light.direction[0] > 0 else 1
        for _ in range(46):
            y = foot - dice.random() ** 1.6 * w * 3.0
            lens(
                moss,
                x + (sign * dice.uniform(-0.1, 0.62) - 0.1) * w,
                y,
                w * dice.uniform(0.08, 0.22),
                w * 0.02,
                w * 0.05,
            )
        ink.detail(moss, with_alpha(ink.tone(self.color_moss), 0.5), clip=shape)
        for i in range(22):
            bx = x + (i / 21 - 0.5) * w * 2.3
            leaf(
                blades,
                bx,
                foot + dice.uniform(-2, 5),
                -math.pi / 2 + dice.uniform(-0.5, 0.5),
                w * dice.uniform(0.14, 0.34),
                w * 0.03,
                w * 0.04,
            )
        tuft = ink.tone(self.color_moss, -0.15)
        ink.detail(blades, mix(tuft, ink.white(), 0.6) if ink.snow else tuft)


class Foliage(Brush):
    """A mass of leaves along a band: a canopy that hangs, a hedge or bush that stands."""

    brush: Literal["foliage"]
    segment: ClassVar[str] = "plant"
    x0: float
    x1: float
    y: float = Field(description="of the edge: the lower one of a canopy, the foot of a bush")
    height: float = Field(gt=5)
    clump: float = Field(46, gt=3, description="radius of a clump of leaves")
    color: str
    hangs: bool = False
    arch: float = Field(0.0, description="by how much the edge is higher in its middle (canopy) or lower (bush)")
    gap: tuple[float, float] | None = Field(None, description="x range left free")
    leaves: float = Field(1.0, ge=0, le=3)

    def paint(self, ink: Ink) -> None:
        base = ink.tone(self.color)
        clumps = self._clumps(ink)
        sign = 1 if ink.light.direction[0] > 0 else -1
        body = skia.Path()
        if self.hangs:
            body.addRect(skia.Rect.MakeLTRB(self.x0, NORTH, self.x1, self.y - self.height - abs(self.arch)))
        body.addPath(circles(clumps))
        body = merged(body)
        top = self.y - self.height
        dark = ink.tone(base, -0.75)
        far, near = (dark, base) if self.hangs else (base, dark)
        ink.fill(body, LinearGradient((0, top), (0, self.y), ((0, far), (1, near))), outline=True)
        edge = self._leaves(ink, clumps, 1.0)
        ink.detail(edge, ink.tone(base, -0.25))
        lit = [(x + sign * r * 0.2, y - r * 0.24, r * 0.68) for x, y, r in clumps]
        ink.detail(circles(lit), with_alpha(ink.tone(base, 0.12), 0.55))
        bright = self._leaves(ink, lit, 0.9)
        shine = with_alpha(ink.tone(base, 0.22 + 0.3 * ink.light.strength), 0.75)
        ink.detail(bright, with_alpha(ink.white(-0.05), 0.9) if ink.snow else shine)
        if ink.snow:
            heaps = skia.Path()
            for x, y, r in clumps:
                if (x * 7 + y * 3) % 1.0 < (0.2 if self.hangs else 0.6):
                    heaps.addPath(ellipse(x, y - r * 0.72, r * 0.55, r * 0.2))
            ink.detail(heaps, with_alpha(ink.white(-0.02), 0.92))

    def _clumps(self, ink: Ink) -> list[tuple[float, float, float]]:
        found = []
        count = int((self.x1 - self.x0) * (self.height + self.clump) / (self.clump * self.clump) * 0.9)
        for _ in range(min(count, 420)):
            x, f = ink.dice.uniform(self.x0, self.x1), ink.dice.random()
            r = self.clump * ink.dice.uniform(0.55, 1.15)
            if self.gap and self.gap[0] < x < self.gap[1]:
                continue
            across = (x - self.x0) / (self.x1 - self.x0)
            bow = self.arch * math.sin(math.pi * across)
            if self.hangs:
                y = self.y - bow - r - f * self.height
            else:
                y = (
                    self.y
                    - r * 0.3
                    - f * max(0.0, self.height + bow * 1.0 - r) * (0.55 + 0.45 * math.sin(x * 0.013 + self.seed))
                )
            found.append((x, y, r))
        return sorted(found, key=lambda c: c[1])

    def _leaves(self, ink: Ink, clumps: list[tuple[float, float, float]], reach: float) -> skia.Path:
        path = skia.Path()
        for x, y, r in clumps:
            for _ in range(int(5 * self.leaves)):
                a = ink.dice.uniform(0, 6.283)
                size = self.clump * ink.dice.uniform(0.2, 0.36)
                leaf(
                    path,
                    x + math.cos(a) * r * reach,
                    y + math.sin(a) * r * reach,
                    a + ink.dice.uniform(-0.8, 0.8),
                    size,
                    size * 0.42,
                    size * 0.2,
                )
        return path


class Ferns(Brush):
    """Ferns: arching fronds of leaflets."""

    brush: Literal["ferns"]
    segment: ClassVar[str] = "plant"
    spots: list[tuple[float, float, float]] = Field(min_length=1, description="x, y, size")
    color: str = "#5d9a4e"
    fronds: int = Field(7, ge=2, le=15)

    def paint(self, ink: Ink) -> None:
        for x, y, size in self.spots:
            hand = ink.standing(y)
            back, front = skia.Path(), skia.Path()
            for i in range(self.fronds):
                f = (i + 0.5) / self.fronds
                angle = -math.pi * (0.1 + 0.8 * f) + ink.dice.uniform(-0.1, 0.1)
                self._frond((back, front)[i % 2], x, y, angle, size * ink.dice.uniform(0.75, 1.05))
            base = ink.tone(self.color)
            tip = mix(base, ink.white(), 0.7) if ink.snow else ink.tone(base, 0.45 * ink.light.strength + 0.08)
            for path, a, b in ((back, ink.tone(base, -0.7), ink.tone(base, -0.25)), (front, ink.tone(base, -0.3), tip)):
                # Hundreds of leaflets: in the line map they would be a white blot.
                hand.fill(path, RadialGradient((x, y), size, ((0, a), (1, b))))

    def _frond(self, path: skia.Path, x: float, y: float, angle: float, size: float) -> None:
        dx, dy = math.cos(angle), math.sin(angle)
        droop = size * (0.12 + 0.5 * abs(dx))
        spine = []
        for i in range(17):
            f = i / 16
            px, py = x + dx * size * f, y + dy * size * f + droop * f * f
            spine.append((px, py))
            if i < 2:
                continue
            along = math.atan2(dy * size + 2 * droop * f, dx * size)
            long = size * 0.25 * math.sin(math.pi * (0.12 + 0.86 * f)) ** 0.8
            for side in (-1, 1):
                leaf(path, px, py, along + side * (1.15 - 0.4 * f), long, size * 0.018, long * 0.1)
        path.addPath(ribbon(spine, [size * 0.022 * (1 - i / 18) for i in range(17)]))


class Pines(Brush):
    """Fir trees: tiers of drooping boughs."""

    brush: Literal["pines"]
    segment: ClassVar[str] = "plant"
    spots: list[tuple[float, float, float]] = Field(min_length=1, description="x, foot y, height")
    color: str = "#3f7358"

    def paint(self, ink: Ink) -> None:
        for x, y, h in self.spots:
            stem = skia.Path.Rect(skia.Rect.MakeLTRB(x - h * 0.03, y - h * 0.2, x + h * 0.03, y))
            ink.solid(stem, "#6b4a38", form=0.6)
            tiers = 6
            for i in range(tiers):
                f = i / tiers
                base, tip = y - h * (0.1 + 0.78 * f), y - h * (0.42 + 0.6 * f)
                half = h * 0.25 * (1 - 0.72 * f)
                path = skia.Path()
                path.moveTo(x, tip)
                path.quadTo(x + half * 0.35, (base + tip) / 2, x + half, base)
                for k in range(6):
                    a = x + half - 2 * half * (k + 0.5) / 6
                    path.quadTo(a + half / 8, base - h * 0.022, a, base + h * 0.02)
                path.lineTo(x - half, base)
                path.quadTo(x - half * 0.35, (base + tip) / 2, x, tip)
                path.close()
                ink.solid(path, self.color, form=0.6, outline=i == 0 or i == tiers - 1)
                if ink.snow:
                    ink.crescent(path, with_alpha(ink.white(), 0.9), h * 0.035)
