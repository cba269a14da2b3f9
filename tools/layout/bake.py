"""Static layers painted once into pictures, so that a frame of a film costs a blit instead of a thousand paths."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import skia

from tools.layout.camera import HOME, Box, Move, Window, layer_window, union
from tools.layout.drawlist import DrawList, Layer
from tools.layout.paint import canvas_on, paint_items, pixels, window_matrix

__all__ = ["Plate", "bake", "focus_blur"]

MOST_PLATES = 3
"""Behind the cast, when the camera moves; layers of like parallax share one. A full moving plate costs 5 ms a frame."""
LEAST_BLUR = 0.4
ALIKE = 1.0
"""Deviations in pixels: less than the first is sharp; two that differ by less than the second are blurred as one."""
STEPS = 9
"""At how many instants a camera move is looked at to find what the plate must cover."""


def focus_blur(base: Window, parallax: float, height: int) -> float:
    """Deviation in pixels by which a far layer is out of focus: closer framings are shot with longer lenses."""
    closeness = max(0.0, HOME.h / base.h - 1.35)
    return min(7.0, 1.9 * closeness) * max(0.0, 1.0 - parallax * 0.85) * height / 720


@dataclass(frozen=True)
class Plate:
    """Some layers as one picture.

    Attributes:
        image: premultiplied BGRA.
        parallax: with which it moves.
        box: what of the frame of the base window it covers, in pixels of the frame.
        still: it lies exactly on the frame, pixel by pixel.
        opaque: it covers the frame without holes.
    """

    image: skia.Image
    pixels: np.ndarray
    parallax: float
    box: Box
    still: bool
    opaque: bool


def _inverse(matrix: skia.Matrix) -> skia.Matrix:
    inverse = skia.Matrix()
    if not matrix.invert(inverse):
        raise ArithmeticError("a camera window has no size")
    return inverse


def plate_matrix(camera: Window, base: Window, parallax: float, horizon: float, size: tuple[int, int]) -> skia.Matrix:
    """Frame of the base window -> frame of the moved camera, for a plate of this parallax."""
    now = window_matrix(layer_window(camera, base, parallax, horizon), *size)
    then = window_matrix(layer_window(base, base, parallax, horizon), *size)
    return skia.Matrix.Concat(now, _inverse(then))


def _groups(layers: Sequence[Layer], most: int) -> list[list[Layer]]:
    """Consecutive layers whose parallax differs least, joined until at most `most` groups are left."""
    groups = [[layer] for layer in layers]
    while len(groups) > 1:
        gaps = [abs(_mean(a) - _mean(b)) for a, b in itertools.pairwise(groups)]
        smallest = min(range(len(gaps)), key=lambda i: (gaps[i], i))
        if len(groups) <= most and gaps[smallest] > 1e-6:
            break
        groups[smallest : smallest + 2] = [groups[smallest] + groups[smallest + 1]]
    return groups


def _mean(layers: Sequence[Layer]) -> float:
    return sum(layer.parallax for layer in layers) / len(layers)


def _cover(move: Move, base: Window, parallax: float, horizon: float, size: tuple[int, int]) -> tuple[Box, float]:
    """What of the base frame is ever seen of a plate, 2 pixels around it too, and how much larger it is ever shown."""
    frame = skia.Rect.MakeWH(*size)
    boxes, zoom = [], 1.0
    for step in range(STEPS):
        matrix = plate_matrix(move.at(step / (STEPS - 1)), base, parallax, horizon, size)
        seen = _inverse(matrix).mapRect(frame)
        boxes.append((seen.left() - 2, seen.top() - 2, seen.right() + 2, seen.bottom() + 2))
        zoom = max(zoom, matrix.getScaleX())
    return union(boxes), zoom


def bake(
    draw: DrawList,
    move: Move,
    base: Window,
    horizon: float,
    size: tuple[int, int],
    *,
    most: int = MOST_PLATES,
    blur: bool = False,
) -> list[Plate]:
    """Paint static layers into as few plates as the camera allows.

    Args:
        blur: put far layers out of focus in close framings.
    """
    layers = [layer for layer in draw.layers if layer.items]
    if not layers:
        return []
    still = move.still and move.start == base
    plates = []
    for group in [layers] if still else _groups(layers, most):
        parallax = _mean(group)
        box, zoom = ((0.0, 0.0, float(size[0]), float(size[1])), 1.0)
        if not still:
            box, zoom = _cover(move, base, parallax, horizon, size)
        width, height = max(1, round((box[2] - box[0]) * zoom)), max(1, round((box[3] - box[1]) * zoom))
        array = pixels(width, height)
        canvas = canvas_on(array)
        to_plate = skia.Matrix.MakeAll(zoom, 0, -box[0] * zoom, 0, zoom, -box[1] * zoom, 0, 0, 1)
        for sigma, sheets in _by_focus(group, base, round(size[1] * zoom) if blur else 0):
            if sigma:
                soft = skia.ImageFilters.Blur(sigma, sigma, skia.TileMode.kClamp)
                canvas.saveLayer(None, skia.Paint(ImageFilter=soft))
            for layer in sheets:
                matrix = window_matrix(layer_window(base, base, layer.parallax, horizon), *size)
                paint_items(canvas, layer.items, skia.Matrix.Concat(to_plate, matrix))
            if sigma:
                canvas.restore()
        plates.append(_plate(array, parallax, box, zoom, still))
    return plates


def _plate(array: np.ndarray, parallax: float, box: Box, zoom: float, still: bool) -> Plate:
    """A plate of what was painted, cut to where there is something: what is not there need not be blended."""
    opaque = bool(array[..., 3].min() == 255)
    if not opaque:
        seen = array[..., 3] > 0
        rows, columns = np.nonzero(seen.any(axis=1))[0], np.nonzero(seen.any(axis=0))[0]
        if not len(rows):
            rows = columns = np.array([0])
        x0, x1, y0, y1 = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
        array = np.ascontiguousarray(array[y0:y1, x0:x1])
        box = (box[0] + x0 / zoom, box[1] + y0 / zoom, box[0] + x1 / zoom, box[1] + y1 / zoom)
    alpha = skia.kOpaque_AlphaType if opaque else skia.kPremul_AlphaType
    # Not copied: the plate keeps the array alive as long as the image.
    image = skia.Image.fromarray(array, skia.kBGRA_8888_ColorType, alpha, copy=False)
    return Plate(image, array, parallax, box, still, opaque)


def _by_focus(layers: Sequence[Layer], base: Window, height: int) -> list[tuple[float, list[Layer]]]:
    """Consecutive layers that are about equally out of focus, blurred together: each blur costs a whole picture.

    Args:
        height: of the frame in pixels; 0 keeps everything sharp.
    """
    found: list[tuple[float, list[Layer]]] = []
    for layer in layers:
        sigma = focus_blur(base, layer.parallax, height)
        if sigma < LEAST_BLUR:
            sigma = 0.0
        if found and abs(found[-1][0] - sigma) <= ALIKE and bool(found[-1][0]) == bool(sigma):
            found[-1][1].append(layer)
        else:
            found.append((sigma, [layer]))
    return found


def lay(canvas: skia.Canvas, plate: Plate, camera: Window, base: Window, horizon: float, size: tuple[int, int]) -> None:
    """Draw a plate as the camera sees it."""
    if plate.still:
        canvas.drawImage(plate.image, round(plate.box[0]), round(plate.box[1]))
        return
    canvas.save()
    canvas.concat(plate_matrix(camera, base, plate.parallax, horizon, size))
    options = skia.SamplingOptions(skia.FilterMode.kLinear)
    canvas.drawImageRect(plate.image, skia.Rect.MakeLTRB(*plate.box), options, None)
    canvas.restore()
