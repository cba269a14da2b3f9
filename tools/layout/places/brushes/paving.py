"""Floors of stones, tiles and planks, in the perspective of the place."""

from __future__ import annotations

from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import LinearGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.brushes.ground import lay_floor
from tools.layout.places.ink import EAST, SOUTH, WEST, Ink
from tools.layout.places.mood import rgba
from tools.layout.places.shapes import poly

__all__ = ["Kerb", "Paving"]


class Paving(Brush):
    """A paved floor from `top` down, its joints running to the vanishing point.

    Attributes:
        stone: width of a stone at the scale of a character, in units.
        long: depth of a row of stones, times `stone`.
        bond: by how much each row is shifted: 0 tiles, 0.5 bricks.
        checker: tiles of two colours by turns, else tones by chance.
    """

    brush: Literal["paving"]
    segment: ClassVar[str] = "ground"
    top: float
    colors: list[str] = Field(min_length=1, max_length=5)
    color_joint: str
    stone: float = Field(60, gt=4)
    long: float = Field(0.7, gt=0.05, le=20)
    bond: float = Field(0.5, ge=0, le=1)
    joint: float = Field(0.06, ge=0, le=0.5)
    checker: bool = False
    round: bool = False
    vanish: float = 640
    mirror: float = Field(0.0, ge=0, le=1, description="how much it shines, dry")
    indoor: bool = False

    def paint(self, ink: Ink) -> None:
        joint = ink.tone(self.color_joint)
        tones = [ink.tone(c) for c in self.colors]
        if ink.wet and not self.indoor:
            tones, joint = [ink.tone(t, -0.3) for t in tones], ink.tone(joint, -0.3)
        if ink.snow and not self.indoor:
            tones = [mix(t, ink.white(-0.05), 0.72) for t in tones]
            joint = mix(joint, ink.white(-0.2), 0.6)
        far = mix(joint, tones[0], 0.5)
        lay_floor(ink, [(WEST, self.top), (EAST, self.top)], ((0, far), (0.3, joint), (1, joint)))
        groups = self._stones(ink, len(tones))
        box = skia.Rect.MakeLTRB(WEST, self.top, EAST, SOUTH)
        for color, path in zip(tones, groups, strict=True):
            fill = LinearGradient(
                (0, self.top), (0, 740), ((0, mix(color, far, 0.55)), (0.35, color), (1, ink.tone(color, -0.16)))
            )
            ink.detail(path, fill, clip=skia.Path.Rect(box))
        self._shine(ink)

    def _stones(self, ink: Ink, kinds: int) -> list[skia.Path]:
        stage, dice = ink.stage, ink.dice
        span = stage.floor_y(0.3) - stage.horizon
        groups = [skia.Path() for _ in range(kinds)]
        # Rows at equal distances on the floor: y - horizon is span / z.
        z = span / (SOUTH - stage.horizon)
        step = self.stone * self.long / 420
        row = 0
        while True:
            y0, y1 = stage.horizon + span / z, stage.horizon + span / (z + step)
            if y0 <= self.top or row > 90:
                break
            k0, k1 = 1 / z, 1 / (z + step)
            gap = self.joint
            ya, yb = y0 - (y0 - y1) * gap * 0.5, y1 + (y0 - y1) * gap * 0.5
            width = self.stone
            reach = max(abs(WEST - self.vanish), abs(EAST - self.vanish)) / k1 / width
            shift = (row % 2) * self.bond + (dice.uniform(-0.15, 0.15) if self.round else 0)
            first = -int(min(reach, 110)) - 1
            for i in range(first, -first + 1):
                a, b = (i + shift + gap / 2) * width, (i + 1 + shift - gap / 2) * width
                if self.vanish + b * min(k0, k1) < WEST or self.vanish + a * min(k0, k1) > EAST:
                    continue
                which = (i + row) % kinds if self.checker else dice.randrange(kinds)
                quad = [(self.vanish + a * k0, ya), (self.vanish + b * k0, ya),
                        (self.vanish + b * k1, yb), (self.vanish + a * k1, yb)]  # fmt: skip
                if self.round and y0 > self.top + 24:
                    (x0, _), (x1, _), (x2, _), (x3, _) = quad
                    rect = skia.Rect.MakeLTRB((x0 + x3) / 2, yb, (x1 + x2) / 2, ya)
                    groups[which].addRoundRect(rect, rect.width() * 0.28, rect.height() * 0.38)
                else:
                    groups[which].addPath(poly(quad))
            z += step
            row += 1
        return groups

    def _shine(self, ink: Ink) -> None:
        wet = ink.wet and not self.indoor
        power = self.mirror + (0.4 if wet else 0.0)
        sun = ink.mood.sky_weather.sun
        if power > 0:
            sky = ink.mood.grade(rgba(ink.mood.time.sky[-1][1]))
            area = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, self.top, EAST, self.top + 190))
            ink.detail(
                area,
                LinearGradient(
                    (0, self.top), (0, self.top + 190), ((0, with_alpha(sky, 0.6 * power)), (1, with_alpha(sky, 0)))
                ),
            )
        if wet and ink.light.glow > 0.3:
            for _ in range(14):
                x, y = ink.dice.uniform(-160, 1440), self.top + ink.dice.uniform(30, 170)
                ink.glow(
                    x,
                    y,
                    ink.dice.uniform(9, 22),
                    ink.dice.uniform(34, 90),
                    with_alpha(ink.mood.lamp, 0.3 * ink.light.glow),
                )
        if not self.indoor and sun > 0.2:
            x, _ = ink.stage.sun[ink.mood.time_of_day]
            ink.glow(x * 0.5 + 300, 600, 620, 110, with_alpha(ink.light.key, 0.3 * ink.light.strength * sun))
        edge = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, self.top, EAST, self.top + 46))
        dark = ink.tone(self.color_joint, -0.8)
        ink.detail(
            edge,
            LinearGradient((0, self.top), (0, self.top + 46), ((0, with_alpha(dark, 0.5)), (1, with_alpha(dark, 0)))),
        )


