"""Rain, snow and fog between the camera and the set. All of it is effect: seen in the picture, in no map.

Drops and flakes are laid out in the frame rather than in the world, so that a close shot has as many as a wide one;
each is a pure function of its number, the seed and the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

import skia

from tools.layout.drawlist import Color, DrawList, Item, Layer, LinearGradient, RadialGradient, Stroke
from tools.layout.light import Light, lit, mix, with_alpha

if TYPE_CHECKING:
    from tools.layout.camera import Window
    from tools.layout.scene import Scene

__all__ = ["paint_weather_back", "paint_weather_front"]

OVERSCAN = 0.12
"""How far past the frame weather is laid out, as a fraction of it, for the camera's moves."""


def _fog_color(light: Light) -> Color:
    return mix(lit((0.93, 0.95, 0.98, 1.0), light), light.ambient, 0.18)


@lru_cache(maxsize=64)
def _seeds(kind: str, seed: int, count: int) -> tuple[tuple[float, float, float, float], ...]:
    dice = Random(f"{kind}/{seed}")
    return tuple((dice.random(), dice.random(), dice.random(), dice.random()) for _ in range(count))


SOFT_FLAKE = 5.0
"""Flakes from this size on, in pixels of a 720 line frame, are out of focus."""


@dataclass(frozen=True)
class _Air:
    """Where weather is laid out: around what the camera sees at an instant, world units.

    It repeats sideways, so that a camera that goes along the set leaves drops behind and finds new ones.
    """

    base: Window
    camera: Window

    @property
    def w(self) -> float:
        return self.base.w * (1 + 2 * OVERSCAN)

    @property
    def h(self) -> float:
        return self.base.h * (1 + 2 * OVERSCAN)

    @property
    def x0(self) -> float:
        return self.camera.cx - self.w / 2

    @property
    def y0(self) -> float:
        return self.base.cy - self.h / 2

    def x(self, part: float, span: float | None = None) -> float:
        """World x of what stands at a fraction of the width; `span` is the width it repeats over."""
        span = span or self.w
        start = self.camera.cx - span / 2
        return start + ((part * span - (self.camera.cx - self.base.cx)) % span)


def _count(air: _Air, per_square: float) -> int:
    """How many for a frame of this shape; `per_square` for a square one."""
    return int(per_square * max(1.0, min(2.4, air.w / air.h)))


def _rain(
    layer: Layer,
    scene: Scene,
    air: _Air,
    t: float,
    *,
    count: int,
    length: float,
    width: float,
    speed: float,
    alpha: float,
) -> None:
    """One sheet of streaks. Lengths in frame heights, `speed` in frame heights a second."""
    slant, unit = 0.13, air.base.h
    color = with_alpha(mix(lit((0.86, 0.92, 1.0, 1.0), scene.light), (0.86, 0.92, 1.0, 1.0), 0.45), alpha)
    path = skia.Path()
    for a, b, c, _ in _seeds(layer.name, scene.seed, _count(air, count)):
        fall = (b + t * speed * (0.85 + 0.3 * c)) % 1.0
        x = air.x(a - fall * slant * air.h / air.w)
        y = air.y0 + fall * air.h
        reach = length * unit * (0.6 + 0.8 * c)
        path.moveTo(x, y)
        path.lineTo(x - slant * reach, y + reach)
    layer.add(Item(path, stroke=Stroke(color, width * unit / 720), effect=True, segment="weather", outline=False))


def _splashes(layer: Layer, scene: Scene, air: _Air, t: float) -> None:
    """Rings where drops meet the floor, squashed by its perspective."""
    place = scene.place
    path = skia.Path()
    near, back = place.floor_y(0.0), place.floor_y(1.0)
    for a, b, c, d in _seeds("splash", scene.seed, 46):
        turn = t * 2.2 + d
        age = turn % 1.0
        # Every splash falls somewhere else the next time.
        jump = math.floor(turn) * 0.381966
        x, depth = air.x(a + jump), (b + jump * 0.7) % 1.0
        y = near + (back - near) * depth
        r = (3 + 11 * age) * place.scale_at(depth) * (0.7 + 0.6 * c)
        if age < 0.75:
            path.addOval(skia.Rect.MakeLTRB(x - r, y - r * 0.28, x + r, y + r * 0.28))
    color = with_alpha(lit((0.9, 0.95, 1.0, 1.0), scene.light), 0.34)
    layer.add(Item(path, stroke=Stroke(color, 1.3), effect=True, segment="weather", outline=False))


