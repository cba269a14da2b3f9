"""Feet and shoes: one outline that turns from the side view to the front view."""

from __future__ import annotations

import math
from collections.abc import Sequence

import skia

from tools.layout.drawlist import Color, Stroke
from tools.layout.light import with_alpha
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.shapes import ellipse, polyline, smooth, through

__all__ = ["draw_foot"]

Point = tuple[float, float]
# Of a child, from the ankle at 0, 0; the sole at 14; toes to the right. Each point has its fellow in the other view.
_SIDE: tuple[Point, ...] = (
    (-8.5, -10),
    (-9.5, 1),
    (-12, 8),
    (-9, 13.6),
    (3, 13.2),
    (15, 14),
    (25, 14),
    (29, 10),
    (24, 4),
    (14.5, 0.5),
    (8.5, -8),
    (0, -13),
)
_FRONT: tuple[Point, ...] = (
    (-8.5, -10),
    (-9.5, 1),
    (-13, 8),
    (-12.5, 12.5),
    (-6, 14.2),
    (3, 14.4),
    (10.5, 13),
    (13, 9.5),
    (12, 4),
    (9.5, -2),
    (8.5, -10),
    (0, -13),
)
_TOES_SIDE: tuple[tuple[float, float, float], ...] = (
    (27, 10.4, 4.5),
    (23.4, 12.2, 3.1),
    (19.8, 12.9, 2.7),
    (16.6, 13.2, 2.4),
)
_TOES_FRONT: tuple[tuple[float, float, float], ...] = (
    (-8.2, 13.2, 4.1),
    (-1.6, 14.6, 3.3),
    (3.9, 14.1, 3.0),
    (8.8, 12.6, 2.7),
)


def _mix(a: Sequence[Point], b: Sequence[Point], k: float, fat: float = 1.0) -> list[Point]:
    """Between two outlines; `fat` swells it about the middle of the foot."""
    out = []
    for (ax, ay), (bx, by) in zip(a, b, strict=True):
        x, y = bx + (ax - bx) * k, by + (ay - by) * k
        cx = 8.0 * k
        out.append((cx + (x - cx) * fat, y if y < 0 or fat == 1.0 else y * (1 + (fat - 1) * 0.5)))
    return out


def draw_foot(
    brush: Brush, d: Design, ankle: Point, tip: tuple[float, float, float], inner: float, bare: Color
) -> None:
    """One foot with what it wears.

    Args:
        ankle: in the picture.
        tip: direction of the toes in the picture, and towards us.
        inner: +1 when the big toe is to the right in the picture.
        bare: colour of the skin or fur.
    """
    fx, fy, fz = tip
    side = min(1.0, abs(fx) * 1.1)
    flip = -1.0 if fx < 0 else 1.0
    if abs(fx) < 0.35:
        flip = -inner if fz >= 0 else inner
        if (fx > 0.12 and flip < 0) or (fx < -0.12 and flip > 0):
            flip = -flip
    pitch = math.degrees(math.asin(max(-1.0, min(1.0, fy - fz * 0.15))))
    k = d.body.foot[0] / 38.0
    # In the front view pointed toes stretch the foot downwards instead of turning it.
    drop = 1.0 + 0.55 * max(0.0, math.sin(math.radians(pitch))) * (1 - side)
    foot = brush.placed(ankle[0], ankle[1], pitch * side * flip, k * flip, k * drop)
    away = fz < -0.25
    if d.shoes == "barefoot":
        _bare(foot, d, side, bare, away)
    elif d.shoes == "sandals":
        _bare(foot, d, side, bare, away)
        _sandal(foot, side, d.palette.shoes, away)
    elif d.shoes == "boots":
        _boot(foot, side, d.palette.shoes if d.kind != "robot" else d.palette.mark)
    else:
        _sneaker(foot, side, d.palette.shoes, away)


def _bare(foot: Brush, d: Design, side: float, colour: Color, away: bool) -> None:
    outline = smooth(_mix(_SIDE, _FRONT, side))
    toes = []
    if not away:
        for i, ((ax, ay, ar), (bx, by, br)) in enumerate(zip(_TOES_SIDE, _TOES_FRONT, strict=True)):
            if d.kind != "human" and i == 3:
                continue
            r = br + (ar - br) * side
            toes.append(ellipse(bx + (ax - bx) * side, by + (ay - by) * side, r * 1.02, r * 0.86))
    ink = foot.line_colour(colour)
    foot.form(outline, colour, rim=0.0)
    fill = foot.modelled(outline, colour)
    for path in reversed(toes):
        foot.put(path, ink, Stroke(ink, foot.ink * 1.7), outline=True)
        foot.put(path, fill)
    # The toes grow out of the foot.
    cover = [(x * 0.82 + 2.2 * side, y * 0.78 - 0.6) for x, y in _mix(_SIDE, _FRONT, side)[2:10]]
    foot.put(smooth(cover), fill, effect=True)
    nails = skia.Path()
    for i, path in enumerate(toes):
        box = path.getBounds()
        w = box.width() * (0.2 + 0.04 * (i == 0))
        x, y = box.centerX() + box.width() * 0.16 * side, box.centerY() + box.height() * 0.12
        nails.addOval(skia.Rect.MakeLTRB(x - w, y - w * 0.8, x + w, y + w * 0.7))
    if d.kind == "human":
        foot.put(nails, with_alpha(foot.bright(lighter(colour, 0.35)), 0.75), effect=True)


