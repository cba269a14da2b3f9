"""Tops over a trunk: they follow its bend."""

from __future__ import annotations

import math
from dataclasses import dataclass

import skia

from tools.layout.drawlist import Color, Stroke
from tools.layout.light import with_alpha
from tools.layout.rig.bottoms import LowerHalf
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.schema import Outfit
from tools.layout.rig.seed import pick
from tools.layout.rig.shapes import ellipse, smooth, through
from tools.layout.rig.skeleton import Bones

__all__ = ["Clothed", "trunk_of"]

Point = tuple[float, float]


@dataclass(slots=True)
class Clothed(LowerHalf):
    """A trunk that can draw the garments of its design."""

    def draw_top(self, brush: Brush, outfit: Outfit) -> skia.Path:
        """The garment over the trunk; returns its outline."""
        d = self.d
        outfit = self.settled(outfit)
        colour = d.palette.top
        path, hem = self.garment_path(outfit)
        brush.form(path, colour, rim=0.45)
        if outfit.stripes:
            self._stripes(brush, outfit, path)
        self._folds(brush, outfit, path, colour)
        off = self.d.body.torso * 0.045
        nx, ny = self.normal(-outfit.hem)
        inside = through([(x + ny * off, y - nx * off) for x, y in hem])
        if outfit.trim and outfit.hem > 0.2:
            brush.stroke(inside, d.palette.trim, 3.4, clip=path)
        brush.line(inside, colour, 0.6, alpha=0.55)
        if outfit.ribbed:
            brush.stroke(
                through([(x + ny * off * 0.2, y - nx * off * 0.2) for x, y in hem]),
                darker(colour, 0.16),
                off * 2.2,
                clip=path,
            )
        self._chin_shadow(brush, path, colour)
        if self.bones.back:
            self._hood_back(brush, outfit)
            if outfit.neck == "tank":
                self._arm_holes(brush, d.palette.trim if outfit.trim else colour, colour)
            return path
        self._neck_trim(brush, outfit)
        self._closure(brush, outfit, path)
        return path

    def _stripes(self, brush: Brush, outfit: Outfit, path: skia.Path) -> None:
        lines = skia.Path()
        n = outfit.stripes
        bow = self.half(0.5) * 0.1
        turn = math.sin(self.bones.yaw) * 0.4
        for i in range(n):
            t = -outfit.hem + (0.99 + outfit.hem) * (i + 0.55) / n
            a, e = self.edge(t, -1, 1.5), self.edge(t, 1, 1.5)
            c = self.centre(t)
            nx, ny = self.normal(t)
            lines.addPath(through([a, (c[0] - ny * bow + nx * turn, c[1] + nx * bow + ny * turn), e]))
        width = self.d.body.torso * (1 + outfit.hem) / n * 0.36
        brush.stroke(lines, self.d.palette.trim, width, clip=path)

    def _folds(self, brush: Brush, outfit: Outfit, path: skia.Path, colour: Color) -> None:
        lines = skia.Path()
        k = outfit.folds
        if not k:
            return
        for side in (-1.0, 1.0):
            a = self.edge(0.72, side, 0.98)
            b = self.edge(0.62, side, 0.72)
            c = self.edge(0.6, side, 0.5)
            lines.addPath(through([a, b, c]))
            a = self.edge(0.44, side, 1.0)
            b = self.edge(0.38, side, 0.76)
            lines.addPath(through([a, b, self.edge(0.39, side, 0.56)]))
            if outfit.hem > 0.3:
                for j in (0.3, 0.68):
                    p = self.edge(0.1, side, j * 0.8)
                    q = self.edge(-outfit.hem * 0.95, side, j * outfit.flare)
                    lines.addPath(through([p, ((p[0] + q[0]) / 2 + side, (p[1] + q[1]) / 2), q]))
        ink = Stroke(with_alpha(brush.shade(darker(colour, 0.22)), 0.5), brush.ink * 1.3 * min(1.3, k))
        brush.put(lines, None, ink, effect=True, clip=path)

    def _chin_shadow(self, brush: Brush, path: skia.Path, colour: Color) -> None:
        n, h = self.bones.chest, self.bones.head
        w = self.d.body.head[0]
        x = n[0] + (h[0] - n[0]) * 0.5
        if not self.bones.roll:
            brush.soft(x, n[1] - 2, w * 0.72, brush.shadow(colour, 0.5), clip=path, squash=0.36)

    def _neck_trim(self, brush: Brush, outfit: Outfit) -> None:
        d = self.d
        colour = d.palette.top
        neck = {"tank": 17.0, "round": 18.5, "hood": 18.0, "turtle": 13.0}.get(outfit.neck, 15.5) * self._neck()
        n = self.bones.chest
        nx, ny = self.normal(1.0)
        top = (n[0] + ny * 7.5, n[1] - nx * 7.5)
        a, e = (top[0] - nx * neck, top[1] - ny * neck), (top[0] + nx * neck, top[1] + ny * neck)
        (c,) = self._neckline(outfit)

        def curve(grow: float) -> skia.Path:
            return through(
                [
                    (a[0] - nx * grow, a[1] - ny * grow),
                    ((a[0] + c[0]) / 2 - nx * neck * 0.32 - grow * 0.4, (a[1] + c[1]) / 2 + nx * 3 + grow * 0.6),
                    (c[0], c[1] + grow * 0.6),
                    ((e[0] + c[0]) / 2 + nx * neck * 0.32 + grow * 0.4, (e[1] + c[1]) / 2 + nx * 3 + grow * 0.6),
                    (e[0] + nx * grow, e[1] + ny * grow),
                ]
            )

        if outfit.neck == "collar":
            for side, p in ((-1.0, a), (1.0, e)):
                flap = smooth(
                    [
                        p,
                        (p[0] + nx * side * 3, p[1] + 9),
                        (c[0] + side * nx * 13, c[1] + 5),
                        (c[0], c[1] - 1),
                        (p[0] - nx * side * 3, p[1] + 3),
                    ],
                    frozenset({0, 2, 3}),
                    0.7,
                )
                brush.form(flap, lighter(colour, 0.12), rim=0.4, under=False)
            return
        if outfit.neck == "hood":
            for side, p in ((-1.0, a), (1.0, e)):
                roll = smooth(
                    [
                        (p[0] + nx * side * 2, p[1] - 4),
                        (p[0] + nx * side * 9, p[1] + 5),
                        (c[0] + nx * side * 9, c[1] + 9),
                        (c[0], c[1] + 5),
                        (c[0] + nx * side * 4, c[1] - 1),
                        (p[0] - nx * side * 1, p[1] + 4),
                    ]
                )
                brush.form(roll, lighter(colour, 0.06), rim=0.5, under=False)
            if d.top_style == "hoodie":
                for side in (-1.0, 1.0):
                    x, y = c[0] + nx * side * 5, c[1] + 7
                    brush.stroke(
                        through([(x, y), (x + self.swing, y + 10), (x + side + self.swing * 2, y + 19)]),
                        (0.96, 0.94, 0.9, 1),
                        1.8,
                    )
            return
        trim = d.palette.trim if outfit.stripes or outfit.trim else darker(colour, 0.12)
        width = 4.4 if outfit.neck != "tank" else 3.2
        brush.put(curve(1.6), None, Stroke(brush.line_colour(colour), width + brush.ink * 1.4), effect=True)
        brush.stroke(curve(1.6), trim, width)
        if outfit.neck == "tank":
            self._arm_holes(brush, trim, colour)

    def _arm_holes(self, brush: Brush, trim: Color, colour: Color) -> None:
        """Bare shoulders beside the straps."""
        skin = self.d.palette.skin
        for side in (-1.0, 1.0):
            s = self.shoulder(side, 1.5)
            n = self.bones.chest
            nx, ny = self.normal(1.0)
            start = (
                n[0] + nx * side * 25 * self._neck() * abs(math.cos(self.bones.yaw)) ** 0.5 + ny * 9,
                n[1] + ny * side * 25 - nx * 9,
            )
            end = self.edge(0.7, side, 1.1)
            mid = self.edge(0.84, side, 0.7)
            hole = smooth(
                [start, mid, end, (s[0] + nx * side * 6, s[1] + 8), (s[0] + nx * side * 2, s[1] - 5)],
                frozenset({0, 2}),
                0.9,
            )
            brush.put(hole, brush.tone(skin), effect=True, clip=self.body_path())
            brush.put(through([start, mid, end]), None, Stroke(brush.line_colour(colour), 3.0 + brush.ink), effect=True)
            brush.stroke(through([start, mid, end]), trim, 2.6)

    def _closure(self, brush: Brush, outfit: Outfit, path: skia.Path) -> None:
        colour = self.d.palette.top
        turn = math.sin(self.bones.yaw) * self.half(0.5) * 0.5
        centre = [(x + turn, y) for x, y in (self.centre(t) for t in (0.84, 0.6, 0.3, 0.0, -outfit.hem))]
        if outfit.buttons or outfit.zip:
            brush.line(through(centre), colour, 0.8, alpha=0.7)
        if outfit.zip:
            brush.stroke(through(centre), (0.93, 0.9, 0.84, 1), 1.5, clip=path)
        for i in range(outfit.buttons):
            f = (i + 0.4) / outfit.buttons
            x, y = self.centre(0.8 - f * (0.8 + outfit.hem))
            brush.flat(ellipse(x + turn + 2.6, y, 2.0, 2.0), (0.97, 0.94, 0.88, 1), ink=0.7)
        if outfit.motif:
            self._motif(brush)
        if outfit.pocket == "pouch":
            points = [
                self.edge(t, s, k)
                for t, s, k in (
                    (0.34, -1, 0.4),
                    (0.34, 1, 0.4),
                    (0.14, 1, 0.62),
                    (0.04, 1, 0.62),
                    (0.04, -1, 0.62),
                    (0.14, -1, 0.62),
                )
            ]
            brush.form(
                smooth([(x + turn * 0.7, y) for x, y in points], frozenset({0, 1, 3, 4}), 0.5),
                lighter(colour, 0.03),
                rim=0.4,
                under=False,
            )
        elif outfit.pocket == "chest":
            x, y = self.edge(0.66, 1, 0.46)
            x += turn * 0.5
            brush.form(
                smooth(
                    [(x - 6.5, y - 6), (x + 6.5, y - 6), (x + 6.5, y + 5), (x, y + 8), (x - 6.5, y + 5)],
                    frozenset({0, 1, 2, 4}),
                    0.5,
                ),
                lighter(colour, 0.05),
                rim=0.0,
                under=False,
            )
        elif outfit.pocket == "side":
            for s in (-1, 1):
                a, b = self.edge(0.12, s, 0.4), self.edge(0.06, s, 0.82)
                brush.stroke(through([a, b]), darker(colour, 0.16), 5.0, clip=path)
                brush.line(through([a, b]), colour, 0.8)

    def _motif(self, brush: Brush) -> None:
        """A star, a heart, a wave or a sun on the chest."""
        x, y = self.centre(0.58)
        yaw = self.bones.yaw
        x += math.sin(yaw) * self.half(0.6) * 0.42
        nx, ny = self.normal(0.6)
        chest = brush.placed(x, y, math.degrees(math.atan2(ny, nx)), max(0.3, abs(math.cos(yaw))))
        r = self.d.body.torso * 0.15
        colour = self.d.palette.extra
        top = self.d.palette.top
        if sum(abs(a - b) for a, b in zip(colour[:3], top[:3], strict=True)) < 0.5:
            colour = self.d.palette.bottom
        kind = pick(["star", "heart", "wave", "sun"], self.d.id, "motif")
        if kind == "star":
            points: list[Point] = []
            for i in range(10):
                a, k = i * math.pi / 5, r if i % 2 == 0 else r * 0.46
                points.append((math.sin(a) * k, -math.cos(a) * k))
            chest.flat(smooth(points, frozenset(range(0, 10, 2)), 0.3), colour)
        elif kind == "heart":
            half = [(0.95, 0.0), (0.86, -0.7), (0.38, -0.8)]
            right = [(x * r, y * r) for x, y in half]
            left = [(-x * r, y * r) for x, y in half]
            chest.flat(smooth([(0, r), *left, (0, -r * 0.36), *right[::-1]], frozenset({0, 4})), colour)
        elif kind == "wave":
            for dy in (-0.5, 0.0, 0.5):
                line = [(-r * 1.1 + i * r * 0.44, r * (dy + (0.2 if i % 2 else -0.2))) for i in range(6)]
                chest.stroke(through(line), colour, r * 0.24)
        else:
            chest.flat(ellipse(0, 0, r * 0.52, r * 0.52), colour)
            rays = skia.Path()
            for i in range(8):
                a = i * math.pi / 4
                rays.addPath(
                    through([(math.cos(a) * r * 0.72, math.sin(a) * r * 0.72), (math.cos(a) * r, math.sin(a) * r)])
                )
            chest.stroke(rays, colour, r * 0.17)

    def _hood_back(self, brush: Brush, outfit: Outfit) -> None:
        if outfit.neck != "hood":
            return
        n = self.bones.chest
        colour = self.d.palette.top
        k = self._neck()
        hood = smooth(
            [
                (n[0] - 25 * k, n[1] - 6),
                (n[0], n[1] - 11),
                (n[0] + 25 * k, n[1] - 6),
                (n[0] + 17 * k, n[1] + 18),
                (n[0], n[1] + 28 * k),
                (n[0] - 17 * k, n[1] + 18),
            ]
        )
        brush.form(hood, lighter(colour, 0.06), under=False)


def trunk_of(d: Design, bones: Bones, breath: float, swing: float) -> Clothed:
    """The trunk between these bones."""
    arms = bones.arms
    left = min(arms, key=lambda side: arms[side].root[0])
    right = "right" if left == "left" else "left"
    return Clothed(d, bones, breath, swing, (left, right))