def _snow(
    layer: Layer, scene: Scene, air: _Air, t: float, *, count: int, size: float, speed: float, alpha: float
) -> None:
    """One sheet of flakes. `size` in pixels of a 720 line frame, `speed` in frame heights a second.

    Large flakes are near the lens and out of focus: each has a soft edge of its own.
    """
    unit = air.base.h / 720
    white = mix(lit((1.0, 1.0, 1.0, 1.0), scene.light), (1.0, 1.0, 1.0, 1.0), 0.5)
    color = with_alpha(white, alpha)
    blot = RadialGradient(
        (0.0, 0.0), 1.0, ((0.0, color), (0.45, with_alpha(white, alpha * 0.6)), (1.0, with_alpha(white, 0.0)))
    )
    path = skia.Path()
    for a, b, c, d in _seeds(layer.name, scene.seed, _count(air, count)):
        fall = (b + t * speed * (0.7 + 0.6 * c)) % 1.0
        sway = math.sin(t * (0.7 + d) + d * math.tau) * 0.012
        x, y = air.x(a + sway + fall * 0.05), air.y0 + fall * air.h
        radius = size * unit * (0.55 + 0.9 * d)
        if size < SOFT_FLAKE:
            path.addCircle(x, y, radius)
            continue
        matrix = skia.Matrix.MakeAll(radius, 0, x, 0, radius, y, 0, 0, 1)
        disc = skia.Path.Circle(0, 0, 1)
        layer.add(Item(disc, fill=blot, transform=matrix, effect=True, segment="weather", outline=False))
    if not path.isEmpty():
        layer.add(Item(path, fill=color, effect=True, segment="weather", outline=False))


def _fog_bank(
    layer: Layer, scene: Scene, air: _Air, t: float, *, top: float, bottom: float, alpha: float, drift: float
) -> None:
    """A veil between two heights (fractions of the frame) and a few banks that drift through it."""
    window, w = air.base, air.w
    box = window.box
    y0, y1 = box[1] + top * window.h, box[1] + bottom * window.h
    color = _fog_color(scene.light)
    stops = ((0.0, with_alpha(color, 0.0)), (0.45, with_alpha(color, alpha)), (1.0, with_alpha(color, alpha * 0.7)))
    rect = skia.Path.Rect(skia.Rect.MakeLTRB(air.x0, y0, air.x0 + w, y1))
    fill = LinearGradient((0.0, y0), (0.0, y1), stops)
    layer.add(Item(rect, fill=fill, effect=True, segment="weather", outline=False))
    blot = RadialGradient(
        (0.0, 0.0),
        1.0,
        ((0.0, with_alpha(color, alpha * 0.8)), (0.6, with_alpha(color, alpha * 0.3)), (1.0, with_alpha(color, 0.0))),
    )
    for a, b, c, _ in _seeds(layer.name, scene.seed, 4):
        half_w, half_h = window.w * (0.26 + 0.16 * c), (y1 - y0) * (0.2 + 0.16 * b)
        span = w + 2 * half_w
        x = air.x(a + t * drift * window.w * (0.6 + 0.8 * c) / span, span)
        y = y0 + (y1 - y0) * (0.3 + 0.5 * b)
        matrix = skia.Matrix.MakeAll(half_w, 0, x, 0, half_h, y, 0, 0, 1)
        layer.add(
            Item(skia.Path.Circle(0, 0, 1), fill=blot, transform=matrix, effect=True, segment="weather", outline=False)
        )


def paint_weather_back(draw: DrawList, scene: Scene, camera: Window, t: float) -> None:
    """Append the weather that falls behind the cast, as the camera sees it."""
    if not scene.place.sky:
        return
    air = _Air(scene.base, camera)
    weather = scene.shot.weather
    if weather == "rain":
        far = draw.layer("rain.far", animated=True)
        _rain(far, scene, air, t, count=150, length=0.045, width=1.0, speed=1.5, alpha=0.42)
        _splashes(draw.layer("rain.splashes", animated=True), scene, air, t)
    elif weather == "snow":
        _snow(draw.layer("snow.far", animated=True), scene, air, t, count=190, size=1.6, speed=0.07, alpha=0.8)
    elif weather == "fog":
        _fog_bank(draw.layer("fog.far", animated=True), scene, air, t, top=0.15, bottom=1.1, alpha=0.2, drift=0.02)


def paint_weather_front(draw: DrawList, scene: Scene, camera: Window, t: float) -> None:
    """Append the weather that falls before the cast, as the camera sees it."""
    if not scene.place.sky:
        return
    air = _Air(scene.base, camera)
    weather = scene.shot.weather
    if weather == "rain":
        near = draw.layer("rain.near", animated=True)
        _rain(near, scene, air, t, count=70, length=0.085, width=1.7, speed=2.1, alpha=0.46)
    elif weather == "snow":
        _snow(draw.layer("snow.mid", animated=True), scene, air, t, count=70, size=2.8, speed=0.11, alpha=0.85)
        _snow(draw.layer("snow.near", animated=True), scene, air, t, count=9, size=9.0, speed=0.19, alpha=0.5)
    elif weather == "fog":
        _fog_bank(draw.layer("fog.near", animated=True), scene, air, t, top=0.6, bottom=1.15, alpha=0.22, drift=0.035)
