"""Paths that brushes are made of. Every function is pure: numbers in, a `skia.Path` out."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from random import Random

import skia

__all__ = [
    "Point",
    "below",
    "blob",
    "circles",
    "cloud_outline",
    "ellipse",
    "leaf",
    "lens",
    "merged",
    "poly",
    "ribbon",
    "smooth",
    "svg_path",
    "wavy",
]

Point = tuple[float, float]

_TOKEN = re.compile(r"([MmLlHhVvCcSsQqTtZz])|(-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|([\s,]+)")
_ARGS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "Z": 0}


def _tokens(data: str) -> Iterable[tuple[str, list[float]]]:
    """Each SVG command with one set of arguments; repeated sets repeat the command (a second M set is an L)."""
    at, command, numbers = 0, "", []  # type: int, str, list[float]
    while at < len(data):
        match = _TOKEN.match(data, at)
        if match is None:
            raise ValueError(f"SVG path: {data[at : at + 8]!r} at {at} is not a command or a number (arcs: use C)")
        at = match.end()
        if match[1]:
            if numbers:
                raise ValueError(f"SVG path: too few numbers for {command!r} before {at}")
            command = match[1]
            if command in "Zz":
                yield "Z", []
        elif match[2]:
            if not command or command in "Zz":
                raise ValueError(f"SVG path: a number without a command at {at}")
            numbers.append(float(match[2]))
            if len(numbers) == _ARGS[command.upper()]:
                yield command, numbers
                numbers = []
                command = {"M": "L", "m": "l"}.get(command, command)
    if numbers:
        raise ValueError(f"SVG path: too few numbers for {command!r} at the end")


def svg_path(data: str) -> skia.Path:
    """A path from SVG path data: M L H V C S Q T Z, absolute and relative.

    Raises:
        ValueError: malformed data, with the place in it.
    """
    path = skia.Path()
    x = y = sx = sy = cx = cy = 0.0
    last = ""
    for command, n in _tokens(data):
        kind, rel = command.upper(), command.islower()
        if not last and kind != "M":
            raise ValueError("SVG path: must begin with M")
        ox, oy = (x, y) if rel else (0.0, 0.0)
        if kind == "Z":
            path.close()
            x, y = sx, sy
        elif kind == "H":
            x = n[0] + ox
            path.lineTo(x, y)
        elif kind == "V":
            y = n[0] + oy
            path.lineTo(x, y)
        else:
            p = [v + (ox if i % 2 == 0 else oy) for i, v in enumerate(n)]
            mirrored = (2 * x - cx, 2 * y - cy)
            if kind == "M":
                path.moveTo(*p)
                sx, sy = p
            elif kind == "L":
                path.lineTo(*p)
            elif kind == "C":
                path.cubicTo(*p)
            elif kind == "S":
                path.cubicTo(*(mirrored if last in "CS" else (x, y)), *p)
            elif kind == "Q":
                path.quadTo(*p)
            elif kind == "T":
                c = mirrored if last in "QT" else (x, y)
                path.quadTo(*c, *p)
                p = [*c, *p]
            x, y = p[-2], p[-1]
            cx, cy = (p[-4], p[-3]) if kind in "CSQT" else (x, y)
        last = kind
    return path


def poly(points: Sequence[Point], *, close: bool = True) -> skia.Path:
    """A polygon, or an open line."""
    path = skia.Path()
    path.addPoly([skia.Point(x, y) for x, y in points], close)
    return path


def smooth(points: Sequence[Point], *, close: bool = True) -> skia.Path:
    """A soft curve through the middles of the points' edges (quadratic B-spline)."""
    path = skia.Path()
    n = len(points)
    if close:
        (ax, ay), (bx, by) = points[-1], points[0]
        path.moveTo((ax + bx) / 2, (ay + by) / 2)
        for i in range(n):
            (px, py), (qx, qy) = points[i], points[(i + 1) % n]
            path.quadTo(px, py, (px + qx) / 2, (py + qy) / 2)
        path.close()
    else:
        path.moveTo(*points[0])
        for (px, py), (qx, qy) in itertools.pairwise(points):
            path.quadTo(px, py, (px + qx) / 2, (py + qy) / 2)
        path.lineTo(*points[-1])
    return path


def ellipse(x: float, y: float, rx: float, ry: float) -> skia.Path:
    """An ellipse around (x, y)."""
    return skia.Path.Oval(skia.Rect.MakeLTRB(x - rx, y - ry, x + rx, y + ry))


def circles(spots: Iterable[tuple[float, float, float]]) -> skia.Path:
    """Many circles (x, y, radius) in one path."""
    path = skia.Path()
    for x, y, r in spots:
        path.addCircle(x, y, r)
    return path


def blob(x: float, y: float, rx: float, ry: float, rng: Random, *, rough: float = 0.12, points: int = 10) -> skia.Path:
    """A rounded, slightly uneven patch."""
    ring = []
    for i in range(points):
        angle = 2 * math.pi * i / points
        k = 1 + rng.uniform(-rough, rough)
        ring.append((x + math.cos(angle) * rx * k, y + math.sin(angle) * ry * k))
    return smooth(ring)