class Kerb(Brush):
    """The stone edge of a quay, a stage or a step: a light top and a dark face that falls away behind it."""

    brush: Literal["kerb"]
    segment: ClassVar[str] = "ground"
    y: float
    height: float = 14
    color: str
    stone: float = Field(70, gt=5)

    def paint(self, ink: Ink) -> None:
        color = mix(ink.tone(self.color), ink.white(), 0.8) if ink.snow else ink.tone(self.color, 0.12)
        top = self.y - self.height * 0.35
        face = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, top, EAST, self.y + self.height))
        depth = ink.stage.item_depth(self.y)
        lit, low = ink.tone(color, 0.35 * ink.light.strength), ink.tone(color, -0.25)
        ink.fill(
            face,
            LinearGradient((0, top), (0, self.y + self.height), ((0, lit), (0.3, color), (1, low))),
            outline=True,
            depth=depth,
        )
        joints = skia.Path()
        x = WEST
        while x < EAST:
            x += self.stone * ink.dice.uniform(0.7, 1.3)
            lean = (x - 640) * 0.02
            joints.addPath(
                poly([(x - lean, top), (x - lean + 2, top), (x + 2, self.y + self.height), (x, self.y + self.height)])
            )
        ink.detail(joints, with_alpha(ink.tone(color, -0.9), 0.6))
        shade = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, self.y + self.height, EAST, self.y + self.height + 8))
        dark = ink.tone(color, -1.0)
        ink.detail(
            shade,
            LinearGradient(
                (0, self.y + self.height),
                (0, self.y + self.height + 8),
                ((0, with_alpha(dark, 0.6)), (1, with_alpha(dark, 0))),
            ),
        )
