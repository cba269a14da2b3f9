"""Woods and meadows: trunks, foliage, ferns, grass, shafts of light, what drifts in the air."""

from __future__ import annotations

import itertools
import math
from random import Random
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import Color, LinearGradient, RadialGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush, Curve
from tools.layout.places.brushes.ground import lay_floor
from tools.layout.places.ink import EAST, NORTH, WEST, Ink
from tools.layout.places.mood import rgba
from tools.layout.places.shapes import Point, circles, ellipse, leaf, lens, poly, ribbon, smooth

__all__ = ["Backdrop", "Ferns", "Foliage", "Grass", "Motes", "Shafts", "Track", "Trunks", "Turf"]


class Backdrop(Brush):
    """A painted distance: colours from top to bottom, and a light in it."""

    brush: Literal["backdrop"]
    segment: ClassVar[str] = "sky"
    colors: list[str] = Field(min_length=2, max_length=6)
    top: float = -60
    bottom: float = 560
    light: tuple[float, float, float] | None = Field(None, description="x, y, radius of the light")
    color_light: str = "#ffffff"

    def paint(self, ink: Ink) -> None:
        last = len(self.colors) - 1
        stops = tuple((i / last, ink.tone(c)) for i, c in enumerate(self.colors))
        area = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, NORTH, EAST, self.bottom + 120))
        ink.fill(area, LinearGradient((0, self.top), (0, self.bottom), stops))
        if self.light:
            x, y, r = self.light
            color = ink.tone(self.color_light)
            power = 0.35 + 0.5 * ink.mood.sky_weather.sun
            ink.glow(x, y, r, r * 0.9, with_alpha(color, power * 0.8))
            ink.glow(x, y, r * 0.45, r * 0.55, with_alpha(color, power))


class Trunks(Brush):
    """Tree trunks that rise out of the frame."""

    brush: Literal["trunks"]
    segment: ClassVar[str] = "plant"
    spots: list[tuple[float, float, float]] = Field(min_length=1, description="x, foot y, width")
    color: str
    top: float = NORTH
    bark: bool = True
    moss: str = "#6f9a4a"

    def color_refs(self) -> list[str]:
        return [self.color, self.moss]

    def paint(self, ink: Ink) -> None:
        for x, foot, width in self.spots:
            self._trunk(ink, x, foot, width)

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
        ink.detail(moss, with_alpha(ink.tone(self.moss), 0.5), clip=shape)
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
        tuft = ink.tone(self.moss, -0.15)
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
        body.setFillType(skia.PathFillType.kWinding)
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