def lens(path: skia.Path, x: float, y: float, width: float, bend: float, thick: float) -> None:
    """Add a thin stroke with pointed ends to `path`: a ripple, a crease, a glint."""
    path.moveTo(x, y)
    path.cubicTo(x + width * 0.3, y - bend, x + width * 0.6, y + bend, x + width, y)
    path.cubicTo(x + width * 0.6, y + bend + thick, x + width * 0.3, y - bend + thick, x, y)
    path.close()


def leaf(path: skia.Path, x: float, y: float, angle: float, length: float, width: float, droop: float = 0.0) -> None:
    """Add a pointed leaf that starts at (x, y) and grows along `angle` (radians), its tip lowered by `droop`."""
    dx, dy = math.cos(angle), math.sin(angle)
    tip = (x + dx * length, y + dy * length + droop)
    mid = (x + dx * length * 0.45, y + dy * length * 0.45 + droop * 0.15)
    path.moveTo(x, y)
    path.quadTo(mid[0] - dy * width, mid[1] + dx * width, *tip)
    path.quadTo(mid[0] + dy * width, mid[1] - dx * width, x, y)
    path.close()


def merged(path: skia.Path) -> skia.Path:
    """The outer outline of overlapping shapes, for what is drawn in the line map. Dear (0.1 ms a shape): for layers
    that are baked."""
    path.setFillType(skia.PathFillType.kWinding)
    return skia.Simplify(path) or path


def ribbon(points: Sequence[Point], widths: Sequence[float]) -> skia.Path:
    """A band along `points`, `widths` wide at each: trunks, stems, arms of lamps."""
    left: list[Point] = []
    right: list[Point] = []
    for i, (x, y) in enumerate(points):
        ax, ay = points[max(0, i - 1)]
        bx, by = points[min(len(points) - 1, i + 1)]
        length = math.hypot(bx - ax, by - ay) or 1.0
        nx, ny = -(by - ay) / length * widths[i] / 2, (bx - ax) / length * widths[i] / 2
        left.append((x + nx, y + ny))
        right.append((x - nx, y - ny))
    return poly(left + right[::-1])


def wavy(x0: float, x1: float, y: float, swell: float, wave: float, phase: float, step: float = 24.0) -> list[Point]:
    """Points of a lazy, uneven line from x0 to x1: two sines whose lengths do not divide each other."""
    count = max(2, int(abs(x1 - x0) / step) + 1)
    points = []
    for i in range(count + 1):
        x = x0 + (x1 - x0) * i / count
        a = 2 * math.pi * x / wave + phase
        points.append((x, y + swell * (0.7 * math.sin(a) + 0.3 * math.sin(2.37 * a + 1.3))))
    return points


def below(line: Sequence[Point], bottom: float) -> skia.Path:
    """The area under a line, down to `bottom`."""
    return poly([*line, (line[-1][0], bottom), (line[0][0], bottom)])


def cloud_outline(
    width: float, height: float, billows: int, rng: Random
) -> tuple[list[Point], list[tuple[float, float, float]]]:
    """Outline and big billows (x, y, radius) of a heaped cloud with a scalloped, nearly flat foot.

    Its foot lies around y = 0, its top at -height, x from -width/2 to width/2.
    """
    big: list[tuple[float, float, float]] = []
    for i in range(billows):
        f = (i + 0.5) / billows
        reach = math.sin(math.pi * f) ** 0.8
        r = height * (0.2 + 0.26 * reach) * rng.uniform(0.85, 1.15)
        x = (f - 0.5) * (width - height * 0.5) + rng.uniform(-0.3, 0.3) * width / billows
        top = height * (0.32 + 0.68 * reach) * rng.uniform(0.86, 1.0)
        big.append((x, -top + r, r))
    foot = max(height * 0.15, 6.0)
    west, east = min(x - r for x, _, r in big), max(x + r for x, _, r in big)
    small: list[tuple[float, float, float]] = []
    x = west + foot
    while x < east:
        r = foot * rng.uniform(0.62, 1.4)
        small.append((min(x, east - r), -foot * 0.3 - r * 0.5, r))
        x += r * 1.25
    left = min(x - r for x, _, r in big + small)
    right = max(x + r for x, _, r in big + small)
    steps = max(60, int((right - left) / 4))
    upper: list[Point] = []
    lower: list[Point] = []
    for i in range(steps + 1):
        x = left + (right - left) * i / steps
        tops = [cy - math.sqrt(r * r - (x - cx) ** 2) for cx, cy, r in big + small if abs(x - cx) <= r]
        feet = [cy + math.sqrt(r * r - (x - cx) ** 2) for cx, cy, r in small if abs(x - cx) <= r]
        if not tops or not feet:
            continue
        upper.append((x, min(tops)))
        lower.append((x, max(feet)))
    return upper + lower[::-1], big
