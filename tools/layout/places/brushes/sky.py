"""The sky: gradient, sun and moon, rays, stars, clouds, birds."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import skia
from pydantic import Field

from tools.layout.drawlist import Color, LinearGradient, RadialGradient
from tools.layout.light import mix, with_alpha
from tools.layout.places.brushes.base import Brush
from tools.layout.places.ink import EAST, NORTH, WEST, Ink
from tools.layout.places.mood import rgba
from tools.layout.places.shapes import circles, cloud_outline, ellipse, lens, poly

__all__ = ["AirBands", "Birds", "Cloud", "CloudCover", "CloudStreaks", "Sky", "SkySpecks", "Stars", "Sun", "Twinkle"]


class Sky(Brush):
    """The gradient from the zenith to the horizon, and the glow that lies on the horizon under the sun."""

    brush: Literal["sky"]
    segment: ClassVar[str] = "sky"
    bottom: float | None = Field(None, description="world y of the lowest sky; None: the horizon")

    def paint(self, ink: Ink) -> None:
        bottom = (self.bottom or ink.stage.horizon) + 30
        top = -40.0
        mood = ink.mood
        span = bottom - top
        stops = tuple((at, mood.grade(rgba(color))) for at, color in mood.time.sky)
        area = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, NORTH, EAST, bottom + 320))
        ink.fill(area, LinearGradient((0, top), (0, top + span), stops))
        x, _ = ink.stage.sun[mood.time_of_day]
        warm = mood.grade(rgba(mood.time.sun.glow))
        share = 0.25 + 0.4 * mood.sky_weather.sun
        ink.glow(x, ink.stage.horizon, 900, 190, with_alpha(warm, share))


class Sun(Brush):
    """The sun or the moon of the hour, with halo and rays, as much as the weather leaves of it."""

    brush: Literal["sun"]
    segment: ClassVar[str] = "sky"
    rays: float = Field(1.0, ge=0, le=2)

    def paint(self, ink: Ink) -> None:
        tone, left = ink.mood.time.sun, ink.mood.sky_weather.sun
        if left <= 0:
            return
        x, y = ink.stage.sun[ink.mood.time_of_day]
        glow = ink.mood.grade(rgba(tone.glow))
        if self.rays and left > 0.25:
            self._rays(ink, x, y, 0.16 * tone.rays * self.rays * left)
        ink.glow(x, y, tone.halo, tone.halo, with_alpha(glow, 0.55 * left), core=0.04)
        ink.glow(x, y, tone.halo * 0.4, tone.halo * 0.4, with_alpha(rgba(tone.disc), 0.75 * left), core=0.12)
        r = tone.radius
        disc = with_alpha(ink.mood.grade(rgba(tone.disc)), min(1.0, left * 1.2))
        ink.fill(ellipse(x, y, r, r), disc, effect=True)
        if tone.moon:
            seas = circles([(x - r * 0.3, y - r * 0.2, r * 0.26), (x + r * 0.3, y + r * 0.28, r * 0.18)])
            seas.addCircle(x + r * 0.1, y - r * 0.5, r * 0.1)
            ink.detail(seas, with_alpha(glow, 0.35 * left))

    def _rays(self, ink: Ink, x: float, y: float, alpha: float) -> None:
        reach = 760.0
        color = ink.mood.grade(rgba(ink.mood.time.sun.disc))
        wedges = []
        for i in range(15):
            angle = math.pi * (1.03 + 0.94 * i / 14) + ink.dice.uniform(-0.05, 0.05)
            wedges.append((angle, ink.dice.uniform(0.012, 0.045), ink.dice.uniform(0.6, 1.0)))
        if ink.mood.time.sun.moon or y < 200:
            wedges += [(a + math.pi, w, r * 0.8) for a, w, r in wedges]
        # Three nested fans: the soft flank of a ray without a blur.
        for wide in (1.0, 0.62, 0.3):
            path = skia.Path()
            for angle, half, far in wedges:
                a, b, d = angle - half * wide, angle + half * wide, reach * far * 1.5
                path.addPath(poly([(x, y), (x + math.cos(a) * d, y + math.sin(a) * d),
                                   (x + math.cos(b) * d, y + math.sin(b) * d)]))  # fmt: skip
            stops = (
                (0.0, with_alpha(color, alpha)),
                (0.35, with_alpha(color, alpha * 0.6)),
                (1.0, with_alpha(color, 0)),
            )
            ink.detail(path, RadialGradient((x, y), reach, stops))


class Stars(Brush):
    """Stars where the hour and the weather show any."""

    brush: Literal["stars"]
    segment: ClassVar[str] = "sky"
    count: int = Field(260, ge=0, le=1500)

    def paint(self, ink: Ink) -> None:
        power = ink.mood.time.stars * ink.mood.sky_weather.sun
        if power < 0.05:
            return
        low = ink.stage.horizon
        for size, share in ((0.8, 0.6), (1.3, 0.3), (2.0, 0.1)):
            spots = []
            for _ in range(int(self.count * share)):
                x, f = ink.dice.uniform(WEST, EAST), ink.dice.random()
                # Denser towards the zenith, where the air is thin.
                spots.append((x, low - 30 - (f**0.8) * (low + 600), size * ink.dice.uniform(0.7, 1.2)))
            ink.detail(circles(spots), (1.0, 0.98, 0.92, power * (0.5 + size * 0.22)))
        for _ in range(7):
            x, y = ink.dice.uniform(-80, 1360), ink.dice.uniform(-40, low * 0.55)
            ink.glow(x, y, 9, 9, (0.9, 0.93, 1.0, 0.7 * power), core=0.1)


class Twinkle(Brush):
    """A few stars that flicker."""

    brush: Literal["twinkle"]
    segment: ClassVar[str] = "sky"
    count: int = Field(9, ge=0, le=40)

    def paint(self, ink: Ink) -> None:
        power = ink.mood.time.stars * ink.mood.sky_weather.sun
        if power < 0.4:
            return
        path = skia.Path()
        for _ in range(self.count):
            x, y = ink.dice.uniform(-60, 1340), ink.dice.uniform(-20, ink.stage.horizon * 0.55)
            rate, phase = ink.dice.uniform(1.2, 3.0), ink.loose.uniform(0, 6.3)
            r = max(0.0, 4.5 * (0.45 + 0.55 * math.sin(ink.t * rate + phase)))
            for dx, dy in ((r, 0.0), (0.0, r)):
                path.addPath(poly([(x - dx, y - dy), (x + dy * 0.16, y - dx * 0.16), (x + dx, y + dy),
                                   (x - dy * 0.16, y + dx * 0.16)]))  # fmt: skip
        ink.detail(path, (1.0, 0.98, 0.94, 0.9 * power))


class Cloud(Brush):
    """A heaped cloud: painted billows, the foot lit from below at low sun, a bright rim."""

    brush: Literal["cloud"]
    segment: ClassVar[str] = "sky"
    x: float
    y: float = Field(description="of its foot")
    width: float = Field(gt=20, le=1600)
    height: float = Field(gt=10, le=600)
    billows: int = Field(6, ge=2, le=20)
    drift: float = Field(0.0, description="units a second, in layers that move")

    def paint(self, ink: Ink) -> None:
        tone, mood = ink.mood.time.cloud, ink.mood
        top, body, under, rim = (ink.hazed(mood.grade(rgba(c))) for c in (tone.top, tone.body, tone.under, tone.rim))
        outline, big = cloud_outline(self.width, self.height, self.billows, ink.dice)
        x, y = self.x + self.drift * ink.t, self.y
        outline = [(x + px, y + py) for px, py in outline]
        shape = poly(outline)
        sx, _ = ink.stage.sun[mood.time_of_day]
        high_sun = ink.stage.sun[mood.time_of_day][1] < 160
        clear = mood.sky_weather.sun
        # Rim first, then the body a little away from the light and cut to the outline: a lit edge all along.
        lift = max(2.2, self.height * 0.03)
        ink.fill(shape, mix(body, rim, 0.25 + 0.7 * clear), effect=False)
        dx = max(-1.0, min(1.0, (sx - x) / 500)) * lift
        inner = skia.Path(shape)
        inner.offset(-dx * 0.8, lift if high_sun else -lift)
        gradient = LinearGradient(
            (x, y - self.height),
            (x, y + self.height * 0.06),
            ((0.0, top), (0.5, body), (0.86, under), (1.0, mix(under, rim, 0.6))),
        )
        ink.detail(inner, gradient, clip=shape)
        both = inner
        for bx, by, r in sorted(big, key=lambda b: -b[1])[:7]:
            cx, cy = x + bx, y + by
            light = mix(body, rim, 0.55) if high_sun else mix(top, rim, 0.26)
            shade = with_alpha(under if high_sun else top, 0.0)
            side = dx / lift * 0.4
            fill = RadialGradient(
                (cx + r * side, cy - r * (0.45 if high_sun else 0.2)), r * 1.15,
                ((0.0, with_alpha(light, 0.5)), (0.6, with_alpha(light, 0.22)), (1.0, shade)),
            )  # fmt: skip
            ink.detail(ellipse(cx, cy, r * 0.97, r * 0.97), fill, clip=both)


class CloudStreaks(Brush):
    """Long soft bands of high cloud."""

    brush: Literal["cloud_streaks"]
    segment: ClassVar[str] = "sky"
    count: int = Field(7, ge=0, le=40)
    top: float = -60
    bottom: float = 260

    def paint(self, ink: Ink) -> None:
        tone = ink.mood.time.cloud
        for i in range(self.count):
            f = (i + ink.dice.random()) / self.count
            y = self.top + (self.bottom - self.top) * f
            color = ink.mood.grade(mix(rgba(tone.body), rgba(tone.rim), f))
            x = ink.dice.uniform(-300, 1580)
            ink.glow(
                x,
                y,
                ink.dice.uniform(220, 520),
                ink.dice.uniform(4, 13),
                with_alpha(color, ink.dice.uniform(0.25, 0.5)),
            )


class CloudCover(Brush):
    """The closed sky of bad weather: heavy rolls of cloud, darker above."""

    brush: Literal["cloud_cover"]
    segment: ClassVar[str] = "sky"

    def paint(self, ink: Ink) -> None:
        cover = ink.mood.sky_weather.cover
        if cover <= 0:
            return
        mood = ink.mood
        top, body = mood.grade(rgba(mood.time.cloud.top)), mood.grade(rgba(mood.time.cloud.body))
        veil = rgba(mood.time.veil)
        heavy = mood.weather == "rain"
        deep = mix(mix(top, veil, 0.5), (0.12, 0.14, 0.22, 1.0), 0.34 if heavy else 0.05)
        pale = mix(mix(body, veil, 0.35), (1, 1, 1, 1), 0.1)
        low = ink.stage.horizon
        lid = skia.Path.Rect(skia.Rect.MakeLTRB(WEST, NORTH, EAST, low))
        stops = (
            (0.0, with_alpha(deep, 0.85 * cover)),
            (0.55, with_alpha(deep, 0.5 * cover)),
            (1.0, with_alpha(pale, 0.15 * cover)),
        )
        ink.detail(lid, LinearGradient((0, -80), (0, low), stops))
        for i in range(22):
            f = (i + ink.dice.random()) / 22
            tone = mix(deep, pale, min(1.0, f * 0.7 + ink.dice.uniform(-0.15, 0.45)))
            x, y = ink.dice.uniform(-300, 1580), -70 + low * 0.9 * f
            ink.glow(x, y, ink.dice.uniform(170, 420) * (1.2 - 0.6 * f), 74 - 46 * f, with_alpha(tone, 0.55 * cover))
        if heavy:
            self._rolls(ink, mix(deep, pale, 0.25), deep, low)

    def _rolls(self, ink: Ink, pale: Color, deep: Color, low: float) -> None:
        """Two rows of ragged bellies: they melt into the sky above, their edges hang."""
        for y, width, height, alpha in ((40.0, 420.0, 92.0, 0.34), (low * 0.46, 300.0, 60.0, 0.3)):
            x = -420.0
            while x < 1700:
                w = width * ink.dice.uniform(0.8, 1.3)
                outline, _ = cloud_outline(w, height * ink.dice.uniform(0.7, 1.2), 5, ink.dice)
                shift = y + ink.dice.uniform(-16, 16)
                path = poly([(x + px, shift - py * 0.62) for px, py in outline])
                fill = LinearGradient(
                    (0, shift),
                    (0, shift + height * 0.6),
                    ((0.0, with_alpha(deep, 0.0)), (1.0, with_alpha(mix(deep, pale, ink.dice.random()), alpha))),
                )
                ink.detail(path, fill)
                x += w * ink.dice.uniform(0.5, 0.8)


class Birds(Brush):
    """Gulls or swallows far off; in a layer that moves they glide and beat their wings."""

    brush: Literal["birds"]
    segment: ClassVar[str] = "sky"
    x: float
    y: float
    spread: float = 130
    count: int = Field(3, ge=1, le=20)
    size: float = 13
    color: str = "#f4f0f2"
    speed: float = 9.0

    def paint(self, ink: Ink) -> None:
        color = with_alpha(ink.tone(self.color), 0.85)
        path = skia.Path()
        for i in range(self.count):
            phase = ink.loose.uniform(0, 6)
            bx = self.x + ink.dice.uniform(-1, 1) * self.spread + self.speed * ink.t
            by = self.y + ink.dice.uniform(-0.35, 0.35) * self.spread + 4 * math.sin(ink.t * 0.6 + phase)
            s = self.size * ink.dice.uniform(0.6, 1.1)
            beat = 0.35 + 0.3 * math.sin(ink.t * 5 + phase) * (1 if math.sin(ink.t * 0.7 + i) > 0 else 0.2)
            for side in (-1, 1):
                path.moveTo(bx, by)
                path.quadTo(bx + side * s * 0.45, by - s * beat * 1.3, bx + side * s, by - s * beat * 0.25)
                path.quadTo(bx + side * s * 0.45, by - s * beat * 0.8, bx, by + s * 0.1)
                path.close()
        ink.fill(path, color, segment="sky", effect=True)


class AirBands(Brush):
    """Banks of mist that lie over the ground far off: at dawn a little, in fog much."""

    brush: Literal["mist"]
    segment: ClassVar[str] = "sky"
    y: float
    height: float = 60
    count: int = Field(4, ge=1, le=12)
    power: float = Field(1.0, ge=0, le=2)
    drift: float = 6.0

    def paint(self, ink: Ink) -> None:
        amount = {"fog": 0.6, "rain": 0.22, "snow": 0.2}.get(ink.mood.weather, 0.0)
        if ink.mood.time_of_day == "dawn":
            amount = max(amount, 0.34)
        amount *= self.power
        if amount <= 0:
            return
        color = mix(ink.mood.haze, rgba(ink.mood.time.sun.glow), 0.25 if ink.mood.weather == "clear" else 0.05)
        for i in range(self.count):
            x = -100 + 1500 * (i + ink.dice.random()) / self.count + self.drift * math.sin(ink.t * 0.25 + i) * 4
            y = self.y + ink.dice.uniform(-0.4, 0.4) * self.height
            ink.glow(
                x, y, ink.dice.uniform(420, 700), self.height * ink.dice.uniform(0.5, 0.9), with_alpha(color, amount)
            )


class SkySpecks(Brush):
    """Thin bright lines of cloud low over the horizon."""

    brush: Literal["sky_lines"]
    segment: ClassVar[str] = "sky"
    count: int = Field(10, ge=0, le=60)
    top: float = 120
    bottom: float = 300

    def paint(self, ink: Ink) -> None:
        color = ink.mood.grade(rgba(ink.mood.time.cloud.rim))
        path = skia.Path()
        for _ in range(self.count):
            x, y = ink.dice.uniform(-300, 1500), ink.dice.uniform(self.top, self.bottom)
            lens(path, x, y, ink.dice.uniform(120, 380), ink.dice.uniform(-3, 3), ink.dice.uniform(1.5, 4))
        ink.detail(path, with_alpha(color, 0.3))
