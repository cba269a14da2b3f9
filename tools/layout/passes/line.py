"""Line map: the outlines of the surfaces, hidden ones left out, white on black."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import skia

from tools.layout.drawlist import DrawList, Layer
from tools.layout.paint import canvas_on, pixels
from tools.layout.passes.gbuffer import paint_flat, solid_fill, solid_stroke

__all__ = ["line_map"]

WIDTH_AT_720 = 2.0
"""Line width in pixels at 720 lines; ControlNet's line models were trained on about three at 1024."""


def line_map(draw: DrawList, matrix_of: Callable[[Layer], skia.Matrix], size: tuple[int, int]) -> np.ndarray:
    """height x width uint8, 255 on a line.

    Every surface is painted black over what lies behind it, and its edge white: what is covered drops out by itself.
    """
    array = pixels(*size)
    canvas = canvas_on(array)
    canvas.clear(0xFF000000)
    width = max(1.0, WIDTH_AT_720 * min(size) / 720)
    for layer in draw.layers:
        canvas.save()
        matrix = matrix_of(layer)
        canvas.concat(matrix)
        for item in layer.items:
            if item.effect or item.blend != "SrcOver":
                continue
            filled, stroked = solid_fill(item), solid_stroke(item)
            if filled:
                paint_flat(canvas, item, 0xFF000000, smooth=True)
            if not item.outline or not (filled or stroked):
                continue
            canvas.save()
            if item.transform is not None:
                canvas.concat(item.transform)
            if item.clip is not None:
                canvas.clipPath(item.clip, doAntiAlias=True)
            scale = canvas.getTotalMatrix().mapRadius(1.0)
            line = width / max(scale, 1e-6)
            if stroked is not None and not filled:
                # A mark that is itself a line is drawn as one.
                line = max(line, min(stroked.width, line * 1.5))
            paint = skia.Paint(
                Color=0xFFFFFFFF,
                AntiAlias=True,
                Style=skia.Paint.kStroke_Style,
                StrokeWidth=line,
                StrokeJoin=skia.Paint.kRound_Join,
            )
            canvas.drawPath(item.path, paint)
            canvas.restore()
        canvas.restore()
    return np.ascontiguousarray(array[..., 0])
