"""What is worn on the head."""

from __future__ import annotations

import math

import skia

from tools.layout.drawlist import Color, Stroke
from tools.layout.light import with_alpha
from tools.layout.rig.ball import Ball
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.shapes import ellipse, smooth, through

__all__ = ["HATS", "draw_hat"]

Point = tuple[float, float]
GOLD: Color = (0.93, 0.72, 0.25, 1.0)

HATS = frozenset({"cap", "straw_hat", "beanie", "crown"})


STRAW: Color = (0.89, 0.74, 0.45, 1.0)


def draw_hat(brush: Brush, d: Design, ball: Ball, back: bool) -> None:
    """Whatever hat is worn; from behind, the same without its front."""
    for name, draw in (("straw_hat", _straw_hat), ("cap", _cap), ("beanie", _beanie), ("crown", _crown)):
        if name in d.accessories:
            draw(brush, d, ball, back)
            break
    if "bow" in d.accessories:
        _bow(brush, d, ball)


def _size(d: Design) -> float:
    return {"curly": 1.16, "bald": 0.98}.get(d.hair_style, 1.08)


def _dome(ball: Ball, k: float, low: float, top: float) -> list[Point]:
    w, h = ball.w * k, ball.h
    return [
        (-w, low * h),
        (-w * 0.98, -h * 0.72),
        (-w * 0.62, top * h * 0.93),
        (0, top * h),
        (w * 0.62, top * h * 0.93),
        (w * 0.98, -h * 0.72),
        (w, low * h),
    ]


def _beanie(brush: Brush, d: Design, ball: Ball, back: bool) -> None:
    del back  # The same from all sides.
    colour = d.palette.extra
    k = _size(d)
    w, h = ball.w * k, ball.h
    low, tilt = -0.6, ball.nod * 10
    dome = _dome(ball, k, low, -1.3 * k)
    path = smooth([*dome, (0, h * (low - 0.06) + tilt)], frozenset({0, 6}))
    brush.form(path, colour)
    ribs = skia.Path()
    for f in (-0.66, -0.33, 0.0, 0.33, 0.66):
        x = w * (f + ball.yaw * 0.35 * (1 - abs(f)))
        ribs.addPath(through([(x, h * low), (x * 0.86, -h * 0.95), (x * 0.4, -h * 1.26 * k)]))
    brush.put(
        ribs, None, Stroke(with_alpha(brush.shade(darker(colour, 0.25)), 0.55), brush.ink), effect=True, clip=path
    )
    sag = h * 0.1
    band = smooth(
        [
            (-w * 1.03, h * (low - 0.18)),
            (0, h * (low - 0.14) + sag * 0.5 + tilt),
            (w * 1.03, h * (low - 0.18)),
            (w * 1.04, h * (low + 0.1)),
            (0, h * (low + 0.16) + sag * 0.5 + tilt),
            (-w * 1.04, h * (low + 0.1)),
        ],
        frozenset({0, 2, 3, 5}),
        0.9,
    )
    brush.form(band, lighter(colour, 0.12))
    stitches = skia.Path()
    for i in range(13):
        f = -0.94 + i * 0.157
        y = h * (low + 0.06) + sag * (1 - f * f) * 0.7
        stitches.addPath(through([(w * f, y - h * 0.17), (w * f, y)]))
    brush.put(stitches, None, Stroke(with_alpha(brush.shade(colour), 0.55), brush.ink * 0.9), effect=True, clip=band)
    pom = smooth(
        [
            (
                math.cos(i * 0.7) * w * (0.21 + 0.025 * (i % 2)),
                -h * 1.4 * k + math.sin(i * 0.7) * w * (0.2 + 0.025 * (i % 2)),
            )
            for i in range(9)
        ]
    )
    brush.form(pom, lighter(colour, 0.35))


def _cap(brush: Brush, d: Design, ball: Ball, back: bool) -> None:
    colour = d.palette.extra
    k = _size(d)
    w, h = ball.w * k, ball.h
    low = -0.6
    path = smooth([*_dome(ball, k, low, -1.22 * k), (0, h * (low - 0.04))], frozenset({0, 6}))
    brush.form(path, colour)
    turn = ball.yaw / 0.4
    seams = skia.Path()
    for f in (-0.5, 0.0, 0.5):
        x = w * (f + turn * 0.3)
        seams.addPath(through([(x, h * low), (x * 0.7, -h * 0.95), (0, -h * 1.2 * k)]))
    brush.put(seams, None, Stroke(with_alpha(brush.line_colour(colour), 0.45), brush.ink * 0.8), effect=True, clip=path)
    brush.form(ellipse(0, -h * 1.22 * k, w * 0.08, w * 0.05), lighter(colour, 0.2), rim=0.0)
    if back:
        brush.flat(ellipse(0, h * (low - 0.02), w * 0.3, h * 0.16), d.palette.hair, ink=1.0, effect=False)
        return
    # The peak points where the face looks.
    cx = turn * w * 0.5
    peak = smooth(
        [
            (cx - w * 0.78, h * (low - 0.04)),
            (cx - w * 0.5, h * (low + 0.2)),
            (cx + turn * w * 0.22, h * (low + 0.25)),
            (cx + w * 0.5, h * (low + 0.2)),
            (cx + w * 0.78, h * (low - 0.04)),
            (cx, h * (low - 0.16)),
        ],
        frozenset({0, 4}),
    )
    brush.soft(
        cx, h * (low + 0.34), w * 0.7, brush.shadow(d.palette.skin, 0.4), clip=ellipse(0, 0, ball.w, ball.h), squash=0.3
    )
    brush.form(peak, darker(colour, 0.12))
    badge_x = turn * w * 0.36
    brush.flat(ellipse(badge_x, -h * 0.84, w * 0.15, w * 0.15), lighter(colour, 0.6), ink=0.7)


