"""Items to pixels: how a fill, a stroke, a clip and a blend of the draw list become calls of skia."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import skia

from tools.layout.camera import Window
from tools.layout.drawlist import Color, Fill, Item, LinearGradient

__all__ = ["canvas_on", "paint_item", "paint_items", "pixels", "window_matrix"]


def pixels(width: int, height: int) -> np.ndarray:
    """A picture to draw on: height x width x 4, uint8, blue green red alpha, transparent black."""
    return np.zeros((height, width, 4), dtype=np.uint8)


def canvas_on(array: np.ndarray, *, opaque: bool = False) -> skia.Canvas:
    """A canvas that draws straight into the array (premultiplied BGRA)."""
    height, width = array.shape[:2]
    alpha = skia.kOpaque_AlphaType if opaque else skia.kPremul_AlphaType
    info = skia.ImageInfo.Make(width, height, skia.kBGRA_8888_ColorType, alpha)
    return skia.Canvas.MakeRasterDirect(info, array, array.strides[0])


def window_matrix(window: Window, width: int, height: int) -> skia.Matrix:
    """World to pixels, for a frame of that size that shows that window."""
    scale_x, scale_y = width / window.w, height / window.h
    x0, y0, _, _ = window.box
    return skia.Matrix.MakeAll(scale_x, 0, -x0 * scale_x, 0, scale_y, -y0 * scale_y, 0, 0, 1)


@lru_cache(maxsize=8192)
def _color(color: Color) -> int:
    r, g, b, a = (min(1.0, max(0.0, part)) for part in color)
    return (round(a * 255) << 24) | (round(r * 255) << 16) | (round(g * 255) << 8) | round(b * 255)


@lru_cache(maxsize=4096)
def _shader(fill: Fill) -> skia.Shader:
    """A gradient's shader. Cached by value: most gradients of a rig are the same in every frame."""
    assert not isinstance(fill, tuple)
    colors = [_color(color) for _, color in fill.stops]
    offsets = [offset for offset, _ in fill.stops]
    if isinstance(fill, LinearGradient):
        points = [skia.Point(*fill.start), skia.Point(*fill.end)]
        return skia.GradientShader.MakeLinear(points, colors, offsets)
    return skia.GradientShader.MakeRadial(skia.Point(*fill.center), max(fill.radius, 1e-3), colors, offsets)


@lru_cache(maxsize=64)
def _blend(name: str) -> skia.BlendMode:
    return getattr(skia.BlendMode, f"k{name}")


@lru_cache(maxsize=256)
def _blur(radius: float) -> skia.MaskFilter:
    # Half the radius is the deviation at which the blur has faded out at the radius.
    return skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, radius / 2, True)


def _paint_for(item: Item, fill: Fill, paint: skia.Paint) -> skia.Paint:
    if isinstance(fill, tuple):
        paint.setColor(_color(fill))
    else:
        paint.setShader(_shader(fill))
    if item.opacity < 1.0:
        paint.setAlphaf(paint.getAlphaf() * max(0.0, item.opacity))
    if item.blend != "SrcOver":
        paint.setBlendMode(_blend(item.blend))
    if item.blur > 0.0:
        paint.setMaskFilter(_blur(item.blur))
    return paint


def paint_item(canvas: skia.Canvas, item: Item) -> None:
    """Draw one item as the picture shows it."""
    framed = item.transform is not None or item.clip is not None
    if framed:
        canvas.save()
        if item.transform is not None:
            canvas.concat(item.transform)
        if item.clip is not None:
            canvas.clipPath(item.clip, doAntiAlias=True)
    if item.fill is not None:
        canvas.drawPath(item.path, _paint_for(item, item.fill, skia.Paint(AntiAlias=True)))
    if item.stroke is not None:
        cap = skia.Paint.kRound_Cap if item.stroke.round_ends else skia.Paint.kButt_Cap
        join = skia.Paint.kRound_Join if item.stroke.round_ends else skia.Paint.kMiter_Join
        paint = skia.Paint(
            AntiAlias=True,
            Style=skia.Paint.kStroke_Style,
            StrokeWidth=item.stroke.width,
            StrokeCap=cap,
            StrokeJoin=join,
        )
        canvas.drawPath(item.path, _paint_for(item, item.stroke.color, paint))
    if framed:
        canvas.restore()


def paint_items(canvas: skia.Canvas, items: Iterable[Item], matrix: skia.Matrix) -> None:
    """Draw items in order through a world-to-pixels matrix."""
    canvas.save()
    canvas.concat(matrix)
    for item in items:
        paint_item(canvas, item)
    canvas.restore()
