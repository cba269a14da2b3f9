"""A tiny renderer of draw lists for looking at characters, and lights to look at them in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import skia

from tools.layout.drawlist import Color, Fill, Item, Layer, LinearGradient
from tools.layout.light import Light

LIGHTS = {
    "day": Light(
        "day",
        (1, 1, 1, 1),
        (0.5, 0.58, 0.77, 1),
        (1, 0.96, 0.86, 1),
        (1, 0.99, 0.94, 1),
        (0.2, 0.28, 0.49, 0.4),
        (0.55, -0.83),
        1.0,
        1.06,
    ),
    "sunset": Light(
        "sunset",
        (1, 0.84, 0.7, 1),
        (0.54, 0.36, 0.58, 1),
        (1, 0.76, 0.48, 1),
        (1, 0.88, 0.63, 1),
        (0.35, 0.18, 0.43, 0.45),
        (-0.8, -0.6),
        0.95,
        1.05,
    ),
    "night": Light(
        "night",
        (0.5, 0.54, 0.81, 1),
        (0.18, 0.2, 0.47, 1),
        (0.76, 0.82, 1, 1),
        (0.81, 0.86, 1, 1),
        (0.04, 0.06, 0.23, 0.5),
        (-0.4, -0.92),
        0.6,
        0.72,
        1.0,
    ),
    "underwater": Light(
        "underwater",
        (0.62, 0.86, 0.93, 1),
        (0.1, 0.32, 0.5, 1),
        (0.7, 1, 0.95, 1),
        (0.75, 1, 0.98, 1),
        (0.02, 0.2, 0.35, 0.4),
        (0.1, -1.0),
        0.7,
        0.85,
    ),
}


def _shader(fill: LinearGradient | object) -> skia.Shader:
    stops = fill.stops  # type: ignore[attr-defined]
    colors = [skia.Color4f(*c).toColor() for _, c in stops]
    offsets = [o for o, _ in stops]
    if isinstance(fill, LinearGradient):
        return skia.GradientShader.MakeLinear([fill.start, fill.end], colors, offsets)
    return skia.GradientShader.MakeRadial(fill.center, fill.radius, colors, offsets)  # type: ignore[attr-defined]


def _paint(fill: Fill, item: Item) -> skia.Paint:
    paint = skia.Paint(AntiAlias=True)
    if isinstance(fill, tuple):
        paint.setColor4f(skia.Color4f(*(max(0.0, min(1.0, v)) for v in fill)))
    else:
        paint.setShader(_shader(fill))
    paint.setBlendMode(getattr(skia.BlendMode, f"k{item.blend}"))
    if item.opacity < 1:
        paint.setAlphaf(paint.getAlphaf() * item.opacity)
    return paint


def paint_item(canvas: skia.Canvas, item: Item) -> None:
    canvas.save()
    if item.transform is not None:
        canvas.concat(item.transform)
    if item.clip is not None:
        canvas.clipPath(item.clip, skia.ClipOp.kIntersect, True)
    if item.fill is not None:
        canvas.drawPath(item.path, _paint(item.fill, item))
    if item.stroke is not None:
        paint = _paint(item.stroke.color, item)
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(item.stroke.width)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
        paint.setStrokeCap(skia.Paint.kRound_Cap if item.stroke.round_ends else skia.Paint.kButt_Cap)
        canvas.drawPath(item.path, paint)
    canvas.restore()


def surface(width: int, height: int, ground: Color) -> skia.Surface:
    out = skia.Surface.MakeRasterN32Premul(width, height)
    out.getCanvas().clear(skia.Color4f(*ground))
    return out


def render(layer: Layer, canvas: skia.Canvas) -> None:
    for item in layer.items:
        paint_item(canvas, item)


def owner_mask(layer: Layer, owner: str, width: int, height: int) -> npt.NDArray[np.bool_]:
    """Pixels that the owner's own surfaces cover."""
    out = skia.Surface.MakeRasterN32Premul(width, height)
    canvas = out.getCanvas()
    canvas.clear(skia.ColorBLACK)
    for item in layer.items:
        if item.owner != owner or item.effect:
            continue
        white = (1.0, 1.0, 1.0, 1.0)
        stroke = None
        if item.stroke is not None:
            stroke = type(item.stroke)(white, item.stroke.width, item.stroke.round_ends)
        paint_item(
            canvas,
            Item(item.path, white if item.fill is not None else None, stroke, item.transform, clip=item.clip),
        )
    pixels: npt.NDArray[np.uint8] = out.toarray(colorType=skia.kRGBA_8888_ColorType)
    return pixels[..., 0] > 127


def save(out: skia.Surface, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    out.makeImageSnapshot().save(str(path), skia.kPNG)
