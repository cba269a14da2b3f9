"""Under water: the sea bed, the net of light on it, kelp, coral, fish, bubbles."""

from __future__ import annotations

import itertools
import math
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import LinearGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush, Curve
from tools.layout.places.brushes.ground import lay_floor
from tools.layout.places.ink import EAST, WEST, Ink
from tools.layout.places.shapes import Point, circles, ellipse, leaf, lens, merged, poly, ribbon, smooth

__all__ = ["Bubbles", "Caustics", "Coral", "Fish", "Kelp", "Seabed", "Surface", "Wreck"]


class Surface(Brush):
    """The surface seen from below: a bright, broken mirror high above."""

    brush: Literal["surface"]
    segment: ClassVar[str] = "water"
    y: float = -10
    color: str
    count: int = Field(40, ge=0, le=200)

    def paint(self, ink: Ink) -> None:
        color = ink.tone(self.color)
        near, far = skia.Path(), skia.Path()
        for i in range(self.count):
            f = ink.dice.random()
            y = self.y + (f**1.6) * 120 - 40
            w = (220 - 130 * f) * ink.dice.uniform(0.4, 1.2)
            x = ink.dice.uniform(-400, 1680) + 14 * math.sin(ink.t * 0.6 + i)
            lens(
                near if i % 2 else far,
                x,
                y,
                w,
                3 + 3 * math.sin(ink.t + i),
                (11 - 8 * f) * (0.8 + 0.3 * math.sin(ink.t * 1.2 + i)),
            )
        ink.detail(far, with_alpha(color, 0.2))
        ink.detail(near, with_alpha(color, 0.34))


class Seabed(Brush):
    """Sand under water: rippled, fading into the blue."""

    brush: Literal["seabed"]
    segment: ClassVar[str] = "ground"
    edge: Curve
    colors: list[str] = Field(min_length=2, max_length=6)

    def paint(self, ink: Ink) -> None:
        line = self.edge.points(WEST, EAST)
        tones = [ink.tone(c) for c in self.colors]
        last = len(tones) - 1
        lay_floor(ink, line, tuple((i / last, t) for i, t in enumerate(tones)))
        dark, pale = ink.tone(tones[-1], -0.5), ink.tone(tones[-1], 0.5)
        for color, alpha, lift in ((dark, 0.34, 0.0), (pale, 0.3, 3.5)):
            path = skia.Path()
            for row in range(11):
                f = row / 10
                y = self.edge.y + 16 + 330 * f**1.6
                k = ink.stage.scale_y(y)
                upper = [
                    (x, y + lift + 6 * k * math.sin(x * 0.011 / k + row * 1.7) + 3 * k * math.sin(x * 0.029 / k + row))
                    for x in range(-700, 2000, 30)
                ]
                width = [3.2 * k * max(0.0, math.sin(x * 0.006 / k + row * 2.3)) for x, _ in upper]
                path.addPath(poly(upper + [(x, yy + w) for (x, yy), w in zip(upper[::-1], width[::-1], strict=True)]))
            ink.detail(path, with_alpha(color, alpha))
        pebbles = []
        for _ in range(70):
            y = self.edge.y + 20 + 340 * ink.dice.random() ** 1.3
            pebbles.append((ink.dice.uniform(-500, 1780), y, ink.dice.uniform(1, 3.4) * ink.stage.scale_y(y)))
        ink.detail(circles(pebbles), with_alpha(dark, 0.5))


