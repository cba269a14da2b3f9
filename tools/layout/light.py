"""The light of a scene: what time of day and weather do to every colour, and where the sun stands."""

from __future__ import annotations

from dataclasses import dataclass

from tools.layout.drawlist import Color

__all__ = ["Light", "SkinLight", "lit", "mix", "unlit", "with_alpha"]


@dataclass(frozen=True, slots=True)
class SkinLight:
    """How skin takes the light: it keeps more of its own colour than cloth and walls do, or faces turn grey.

    Attributes:
        tint: multiplied into skin and other pale surfaces of a body, instead of the light's own.
        saturation: instead of the light's own.
        lift: 0..1, how far dark tones are raised so that they are read: luma becomes luma ** (1 - lift).
    """

    tint: Color
    saturation: float = 1.0
    lift: float = 0.0


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
        skin: how skin takes the light; None: like every other surface.
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
    skin: SkinLight | None = None


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


def _luma(r: float, g: float, b: float) -> float:
    """Rec. 709."""
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _taken(color: Color, tint: Color, saturation: float) -> Color:
    """Desaturated, then tinted, and kept within 0..1: a saturation above 1 drives pure colours out of it."""
    # Written out: a frame asks this a thousand times.
    r, g, b, a = color
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    r = (luma + (r - luma) * saturation) * tint[0]
    g = (luma + (g - luma) * saturation) * tint[1]
    b = (luma + (b - luma) * saturation) * tint[2]
    return (min(1.0, max(0.0, r)), min(1.0, max(0.0, g)), min(1.0, max(0.0, b)), a)


def lit(color: Color, light: Light) -> Color:
    """A surface colour as it looks in this light: desaturated, then tinted, each part within 0..1."""
    return _taken(color, light.tint, light.saturation)


def unlit(color: Color, light: Light, share: float = 1.0) -> Color:
    """The surface colour that `lit` shows as this skin looks in this light.

    Colours of skin are changed once by this and then painted like all others, shade, blush and lips included. The
    result may lie outside 0..1: a light that is all blue must be given more red than there is.

    Args:
        color: of the skin in white light.
        share: 1 for skin, 0 for what takes the light like cloth, between them for fur.
    """
    skin = light.skin
    if skin is None or share <= 0.0:
        return color
    r, g, b, a = color
    raised = _luma(r, g, b) ** -skin.lift if skin.lift and max(r, g, b) > 0.0 else 1.0
    healthy = _taken((r * raised, g * raised, b * raised, a), skin.tint, skin.saturation)
    aim = mix(lit(color, light), healthy, share)
    d = [part / max(0.05, t) for part, t in zip(aim[:3], light.tint, strict=False)]
    luma, s = _luma(*d), max(0.2, light.saturation)
    red, green, blue = (luma + (part - luma) / s for part in d)
    return (red, green, blue, a)
