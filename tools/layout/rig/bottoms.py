"""Trousers, shorts and skirts over a trunk and its legs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import skia

from tools.layout.drawlist import Color, Stroke
from tools.layout.light import with_alpha
from tools.layout.rig.ink import Brush, darker
from tools.layout.rig.limbs import garment_tube
from tools.layout.rig.schema import Outfit
from tools.layout.rig.shapes import bent, smooth, through
from tools.layout.rig.trunk import Trunk

__all__ = ["LowerHalf"]

Point = tuple[float, float]


@dataclass(slots=True)
class LowerHalf(Trunk):
    """A trunk that can draw what is worn below the waist."""

    def settled(self, outfit: Outfit) -> Outfit:
        """The garment as it falls here: not into the floor of one who sits, not in a bell round one who lies."""
        bones, b = self.bones, self.d.body
        if bones.roll:
            return outfit.model_copy(update={"flare": 1 + (outfit.flare - 1) * 0.25, "hem": min(outfit.hem, 0.5)})
        if bones.pelvis[1] < -0.45 * (b.thigh + b.shin):
            return outfit
        room = max(0.05, (-bones.pelvis[1] - 2.0) / b.torso)
        return outfit.model_copy(update={"hem": min(outfit.hem, room), "skirt": min(outfit.skirt, room)})

    def draw_bottom(self, brush: Brush, outfit: Outfit, legs: Sequence[str]) -> None:
        """Shorts or trousers over both legs (far one first), or a skirt."""
        if outfit.skirt:
            self._skirt(brush, self.settled(outfit))
            return
        colour = self.d.palette.bottom
        block = smooth(self._seat(), frozenset({0, 8}))
        brush.form(block, colour, rim=0.6)
        for side in legs:
            self.draw_trouser(brush, outfit, side, block)
        brush.put(block, brush.tone(colour), effect=True)
        self._fly(brush, colour)

    def draw_trouser(self, brush: Brush, outfit: Outfit, side: str, block: skia.Path) -> None:
        """One leg of shorts or trousers; no ink where it leaves `block`."""
        d, b = self.d, self.d.body
        limb = self.bones.legs[side]

        def radius(t: float) -> float:
            r = b.leg
            base = r[0] + (r[1] - r[0]) * t if t < 1 else r[2] + (r[3] - r[2]) * (t - 1)
            return base * (1.08 + (outfit.leg_width - 1.08) * min(1.0, t / max(0.3, outfit.leg))) + 1.5

        root, mid, end = ((p[0], p[1]) for p in (limb.root, limb.mid, limb.end))
        tube = bent(root, mid, end, radius, stop=min(1.94, outfit.leg), round_end=False)
        colour = d.palette.bottom
        garment_tube(brush, tube, colour, outfit, block, d.palette.trim if outfit.trim else colour)

    def _seat(self) -> list[Point]:
        fit = 1.03
        points = [self.edge(0.26, 1, 0.9), self.edge(0.1, 1, 0.97), self.edge(-0.06, 1, fit)]
        x, y = self.centre(-0.17)
        left = [self.edge(-0.06, -1, fit), self.edge(0.1, -1, 0.97), self.edge(0.26, -1, 0.9)]
        inner = [self.edge(-0.14, 1, 0.55), (x, y), self.edge(-0.14, -1, 0.55)]
        return [*points, *inner, *left]

    def _fly(self, brush: Brush, colour: Color) -> None:
        turn = math.sin(self.bones.yaw) * self.half(0.0) * 0.5
        a, c = self.centre(0.1), self.centre(-0.16)
        brush.line(through([(a[0] + turn, a[1]), (c[0] + turn * 0.6, c[1])]), colour, 0.75, alpha=0.7)
        for side in (-1.0, 1.0):
            p, q = self.edge(0.06, side, 0.62), self.edge(-0.05, side, 0.98)
            brush.line(
                through([(p[0] + turn * 0.3, p[1]), ((p[0] + q[0]) / 2 - side, (p[1] + q[1]) / 2 + 2), q]),
                colour,
                0.6,
                alpha=0.5,
            )

    def _skirt(self, brush: Brush, outfit: Outfit) -> None:
        colour = self.d.palette.bottom
        sway = self.swing * 4
        hem = -outfit.skirt
        knees = [limb.mid for limb in self.bones.legs.values()]
        spread = max(abs(k[0] - self.bones.pelvis[0]) for k in knees)
        width = max(outfit.flare, (spread * outfit.skirt * 1.3 + 14) / self.half(0.0))
        right = [
            self.edge(0.3, 1, 1.02),
            self.edge(0.05, 1, 1.06),
            self.edge(hem * 0.5, 1, 1 + (width - 1) * 0.55),
            self.edge(hem, 1, width),
        ]
        left = [
            self.edge(0.3, -1, 1.02),
            self.edge(0.05, -1, 1.06),
            self.edge(hem * 0.5, -1, 1 + (width - 1) * 0.55),
            self.edge(hem, -1, width),
        ]
        n = 7
        wave = []
        for i in range(1, n):
            f = i / n
            x = right[-1][0] + (left[-1][0] - right[-1][0]) * f + sway
            y = (
                right[-1][1]
                + (left[-1][1] - right[-1][1]) * f
                + self.half(0) * (0.13 * math.sin(math.pi * f) + (0.06 if i % 2 else -0.02))
            )
            wave.append((x, y))
        right[-1], left[-1] = (right[-1][0] + sway, right[-1][1]), (left[-1][0] + sway, left[-1][1])
        path = smooth([*right, *wave, *left[::-1]], frozenset({3, 3 + n}))
        brush.form(path, colour)
        lines = skia.Path()
        for i, p in enumerate(wave):
            if i % 2 == 0:
                f = (i + 1) / n
                top = (right[0][0] + (left[0][0] - right[0][0]) * f, right[0][1] + (left[0][1] - right[0][1]) * f + 6)
                lines.addPath(through([((top[0] + p[0]) / 2, (top[1] + p[1]) / 2), p]))
        brush.put(
            lines,
            None,
            Stroke(with_alpha(brush.shade(darker(colour, 0.25)), 0.6), brush.ink * 1.3),
            effect=True,
            clip=path,
        )
        if outfit.trim:
            edge = [right[-1], *wave, left[-1]]
            brush.stroke(through([(x, y - 4) for x, y in edge]), self.d.palette.trim, 2.6, clip=path)
