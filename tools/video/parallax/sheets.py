"""A still taken apart: a sheet for what lies behind everybody, one for each character, as meshes that can be bent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import skia
from scipy import ndimage

from tools.video.parallax.fill import fill, reach
from tools.video.parallax.matte import feathered, matte
from tools.video.parallax.still import Person, Still

__all__ = ["Sheet", "take_apart"]

CELL = 32
"""Pixels of a side of the mesh's cells at 720 lines."""
EDGE_TRACED, EDGE_LOOSE = 3, 9
"""Pixels at 720 lines within which a character's true edge lies around its mask: drawn by us, or painted by a model."""
FEATHER = 11
"""Pixels at 720 lines over which the surroundings of a character painted by a model are faded out. They go along with
it: a soft seam in the background is not seen, a cut into hair or a hand is."""
SOFT_DEPTH = 18.0
"""Pixels at 720 lines by which depth is smoothed: a mesh bends, it does not tear."""
STIFF = 44
"""Pixels at 720 lines over which the nearest depth is taken before that: a lamp post goes as one, and does not bow."""
BEHIND = 0.025
"""How far a character goes on behind one that stands before it, as a part of the picture's height."""
Step = Callable[[float, str], None]


@dataclass(frozen=True)
class Sheet:
    """A piece of the still as a mesh.

    Attributes:
        image: premultiplied BGRA.
        x, y: of the mesh's vertices in the still, pixels; they may lie outside it.
        near: of each vertex, 0..1.
        person: whose it is; None for what lies behind everybody.
    """

    image: skia.Image
    x: np.ndarray
    y: np.ndarray
    near: np.ndarray
    person: Person | None
    _shader: skia.Shader
    _texture: list[skia.Point]
    _cells: list[int]

    def draw(self, canvas: skia.Canvas, x: np.ndarray, y: np.ndarray) -> None:
        """Draw it with its vertices at these pixels of the frame."""
        points = [skia.Point(a, b) for a, b in zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)]
        mode = skia.Vertices.kTriangles_VertexMode
        vertices = skia.Vertices(mode, points, self._texture, None, self._cells)
        canvas.drawVertices(vertices, skia.Paint(Shader=self._shader))


def take_apart(still: Still, step: Step) -> list[Sheet]:
    """The sheets of a still, to be drawn in this order.

    Args:
        step: called with the fraction done and a text; may raise.
    """
    unit = still.size[1] / 720
    edge = max(2, round((EDGE_TRACED if still.traced else EDGE_LOOSE) * unit))
    everybody = np.zeros(still.near.shape, dtype=bool)
    for person in still.people:
        everybody |= person.mask
    step(0.0, "what lies behind")
    hidden = reach(everybody, edge + 2)
    both = np.dstack([still.picture.astype(np.float32), still.near * 255])
    ground = fill(both, ~hidden)
    near = ndimage.maximum_filter(ground[..., 3] / 255, round(STIFF * unit), mode="nearest")
    near = ndimage.gaussian_filter(near, SOFT_DEPTH * unit, mode="nearest")
    sheets = [_ground_sheet(ground[..., :3], near, unit)]
    for number, person in enumerate(still.people):
        step((1 + number) / (1 + len(still.people)), f"the edges of {person.id}")
        before = np.zeros_like(everybody)
        for other in still.people[number + 1 :]:
            before |= other.mask
        sheets.append(_person_sheet(still, person, before, edge, unit))
    return sheets


def _ground_sheet(picture: np.ndarray, near: np.ndarray, unit: float) -> Sheet:
    height, width = near.shape
    pixels = np.dstack([picture[..., ::-1], np.full((height, width), 255.0, dtype=np.float32)])
    x, y = _grid(0, 0, width, height, unit)
    at = near[np.clip(y.astype(int), 0, height - 1), np.clip(x.astype(int), 0, width - 1)]
    return _sheet(pixels, (0, 0), x, y, at, None, None)


