"""A small renderer for looking at places: items -> pixels. The stage has its own, complete one.

Contact sheets: `python tests/tools/layout/places/preview.py OUT [place ...] [--each]`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import cast, get_args

import numpy as np
import numpy.typing as npt
import skia

from tools.layout.drawlist import Color, DrawList, Item, LinearGradient, RadialGradient
from tools.layout.places import Place, load_place, place_ids
from tools.storyboard import TimeOfDay, Weather

TIMES = cast(tuple[TimeOfDay, ...], get_args(TimeOfDay))
WEATHERS = cast(tuple[Weather, ...], get_args(Weather))
Pixels = npt.NDArray[np.uint8]


def _color(c: Color) -> int:
    r, g, b, a = (max(0, min(255, round(v * 255))) for v in c)
    return int(skia.Color(r, g, b, a))


def _paint(item: Item) -> skia.Paint | None:
    if item.fill is None:
        return None
    paint = skia.Paint(AntiAlias=True, Dither=True)
    fill = item.fill
    if isinstance(fill, LinearGradient | RadialGradient):
        colors = [_color(c) for _, c in fill.stops]
        at = [o for o, _ in fill.stops]
        if isinstance(fill, LinearGradient):
            ends = [skia.Point(*fill.start), skia.Point(*fill.end)]
            paint.setShader(skia.GradientShader.MakeLinear(ends, colors, at))
        else:
            paint.setShader(skia.GradientShader.MakeRadial(skia.Point(*fill.center), fill.radius, colors, at))
    else:
        paint.setColor(_color(fill))
    return paint


def draw_item(canvas: skia.Canvas, item: Item) -> None:
    """Draw one item as a viewer sees it."""
    canvas.save()
    if item.transform is not None:
        canvas.concat(item.transform)
    if item.clip is not None:
        canvas.clipPath(item.clip, True)
    paints = [_paint(item)]
    if item.stroke is not None:
        stroke = skia.Paint(AntiAlias=True, Color=_color(item.stroke.color), StrokeWidth=item.stroke.width)
        stroke.setStyle(skia.Paint.kStroke_Style)
        if item.stroke.round_ends:
            stroke.setStrokeCap(skia.Paint.kRound_Cap)
            stroke.setStrokeJoin(skia.Paint.kRound_Join)
        paints.append(stroke)
    for paint in paints:
        if paint is None:
            continue
        paint.setBlendMode(getattr(skia.BlendMode, f"k{item.blend}"))
        if item.opacity < 1:
            paint.setAlphaf(paint.getAlphaf() * item.opacity)
        if item.blur > 0:
            paint.setMaskFilter(skia.MaskFilter.MakeBlur(skia.kNormal_BlurStyle, item.blur))
        canvas.drawPath(item.path, paint)
    canvas.restore()


def render(draw: DrawList, window: tuple[float, float, float, float] = (0, 0, 1280, 720), width: int = 1280) -> Pixels:
    """RGBA pixels of a world window (x0, y0, x1, y1), all layers in place."""
    x0, y0, x1, y1 = window
    scale = width / (x1 - x0)
    pixels = np.zeros((round((y1 - y0) * scale), width, 4), np.uint8)
    surface = skia.Surface(pixels, colorType=skia.kRGBA_8888_ColorType)
    canvas = surface.getCanvas()
    canvas.scale(scale, scale)
    canvas.translate(-x0, -y0)
    for _, item in draw.items():
        draw_item(canvas, item)
    surface.flushAndSubmit()
    return pixels


def scene(
    place: Place, hour: TimeOfDay, weather: Weather, *, t: float = 1.0, seed: int = 7, stand: bool = False
) -> DrawList:
    """All layers of a place; `stand` puts two grey figures in."""
    draw = DrawList()
    light = place.light(hour, weather)
    place.paint_back(draw, light, seed=seed, weather=weather, time_of_day=hour)
    place.paint_motion(draw, light, seed=seed, weather=weather, time_of_day=hour, t=t)
    if stand:
        layer = draw.layer("cast")
        for x, depth in ((500, 0.3), (780, 0.3), (930, 0.9)):
            y, k = place.floor_y(depth), place.scale_at(depth)
            path = skia.Path()
            path.addOval(skia.Rect.MakeXYWH(x - 80 * k, y - 400 * k, 160 * k, 170 * k))
            path.addRoundRect(skia.Rect.MakeXYWH(x - 55 * k, y - 240 * k, 110 * k, 240 * k), 30, 30)
            t_ = light.tint
            layer.add(Item(path=path, fill=(0.8 * t_[0], 0.58 * t_[1], 0.45 * t_[2], 1.0)))
    place.paint_front(draw, light, seed=seed, weather=weather, time_of_day=hour)
    return draw


def save(pixels: Pixels, path: Path) -> None:
    """Write a PNG (or a JPEG, by its suffix)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = skia.Image.fromarray(np.ascontiguousarray(pixels), colorType=skia.kRGBA_8888_ColorType)
    image.save(str(path), skia.kPNG)


def sheet(
    place: Place, hours: tuple[TimeOfDay, ...] = TIMES, weathers: tuple[Weather, ...] = WEATHERS, width: int = 480
) -> Pixels:
    """Hours down, weathers across."""
    rows = [
        np.concatenate([render(scene(place, hour, weather, stand=True), width=width) for weather in weathers], axis=1)
        for hour in hours
    ]
    return np.concatenate(rows, axis=0)


def main(args: list[str]) -> None:
    """Write a contact sheet for each place named, or for all; `--each` also the four clear hours at full size."""
    out, names = Path(args[0]), [a for a in args[1:] if not a.startswith("--")] or place_ids()
    for name in names:
        place = load_place(name)
        started = time.perf_counter()
        save(sheet(place), out / f"{name}.png")
        if "--each" in args:
            for hour in TIMES:
                save(render(scene(place, hour, "clear", stand="--stand" in args)), out / f"{name}_{hour}.png")
        print(name, f"{time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
