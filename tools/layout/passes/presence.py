"""How much of each character the picture shows, and what hides the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import skia

from tools.image.tool import OnStage
from tools.layout.camera import Box
from tools.layout.drawlist import DrawList, Layer
from tools.layout.passes.gbuffer import GBuffer, fill_gbuffer
from tools.layout.puppet import Drawn

__all__ = ["presence"]

SLACK_AT_720 = 2
"""A keypoint this many pixels beside its character still counts as on it: edges are drawn without smoothing."""
MEASURE_SIDE = 480
"""Silhouettes are measured on a canvas of about this many pixels a side: within half a percent of full size."""


def _mapped(matrix: skia.Matrix, box: Box) -> Box:
    rect = matrix.mapRect(skia.Rect.MakeLTRB(*box))
    return (round(rect.left(), 2), round(rect.top(), 2), round(rect.right(), 2), round(rect.bottom(), 2))


def _whole(draw: DrawList, owner: str, matrix: skia.Matrix, body: Box) -> np.ndarray:
    """The uncovered silhouette of a character on a canvas of its own: bool."""
    width, height = body[2] - body[0], body[3] - body[1]
    scale = MEASURE_SIDE / max(width, height, 1e-6)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    own = skia.Matrix.Concat(
        skia.Matrix.MakeAll(scale, 0, -body[0] * scale, 0, scale, -body[1] * scale, 0, 0, 1), matrix
    )
    return fill_gbuffer(draw, lambda _layer: own, size, owner).index > 0


def _sample(silhouette: np.ndarray, body: Box, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Frame x and y (whole pixels) of the silhouette's cells that fall inside the frame; cells inside; cells in all."""
    ys, xs = np.nonzero(silhouette)
    px = body[0] + (xs + 0.5) / silhouette.shape[1] * (body[2] - body[0])
    py = body[1] + (ys + 0.5) / silhouette.shape[0] * (body[3] - body[1])
    inside = (px >= 0) & (py >= 0) & (px < size[0]) & (py < size[1])
    return px[inside].astype(int), py[inside].astype(int), int(inside.sum()), len(xs)


def _shows(owner_at: np.ndarray, point: skia.Point, number: int) -> bool:
    """Whether the picture shows this character at a point: inside the frame, nothing in front of it."""
    slack = max(1, round(SLACK_AT_720 * min(owner_at.shape) / 720))
    x, y = int(point.x()), int(point.y())
    if not (0 <= point.x() < owner_at.shape[1] and 0 <= point.y() < owner_at.shape[0]):
        return False
    near = owner_at[max(0, y - slack) : y + slack + 1, max(0, x - slack) : x + slack + 1]
    return bool((near == number).any())


def presence(
    draw: DrawList,
    drawn: dict[str, Drawn],
    gbuffer: GBuffer,
    matrix_of: Callable[[Layer], skia.Matrix],
    size: tuple[int, int],
    backs: Sequence[str] = (),
) -> dict[str, OnStage]:
    """Where everybody is in the picture.

    `visible`, `in_frame` and `hidden_by` are parts of the whole silhouette, the part outside the frame included.

    Args:
        gbuffer: of the whole picture.
        backs: who turns the back to the camera.
    """
    cast_matrix = matrix_of(Layer("cast"))
    owner_of = ["", *gbuffer.owners]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(owner_of))}
    owner_at = np.array([numbers[name] for name in owner_of])[gbuffer.index]
    found: dict[str, OnStage] = {}
    for name, person in drawn.items():
        bounds = person.silhouette.getBounds()
        body = _mapped(cast_matrix, (bounds.left(), bounds.top(), bounds.right(), bounds.bottom()))
        px, py, inside, total = _sample(_whole(draw, name, cast_matrix, body), body, size)
        shown = owner_at[py, px]
        total = max(1, total)
        hidden = {
            other: round(float((shown == numbers[other]).sum()) / total, 4)
            for other in drawn
            if other != name and other in numbers
        }
        points = cast_matrix.mapPoints([skia.Point(x, y) for x, y, _ in person.keypoints])
        found[name] = OnStage(
            body=body,
            face=_mapped(cast_matrix, person.face),
            visible=round(float((shown == numbers.get(name, -1)).sum()) / total, 4),
            in_frame=round(inside / total, 4),
            hidden_by={other: part for other, part in hidden.items() if part > 0},
            keypoints=[
                (round(p.x(), 2), round(p.y(), 2), float(bool(v) and _shows(owner_at, p, numbers.get(name, -1))))
                for p, (_, _, v) in zip(points, person.keypoints, strict=True)
            ],
            facing_back=name in backs,
        )
    return found