class Turf(Brush):
    """Ground of earth, moss or grass."""

    brush: Literal["turf"]
    segment: ClassVar[str] = "ground"
    edge: Curve
    colors: list[str] = Field(min_length=2, max_length=6)
    tufts: int = Field(60, ge=0, le=400)
    litter: str = Field("", description="colour of fallen leaves, none if empty")
    light: float = Field(0.35, ge=0, le=1)

    def paint(self, ink: Ink) -> None:
        line = self.edge.points(WEST, EAST)
        tones = [ink.tone(c) for c in self.colors]
        if ink.snow:
            tones = [mix(t, ink.white(-0.06), 0.5 + 0.32 * i / (len(tones) - 1)) for i, t in enumerate(tones)]
        if ink.wet:
            tones = [ink.tone(t, -0.25) for t in tones]
        last = len(tones) - 1
        lay_floor(ink, line, tuple((i / last, t) for i, t in enumerate(tones)))
        dark, pale = ink.tone(tones[-1], -0.6), ink.tone(tones[last // 2], 0.5)
        for _ in range(12):
            x, y = ink.dice.uniform(-300, 1580), ink.dice.uniform(self.edge.y + 20, 730)
            k = ink.stage.scale_y(y)
            bright = ink.dice.random() < 0.45
            color = with_alpha(pale, self.light * ink.light.strength) if bright else with_alpha(dark, 0.35)
            ink.glow(x, y, ink.dice.uniform(110, 260) * k, ink.dice.uniform(9, 22) * k, color)
        if self.light > 0.3 and ink.mood.sky_weather.sun > 0.5:
            for _ in range(26):
                x, y = ink.dice.uniform(-200, 1480), self.edge.y + 16 + 210 * ink.dice.random()
                k = ink.stage.scale_y(y)
                ink.glow(
                    x,
                    y,
                    ink.dice.uniform(16, 60) * k,
                    ink.dice.uniform(4, 9) * k,
                    with_alpha(ink.light.key, 0.4 * ink.light.strength),
                    core=0.4,
                )
        if self.litter:
            path = skia.Path()
            for _ in range(90):
                y = self.edge.y + 14 + 330 * ink.dice.random() ** 1.3
                size = ink.dice.uniform(5, 11) * ink.stage.scale_y(y)
                leaf(path, ink.dice.uniform(-500, 1780), y, ink.dice.uniform(0, 6.28), size, size * 0.4)
            ink.detail(path, with_alpha(ink.tone(self.litter), 0.2 if ink.snow else 0.75))
        self._tufts(ink, tones[last // 2])

    def _tufts(self, ink: Ink, mid: Color) -> None:
        paths = (skia.Path(), skia.Path())
        for i in range(self.tufts):
            y = self.edge.y + 6 + 380 * ink.dice.random() ** 1.5
            k, x = ink.stage.scale_y(y), ink.dice.uniform(-500, 1780)
            for blade in range(5):
                a = -math.pi / 2 + (blade - 2) * 0.3 + ink.dice.uniform(-0.1, 0.1)
                leaf(paths[i % 2], x + (blade - 2) * 3 * k, y, a, ink.dice.uniform(12, 24) * k, 2.4 * k, 3 * k)
        ink.detail(paths[0], ink.tone(mid, -0.35))
        ink.detail(paths[1], ink.tone(mid, 0.18))


class Track(Brush):
    """A trodden path that winds away over the ground."""

    brush: Literal["track"]
    segment: ClassVar[str] = "ground"
    points: list[tuple[float, float]] = Field(min_length=3, max_length=12, description="its middle, from near to far")
    width: float = Field(240, gt=10, description="at the scale of a character")
    color: str
    color_edge: str = Field("", description="of the grass that grows over its edges; none if empty")

    def paint(self, ink: Ink) -> None:
        left, right = [], []
        for x, y in self.points:
            half = self.width / 2 * ink.stage.scale_y(y)
            left.append((x - half * ink.dice.uniform(0.92, 1.08), y))
            right.append((x + half * ink.dice.uniform(0.92, 1.08), y))
        shape = smooth(left + right[::-1])
        color = ink.tone(self.color)
        if ink.snow:
            color = mix(color, ink.white(-0.15), 0.72)
        box = shape.getBounds()
        fill = LinearGradient(
            (0, box.top()), (0, 740), ((0, ink.tone(color, 0.25)), (0.5, color), (1, ink.tone(color, -0.3)))
        )
        soft = skia.Path(shape)
        ink.fill(soft, with_alpha(ink.tone(color, -0.5), 0.35), effect=True, blur=9)
        ink.detail(shape, fill)
        stones, shade = [], []
        for _ in range(46):
            y = box.top() + (750 - box.top()) * ink.dice.random() ** 0.8
            k = ink.stage.scale_y(y)
            x, r = ink.dice.uniform(box.left(), box.right()), ink.dice.uniform(1.5, 5) * k
            stones.append((x, y, r))
            shade.append((x, y + r * 0.4, r * 1.05))
        ink.detail(circles(shade), with_alpha(ink.tone(color, -0.8), 0.4), clip=shape)
        ink.detail(circles(stones), with_alpha(ink.tone(color, 0.3), 0.6), clip=shape)
        for _ in range(7):
            y = box.top() + (740 - box.top()) * ink.dice.random()
            k = ink.stage.scale_y(y)
            ink.glow(
                ink.dice.uniform(box.left(), box.right()), y, 90 * k, 11 * k, with_alpha(ink.tone(color, -0.5), 0.22)
            )
        if self.color_edge:
            # The curve runs inside its points: the grass follows just inside.
            mids = [
                [(x0 * 0.94 + xm * 0.06, y) for (x0, y), (xm, _) in zip(side, self.points, strict=True)]
                for side in (left, right)
            ]
            self._edges(ink, mids)

    def _edges(self, ink: Ink, sides: list[list[Point]]) -> None:
        blades = (skia.Path(), skia.Path())
        for line in sides:
            for (ax, ay), (bx, by) in itertools.pairwise(line):
                count = int(math.hypot(bx - ax, by - ay) / 7)
                for i in range(count):
                    f = (i + ink.dice.random()) / count
                    x, y = ax + (bx - ax) * f, ay + (by - ay) * f
                    k = ink.stage.scale_y(y)
                    a = -math.pi / 2 + ink.dice.uniform(-0.7, 0.7)
                    leaf(
                        blades[i % 2],
                        x + ink.dice.uniform(-9, 9) * k,
                        y + 3 * k,
                        a,
                        ink.dice.uniform(7, 19) * k,
                        2.2 * k,
                        3 * k,
                    )
        base = ink.tone(self.color_edge)
        for path, shift in zip(blades, (-0.3, 0.15), strict=True):
            color = ink.tone(base, shift)
            ink.detail(path, mix(color, ink.white(), 0.7) if ink.snow else color)


class Ferns(Brush):
    """Ferns: arching fronds of leaflets."""

    brush: Literal["ferns"]
    segment: ClassVar[str] = "plant"
    spots: list[tuple[float, float, float]] = Field(min_length=1, description="x, y, size")
    color: str = "#5d9a4e"
    fronds: int = Field(7, ge=2, le=15)

    def paint(self, ink: Ink) -> None:
        for x, y, size in self.spots:
            back, front = skia.Path(), skia.Path()
            for i in range(self.fronds):
                f = (i + 0.5) / self.fronds
                angle = -math.pi * (0.1 + 0.8 * f) + ink.dice.uniform(-0.1, 0.1)
                self._frond((back, front)[i % 2], x, y, angle, size * ink.dice.uniform(0.75, 1.05))
            base = ink.tone(self.color)
            tip = mix(base, ink.white(), 0.7) if ink.snow else ink.tone(base, 0.45 * ink.light.strength + 0.08)
            for path, a, b in ((back, ink.tone(base, -0.7), ink.tone(base, -0.25)), (front, ink.tone(base, -0.3), tip)):
                ink.fill(path, RadialGradient((x, y), size, ((0, a), (1, b))), outline=path is front)

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


class Grass(Brush):
    """Tall grass and flowers at the frame's edge."""

    brush: Literal["grass"]
    segment: ClassVar[str] = "plant"
    x0: float
    x1: float
    y: float
    size: float = Field(60, gt=3)
    count: int = Field(50, ge=1, le=400)
    color: str = "#5f9a4a"
    colors_flower: list[str] = Field(default_factory=list)

    def paint(self, ink: Ink) -> None:
        base = ink.tone(self.color)
        paths = (skia.Path(), skia.Path(), skia.Path())
        heads: list[tuple[float, float, float]] = []
        for i in range(self.count):
            x = ink.dice.uniform(self.x0, self.x1)
            long, a = self.size * ink.dice.uniform(0.5, 1.1), -math.pi / 2 + ink.dice.uniform(-0.4, 0.4)
            leaf(paths[i % 3], x, self.y + ink.dice.uniform(0, 6), a, long, self.size * 0.05, long * 0.12)
            if ink.dice.random() < 0.3:
                heads.append(
                    (
                        x + math.cos(a) * long * 0.9,
                        self.y + math.sin(a) * long * 0.86,
                        self.size * ink.dice.uniform(0.045, 0.08),
                    )
                )
        for path, shift in zip(paths, (-0.55, -0.1, 0.3), strict=True):
            color = ink.tone(base, shift)
            ink.fill(path, mix(color, ink.white(), 0.55) if ink.snow else color, outline=shift == -0.1)
        if self.colors_flower and not ink.snow:
            for k, ref in enumerate(self.colors_flower):
                some = heads[k :: len(self.colors_flower)]
                petals = [
                    (x + math.cos(a) * r, y + math.sin(a) * r, r * 0.8)
                    for x, y, r in some
                    for a in (0, 1.26, 2.51, 3.77, 5.03)
                ]
                ink.detail(circles(petals), ink.tone(ref, 0.1))
                ink.detail(circles([(x, y, r * 0.6) for x, y, r in some]), ink.tone("#f2c84a"))


class Shafts(Brush):
    """Slanting beams of light through leaves, water or dusty air."""

    brush: Literal["shafts"]
    segment: ClassVar[str] = "light"
    x0: float
    x1: float
    count: int = Field(6, ge=1, le=20)
    top: float = -120
    bottom: float = 620
    slant: float = Field(-180, description="how far a beam moves sideways from top to bottom")
    width: float = 70
    color: str
    power: float = Field(0.3, ge=0, le=1)
    sway: float = 0.0

    def paint(self, ink: Ink) -> None:
        left = ink.mood.sky_weather.sun if not self.sway else 0.4 + 0.6 * ink.mood.sky_weather.sun
        if left < 0.1:
            return
        color = ink.tone(self.color)
        for i in range(self.count):
            f = (i + ink.dice.uniform(0.2, 0.8)) / self.count
            x = self.x0 + (self.x1 - self.x0) * f
            w = self.width * ink.dice.uniform(0.5, 1.4)
            wave = 1 + 0.35 * math.sin(ink.t * 0.7 + i * 2.2) if self.sway else 1.0
            drift = self.sway * math.sin(ink.t * 0.35 + i)
            alpha = self.power * left * ink.dice.uniform(0.5, 1.0) * wave
            for wide in (1.0, 0.55):
                a, b = x - w * wide / 2 + drift, x + w * wide / 2 + drift
                spread = w * 0.5 * wide
                beam = poly(
                    [
                        (a, self.top),
                        (b, self.top),
                        (b + self.slant + spread, self.bottom),
                        (a + self.slant - spread, self.bottom),
                    ]
                )
                fill = LinearGradient(
                    (0, self.top),
                    (0, self.bottom),
                    (
                        (0, with_alpha(color, alpha * 0.55)),
                        (0.4, with_alpha(color, alpha * 0.4)),
                        (1, with_alpha(color, 0)),
                    ),
                )
                ink.detail(beam, fill)


class Motes(Brush):
    """What drifts in the air: pollen, dust, falling leaves, fireflies."""

    brush: Literal["motes"]
    segment: ClassVar[str] = "light"
    what: Literal["dust", "leaves", "fireflies"] = "dust"
    x0: float = 0
    x1: float = 1280
    y0: float = 120
    y1: float = 640
    count: int = Field(30, ge=1, le=120)
    size: float = Field(2.2, gt=0)
    color: str

    def paint(self, ink: Ink) -> None:
        color, path, halos = ink.tone(self.color), skia.Path(), []
        for i in range(self.count):
            x, y = ink.loose.uniform(self.x0, self.x1), ink.loose.uniform(self.y0, self.y1)
            p, q = ink.loose.uniform(0, 6.28), ink.loose.uniform(0.3, 0.9)
            if self.what == "leaves":
                span = self.y1 - self.y0
                y = self.y0 + (y - self.y0 + ink.t * (28 + 20 * q)) % span
                x += 34 * math.sin(ink.t * q * 2 + p)
                leaf(path, x, y, math.sin(ink.t * 2 * q + p) * 1.2, self.size * 4, self.size * 1.4)
                continue
            x += 26 * math.sin(ink.t * q + p) + 8 * math.sin(ink.t * 1.3 + i)
            y += 18 * math.cos(ink.t * q * 0.8 + p)
            beat = 0.5 + 0.5 * math.sin(ink.t * (1 + q) + p)
            r = self.size * (0.5 + 0.7 * beat)
            path.addCircle(x, y, r)
            if self.what == "fireflies" and i % 2 == 0:
                halos.append((x, y, r * 7 * beat))
        for x, y, r in halos:
            ink.glow(x, y, r, r, with_alpha(color, 0.5))
        left = ink.mood.sky_weather.sun if self.what == "dust" else 1.0
        if self.what == "fireflies":
            # Fireflies shine by themselves, whatever the light.
            color = rgba(self.color) if self.color.startswith("#") else color
        ink.detail(path, with_alpha(color, (0.9 if self.what != "dust" else 0.55) * left))


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


class SnowLine(Brush):
    """Snow that lies along an edge: a sill, a wall, a branch."""

    brush: Literal["snow_line"]
    segment: ClassVar[str] = "snow"
    points: list[tuple[float, float]] = Field(min_length=2, max_length=20)
    thick: float = Field(8, gt=0)

    def paint(self, ink: Ink) -> None:
        if not ink.snow:
            return
        path = skia.Path()
        for (ax, ay), (bx, by) in zip(self.points, self.points[1:], strict=False):
            lens(path, ax, ay, bx - ax, self.thick * 0.4, self.thick)
            path.addPath(
                circles([(ax + (bx - ax) * i / 8, ay + (by - ay) * i / 8, self.thick * 0.6) for i in range(9)])
            )
        ink.fill(path, ink.white(), outline=False)