def _straw_hat(brush: Brush, d: Design, ball: Ball, back: bool) -> None:
    k = _size(d)
    w, h = ball.w * k, ball.h
    low = -0.68
    cx = ball.yaw / 0.4 * w * 0.08
    brim = smooth(
        [
            (cx - w * 1.62, h * (low + 0.1)),
            (cx - w * 0.9, h * (low - 0.2)),
            (cx, h * (low - 0.26)),
            (cx + w * 0.9, h * (low - 0.2)),
            (cx + w * 1.62, h * (low + 0.1)),
            (cx + w * 0.9, h * (low + 0.26)),
            (cx, h * (low + (0.2 if back else 0.27))),
            (cx - w * 0.9, h * (low + 0.26)),
        ]
    )
    if not back:
        brush.soft(
            cx,
            h * (low + 0.36),
            w * 0.95,
            brush.shadow(d.palette.skin, 0.5),
            clip=ellipse(0, 0, ball.w, ball.h),
            squash=0.36,
        )
    brush.form(brim, STRAW)
    weave = skia.Path()
    for f in (0.55, 0.75, 0.92):
        weave.addPath(ellipse(cx, h * (low + 0.03), w * 1.55 * f, h * 0.27 * f))
    brush.put(
        weave, None, Stroke(with_alpha(brush.shade(darker(STRAW, 0.2)), 0.5), brush.ink * 0.8), effect=True, clip=brim
    )
    crown = smooth([*_dome(ball, k * 0.93, low, -1.24 * k), (0, h * (low + 0.1))], frozenset({0, 6}))
    brush.form(crown, STRAW)
    lines = skia.Path()
    for i in range(4):
        y = h * (-0.72 - 0.14 * i)
        lines.addPath(through([(-w, y), (0, y + h * 0.09), (w, y)]))
    brush.put(
        lines, None, Stroke(with_alpha(brush.shade(darker(STRAW, 0.2)), 0.45), brush.ink * 0.8), effect=True, clip=crown
    )
    brush.stroke(
        through([(-w, h * (low - 0.06)), (0, h * (low + 0.04)), (w, h * (low - 0.06))]),
        d.palette.extra,
        h * 0.15,
        clip=crown,
    )


def _crown(brush: Brush, d: Design, ball: Ball, back: bool) -> None:
    k = _size(d)
    w, h = ball.w * k * 0.74, ball.h
    low = -0.8 * k
    top = low - 0.42
    turn = ball.yaw / 0.4 * w * 0.16
    points: list[Point] = [(-w, h * low)]
    for i in range(5):
        f = -1 + i * 0.5
        points.append((w * f * 1.12 + turn, h * (top + 0.07 * abs(f))))
        if i < 4:
            points.append((w * (f + 0.25) + turn * 0.6, h * (low - 0.18)))
    points += [(w, h * low), (0, h * (low + 0.12))]
    path = smooth(points, frozenset(range(len(points) - 1)), 0.6)
    brush.form(path, GOLD)
    brush.stroke(
        through([(-w, h * (low - 0.04)), (0, h * (low + 0.07)), (w, h * (low - 0.04))]),
        darker(GOLD, 0.22),
        h * 0.05,
        clip=path,
    )
    for i in range(5):
        f = -1 + i * 0.5
        brush.flat(
            ellipse(w * f * 1.12 + turn, h * (top + 0.05 * abs(f)), w * 0.07, w * 0.07),
            lighter(GOLD, 0.5),
            ink=0.8,
            effect=False,
        )
    if not back:
        brush.flat(ellipse(turn * 1.6, h * (low - 0.1), w * 0.12, w * 0.14), (0.8, 0.2, 0.3, 1), ink=0.8)


def _bow(brush: Brush, d: Design, ball: Ball) -> None:
    colour = d.palette.extra
    w = ball.w
    hat = bool(d.accessories & HATS)
    x, y = w * (0.62 - ball.yaw * 0.3), -w * (0.62 if hat else 0.92)
    bow = brush.placed(x, y, 24)
    for side in (-1.0, 1.0):
        wing = smooth(
            [
                (0, 0),
                (side * w * 0.2, -w * 0.2),
                (side * w * 0.42, -w * 0.2),
                (side * w * 0.4, 0),
                (side * w * 0.42, w * 0.18),
                (side * w * 0.18, w * 0.14),
            ],
            frozenset({0}),
        )
        bow.form(wing, colour)
        bow.line(
            through([(side * w * 0.06, 0), (side * w * 0.2, -w * 0.03), (side * w * 0.28, -w * 0.08)]),
            colour,
            0.8,
            alpha=0.6,
        )
    bow.form(ellipse(0, 0, w * 0.1, w * 0.11), lighter(colour, 0.12), rim=0.4)
