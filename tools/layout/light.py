"""The light of a scene: what time of day and weather do to every colour, and where the sun stands."""

from __future__ import annotations

from dataclasses import dataclass

from tools.layout.drawlist import Color

__all__ = ["Light", "lit", "mix", "with_alpha"]


@dataclass(frozen=True, slots=True)
class Light:
    """One light for the set and the characters in it. Colours are 0..1 RGBA.

    Attributes:
        name: dawn, day, sunset, night.
        tint: multiplied into every surface colour (white leaves it alone).
        ambient: mixed into the shaded side.
        key: colour of the sun or moon on the lit side.
        rim: colour of the thin bright edge on the side of the light.
        shadow: colour of the cast shadows, alpha included.
        direction: from the scene to the light, x to the right, y down (so the sun overhead is (0, -1)); length 1.
        strength: 0 (overcast, fog) .. 1 (hard sun): how strong key, rim and cast shadows are.
        saturation: 1 leaves colours alone; night is below 1.
        glow: 0..1, how much lamps and windows shine.
    """

    name: str
    tint: Color
    ambient: Color
    key: Color
    rim: Color
    shadow: Color
    direction: tuple[float, float]
    strength: float = 1.0
    saturation: float = 1.0
    glow: float = 0.0


def mix(a: Color, b: Color, t: float) -> Color:
    """`a` at t = 0, `b` at t = 1, alpha included."""
    return (
        a[0] + (b[0] - a[0]) * t,
        a[1] + (b[1] - a[1]) * t,
        a[2] + (b[2] - a[2]) * t,
        a[3] + (b[3] - a[3]) * t,
    )


def with_alpha(color: Color, alpha: float) -> Color:
    """The colour with its alpha replaced."""
    return (color[0], color[1], color[2], alpha)


def lit(color: Color, light: Light) -> Color:
    """A surface colour as it looks in this light: desaturated, then tinted (Rec. 709 luma)."""
    r, g, b, a = color
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    s, t = light.saturation, light.tint
    return ((luma + (r - luma) * s) * t[0], (luma + (g - luma) * s) * t[1], (luma + (b - luma) * s) * t[2], a)
