"""Palms: a leaning ringed trunk and fronds that droop in the light."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import LinearGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.ink import Ink
from tools.layout.places.shapes import Point, ellipse, leaf, ribbon, smooth

__all__ = ["Palm"]


class Palm(Brush):
    """A coconut palm from its foot at (x, y) to a crown `height` above, `lean` units to the side."""

    brush: Literal["palm"]
    segment: ClassVar[str] = "plant"
    x: float
    y: float
    height: float = Field(gt=20)
    lean: float = 60
    crown: float = Field(230, gt=10, description="length of a frond")
    trunk: float = Field(44, gt=1, description="width at the foot")
    fronds: int = Field(13, ge=3, le=40)
    nuts: int = Field(3, ge=0, le=8)
    color_leaf: str = "#3f8a4e"
    color_trunk: str = "#9a6a4a"
    color_mound: str = Field("", description="of the ground heaped at its foot; none if empty")

    def paint(self, ink: Ink) -> None:
        ink = ink.standing(self.y)
        spine = self._spine()
        top = spine[-1]
        order = sorted(self._angles(ink), key=lambda a: -abs(math.cos(a)) - 0.4 * math.sin(a))
        behind, front = order[: len(order) // 2], order[len(order) // 2 :]
        for angle in behind:
            self._frond(ink, top, angle, -0.5)
        self._trunk(ink, spine)
        if self.color_mound:
            self._mound(ink)
        for angle in front:
            self._frond(ink, top, angle, 0.06)
        self._nuts(ink, top)

    def _angles(self, ink: Ink) -> list[float]:
        return [
            math.radians(-200 + 220 * (i + 0.5) / self.fronds + ink.dice.uniform(-7, 7)) for i in range(self.fronds)
        ]

    def _spine(self) -> list[Point]:
        # Leans out of the sand and straightens towards the light.
        return [
            (self.x + self.lean * (1 - (1 - f) ** 1.9), self.y - self.height * f) for f in (i / 14 for i in range(15))
        ]

    def _trunk(self, ink: Ink, spine: list[Point]) -> None:
        widths = [self.trunk * (1 - 0.48 * i / 14 + 0.35 * max(0.0, 1 - i / 2.2)) for i in range(15)]
        shape = ribbon(spine, widths)
        base = ink.tone(self.color_trunk)
        side = 1 if ink.light.direction[0] > 0 else -1
        half = self.trunk * 0.5
        # Across the trunk at its middle: as it leans, the gradient is drawn along the lean's slope.
        (ax, ay), (bx, by) = spine[3], spine[-1]
        mx, my = (ax + bx) / 2, (ay + by) / 2
        length = math.hypot(bx - ax, by - ay)
        nx, ny = -(by - ay) / length * side, (bx - ax) / length * side
        gradient = LinearGradient(
            (mx + nx * half, my + ny * half), (mx - nx * half * 1.1, my - ny * half * 1.1),
            ((0, ink.tone(base, 0.45 * ink.light.strength)), (0.4, base), (1, ink.tone(base, -0.85))),
        )  # fmt: skip
        ink.fill(shape, gradient, outline=True)
        dark, pale = skia.Path(), skia.Path()
        rings = int(self.height / (self.trunk * 0.55))
        for i in range(1, rings):
            f = i / rings
            k = f * 14
            j = min(13, int(k))
            x = spine[j][0] + (spine[j + 1][0] - spine[j][0]) * (k - j)
            y = self.y - self.height * f
            w = widths[j] * 0.52
            for path, thick, lift in ((dark, 0.05, 0.0), (pale, 0.03, self.trunk * 0.07)):
                path.moveTo(x - w, y - lift)
                path.quadTo(x, y + w * 0.36 - lift, x + w, y - lift)
                path.quadTo(x, y + w * 0.36 - lift + self.trunk * thick * 2, x - w, y - lift)
                path.close()
        ink.detail(dark, with_alpha(ink.tone(base, -1.0), 0.6), clip=shape)
        ink.detail(pale, with_alpha(ink.tone(base, 0.5), 0.35), clip=shape)
        ink.crescent(shape, with_alpha(ink.hazed(ink.light.rim), 0.75 * ink.light.strength), self.trunk * 0.06)

    def _frond(self, ink: Ink, top: Point, angle: float, shade: float) -> None:
        length = self.crown * ink.dice.uniform(0.82, 1.1)
        droop = length * (0.62 + 0.2 * ink.dice.random()) * (0.35 + abs(math.cos(angle)))
        x0, y0 = top
        ex, ey = x0 + math.cos(angle) * length, y0 + math.sin(angle) * length * 0.8 + droop
        # The rachis rises from the crown before it falls: the control point lies along the angle.
        cx, cy = x0 + math.cos(angle) * length * 0.5, y0 + math.sin(angle) * length * 0.62 - length * 0.2
        blades = skia.Path()
        inner = skia.Path()
        spine: list[Point] = []
        count = 26
        for i in range(count + 1):
            f = i / count
            x = (1 - f) ** 2 * x0 + 2 * (1 - f) * f * cx + f * f * ex
            y = (1 - f) ** 2 * y0 + 2 * (1 - f) * f * cy + f * f * ey
            spine.append((x, y))
            if i < 3:
                continue
            tx = 2 * (1 - f) * (cx - x0) + 2 * f * (ex - cx)
            ty = 2 * (1 - f) * (cy - y0) + 2 * f * (ey - cy)
            along = math.atan2(ty, tx)
            size = length * 0.36 * math.sin(math.pi * min(0.96, 0.16 + 0.84 * f)) ** 0.65 * ink.dice.uniform(0.86, 1.08)
            for side in (-1, 1):
                spread = side * (0.95 - 0.45 * f)
                leaf(blades if side < 0 else inner, x, y, along + spread, size, length * 0.017, size * 0.26)
        base = ink.tone(self.color_leaf, shade)
        tip = ink.tone(base, -0.35)
        light = ink.tone(base, 0.32 * ink.light.strength)
        if ink.snow:
            light = mix(light, ink.white(), 0.55)
        for path, a, b in ((inner, base, tip), (blades, light, base)):
            ink.fill(path, LinearGradient((x0, y0), (ex, ey), ((0, a), (1, b))), outline=path is blades)
        rachis = ribbon(spine, [max(0.8, self.crown * 0.02 * (1 - i / (count + 4))) for i in range(count + 1)])
        glint = mix(light, ink.hazed(ink.light.rim), 0.5 * ink.light.strength)
        ink.detail(rachis, ink.white() if ink.snow else (glint if shade > -0.2 else ink.tone(base, 0.2)))

    def _mound(self, ink: Ink) -> None:
        w = self.trunk * 1.7
        color = ink.tone(self.color_mound)
        if ink.snow:
            color = mix(color, ink.white(), 0.8)
        ink.shadow(self.x, self.y + w * 0.1, w * 2.0, w * 0.28)
        ring = ((-1.0, 0.22), (-0.6, -0.06), (0.0, -0.2), (0.6, -0.04), (1.0, 0.22), (0.0, 0.34))
        heap = smooth([(self.x + w * dx, self.y + w * dy) for dx, dy in ring])
        ink.solid(heap, color, form=0.5, outline=False, segment="ground")
        blades = skia.Path()
        for i in range(13):
            a = -math.pi / 2 + (i - 6) * 0.16 + ink.dice.uniform(-0.1, 0.1)
            x = self.x + (i - 6) * w * 0.1
            leaf(blades, x, self.y + w * 0.06, a, w * ink.dice.uniform(0.35, 0.7), w * 0.035, w * 0.08)
        ink.fill(blades, ink.tone(self.color_leaf, 0.1), outline=True)

    def _nuts(self, ink: Ink, top: Point) -> None:
        r = self.trunk * 0.33
        for i in range(self.nuts):
            x = top[0] + (i - (self.nuts - 1) / 2) * r * 1.3
            y = top[1] + r * (0.35 + 0.55 * (i % 2))
            ink.solid(ellipse(x, y, r, r), "#7a4a30", form=0.7, edge=1.0, outline=False, rim=r * 0.12)
