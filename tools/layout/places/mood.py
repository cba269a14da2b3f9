"""What a time of day and a weather do: `packs/light.yaml`, and the `Mood` that brushes paint under."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tools.layout.drawlist import Color
from tools.layout.light import Light, SkinLight, mix
from tools.storyboard import TimeOfDay, Weather

__all__ = [
    "LIGHT_FILE",
    "Hex",
    "LightChange",
    "LightFile",
    "Mood",
    "Stops",
    "TimeTone",
    "WeatherTone",
    "check_hex",
    "make_light",
    "rgba",
]

LIGHT_FILE = Path(__file__).resolve().parents[1] / "packs" / "light.yaml"


def rgba(text: str) -> Color:
    """`#rrggbb` or `#rrggbbaa` as 0..1 RGBA."""
    parts = [int(text[i : i + 2], 16) / 255 for i in range(1, len(text), 2)]
    return (parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else 1.0)


def check_hex(text: str, where: str = "") -> str:
    """Return `text` if it is a colour; raises ValueError, with `where` in front, if not."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?", text):
        raise ValueError(f"{where}: {text!r} is not a colour as #rrggbb or #rrggbbaa".removeprefix(": "))
    return text


Hex = Annotated[str, AfterValidator(lambda text: check_hex(text))]
Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Stops = Annotated[list[tuple[Unit, Hex]], Field(min_length=2)]
"""A gradient as (offset 0..1, colour), offsets rising."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SkinSpec(_Model):
    """A `SkinLight` as data."""

    tint: Hex
    saturation: float = Field(1.0, ge=0.0, le=1.5)
    lift: float = Field(0.0, ge=0.0, le=0.6)


class LightSpec(_Model):
    """A `Light` as data (its direction comes from where the sun stands in the place)."""

    tint: Hex
    ambient: Hex
    key: Hex
    rim: Hex
    shadow: Hex
    strength: Unit
    saturation: float = Field(ge=0.0, le=1.5)
    glow: Unit
    skin: SkinSpec


class LightChange(_Model):
    """What a place changes in the light of a time: an indoor lamp, the blue of the deep."""

    tint: Hex | None = None
    ambient: Hex | None = None
    key: Hex | None = None
    rim: Hex | None = None
    shadow: Hex | None = None
    strength: Unit | None = None
    saturation: float | None = Field(None, ge=0.0, le=1.5)
    glow: Unit | None = None
    skin: SkinSpec | None = None
    """Left out where the tint is changed, skin takes the light half as the place tints it, half as the time does."""


class CloudTone(_Model):
    """Colours of clouds, from their crown to their lit foot."""

    top: Hex
    body: Hex
    under: Hex
    rim: Hex


class SunTone(_Model):
    """The sun or the moon, and the light around it."""

    disc: Hex
    glow: Hex
    radius: float = Field(gt=0)
    halo: float = Field(gt=0)
    moon: bool = False
    rays: Unit = 0.5


class TimeTone(_Model):
    """One time of day."""

    light: LightSpec
    sky: Stops
    sun: SunTone
    cloud: CloudTone
    haze: Hex = Field(description="colour of the far distance")
    veil: Hex = Field(description="colour that bad weather draws everything towards")
    lamp: Hex = Field(description="of lit windows and lamps")
    stars: Unit = 0.0


class WeatherTone(_Model):
    """One weather, laid over any time of day."""

    saturation: float = Field(ge=0.0, le=1.2, description="of everything")
    brightness: float = Field(ge=0.3, le=1.3)
    veil: Unit = Field(description="how far sky and painted colours go towards the time's veil")
    strength: Unit = Field(description="times the light's own")
    haze: Unit = Field(description="added in the far distance")
    sun: Unit = Field(description="how much of the sun or moon, rays and stars is left")
    cover: Unit = Field(description="how much of the sky grey cloud covers")
    glow: Unit = Field(0.0, description="lamps are lit at least this much")
    skin: Unit = Field(1.0, description="how much of what this weather does to colours reaches skin")


class LightFile(_Model):
    """`packs/light.yaml`."""

    times: dict[TimeOfDay, TimeTone]
    weathers: dict[Weather, WeatherTone]


@dataclass(frozen=True)
class Mood:
    """The time and the weather that a picture is painted under."""

    time_of_day: TimeOfDay
    weather: Weather
    time: TimeTone
    sky_weather: WeatherTone

    def grade(self, color: Color, share: float = 1.0) -> Color:
        """A colour painted for clear weather, as this weather shows it; `share` of the way."""
        w = self.sky_weather
        r, g, b, a = color
        luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
        s, k = w.saturation, w.brightness
        plain = ((luma + (r - luma) * s) * k, (luma + (g - luma) * s) * k, (luma + (b - luma) * s) * k, a)
        veil = rgba(self.time.veil)
        return mix(color, mix(plain, (veil[0], veil[1], veil[2], a), w.veil), share)

    @property
    def haze(self) -> Color:
        """Colour of the far distance."""
        return self.grade(rgba(self.time.haze))

    @property
    def lamp(self) -> Color:
        """Colour of lit windows, whatever the weather."""
        return rgba(self.time.lamp)


def make_light(mood: Mood, change: LightChange | None, sun: tuple[float, float], *, indoor: bool) -> Light:
    """The light of a place.

    Args:
        mood: time and weather.
        change: what the place itself changes, or None.
        sun: world position of the sun or of the window that lights the place.
        indoor: weather then counts half.
    """
    spec = mood.time.light.model_dump()
    spec.update({k: v for k, v in (change.model_dump() if change else {}).items() if v is not None})
    w = mood.sky_weather
    share = 0.5 if indoor else 1.0
    tint = rgba(spec["tint"])
    skin = (change.skin if change else None) or mood.time.light.skin
    skin_tint = rgba(skin.tint)
    if change and change.tint and not change.skin:
        skin_tint = mix(skin_tint, tint, 0.5)
    strength = spec["strength"] * (1 + (w.strength - 1) * share)
    shadow = rgba(spec["shadow"])
    dx, dy = sun[0] - 640, sun[1] - 470
    length = math.hypot(dx, dy) or 1.0
    return Light(
        name=mood.time_of_day,
        tint=_under_sky(tint, w, share),
        ambient=mood.grade(rgba(spec["ambient"])) if not indoor else rgba(spec["ambient"]),
        key=mix(rgba(spec["key"]), mood.grade(rgba(spec["key"])), share),
        rim=mix(rgba(spec["rim"]), mood.grade(rgba(spec["rim"])), share),
        shadow=(shadow[0], shadow[1], shadow[2], shadow[3] * (0.35 + 0.65 * strength)),
        direction=(dx / length, dy / length),
        strength=strength,
        saturation=spec["saturation"] * (1 + (w.saturation - 1) * 0.7 * share),
        glow=max(spec["glow"], w.glow),
        skin=SkinLight(
            tint=_under_sky(skin_tint, w, share, w.skin),
            saturation=skin.saturation * (1 + (w.saturation - 1) * 0.7 * share * w.skin),
            lift=skin.lift,
        ),
    )


def _under_sky(tint: Color, weather: WeatherTone, share: float, reach: float = 1.0) -> Color:
    """The tint of a light under this weather: a closed sky turns it towards a grey that is a little blue.

    Args:
        share: how much of the weather comes in at all.
        reach: how much of the greying reaches what is lit.
    """
    luma = 0.2126 * tint[0] + 0.7152 * tint[1] + 0.0722 * tint[2]
    grey = 0.55 * (1 - weather.strength) * share * reach
    # People must be read in the rain too: the air darkens more than what stands in it.
    bright = 1 + (weather.brightness - 1) * share * 0.5
    red, green, blue = (
        min(1.0, (part + (aim - part) * grey) * bright)
        for part, aim in zip(tint, (luma, luma, luma * 1.06), strict=False)
    )
    return (red, green, blue, 1.0)