def _person_sheet(still: Still, person: Person, before: np.ndarray, edge: int, unit: float) -> Sheet:
    """One character, cut out; where it is cut off by the frame it goes on a little, so that it may move there."""
    height, width = person.mask.shape
    pad = round(40 * unit)
    rows, columns = np.nonzero(person.mask.any(axis=1))[0], np.nonzero(person.mask.any(axis=0))[0]
    room = edge * 3 + round(FEATHER * unit) + round(BEHIND * height)
    y0, y1 = max(-pad, rows[0] - room), min(height + pad, rows[-1] + 1 + room)
    x0, x1 = max(-pad, columns[0] - room), min(width + pad, columns[-1] + 1 + room)
    ys, xs = np.clip(np.arange(y0, y1), 0, height - 1), np.clip(np.arange(x0, x1), 0, width - 1)
    picture, mask, hidden = (part[np.ix_(ys, xs)] for part in (still.picture, person.mask, before))
    alpha = matte(picture, mask, edge) if still.traced else feathered(mask, edge, FEATHER * unit)
    colours = picture.astype(np.float32)
    if hidden.any():
        # What it shows of itself goes on behind the one before it, and nothing of that one comes along.
        covered = reach(hidden, edge)
        # Only from where the two touch: beside a gap there is nothing of it to go on.
        whole = reach(mask & ~covered & reach(covered, 2), BEHIND * height) & covered
        own = fill(colours, mask & ~covered)
        colours[covered] = own[covered]
        alpha = np.maximum(alpha * ~covered, ndimage.gaussian_filter(whole.astype(np.float32), edge / 2) * covered)
    pixels = np.dstack([colours[..., ::-1] * alpha[..., None], alpha * 255])
    x, y = _grid(x0, y0, x1, y1, unit)
    near = np.full(x.shape, person.near, dtype=np.float32)
    return _sheet(pixels, (x0, y0), x, y, near, person, alpha)


def _grid(x0: int, y0: int, x1: int, y1: int, unit: float) -> tuple[np.ndarray, np.ndarray]:
    cell = max(8.0, CELL * unit)
    columns, rows = max(2, round((x1 - x0) / cell) + 1), max(2, round((y1 - y0) / cell) + 1)
    x, y = np.meshgrid(np.linspace(x0, x1, columns), np.linspace(y0, y1, rows))
    return x, y


def _sheet(
    pixels: np.ndarray,
    origin: tuple[int, int],
    x: np.ndarray,
    y: np.ndarray,
    near: np.ndarray,
    person: Person | None,
    alpha: np.ndarray | None,
) -> Sheet:
    array = np.ascontiguousarray(np.rint(np.clip(pixels, 0, 255)).astype(np.uint8))
    kind = skia.kOpaque_AlphaType if alpha is None else skia.kPremul_AlphaType
    image = skia.Image.fromarray(array, skia.kBGRA_8888_ColorType, kind, copy=True)
    # Cubic: with a linear filter fine grain would swim between sharp and soft as it moves by parts of a pixel.
    sampling = skia.SamplingOptions(skia.CubicResampler.Mitchell())
    mode = skia.TileMode.kClamp if alpha is None else skia.TileMode.kDecal
    shader = image.makeShader(mode, mode, sampling)
    texture = [
        skia.Point(a - origin[0], b - origin[1]) for a, b in zip(x.ravel().tolist(), y.ravel().tolist(), strict=True)
    ]
    return Sheet(image, x, y, near, person, shader, texture, _cells(x, y, origin, alpha))


def _cells(x: np.ndarray, y: np.ndarray, origin: tuple[int, int], alpha: np.ndarray | None) -> list[int]:
    """Two triangles for each cell of the grid that shows anything."""
    rows, columns = x.shape
    cells: list[int] = []
    for row in range(rows - 1):
        for column in range(columns - 1):
            if alpha is not None:
                left, right = int(x[row, column]) - origin[0], int(x[row, column + 1]) - origin[0] + 2
                top, bottom = int(y[row, column]) - origin[1], int(y[row + 1, column]) - origin[1] + 2
                if not (alpha[max(0, top - 1) : bottom, max(0, left - 1) : right] > 1 / 512).any():
                    continue
            a, b = row * columns + column, (row + 1) * columns + column
            cells += [a, a + 1, b, a + 1, b + 1, b]
    return cells