class Caustics(Brush):
    """The dancing net of light on the bed: cells whose walls are bright."""

    brush: Literal["caustics"]
    segment: ClassVar[str] = "light"
    top: float
    bottom: float = 730
    color: str
    power: float = Field(0.4, ge=0, le=1)
    cell: float = Field(120, gt=20)

    def paint(self, ink: Ink) -> None:
        color = ink.tone(self.color)
        stage = ink.stage
        span = stage.floor_y(0.3) - stage.horizon
        rows: list[list[Point]] = []
        # A grid on the floor, each knot wandering on a little circle of its own, seen in perspective.
        z = span / (self.bottom + 40 - stage.horizon)
        row = 0
        while stage.horizon + span / z > self.top and row < 24:
            y, k = stage.horizon + span / z, 1 / z
            cols = []
            reach = int(1150 / (k * self.cell)) + 2
            for i in range(-reach, reach + 1):
                h = math.sin((row + 37) * 12.9898 + (i + 53) * 78.233) * 43758.5453
                p = (h - math.floor(h)) * 6.283
                wob = self.cell * 0.34
                x = (i + 0.5 * (row % 2)) * self.cell + wob * math.cos(p + ink.t * 0.9)
                cols.append((640 + x * k, y + wob * 0.34 * k * math.sin(p * 2 + ink.t * 1.1)))
            rows.append(cols)
            z += self.cell * 0.8 / 420
            row += 1
        path = skia.Path()
        for r, (near, far) in enumerate(itertools.pairwise(rows)):
            k = (near[1][0] - near[0][0]) / self.cell if len(near) > 1 else 1.0
            offset = (len(far) - len(near)) // 2
            for i, a in enumerate(near):
                j = i + offset
                for step in (0, 1 if r % 2 else -1):
                    if 0 <= j + step < len(far):
                        self._thread(path, a, far[j + step], 3.0 * k)
        ink.detail(path, with_alpha(color, self.power * (0.4 + 0.6 * ink.mood.sky_weather.sun)))

    def _thread(self, path: skia.Path, a: Point, b: Point, thick: float) -> None:
        (ax, ay), (bx, by) = a, b
        if max(ax, bx) < -260 or min(ax, bx) > 1540:
            return
        # Bowed to the side by a share of its own length, so that the cells are round.
        bow = 0.2 * (1 if (int(ax * 0.37) + int(bx * 0.23)) % 2 else -1)
        mx, my = (ax + bx) / 2 - (by - ay) * bow * 1.6, (ay + by) / 2 + (bx - ax) * bow * 0.5
        path.moveTo(ax - thick * 0.3, ay)
        path.quadTo(mx - thick, my - thick * 0.2, bx - thick * 0.3, by)
        path.lineTo(bx + thick * 0.3, by)
        path.quadTo(mx + thick, my + thick * 0.2, ax + thick * 0.3, ay)
        path.close()


class Kelp(Brush):
    """Sea weed that sways: long ribbons with leaves."""

    brush: Literal["kelp"]
    segment: ClassVar[str] = "plant"
    spots: list[tuple[float, float, float]] = Field(min_length=1, max_length=40, description="x, foot y, height")
    color: str = "#4f8a5a"
    sway: float = 16

    def paint(self, ink: Ink) -> None:
        stems, left, right = skia.Path(), skia.Path(), skia.Path()
        for n, (x, foot, h) in enumerate(self.spots):
            knots = 11
            phase = ink.dice.uniform(0, 6.28)
            points = []
            for i in range(knots + 1):
                f = i / knots
                bend = self.sway * f * 1.6 * math.sin(ink.t * 0.9 + phase - f * 2.6) + h * 0.05 * math.sin(
                    f * 7 + phase
                )
                points.append((x + bend, foot - h * f))
            stems.addPath(ribbon(points, [max(1.2, h * 0.018 * (1 - f / (knots + 3))) for f in range(knots + 1)]))
            for i in range(1, knots + 1):
                px, py = points[i]
                size = h * 0.17 * (1 - 0.45 * i / knots)
                wave = 0.25 * math.sin(ink.t * 1.1 + i + n)
                leaf(left, px, py, -math.pi * 0.78 + wave, size, size * 0.26, 0)
                leaf(right, px, py, -math.pi * 0.22 + wave, size, size * 0.26, 0)
        base = ink.tone(self.color)
        sign = 1 if ink.light.direction[0] > 0 else -1
        for path, shift in ((left, 0.26 * -sign), (right, 0.26 * sign)):
            ink.fill(path, ink.tone(base, shift), outline=True)
        ink.fill(stems, ink.tone(base, -0.25), outline=True)


