"""Tops, trousers and skirts over a trunk: they follow its bend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import skia

from tools.layout.drawlist import Color, Stroke
from tools.layout.light import with_alpha
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.limbs import garment_tube
from tools.layout.rig.schema import Outfit
from tools.layout.rig.seed import pick
from tools.layout.rig.shapes import bent, ellipse, smooth, through
from tools.layout.rig.skeleton import Bones
from tools.layout.rig.trunk import Trunk

__all__ = ["Clothed", "trunk_of"]

Point = tuple[float, float]


@dataclass(slots=True)
class Clothed(Trunk):
    """A trunk that can draw the garments of its design."""

    def settled(self, outfit: Outfit) -> Outfit:
        """The garment as it falls here: not into the floor of one who sits, not in a bell round one who lies."""
        bones, b = self.bones, self.d.body
        if bones.roll:
            return outfit.model_copy(update={"flare": 1 + (outfit.flare - 1) * 0.25, "hem": min(outfit.hem, 0.5)})
        if bones.pelvis[1] < -0.45 * (b.thigh + b.shin):
            return outfit
        room = max(0.05, (-bones.pelvis[1] - 2.0) / b.torso)
        return outfit.model_copy(update={"hem": min(outfit.hem, room), "skirt": min(outfit.skirt, room)})

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

    # --- below the waist -----------------------------------------------------------------------------------------

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


def trunk_of(d: Design, bones: Bones, breath: float, swing: float) -> Clothed:
    """The trunk between these bones."""
    arms = bones.arms
    left = min(arms, key=lambda side: arms[side].root[0])
    right = "right" if left == "left" else "left"
    return Clothed(d, bones, breath, swing, (left, right))
