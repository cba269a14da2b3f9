"""The props before the cast: which of them stand behind somebody after all, and which would hide a face."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import skia

from tools.layout.camera import Box, Window, layer_window
from tools.layout.drawlist import DrawList, Item, Layer
from tools.layout.paint import canvas_on, pixels, window_matrix
from tools.layout.passes.gbuffer import paint_flat
from tools.layout.scene import Scene

__all__ = ["clusters", "split_foreground"]

MOST_COVERED = 0.06
"""A prop that covers more of a face's oval than this, at any time of the shot, is taken off the set."""
STEPS = 7
STRIDE = 50.0
"""A moving shot is looked at this many times at least, and every so many world units of the way."""
SIDE = 240
"""Width in pixels of the frame in which coverage is measured."""


def _bounds(item: Item) -> Box:
    rect = item.path.getBounds() if item.transform is None else item.transform.mapRect(item.path.getBounds())
    grow = item.stroke.width / 2 if item.stroke else 0.0
    return (rect.left() - grow, rect.top() - grow, rect.right() + grow, rect.bottom() + grow)


def _touch(a: Box, b: Box) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def clusters(layer: Layer) -> list[Layer]:
    """The things in a layer: items whose bounds touch, directly or through others, in their painting order."""
    groups: list[tuple[list[Box], list[int]]] = []
    for index, item in enumerate(layer.items):
        box = _bounds(item)
        joined = [group for group in groups if any(_touch(box, other) for other in group[0])]
        boxes, members = [box], [index]
        for group in joined:
            groups.remove(group)
            boxes, members = group[0] + boxes, group[1] + members
        groups.append((boxes, sorted(members)))
    groups.sort(key=lambda group: group[1][0])
    return [
        Layer(layer.name, layer.parallax, layer.animated, [layer.items[i] for i in members]) for _, members in groups
    ]


def _foot(layer: Layer) -> float:
    """World y of a thing's lowest point."""
    return max((_bounds(item)[3] for item in layer.items if not item.effect), default=float("inf"))


def _face_ovals(scene: Scene, u: float, camera: Window, size: tuple[int, int]) -> np.ndarray:
    """size[1] x size[0] bool for each face: the ovals inside the boxes, at one part of the shot."""
    rows, columns = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    matrix = window_matrix(camera, *size)
    ovals = []
    for player in scene.players:
        x = player.at[0] + scene.travel.by.get(player.id, 0.0) * (u - 0.5)
        face = player.face
        box = matrix.mapRect(
            skia.Rect.MakeLTRB(x + face[0], player.at[1] + face[1], x + face[2], player.at[1] + face[3])
        )
        half_w, half_h = max(0.5, box.width() / 2), max(0.5, box.height() / 2)
        ovals.append(((columns - box.centerX()) / half_w) ** 2 + ((rows - box.centerY()) / half_h) ** 2 <= 1)
    return np.array(ovals)


def _coverage(scene: Scene, things: Iterable[Layer]) -> list[float]:
    """For each thing the largest part of any face that it covers during the shot."""
    layers = list(things)
    worst = [0.0] * len(layers)
    size = (SIDE, max(8, round(SIDE * scene.size[1] / scene.size[0])))
    way = max([abs(scene.travel.camera), *(abs(by) for by in scene.travel.by.values())], default=0.0)
    steps = max(STEPS, round(way / STRIDE))
    parts = [0.5] if scene.move.still and not scene.travel.by else [i / (steps - 1) for i in range(steps)]
    for u in parts:
        camera = scene.move.at(u)
        ovals = _face_ovals(scene, u, camera, size)
        for number, layer in enumerate(layers):
            array = pixels(*size)
            canvas = canvas_on(array)
            canvas.concat(window_matrix(layer_window(camera, scene.base, layer.parallax, scene.horizon), *size))
            for item in layer.items:
                if not item.effect:
                    paint_flat(canvas, item, 0xFFFFFFFF)
            painted = array[..., 3] > 0
            for oval in ovals:
                worst[number] = max(worst[number], float((painted & oval).sum()) / max(1, int(oval.sum())))
    return worst


def split_foreground(scene: Scene, front: DrawList) -> tuple[DrawList, DrawList]:
    """Sort what a place paints before the cast by where it stands.

    Returns:
        What stands farther away than everybody (to be painted behind the cast), and what is nearer; a near thing that
        would hide a face at any time of the shot is in neither.
    """
    if not scene.players:
        return DrawList(), front
    nearest = min(player.floor for player in scene.players)
    behind, near = DrawList(), DrawList()
    for layer in front.layers:
        things = clusters(layer)
        far = [thing for thing in things if _foot(thing) < nearest - 1.0]
        close = [thing for thing in things if _foot(thing) >= nearest - 1.0]
        behind.layers.extend(far)
        hides = _coverage(scene, close)
        near.layers.extend(thing for thing, part in zip(close, hides, strict=True) if part <= MOST_COVERED)
    return behind, near