class Coral(Brush):
    """Coral: a branching tree, a fan, tubes or a brain."""

    brush: Literal["coral"]
    segment: ClassVar[str] = "plant"
    kind: Literal["branch", "fan", "tubes", "brain"] = "branch"
    x: float
    y: float
    size: float = Field(gt=3)
    color: str

    def paint(self, ink: Ink) -> None:
        s = self.size
        ink = ink.standing(self.y)
        ink.shadow(self.x, self.y + s * 0.04, s * 0.75, s * 0.12, 1.3)
        if self.kind == "brain":
            self._brain(ink, s)
        elif self.kind == "tubes":
            self._tubes(ink, s)
        else:
            self._tree(ink, s)

    def _tree(self, ink: Ink, s: float) -> None:
        path, tips = skia.Path(), skia.Path()
        fan = self.kind == "fan"

        def grow(x: float, y: float, angle: float, long: float, wide: float, level: int) -> None:
            bx, by = x + math.cos(angle) * long, y + math.sin(angle) * long
            mid = ((x + bx) / 2 + math.sin(angle) * long * 0.12, (y + by) / 2)
            path.addPath(ribbon([(x, y), mid, (bx, by)], [wide, wide * 0.85, wide * 0.7]))
            path.addCircle(bx, by, wide * 0.36)
            if level == 0:
                tips.addCircle(bx, by, wide * 0.34)
                return
            for k in range(3 if fan else 2 + (level > 2)):
                turn = (k - 1 if fan else k - 0.5 - 0.5 * (level > 2)) * (0.42 if fan else 0.75) + ink.dice.uniform(
                    -0.18, 0.18
                )
                grow(bx, by, angle + turn, long * ink.dice.uniform(0.68, 0.86), wide * 0.68, level - 1)

        levels = 4
        for root in (-0.5, 0.0, 0.5) if not fan else (-0.2, 0.2):
            grow(
                self.x + root * s * 0.18,
                self.y,
                -math.pi / 2 + root * 0.9,
                s * 0.3,
                s * (0.06 if fan else 0.115),
                levels - 1,
            )
        ink.solid(merged(path), self.color, form=0.55)
        ink.detail(tips, with_alpha(ink.tone(ink.tone(self.color), 0.6), 0.8))

    def _tubes(self, ink: Ink, s: float) -> None:
        tubes = sorted(
            ((ink.dice.uniform(-0.42, 0.42), ink.dice.uniform(0.5, 1.0)) for _ in range(8)), key=lambda t: -t[1]
        )
        for dx, tall in tubes:
            x, w, h = self.x + dx * s, s * 0.1, s * tall
            lean = dx * s * 0.25
            body = ribbon(
                [(x, self.y), (x + lean * 0.4, self.y - h * 0.5), (x + lean, self.y - h)], [w * 1.5, w * 1.7, w * 2.1]
            )
            ink.solid(body, self.color, form=0.65, rim=s * 0.015)
            ink.detail(ellipse(x + lean, self.y - h, w * 1.06, w * 0.5), ink.tone(ink.tone(self.color), 0.35))
            ink.detail(ellipse(x + lean, self.y - h, w * 0.7, w * 0.3), ink.tone(ink.tone(self.color), -0.8))

    def _brain(self, ink: Ink, s: float) -> None:
        ring = [
            (self.x + math.cos(a) * s * 0.55, self.y - max(0.0, math.sin(a)) * s * 0.62 + s * 0.06)
            for a in (math.pi * i / 12 for i in range(13))
        ]
        dome = smooth([(self.x - s * 0.5, self.y + s * 0.06), *ring[::-1], (self.x + s * 0.5, self.y + s * 0.06)])
        ink.solid(dome, self.color, form=0.7, rim=s * 0.03)
        folds = skia.Path()
        for i in range(12):
            y = self.y - s * 0.54 * (i + 0.5) / 12
            for k in range(4):
                lens(folds, self.x + s * (k - 2) * 0.26 + ink.dice.uniform(-6, 6), y, s * 0.22, s * 0.03, s * 0.016)
        ink.detail(folds, with_alpha(ink.tone(ink.tone(self.color), -0.7), 0.5), clip=dome)


