"""What was drawn, in world coordinates: keypoints, face, silhouette, ground."""

from __future__ import annotations

import math
from collections.abc import Callable

import skia

from tools.layout.drawlist import Item
from tools.layout.puppet import Drawn
from tools.layout.rig.casting import Design
from tools.layout.rig.skeleton import Bones

__all__ = ["report"]

Point = tuple[float, float]
Place = Callable[[float, float], Point]


def report(
    d: Design,
    bones: Bones,
    box: tuple[float, float, float, float],
    items: list[Item],
    at: Point,
    scale: float,
    moving: bool,
) -> Drawn:
    """Tell the stage what stands where.

    The silhouette of a still is the exact union of what was drawn. While the figure moves it is all surfaces in one
    path: the same area under the winding rule, at a tenth of the cost.
    """

    def world(x: float, y: float) -> Point:
        return (at[0] + x * scale, at[1] + y * scale)

    a = math.radians(bones.head_roll)
    ca, sa = math.cos(a), math.sin(a)

    def head(u: float, v: float) -> Point:
        return world(bones.head[0] + u * ca - v * sa, bones.head[1] + u * sa + v * ca)

    corners = [head(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
    face = (
        min(p[0] for p in corners),
        min(p[1] for p in corners),
        max(p[0] for p in corners),
        max(p[1] for p in corners),
    )
    return Drawn(
        silhouette=_gathered(items) if moving else _union(items),
        face=face,
        keypoints=_keypoints(d, bones, head, world),
        ground=at,
    )


def _keypoints(d: Design, bones: Bones, head: Place, world: Place) -> list[tuple[float, float, float]]:
    w, h = d.body.head
    yaw, nod = bones.head_yaw, bones.head_nod

    def on_face(u: float, v: float) -> Point:
        x = math.sin(math.asin(u) + yaw) * w
        y = math.sin(math.asin(v) + nod * 0.62) * h
        return head(x, y)

    seen = 0.0 if bones.back else 1.0
    arms, legs = bones.arms, bones.legs
    points: list[tuple[float, float, float]] = [
        (*on_face(0.0, 0.37), seen),
        (*world(bones.chest[0], bones.chest[1]), 1.0),
    ]
    for side in ("right", "left"):
        limb = arms[side]
        points += [(*world(p[0], p[1]), 1.0) for p in (limb.root, limb.mid, limb.end)]
    for side in ("right", "left"):
        limb = legs[side]
        points += [(*world(p[0], p[1]), 1.0) for p in (limb.root, limb.mid, limb.end)]
    v = 0.1 + d.body.face_y
    # Seen from the front the person's right is to the left of the picture.
    points += [(*on_face(-0.375, v), seen), (*on_face(0.375, v), seen)]
    turn = yaw * 1.5 if not bones.back else 0.0
    for own in (-1.0, 1.0):
        # In the picture; from behind the person's right is on the right.
        ear = own if not bones.back else -own
        x = ear * math.cos(turn) * 0.9 - 0.16 * math.sin(turn)
        hidden = yaw * ear > 0.2 and not bones.back
        points.append((*head(x * w, 0.14 * h), 0.0 if hidden else 1.0))
    return points


def _placed(item: Item) -> skia.Path:
    if item.transform is None:
        return item.path
    out = skia.Path()
    item.path.transform(item.transform, out)
    return out


def _union(items: list[Item]) -> skia.Path:
    """The exact union; skia's path operations fail on some shapes, and then the gathered one must do."""
    builder = skia.OpBuilder()
    for item in items:
        if not item.effect and item.fill is not None:
            builder.add(_placed(item), skia.PathOp.kUnion_PathOp)
    try:
        return builder.resolve()
    except RuntimeError:
        return _gathered(items)


def _gathered(items: list[Item]) -> skia.Path:
    """All surfaces in one path, each turned the same way round, so that the winding rule fills what they cover."""
    out = skia.Path()
    for item in items:
        if item.effect or item.fill is None:
            continue
        path = _placed(item)
        area, box = _area(path), path.getBounds()
        if abs(area) < 0.12 * box.width() * box.height():
            # Threads and compounds: nothing that other surfaces do not hold.
            continue
        if area > 0:
            out.addPath(path)
        else:
            out.reverseAddPath(path)
    return out


def _area(path: skia.Path) -> float:
    """Signed area of the polygon through every third point: those are the ones that a cubic passes through."""
    points = [path.getPoint(i) for i in range(0, path.countPoints(), 3)]
    total = 0.0
    for a, b in zip(points, points[1:] + points[:1], strict=True):
        total += a.x() * b.y() - b.x() * a.y()
    return total / 2.0
