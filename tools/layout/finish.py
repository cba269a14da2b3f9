"""What is done to the whole picture at the end: the fall-off of light towards the corners, and exposure."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import skia

from tools.layout.light import Light, mix
from tools.layout.paint import canvas_on, pixels

__all__ = ["expose", "vignette"]

BLACK = (0.0, 0.0, 0.0, 1.0)


def vignette(size: tuple[int, int], light: Light) -> np.ndarray:
    """A veil that darkens the corners in the colour of the shade: premultiplied BGRA, to be laid over the frame."""
    width, height = size
    array = pixels(width, height)
    canvas = canvas_on(array)
    r, g, b, _ = mix(light.ambient, BLACK, 0.72)
    stops = [(0.0, 0.0), (0.62, 0.0), (0.85, 0.1), (1.0, 0.26)]
    colors = [round(a * 255) << 24 | round(r * 255) << 16 | round(g * 255) << 8 | round(b * 255) for _, a in stops]
    canvas.translate(width / 2, height / 2)
    canvas.scale(width / 2, height / 2)
    shader = skia.GradientShader.MakeRadial(skia.Point(0, 0), 1.42, colors, [offset for offset, _ in stops])
    canvas.drawPaint(skia.Paint(Shader=shader))
    return array


@lru_cache(maxsize=8)
def _curve(exposure: float) -> np.ndarray:
    """256 output values: linear light times `exposure`, with a shoulder so that lights do not clip."""
    x = (np.arange(256) / 255.0) ** 2.2 * exposure
    if exposure > 1.0:
        x = x * (1 + x / exposure**2) / (1 + x)
        x = x / x[-1]
        # Reinhard's curve dims the middle tones again: blend it in only where it is needed.
        straight = (np.arange(256) / 255.0) ** 2.2 * exposure
        x = np.where(straight < 0.6, np.maximum(x, straight), np.maximum(x, 0.6 + (straight - 0.6) / exposure))
    table: np.ndarray = np.rint(255 * np.clip(x, 0.0, 1.0) ** (1 / 2.2)).astype(np.uint8)
    return table


def expose(picture: np.ndarray, exposure: float) -> None:
    """Brighten or darken a BGRA picture in place; 1 leaves it alone."""
    if exposure != 1.0:
        picture[..., :3] = _curve(round(exposure, 3))[picture[..., :3]]
