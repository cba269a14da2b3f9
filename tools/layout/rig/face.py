"""Nose, cheeks, tears: what lies between the eyes and the mouth."""

from __future__ import annotations

import skia

from tools.layout.drawlist import Color, RadialGradient, Stroke
from tools.layout.light import mix, with_alpha
from tools.layout.rig.ball import Ball, FaceState
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, lighter
from tools.layout.rig.seed import unit
from tools.layout.rig.shapes import ellipse, smooth, through

__all__ = ["draw_cheeks", "draw_nose", "draw_tears"]

Point = tuple[float, float]


def draw_nose(brush: Brush, d: Design, ball: Ball) -> None:
    """A small round nose: light on it, shadow under it."""
    skin = d.palette.skin
    x, y = ball.at(0.0, 0.37 + d.body.face_y * 0.5, 0.13)
    grown = d.look.age in ("adult", "elder")
    r = ball.w * (0.108 if not grown else 0.135) * (0.9 if d.feminine else 1.0)
    lx = brush.light_dir[0]
    warm = mix(skin, (0.95, 0.42, 0.34, 1.0), 0.22)
    if grown:
        bridge = ball.at(0.0, 0.0, 0.06)
        off = -1.0 if lx > 0 else 1.0
        brush.line(
            through([(bridge[0] + off * r * 0.4, bridge[1]), (x + off * r * 0.6, y - r * 0.8)]), skin, 0.8, alpha=0.35
        )
    brush.soft(x - lx * r * 0.3, y + r * 0.55, r * 1.7, brush.shadow(skin, 0.4), squash=0.7)
    bright, base = brush.bright(warm, 1.6), brush.tone(warm)
    brush.put(
        ellipse(x, y, r * 1.1, r * 0.92),
        RadialGradient(
            (x + lx * r * 0.35, y - r * 0.35),
            r * 1.5,
            ((0.0, lighter(bright, 0.2)), (0.5, base), (1.0, brush.tone(skin))),
        ),
        effect=True,
    )
    under = [
        (x - r * 0.98, y + r * 0.3),
        (x - r * 0.5, y + r * 0.82),
        (x + r * 0.4, y + r * 0.9),
        (x + r * 0.98, y + r * 0.3),
    ]
    brush.line(through(under), skin, 0.85, alpha=0.75)
    brush.put(ellipse(x + lx * r * 0.35, y - r * 0.38, r * 0.26, r * 0.2), (1, 1, 1, 0.6), effect=True)


def draw_cheeks(brush: Brush, d: Design, ball: Ball, state: FaceState, clip: skia.Path) -> None:
    """Blush and freckles."""
    blush = state.face.blush
    skin = d.palette.skin
    rosy = mix(brush.tone(skin), brush.tone((0.95, 0.3, 0.26, 1.0)), 0.6)
    for side in (1.0, -1.0):
        x, y = ball.at(0.52 * side, 0.42)
        if blush > 0.02 and d.kind != "robot":
            brush.soft(x, y, ball.w * 0.3, with_alpha(rosy, 0.6 * blush), clip=clip, squash=0.72)
        if d.look.freckles:
            dots = skia.Path()
            for i in range(7):
                # One in each of seven cells, in two rows: scattered, not heaped.
                u = side * (0.29 + 0.1 * (i % 4 + 0.35 * (i // 4)) + 0.06 * unit(d.seed, 40 + i))
                v = 0.36 + 0.1 * (i // 4) + 0.06 * unit(d.seed, 60 + i)
                fx, fy = ball.at(u, v)
                r = ball.w * (0.014 + 0.01 * unit(d.seed, 80 + i))
                dots.addOval(skia.Rect.MakeLTRB(fx - r * 1.1, fy - r, fx + r * 1.1, fy + r))
            mark = mix(brush.tone(skin), brush.tone((0.5, 0.2, 0.08, 1.0)), 0.58)
            brush.put(dots, with_alpha(mark, 0.85), effect=True, clip=clip)
    if d.wrinkles:
        for side in (1.0, -1.0):
            fold = [ball.at(0.24 * side, 0.44), ball.at(0.36 * side, 0.58), ball.at(0.37 * side, 0.7)]
            brush.line(through(fold), skin, 0.8, alpha=0.5)


def draw_tears(brush: Brush, d: Design, ball: Ball, state: FaceState) -> None:
    """Tears and sweat, which run with the time."""
    face = state.face
    water: Color = (0.72, 0.9, 1.0, 0.85)
    if face.tears > 0.2:
        for side, delay in ((1.0, 0.0), (-1.0, 0.55)):
            f = (state.t * 0.42 + delay) % 1.0 if state.t else 0.45 + delay * 0.3
            x, y = ball.at(0.42 * side, 0.42 + 0.34 * f)
            _drop(brush, x, y, ball.w * 0.075 * face.tears, water)
            ex, ey = ball.at(0.375 * side, 0.35 + d.body.face_y)
            brush.put(ellipse(ex, ey, ball.w * 0.13, ball.w * 0.03), with_alpha(brush.tone(water), 0.8), effect=True)
    if face.sweat:
        for u, v, r in ((0.78, -0.34, 0.09), (0.66, -0.52, 0.06), (-0.8, -0.3, 0.07)):
            slide = (state.t * 0.3 + r * 5) % 1.0 * 0.12 if state.t else 0.04
            x, y = ball.at(u, v + slide)
            _drop(brush, x, y, ball.w * r, water)


def _drop(brush: Brush, x: float, y: float, r: float, colour: Color) -> None:
    path = smooth([(x, y - r * 1.9), (x + r * 0.85, y), (x, y + r), (x - r * 0.85, y)], frozenset({0}))
    brush.put(
        path,
        brush.tone(colour),
        Stroke(with_alpha(brush.tone((0.3, 0.55, 0.75, 1)), 0.8), brush.ink * 0.6),
        effect=True,
    )
    brush.put(ellipse(x - r * 0.25, y + r * 0.05, r * 0.22, r * 0.3), (1, 1, 1, 0.9), effect=True)
