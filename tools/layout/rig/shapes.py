"""Outlines: smooth curves through points, tapered limbs that bend, wedges of hair."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import skia

__all__ = ["Bent", "bent", "ellipse", "polyline", "smooth", "swelling", "tapered", "through", "tube", "wedge"]

Point = tuple[float, float]


def smooth(points: Sequence[Point], corners: frozenset[int] = frozenset(), tension: float = 1.0) -> skia.Path:
    """A closed curve through the points (Catmull-Rom as cubics); those in `corners` stay sharp."""
    path = skia.Path()
    _spline(path, points, corners, True, tension)
    path.close()
    return path


def through(points: Sequence[Point], tension: float = 1.0) -> skia.Path:
    """An open curve through the points."""
    path = skia.Path()
    _spline(path, points, frozenset(), False, tension)
    return path


def _spline(path: skia.Path, points: Sequence[Point], corners: frozenset[int], closed: bool, tension: float) -> None:
    n = len(points)
    path.moveTo(*points[0])
    k = tension / 6.0
    for i in range(n if closed else n - 1):
        x1, y1 = points[i]
        x2, y2 = points[(i + 1) % n]
        before = points[i - 1] if closed or i else points[i]
        after = points[(i + 2) % n] if closed or i + 2 < n else (x2, y2)
        ax, ay, bx, by = x1, y1, x2, y2
        if i not in corners:
            ax, ay = x1 + (x2 - before[0]) * k, y1 + (y2 - before[1]) * k
        if (i + 1) % n not in corners:
            bx, by = x2 - (after[0] - x1) * k, y2 - (after[1] - y1) * k
        path.cubicTo(ax, ay, bx, by, x2, y2)


def polyline(points: Sequence[Point], closed: bool = True) -> skia.Path:
    """Straight lines through the points."""
    return skia.Path.Polygon([skia.Point(*p) for p in points], closed)


def ellipse(x: float, y: float, rx: float, ry: float) -> skia.Path:
    """An upright ellipse around x, y."""
    path = skia.Path()
    path.addOval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))
    return path


def wedge(root: Point, tip: Point, width: float, bend: float) -> skia.Path:
    """A pointed clump: `width` wide at the root, bent sideways by `bend` of its length."""
    dx, dy = tip[0] - root[0], tip[1] - root[1]
    nx, ny = -dy, dx
    length = math.hypot(dx, dy) or 1e-6
    ux, uy = nx / length * width / 2, ny / length * width / 2
    mx, my = root[0] + dx * 0.55 + nx * bend, root[1] + dy * 0.55 + ny * bend
    path = skia.Path()
    path.moveTo(root[0] - ux, root[1] - uy)
    path.quadTo(mx - ux * 0.95, my - uy * 0.95, *tip)
    path.quadTo(mx + ux * 0.95, my + uy * 0.95, root[0] + ux, root[1] + uy)
    path.quadTo(root[0] - dx * 0.12, root[1] - dy * 0.12, root[0] - ux, root[1] - uy)
    path.close()
    return path


def tapered(points: Sequence[Point], width: float, ends: float = 0.15) -> skia.Path:
    """A brush stroke through the points, thick in the middle, thin at its ends."""
    n = len(points)
    left: list[Point] = []
    right: list[Point] = []
    for i, (x, y) in enumerate(points):
        ax, ay = points[max(0, i - 1)]
        bx, by = points[min(n - 1, i + 1)]
        length = math.hypot(bx - ax, by - ay) or 1e-6
        nx, ny = -(by - ay) / length, (bx - ax) / length
        w = width / 2 * (ends + (1 - ends) * math.sin(math.pi * i / (n - 1)))
        left.append((x + nx * w, y + ny * w))
        right.append((x - nx * w, y - ny * w))
    return smooth(left + right[::-1], frozenset({0, n - 1, n, 2 * n - 1}))


def swelling(points: Sequence[Point], width: float) -> skia.Path:
    """A line that swells from nothing to `width` within its first two thirds."""
    left: list[Point] = []
    right: list[Point] = []
    n = len(points)
    for i, (x, y) in enumerate(points):
        ax, ay = points[max(0, i - 1)]
        bx, by = points[min(n - 1, i + 1)]
        length = math.hypot(bx - ax, by - ay) or 1e-6
        k = width / 2 * min(1.0, 0.08 + 1.5 * i / (n - 1))
        left.append((x - (by - ay) / length * k, y + (bx - ax) / length * k))
        right.append((x + (by - ay) / length * k, y - (bx - ax) / length * k))
    return smooth(left + right[::-1], frozenset({0, n - 1, n, 2 * n - 1}))


def tube(root: Point, control: Point, end: Point, radius: Callable[[float], float], n: int = 9) -> list[Point]:
    """Points around a bent tube (a tail) along a quadratic curve; `radius` is its half width at 0..1 of its length."""
    left: list[Point] = []
    right: list[Point] = []
    for i in range(n):
        f = i / (n - 1)
        a, b, c = (1 - f) ** 2, 2 * f * (1 - f), f * f
        x, y = a * root[0] + b * control[0] + c * end[0], a * root[1] + b * control[1] + c * end[1]
        dx = 2 * (1 - f) * (control[0] - root[0]) + 2 * f * (end[0] - control[0])
        dy = 2 * (1 - f) * (control[1] - root[1]) + 2 * f * (end[1] - control[1])
        length = math.hypot(dx, dy) or 1.0
        r = radius(f)
        left.append((x - dy / length * r, y + dx / length * r))
        right.append((x + dy / length * r, y - dx / length * r))
    return left + right[::-1]


@dataclass(slots=True)
class Bent:
    """A limb or a sleeve: its outline, and its two long sides for the ink.

    Attributes:
        path: closed.
        left, right: the sides from root to tip, as open curves.
        hem: the edge at the tip: left end, middle, right end.
        line: points along the middle with their half widths.
    """

    path: skia.Path
    left: skia.Path
    right: skia.Path
    hem: tuple[Point, Point, Point]
    line: list[tuple[float, float, float]]
    sides: tuple[list[Point], list[Point]]


def _normal(a: Point, b: Point, otherwise: Point) -> Point:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy)
    if length < 2.5:
        return otherwise
    return (-dy / length, dx / length)


def bent(
    root: Point,
    mid: Point,
    end: Point,
    radius: Callable[[float], float],
    *,
    start: float = 0.0,
    stop: float = 2.0,
    cap: bool = True,
    round_end: bool = True,
) -> Bent:
    """The outline of a limb of two bones.

    Args:
        root, mid, end: joints.
        radius: half width at t, 0 at the root, 1 at the middle joint, 2 at the end.
        start, stop: the part of the limb that is drawn.
        cap: round at the root.
        round_end: round at the tip; else cut straight, as a hem is.
    """
    base: Point = (0.0, 1.0)
    n2 = _normal(mid, end, base)
    n1 = _normal(root, mid, n2)
    n2 = _normal(mid, end, n1)
    steps1 = [start + (1.0 - start) * f for f in (0.0, 0.3, 0.6, 0.86)] if stop > 1.0 else []
    if stop <= 1.0:
        ts = [start + (stop - start) * f for f in (0.0, 0.33, 0.66, 1.0)]
    else:
        span = stop - 1.0
        ts = steps1 + [1.0] + [1.0 + span * f for f in ((0.16, 0.45, 0.75, 1.0) if span > 0.5 else (0.4, 1.0))]
    # Across the joint both normals lean to the bisector, so that the outer side turns round and the inner folds.
    bx, by = n1[0] + n2[0], n1[1] + n2[1]
    length = math.hypot(bx, by)
    fold = (bx / length, by / length) if length > 0.35 else n1
    cross = n1[0] * n2[1] - n1[1] * n2[0]
    inner = 1.0 if cross > 0 else -1.0
    sharp = 1.0 - (n1[0] * n2[0] + n1[1] * n2[1])
    along = (fold[1], -fold[0])
    left: list[Point] = []
    right: list[Point] = []
    line: list[tuple[float, float, float]] = []
    for t in ts:
        r = radius(t)
        if t < 1.0:
            x, y, n = root[0] + (mid[0] - root[0]) * t, root[1] + (mid[1] - root[1]) * t, n1
        elif t > 1.0:
            f = t - 1.0
            x, y, n = mid[0] + (end[0] - mid[0]) * f, mid[1] + (end[1] - mid[1]) * f, n2
        else:
            x, y, n = mid[0], mid[1], fold
        line.append((x, y, r))
        for side, points in ((1.0, left), (-1.0, right)):
            k = r
            if t == 1.0:
                # The elbow stands out on the outer side and folds on the inner.
                k = r * (1.0 + 0.1 * sharp) if side != inner else r * max(0.3, 1.0 - 0.28 * sharp)
            px, py = x + n[0] * side * k, y + n[1] * side * k
            if side == inner and sharp > 0.06 and stop > 1.2 and t not in (1.0, ts[0], ts[-1]):
                over = (px - mid[0]) * along[0] + (py - mid[1]) * along[1]
                if (t < 1.0 and over > -0.5) or (t > 1.0 and over < 0.5):
                    continue
            points.append((px, py))
    outline = list(left)
    tip = (left[-1], right[-1])
    direction = (n2[1], -n2[0]) if stop > 1.0 else (n1[1], -n1[0])
    r_end = radius(stop)
    corners: set[int] = set()
    k = r_end * (0.85 if round_end else 0.16)
    hem_mid = ((tip[0][0] + tip[1][0]) / 2 + direction[0] * k, (tip[0][1] + tip[1][1]) / 2 + direction[1] * k)
    if round_end:
        nx, ny = n2 if stop > 1.0 else n1
        x, y = line[-1][0] + direction[0] * r_end * 0.58, line[-1][1] + direction[1] * r_end * 0.58
        outline.append((x + nx * r_end * 0.72, y + ny * r_end * 0.72))
        outline.append(hem_mid)
        outline.append((x - nx * r_end * 0.72, y - ny * r_end * 0.72))
    else:
        corners.add(len(outline) - 1)
        outline.append(hem_mid)
        corners.add(len(outline))
    outline += right[::-1]
    if cap:
        r0 = radius(start)
        outline.append((line[0][0] - n1[1] * r0 * 0.8, line[0][1] + n1[0] * r0 * 0.8))
    return Bent(
        smooth(outline, frozenset(corners)),
        through(left),
        through(right),
        (tip[0], hem_mid, tip[1]),
        line,
        (left, right),
    )
