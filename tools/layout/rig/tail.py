"""Tails."""

from __future__ import annotations

import math
from collections.abc import Callable

from tools.layout.drawlist import Stroke
from tools.layout.light import with_alpha
from tools.layout.rig.beasts import draw_scales
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush
from tools.layout.rig.shapes import smooth, through, tube
from tools.layout.rig.skeleton import Bones

__all__ = ["draw_tail"]

Point = tuple[float, float]


def draw_tail(brush: Brush, d: Design, bones: Bones, swing: float) -> None:
    """A tail behind the figure (or before it, when it is seen from behind)."""
    kind = d.species.tail
    if kind == "none":
        return
    skin = d.palette.skin
    size = d.species.tail_size * d.body.torso / 88
    s = -math.sin(bones.yaw)
    side = s if abs(s) > 0.25 else (0.8 if not bones.back else -0.8)
    x, y = bones.pelvis[0] + s * d.body.hip[1] * 0.7, bones.pelvis[1] - 4
    lift = swing * 10
    if kind in ("stub", "puff"):
        r = (12 if kind == "stub" else 16) * size
        px = x + side * (d.body.hip[0] * 0.55 if not bones.back else 0)
        puff = smooth(
            [
                (
                    px + math.cos(i * 0.785) * r * (1.0 + 0.1 * (i % 2)),
                    y + math.sin(i * 0.785) * r * (1.0 + 0.1 * (i % 2)),
                )
                for i in range(8)
            ]
        )
        brush.form(puff, d.palette.pale if kind == "puff" else skin)
        return
    length = 78 * size
    root = (x, y)
    control = (x + side * length * 1.15, y + 14)
    end = (x + side * length * 0.98, y - length * 0.8 + lift)
    if kind == "curl":
        control, end = (x + side * length * 0.85, y + 4), (x + side * length * 0.52, y - length * 0.6 + lift)
    elif kind == "fin":
        control, end = (x + side * length * 0.7, y + length * 0.5), (x + side * length * 1.28, y + length * 0.1 + lift)
        _fluke(brush, d, end, side, size)
    elif kind == "bushy":
        end = (end[0] + side * 6, end[1] + 6)
    widths: dict[str, Callable[[float], float]] = {
        "thin": lambda f: (6.2 - 2.6 * f) * size,
        "curl": lambda f: (9.5 - 4.0 * f) * size,
        "bushy": lambda f: (5 + 19 * math.sin(math.pi * f**1.4) * (1.0 if f < 0.98 else 0.2)) * size,
        "fin": lambda f: (13 - 8.5 * f) * size,
    }
    points = tube(root, control, end, widths[kind])
    path = smooth(points)
    brush.form(path, skin)
    if kind == "bushy":
        n = len(points) // 2
        tip = [
            points[n - 4],
            points[n - 3],
            points[n - 2],
            points[n - 1],
            points[n],
            points[n + 1],
            points[n + 2],
            points[n + 3],
        ]
        mx = (points[n - 3][0] + points[n + 2][0]) / 2
        my = (points[n - 3][1] + points[n + 2][1]) / 2
        zig = [(points[n + 3][0] * 0.6 + mx * 0.4, my - 2), (mx, my + 9), (points[n - 4][0] * 0.6 + mx * 0.4, my - 2)]
        pale = smooth([*tip, *zig], frozenset({0, 7, 8, 9, 10}), 0.8)
        brush.put(pale, brush.tone(d.palette.pale), effect=True, clip=path)
    elif d.species.mask == "stripes":
        n = len(points)
        for i in (3, 5, 7):
            a, b = points[i], points[n - 1 - i]
            brush.put(
                through([a, b]),
                None,
                Stroke(with_alpha(brush.tone(d.palette.mark), 0.8), 5.0 * size),
                effect=True,
                clip=path,
            )
    elif kind == "fin":
        draw_scales(brush, d, path)


def _fluke(brush: Brush, d: Design, end: Point, side: float, size: float) -> None:
    ex, ey = end
    points = [(ex - side * 6, ey + 4)]
    for dx, dy in ((14, -30), (36, -34), (22, -4), (34, 22), (8, 20)):
        points.append((ex + side * dx * size, ey + dy * size))
    brush.form(smooth(points, frozenset({2, 4})), d.palette.mark)
