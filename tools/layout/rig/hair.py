"""Hair: clumps, strands and curls over a ball that turns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import skia

from tools.layout.drawlist import Color, LinearGradient, Stroke
from tools.layout.light import mix, with_alpha
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.schema import HairPoint, Lock
from tools.layout.rig.seed import unit
from tools.layout.rig.shapes import ellipse, smooth, swelling, through, wedge

__all__ = ["Wig"]

Point = tuple[float, float]


@dataclass(slots=True)
class _Clump:
    path: skia.Path
    root: Point
    tip: Point
    width: float
    bend: float


@dataclass(slots=True)
class Wig:
    """The hair of one character on a head that stands at some angle.

    Attributes:
        w, h: half width and half height of the head, in units.
        yaw, nod: radians.
        swing: -1..1, of what hangs.
    """

    d: Design
    w: float
    h: float
    yaw: float
    nod: float
    swing: float
    back_view: bool

    def at(self, p: HairPoint, sway: float = 0.0) -> Point:
        """Where a point of the sheet lies; what lies in front moves with the face, what lies behind against it."""
        turn = self.yaw * 1.25
        front = p[2] if not self.back_view else 0.0
        x = p[0] * (1 - (1 - math.cos(turn)) * abs(front)) + front * math.sin(turn)
        y = p[1] * (1.0 if p[1] > 0 else self.h / self.w * 0.985) + front * self.nod * 0.4
        if front > 0.15 and p[1] < 0.35:
            # What lies on the face side slides round the skull, never past it.
            limit = 1.05 * math.sqrt(max(0.06, 1.0 - (min(0.0, y) * self.w / self.h) ** 2 * 0.8))
            x = max(-limit, min(limit, x))
        hang = max(0.0, abs(p[1] + 0.3)) * sway * self.swing * 0.07
        return ((x + hang) * self.w, y * self.w)

    def _outline(self, points: Sequence[HairPoint], sway: float = 0.0) -> skia.Path:
        corners = frozenset(i for i, p in enumerate(points) if len(p) > 3)
        placed = [self.at(p, sway) for p in points]
        scallop = self.d.hair.scallop
        if not scallop:
            return smooth(placed, corners)
        path = skia.Path()
        path.moveTo(*placed[0])
        for i, (x0, y0) in enumerate(placed):
            x1, y1 = placed[(i + 1) % len(placed)]
            # Outward is away from the middle of the head, also along the hairline.
            nx, ny = y1 - y0, -(x1 - x0)
            k = scallop * 2.1
            path.cubicTo(x0 + nx * k, y0 + ny * k, x1 + nx * k, y1 + ny * k, x1, y1)
        path.close()
        return path

    # --- parts ---------------------------------------------------------------------------------------------------

    def draw_back(self, brush: Brush) -> None:
        """What hangs behind the body (from the front) or hides the back of the head's sides."""
        hair, colour = self.d.hair, self.d.palette.hair
        if self.back_view:
            return
        for outline in hair.back:
            path = self._outline(outline, hair.sway)
            brush.form(path, darker(colour, 0.2), shade=0.8)
            self._hanging_strands(brush, path)
        for lock in hair.locks:
            if self._turned_away(lock):
                root, tip = self.at(lock.root), self.at(lock.tip, lock.sway * 3)
                path = wedge((root[0] * 0.84, root[1]), (tip[0] * 0.92, tip[1]), lock.width * self.w, lock.bend)
                brush.form(path, darker(colour, 0.1), rim=0.0)
        self._tails(brush, [lock for lock in hair.tails if not hair.braided or self._turned_away(lock)])

    def _turned_away(self, lock: Lock) -> bool:
        """Hair that hangs beside the face, on the side that the face turns to: it lies behind the cheek."""
        return lock.root[2] < 0.3 and lock.tip[1] > 0.45 and self.yaw * lock.tip[0] > 0.15

    def draw_front(self, brush: Brush) -> None:
        """Cap, locks and strands over the face; from behind, the whole head of hair."""
        hair = self.d.hair
        outline = hair.nape if self.back_view else hair.cap
        if not outline:
            return
        colour = self.d.palette.hair
        if hair.braided:
            self._tails(brush, [lock for lock in hair.tails if self.back_view or not self._turned_away(lock)])
        if hair.knot and not self.d.accessories & {"cap", "straw_hat", "beanie"}:
            self._knot(brush)
        path = self._outline(outline, hair.sway * 0.3 if self.back_view else 0.0)
        locks = hair.nape_locks if self.back_view else hair.locks
        # A hat presses flat what would stand up.
        hat = bool(self.d.accessories & {"cap", "straw_hat", "beanie"})
        up = [self._wedge(lock) for lock in locks if lock.tip[1] < lock.root[1] and not hat]
        down = [
            self._wedge(lock)
            for lock in locks
            if lock.tip[1] >= lock.root[1] and (self.back_view or not self._turned_away(lock))
        ]
        # The ink of all that makes the outline lies under all of its surfaces: what stands up grows out of the cap.
        ink = brush.line_colour(colour)
        line = Stroke(ink, brush.ink * 2)
        for clump in up:
            brush.put(clump.path, ink, line, outline=True)
        brush.put(path, ink, line, outline=True)
        brush.form(path, colour, ink=0.0)
        for clump in up:
            self._clump(brush, clump, colour)
        self._shine(brush, path)
        self._strands(brush, hair.nape_strands if self.back_view else hair.strands, path)
        for clump in down:
            self._clump(brush, clump, colour, ink=True)
        if hair.curls:
            self._curls(brush, path)
        if self.back_view and not hair.braided:
            self._tails(brush, hair.tails)

    def _wedge(self, lock: Lock) -> _Clump:
        root, tip = self.at(lock.root), self.at(lock.tip, lock.sway * 3)
        width = lock.width * self.w
        return _Clump(wedge(root, tip, width, lock.bend), root, tip, width, lock.bend)

    def _clump(self, brush: Brush, clump: _Clump, colour: Color, ink: bool = False) -> None:
        """A lock that grows out of what lies under it: no edge at its root."""
        root, tip, bend = clump.root, clump.tip, clump.bend
        dx, dy = tip[0] - root[0], tip[1] - root[1]
        base = brush.tone(colour)
        fill = LinearGradient(
            root,
            tip,
            (
                (0.0, with_alpha(base, 0.0)),
                (0.3, with_alpha(base, 1.0)),
                (0.62, brush.bright(colour, 1.2)),
                (1.0, brush.shade(colour, 0.7)),
            ),
        )
        brush.put(clump.path, fill)
        length = math.hypot(dx, dy) or 1.0
        ux, uy = -dy / length * clump.width / 2, dx / length * clump.width / 2
        mx, my = root[0] + dx * 0.55 - dy * bend, root[1] + dy * 0.55 + dx * bend

        def side(k: float, start: float) -> list[Point]:
            out = []
            for f in (start, 0.5 + start / 2, 0.8, 1.0):
                a, b, c = (1 - f) ** 2, 2 * f * (1 - f), f * f
                out.append(
                    (
                        a * (root[0] + ux * k) + b * (mx + ux * k * 0.95) + c * tip[0],
                        a * (root[1] + uy * k) + b * (my + uy * k * 0.95) + c * tip[1],
                    )
                )
            return out

        if ink:
            # Thin where they leave the cap, full at the tip.
            edge = skia.Path()
            edge.addPath(swelling(side(-1.0, 0.16), brush.ink * 1.25))
            edge.addPath(swelling(side(1.0, 0.24), brush.ink * 1.25))
            brush.put(edge, brush.line_colour(colour), outline=True)
        glint = through(side(0.3 if brush.light_dir[0] * uy < 0 else -0.3, 0.36)[:3])
        brush.put(glint, None, Stroke(with_alpha(self._light(brush), 0.42), max(0.9, clump.width * 0.065)), effect=True)

    def _light(self, brush: Brush) -> Color:
        colour = brush.bright(self.d.palette.hair, 2.0)
        return mix(lighter(colour, 0.22), brush.light.rim, 0.3 * brush.light.strength)

    def _shine(self, brush: Brush, clip: skia.Path) -> None:
        """A soft band of light across the crown, towards the light."""
        lx = brush.light_dir[0]
        shine = with_alpha(self._light(brush), 0.42)
        brush.soft(self.w * 0.34 * lx, -self.w * 0.88, self.w * 0.62, shine, clip=clip, squash=0.42)

    def _strands(self, brush: Brush, strands: list[list[HairPoint]], clip: skia.Path) -> None:
        dark, light = skia.Path(), skia.Path()
        for i, strand in enumerate(strands):
            points = [self.at(p) for p in strand]
            dark.addPath(through(points))
            dx = self.w * (0.07 + 0.03 * unit(self.d.seed, i))
            light.addPath(through([(x + dx, y + self.w * 0.02) for x, y in points]))
        colour = self.d.palette.hair
        for lines, tone, alpha in ((dark, brush.shade(darker(colour, 0.3)), 0.6), (light, self._light(brush), 0.45)):
            brush.put(lines, None, Stroke(with_alpha(tone, alpha), self.w * 0.024), effect=True, clip=clip)

    def _hanging_strands(self, brush: Brush, clip: skia.Path) -> None:
        box = clip.getBounds()
        lines = skia.Path()
        for i in range(7):
            f = (i + 0.5) / 7
            x = box.left() + box.width() * f
            lines.addPath(
                through(
                    [
                        (x * 0.9, 0),
                        (x, box.bottom() * 0.5),
                        (x + self.swing * self.w * 0.05, box.bottom() - self.w * (0.1 + 0.14 * (i % 2))),
                    ]
                )
            )
        colour = self.d.palette.hair
        brush.put(
            lines,
            None,
            Stroke(with_alpha(brush.shade(darker(colour, 0.35)), 0.6), self.w * 0.03),
            effect=True,
            clip=clip,
        )

    def _curls(self, brush: Brush, clip: skia.Path) -> None:
        """Ringlets: open circles, dark below and light above, spread over the cap by the character's own chance."""
        dark, light = skia.Path(), skia.Path()
        seed = self.d.seed ^ 0xC0
        shift = self.yaw * 0.5 * self.w
        for i in range(self.d.hair.curls):
            # A spiral of Vogel spreads evenly.
            r = math.sqrt((i + 0.5) / self.d.hair.curls)
            a = i * 2.39996 + unit(seed, i)
            x = math.cos(a) * r * 1.12 * self.w + shift * (1 - r)
            top = -0.92 if not self.back_view else -0.3
            reach = 0.5 if not self.back_view else 1.02
            y = (top + math.sin(a) * r * reach) * self.w
            if not clip.contains(x, y):
                continue
            size = self.w * (0.12 + 0.05 * unit(seed, i + 100))
            start = unit(seed, i + 200) * 60 - 30
            box = skia.Rect.MakeLTRB(x - size, y - size, x + size, y + size)
            dark.addArc(box, 20 + start, 235)
            inner = skia.Rect.MakeLTRB(x - size * 0.72, y - size * 0.72, x + size * 0.72, y + size * 0.72)
            light.addArc(inner, 190 + start, 110)
        colour = self.d.palette.hair
        brush.put(
            dark, None, Stroke(with_alpha(brush.line_colour(colour), 0.62), self.w * 0.028), effect=True, clip=clip
        )
        brush.put(light, None, Stroke(with_alpha(self._light(brush), 0.62), self.w * 0.034), effect=True, clip=clip)

    def _knot(self, brush: Brush) -> None:
        assert self.d.hair.knot is not None
        x, y, r = self.d.hair.knot
        x, y = self.at((x, y, -0.5))
        r *= self.w
        colour = self.d.palette.hair
        path = ellipse(x, y, r * 1.05, r * 0.95)
        brush.form(path, colour)
        swirl = through(
            [
                (x - r * 0.7, y + r * 0.2),
                (x - r * 0.2, y - r * 0.5),
                (x + r * 0.5, y - r * 0.2),
                (x + r * 0.2, y + r * 0.3),
                (x - r * 0.2, y + r * 0.1),
            ]
        )
        brush.line(swirl, colour, 0.9, alpha=0.7)
        brush.put(
            through([(x - r * 0.5, y - r * 0.5), (x, y - r * 0.72), (x + r * 0.5, y - r * 0.5)]),
            None,
            Stroke(with_alpha(self._light(brush), 0.6), r * 0.1),
            effect=True,
        )

    def _tails(self, brush: Brush, tails: list[Lock]) -> None:
        colour = self.d.palette.hair
        for lock in tails:
            root, tip = self.at(lock.root), self.at(lock.tip, lock.sway * 2)
            if self.d.hair.braided:
                self._braid(brush, root, tip, lock.width * self.w)
                continue
            width = lock.width * self.w
            dx, dy = tip[0] - root[0], tip[1] - root[1]
            nx, ny = -dy * lock.bend, dx * lock.bend
            side = math.hypot(dx, dy) or 1.0
            ux, uy = -dy / side * width / 2, dx / side * width / 2
            middle = (root[0] + dx * 0.45 + nx, root[1] + dy * 0.45 + ny)
            path = smooth(
                [
                    (root[0] - ux * 0.4, root[1] - uy * 0.4),
                    (middle[0] - ux * 1.1, middle[1] - uy * 1.1),
                    (root[0] + dx * 0.8 + nx * 0.5 - ux * 0.8, root[1] + dy * 0.8 + ny * 0.5 - uy * 0.8),
                    tip,
                    (root[0] + dx * 0.8 + nx * 0.5 + ux * 0.6, root[1] + dy * 0.8 + ny * 0.5 + uy * 0.6),
                    (middle[0] + ux * 1.0, middle[1] + uy * 1.0),
                    (root[0] + ux * 0.4, root[1] + uy * 0.4),
                ],
                frozenset({3}),
            )
            brush.form(path, darker(colour, 0.06))
            brush.line(through([root, middle, tip]), colour, 0.8, alpha=0.6)
        if tails and not self.d.hair.braided:
            x, y = self.at(self.d.hair.tails[0].root)
            brush.form(ellipse(x, y, self.w * 0.15, self.w * 0.12), self.d.palette.extra)

    def _braid(self, brush: Brush, root: Point, tip: Point, width: float) -> None:
        colour = self.d.palette.hair
        n = 6
        for i in range(n):
            f = (i + 0.5) / (n + 0.6)
            x, y = root[0] + (tip[0] - root[0]) * f, root[1] + (tip[1] - root[1]) * f
            r = width * (0.56 - 0.13 * f)
            step = math.hypot(tip[0] - root[0], tip[1] - root[1]) / n
            lean = 1 if i % 2 else -1
            path = smooth(
                [
                    (x - r, y - step * 0.5 * lean * 0.3),
                    (x, y - step * 0.62),
                    (x + r, y + step * 0.5 * lean * 0.3),
                    (x, y + step * 0.62),
                ]
            )
            brush.form(path, colour, rim=0.0, under=False)
        fx, fy = root[0] + (tip[0] - root[0]) * 0.93, root[1] + (tip[1] - root[1]) * 0.93
        brush.form(wedge((fx, fy), (tip[0], tip[1] + width * 0.45), width * 0.75, 0.05), colour, rim=0.0)
        brush.form(ellipse(fx, fy, width * 0.36, width * 0.2), self.d.palette.extra, rim=0.0)