def _sole(foot: Brush, points: list[Point], colour: Color, thick: float) -> None:
    """A strip along the underside of the outline (points 2 to 7)."""
    low = points[2:8]
    strip = [(x * 1.04, y + 1.2) for x, y in low]
    upper = [(x * 1.02, max(y - thick, 5.5)) for x, y in reversed(low)]
    foot.form(smooth(strip + upper, frozenset({0, 5, 6, 11}), 0.8), colour, rim=0.0, under=False)


def _sneaker(foot: Brush, side: float, colour: Color, away: bool) -> None:
    points = _mix(_SIDE, _FRONT, side, 1.1)
    points[0], points[10], points[11] = (-9.5, -6), (9.5, -6 + side), (0, -7.5)
    path = smooth(points, frozenset({0, 10}))
    foot.form(path, colour)
    _sole(foot, points, (0.96, 0.94, 0.9, 1), 4.5)
    white = (0.97, 0.95, 0.92, 1.0)
    foot.stroke(through([(-9, -5), (0, -3.8), (9, -5)]), lighter(colour, 0.35), 2.2)
    if not away:
        for i in range(3):
            x, y = 10.5 * side + 3.6 * side * i, -0.5 + 2.6 * i
            w = 4.6 + 0.3 * i
            foot.stroke(
                through(
                    [
                        (x - w * (1 - 0.4 * side), y + 0.6),
                        (x, y - 0.6 + side),
                        (x + w * (1 - 0.6 * side), y + 1.6 * side),
                    ]
                ),
                white,
                1.9,
            )
        tx = 23 * side
        foot.put(
            through([(tx - 8 * (1 - side), 7), (tx - 2 * side, 5.5 - side), (tx + 7 * (1 - side) + 1, 8 + side)]),
            None,
            Stroke(with_alpha(foot.line_colour(colour), 0.5), foot.ink * 0.8),
            effect=True,
        )
    else:
        foot.stroke(through([(0, -5), (0, 8)]), white, 2.6)


def _boot(foot: Brush, side: float, colour: Color) -> None:
    points = _mix(_SIDE, _FRONT, side, 1.14)
    points[0], points[10], points[11] = (-11.5, -24), (11.5, -24), (0, -24.5)
    points[1], points[9] = (-10.5, 0), (13.5 * side + 11 * (1 - side), -1)
    path = smooth(points, frozenset({0, 10, 11}), 0.9)
    foot.form(path, colour)
    _sole(foot, points, darker(colour, 0.5), 3.6)
    cuff = smooth(
        [(-12.4, -25.5), (0, -24.2), (12.4, -25.5), (12.2, -19.5), (0, -18), (-12.2, -19.5)],
        frozenset({0, 2, 3, 5}),
        0.8,
    )
    foot.form(cuff, lighter(colour, 0.18), rim=0.5, under=False)


def _sandal(foot: Brush, side: float, colour: Color, away: bool) -> None:
    points = _mix(_SIDE, _FRONT, side, 1.05)
    leather = darker(colour, 0.15)
    low = points[2:8]
    strip = [(x * 1.03, y + 0.6) for x, y in low] + [(x * 1.03, y + 3.4) for x, y in reversed(low)]
    foot.form(smooth(strip, frozenset({0, 5, 6, 11}), 0.7), darker(leather, 0.3), rim=0.0, under=False)
    outline = smooth(_mix(_SIDE, _FRONT, side))
    ink = foot.line_colour(leather)
    for start, end in (((-12, -2), (12, -3)), ((9 * side - 14 * (1 - side), 6), (22 * side + 14 * (1 - side), 6.5))):
        if away and start[1] > 0:
            continue
        band = polyline(
            [(start[0], start[1] - 2.2), (end[0], end[1] - 2.2), (end[0], end[1] + 2.2), (start[0], start[1] + 2.2)]
        )
        if start[1] > 0:
            band = polyline(
                [
                    (13 * side - 14 * (1 - side), -2 + 9 * (1 - side)),
                    (17.5 * side + 14 * (1 - side), 0 + 8 * (1 - side)),
                    (15 * side + 14 * (1 - side), 16),
                    (9 * side - 14 * (1 - side), 16 - 4 * (1 - side)),
                ]
            )
        foot.put(band, foot.tone(leather), Stroke(ink, foot.ink * 0.8), effect=True, clip=outline)