class Fish(Brush):
    """A school of fish that swims through."""

    brush: Literal["fish"]
    segment: ClassVar[str] = "animal"
    x: float
    y: float
    count: int = Field(7, ge=1, le=60)
    size: float = Field(22, gt=2)
    spread: float = 90
    speed: float = Field(30, description="units a second, negative to the left")
    color: str
    color_stripe: str = ""

    def paint(self, ink: Ink) -> None:
        way = 1 if self.speed > 0 else -1
        body, belly, fins, eyes, stripes = (skia.Path() for _ in range(5))
        for _i in range(self.count):
            s = self.size * ink.dice.uniform(0.75, 1.15)
            p = ink.loose.uniform(0, 6.28)
            x = self.x + ink.dice.gauss(0, 0.5) * self.spread * 1.5 + self.speed * ink.t
            y = self.y + ink.dice.gauss(0, 0.4) * self.spread + 5 * math.sin(ink.t * 0.9 + p)
            tail = 0.22 * s * math.sin(ink.t * 7 + p)
            body.moveTo(x + way * s, y)
            body.cubicTo(
                x + way * s * 0.5, y - s * 0.62, x - way * s * 0.4, y - s * 0.4, x - way * s * 0.85, y + tail * 0.3
            )
            body.cubicTo(x - way * s * 0.4, y + s * 0.4, x + way * s * 0.5, y + s * 0.55, x + way * s, y)
            body.close()
            belly.moveTo(x + way * s * 0.95, y + s * 0.03)
            belly.cubicTo(
                x + way * s * 0.4, y + s * 0.2, x - way * s * 0.3, y + s * 0.16, x - way * s * 0.8, y + tail * 0.3
            )
            belly.cubicTo(
                x - way * s * 0.4, y + s * 0.4, x + way * s * 0.5, y + s * 0.55, x + way * s * 0.95, y + s * 0.03
            )
            belly.close()
            fins.addPath(
                poly(
                    [
                        (x - way * s * 0.75, y),
                        (x - way * s * 1.4, y - s * 0.42 + tail),
                        (x - way * s * 1.22, y + tail),
                        (x - way * s * 1.4, y + s * 0.42 + tail),
                    ]
                )
            )
            fins.addPath(
                poly(
                    [
                        (x + way * s * 0.3, y - s * 0.34),
                        (x - way * s * 0.25, y - s * 0.66),
                        (x - way * s * 0.3, y - s * 0.3),
                    ]
                )
            )
            eyes.addCircle(x + way * s * 0.62, y - s * 0.1, s * 0.1)
            stripes.addPath(
                poly(
                    [
                        (x + way * s * 0.3, y - s * 0.42),
                        (x + way * s * 0.12, y - s * 0.42),
                        (x + way * s * 0.08, y + s * 0.4),
                        (x + way * s * 0.26, y + s * 0.4),
                    ]
                )
            )
        base = ink.tone(self.color)
        ink.fill(fins, ink.tone(base, -0.2), outline=True)
        ink.fill(body, base, outline=True)
        ink.detail(belly, ink.tone(base, 0.45))
        if self.color_stripe:
            ink.detail(stripes, with_alpha(ink.tone(self.color_stripe), 0.85), clip=body)
        ink.detail(eyes, ink.tone("#1d2030"))


class Bubbles(Brush):
    """Strings of bubbles that rise from the bed."""

    brush: Literal["bubbles"]
    segment: ClassVar[str] = "water"
    spots: list[tuple[float, float]] = Field(min_length=1, max_length=20, description="x, y of the vents")
    count: int = Field(9, ge=1, le=40)
    rise: float = Field(520, gt=10)
    color: str = "#e6fbff"

    def paint(self, ink: Ink) -> None:
        color = ink.tone(self.color)
        body, shine = skia.Path(), skia.Path()
        for x, y in self.spots:
            for _ in range(self.count):
                f = (ink.t * ink.dice.uniform(0.09, 0.15) + ink.dice.random()) % 1.0
                r = ink.dice.uniform(1.6, 5.5) * (0.7 + 0.6 * f)
                bx = x + 9 * math.sin(ink.t * 2 + f * 14) * f + ink.dice.uniform(-10, 10)
                by = y - self.rise * f
                body.addCircle(bx, by, r)
                shine.addCircle(bx - r * 0.35, by - r * 0.35, r * 0.3)
        ink.detail(body, with_alpha(color, 0.26))
        ink.line(body, with_alpha(color, 0.6), 0.9)
        ink.detail(shine, with_alpha(mix(color, (1, 1, 1, 1), 0.6), 0.9))


class Wreck(Brush):
    """A dark far shape with ribs: a boat that sank long ago."""

    brush: Literal["wreck"]
    segment: ClassVar[str] = "prop"
    x: float
    y: float
    size: float = Field(200, gt=10)
    color: str

    def paint(self, ink: Ink) -> None:
        s, x, y = self.size, self.x, self.y
        hull = smooth(
            [
                (x - s, y - s * 0.34),
                (x - s * 0.5, y - s * 0.26),
                (x + s * 0.4, y - s * 0.3),
                (x + s * 1.05, y - s * 0.52),
                (x + s * 0.8, y + s * 0.05),
                (x - s * 0.7, y + s * 0.1),
            ]
        )
        base = ink.tone(self.color)
        box = hull.getBounds()
        ink.fill(
            hull,
            LinearGradient((0, box.top()), (0, box.bottom()), ((0, ink.tone(base, 0.15)), (1, ink.tone(base, -0.4)))),
            outline=True,
        )
        planks = skia.Path()
        for i in range(4):
            lens(planks, x - s * 0.9, y - s * 0.2 + s * 0.075 * i, s * 1.8, s * 0.05, s * 0.012)
        ink.detail(planks, with_alpha(ink.tone(base, -0.9), 0.5), clip=hull)
        mast = ribbon([(x + s * 0.1, y - s * 0.28), (x + s * 0.28, y - s * 1.1)], [s * 0.06, s * 0.035])
        ink.fill(mast, ink.tone(base, -0.1), outline=True)
