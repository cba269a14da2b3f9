"""Shadows that tie the cast to the floor: a soft contact under the feet, and the cast shadow of the body."""

from __future__ import annotations

import skia

from tools.layout.drawlist import Item, Layer, RadialGradient
from tools.layout.light import Light, with_alpha

__all__ = ["add_shadows", "shadow_matrix"]

LEAST_STRENGTH = 0.12
"""Below this there is no cast shadow to see: fog, deep water."""


def shadow_matrix(ground: tuple[float, float], light: Light) -> skia.Matrix:
    """Standing body -> its shadow on the floor: what is `h` above the ground lies away from the light.

    The sky shows the sun, so it stands behind the scene and shadows fall towards the camera, longer the lower it is.
    """
    _, y = ground
    dx, dy = light.direction
    height = max(0.3, -dy)
    along = max(-0.75, min(0.75, -dx / height * 0.55))
    down = 0.12 + 0.26 * (1.0 - min(1.0, height)) + 0.06
    return skia.Matrix.MakeAll(1, -along, along * y, 0, -down, y + down * y, 0, 0, 1)


def _contact(layer: Layer, ground: tuple[float, float], body: skia.Rect, light: Light, scale: float) -> None:
    """A soft blot where feet or seat touch, wide as the body there."""
    x, y = ground
    half = max(46.0 * scale, min(body.width() * 0.42, 120.0 * scale))
    alpha = min(0.62, light.shadow[3] * 1.25)
    lift = max(0.0, y - body.bottom()) / (90.0 * scale)
    alpha *= max(0.25, 1.0 - lift)
    fill = RadialGradient(
        (0.0, 0.0),
        1.0,
        (
            (0.0, with_alpha(light.shadow, alpha)),
            (0.45, with_alpha(light.shadow, alpha * 0.62)),
            (1.0, with_alpha(light.shadow, 0.0)),
        ),
    )
    path = skia.Path.Circle(0, 0, 1)
    matrix = skia.Matrix.MakeAll(half, 0, x, 0, half * 0.2, y + 2 * scale, 0, 0, 1)
    layer.add(Item(path, fill=fill, transform=matrix, effect=True, segment="ground", outline=False))


def add_shadows(layer: Layer, silhouette: skia.Path, ground: tuple[float, float], light: Light, scale: float) -> None:
    """Add a character's shadows; they go under the character.

    Args:
        silhouette: of the character, world coordinates.
        ground: world x, y of the floor below it.
        scale: of the character.
    """
    strength = max(0.0, light.strength)
    body = silhouette.getBounds()
    if strength >= LEAST_STRENGTH:
        path = skia.Path(silhouette)
        path.transform(shadow_matrix(ground, light))
        fill = with_alpha(light.shadow, light.shadow[3] * (0.35 + 0.55 * strength))
        layer.add(Item(path, fill=fill, blur=6.0 * scale, effect=True, segment="ground", outline=False))
    _contact(layer, ground, body, light, scale)
