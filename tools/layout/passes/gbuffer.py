"""Which item shows at each pixel: painted once, without smoothing, and read by masks, depth and segmentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import skia

from tools.layout.camera import Window, layer_window
from tools.layout.drawlist import DrawList, Item, Layer, Stroke
from tools.layout.paint import canvas_on, pixels, window_matrix

__all__ = ["SEGMENT_COLORS", "GBuffer", "fill_gbuffer", "layer_matrix", "solid_fill"]

SOLID = 0.5
"""What lets through more than this is not a surface: it counts as effect."""

SEGMENT_COLORS: dict[str, tuple[int, int, int]] = {
    "sky": (6, 230, 230),
    "building": (180, 120, 120),
    "plant": (4, 200, 3),
    "tree": (4, 200, 3),
    "grass": (4, 250, 7),
    "ground": (120, 120, 70),
    "sand": (160, 150, 20),
    "floor": (80, 50, 50),
    "wall": (120, 120, 120),
    "ceiling": (120, 120, 80),
    "road": (140, 140, 140),
    "mountain": (143, 255, 140),
    "rock": (255, 41, 10),
    "sea": (9, 7, 230),
    "water": (61, 230, 250),
    "boat": (173, 255, 0),
    "person": (150, 5, 61),
    "furniture": (224, 5, 255),
    "table": (255, 6, 82),
    "window": (230, 230, 230),
    "door": (8, 255, 51),
    "lamp": (224, 255, 8),
    "animal": (255, 0, 122),
    "fish": (255, 0, 122),
    "weather": (6, 230, 230),
    "prop": (0, 255, 20),
}
"""Red, green, blue of each class, as ADE20K's palette has them, which segmentation ControlNets are trained on: sky,
building, tree, grass, earth, sand, floor, wall, ceiling, road, mountain, rock, sea, water, boat, person, cabinet,
table, windowpane, door, lamp, animal, and `box` for any other prop."""


@dataclass(frozen=True)
class GBuffer:
    """The picture as numbers of items.

    Attributes:
        index: height x width, int32; 0 where nothing is, else 1 + the item's place in `items`.
        items: the surfaces in painting order.
        owners, segments: of each item.
        ramps: pixels y of the top and bottom of each item, for its depth ramp.
    """

    index: np.ndarray
    items: list[Item]
    owners: list[str]
    segments: list[str]
    ramps: np.ndarray

    def mask(self, owner: str) -> np.ndarray:
        """height x width bool: where the picture shows this character."""
        table = np.array([False, *(name == owner for name in self.owners)])
        shown: np.ndarray = table[self.index]
        return shown

    def depth(self) -> np.ndarray:
        """height x width uint8: 255 nearest the camera .. 0 horizon and sky."""
        spans = [item.depth if isinstance(item.depth, tuple) else (item.depth, item.depth) for item in self.items]
        near = np.array([(1.0, 1.0), *spans], dtype=np.float32)
        rows = np.arange(self.index.shape[0], dtype=np.float32)[:, None] + 0.5
        ramps = np.concatenate([np.array([[0.0, 1.0]], dtype=np.float32), self.ramps])
        top, height = ramps[:, 0], np.maximum(ramps[:, 1] - ramps[:, 0], 1e-3)
        u = np.clip((rows - top[self.index]) / height[self.index], 0.0, 1.0)
        first, last = near[:, 0][self.index], near[:, 1][self.index]
        value: np.ndarray = np.rint(255 * (1.0 - (first + (last - first) * u))).clip(0, 255).astype(np.uint8)
        return value

    def segmentation(self) -> np.ndarray:
        """height x width x 3 uint8: the colour of each class, see `SEGMENT_COLORS`."""
        other = SEGMENT_COLORS["prop"]
        classes = [SEGMENT_COLORS["sky"], *(SEGMENT_COLORS.get(segment, other) for segment in self.segments)]
        colors: np.ndarray = np.array(classes, dtype=np.uint8)[self.index]
        return colors


def layer_matrix(layer: Layer, camera: Window, base: Window, horizon: float, size: tuple[int, int]) -> skia.Matrix:
    """World to pixels for one layer."""
    return window_matrix(layer_window(camera, base, layer.parallax, horizon), *size)


def solid_fill(item: Item) -> bool:
    """Whether the inside of an item is a surface, rather than a veil or an outline."""
    if item.fill is None:
        return False
    if isinstance(item.fill, tuple):
        return item.fill[3] * item.opacity >= SOLID
    return max(color[3] for _, color in item.fill.stops) * item.opacity >= SOLID


def solid_stroke(item: Item) -> Stroke | None:
    """The stroke of an item if it is a surface."""
    return item.stroke if item.stroke is not None and item.stroke.color[3] * item.opacity >= SOLID else None


def paint_flat(canvas: skia.Canvas, item: Item, color: int, *, smooth: bool = False) -> None:
    """Draw an item's surface in one colour; the canvas holds the layer's matrix."""
    canvas.save()
    if item.transform is not None:
        canvas.concat(item.transform)
    if item.clip is not None:
        canvas.clipPath(item.clip, doAntiAlias=smooth)
    if solid_fill(item):
        canvas.drawPath(item.path, skia.Paint(Color=color, AntiAlias=smooth))
    stroke = solid_stroke(item)
    if stroke is not None:
        cap = skia.Paint.kRound_Cap if stroke.round_ends else skia.Paint.kButt_Cap
        paint = skia.Paint(
            Color=color, AntiAlias=smooth, Style=skia.Paint.kStroke_Style, StrokeWidth=stroke.width, StrokeCap=cap
        )
        canvas.drawPath(item.path, paint)
    canvas.restore()


def _is_surface(item: Item) -> bool:
    return not item.effect and item.blend == "SrcOver" and (solid_fill(item) or solid_stroke(item) is not None)


def _ramp(item: Item, matrix: skia.Matrix) -> tuple[float, float]:
    if not isinstance(item.depth, tuple):
        return 0.0, 1.0
    whole = matrix if item.transform is None else skia.Matrix.Concat(matrix, item.transform)
    bounds = whole.mapRect(item.path.getBounds())
    return bounds.top(), bounds.bottom()


def fill_gbuffer(
    draw: DrawList, matrix_of: Callable[[Layer], skia.Matrix], size: tuple[int, int], owner: str | None = None
) -> GBuffer:
    """Paint the numbers of the items.

    Args:
        matrix_of: world to pixels, for each layer.
        size: width and height in pixels.
        owner: paint this character alone, as if nothing stood before it.
    """
    array = pixels(*size)
    canvas = canvas_on(array)
    items: list[Item] = []
    ramps: list[tuple[float, float]] = []
    for layer in draw.layers:
        matrix = matrix_of(layer)
        canvas.save()
        canvas.concat(matrix)
        for item in layer.items:
            if not _is_surface(item) or (owner is not None and item.owner != owner):
                continue
            items.append(item)
            ramps.append(_ramp(item, matrix))
            paint_flat(canvas, item, 0xFF000000 | len(items))
        canvas.restore()
    b, g, r = (array[..., i].astype(np.int32) for i in range(3))
    index = b | (g << 8) | (r << 16)
    owners, segments = [item.owner for item in items], [item.segment for item in items]
    return GBuffer(index, items, owners, segments, np.array(ramps, dtype=np.float32).reshape(-1, 2))
