"""Robots: a head of plates with a screen for a face, and a panelled trunk."""

from __future__ import annotations

import math

import skia

from tools.layout.drawlist import Color, RadialGradient, Stroke
from tools.layout.light import mix, with_alpha
from tools.layout.rig.ball import Ball, FaceState
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.mouth import mouth_curves
from tools.layout.rig.shapes import ellipse, polyline, smooth, through
from tools.layout.rig.trunk import Trunk

__all__ = ["draw_robot_head", "draw_robot_trunk"]

Point = tuple[float, float]


def _box(x: float, y: float, w: float, h: float, r: float) -> skia.Path:
    return skia.Path.RRect(skia.Rect.MakeLTRB(x - w, y - h, x + w, y + h), r, r)


def draw_robot_head(brush: Brush, d: Design, ball: Ball, state: FaceState, back: bool, swing: float) -> skia.Path:
    """The whole head; returns its outline."""
    w, h = ball.w, ball.h
    metal, dark, lamp = d.palette.skin, d.palette.mark, d.palette.iris
    shift = math.sin(ball.yaw) * w
    _antenna(brush, d, w, h, lamp, swing, state.t)
    for side in (-1.0, 1.0):
        x = side * w * math.cos(ball.yaw) * 1.0 - shift * 0.16
        brush.form(_box(x, h * 0.04, w * 0.16, h * 0.24, 7), dark)
        brush.form(ellipse(x + side * w * 0.1, h * 0.04, w * 0.08, h * 0.12), lighter(dark, 0.25), rim=0.4)
    path = smooth(
        [
            (-w * 0.7, -h * 0.98),
            (0, -h * 1.03),
            (w * 0.7, -h * 0.98),
            (w * 0.97, -h * 0.66),
            (w * 1.0, h * 0.1),
            (w * 0.92, h * 0.74),
            (w * 0.6, h * 0.98),
            (0, h * 1.0),
            (-w * 0.6, h * 0.98),
            (-w * 0.92, h * 0.74),
            (-w * 1.0, h * 0.1),
            (-w * 0.97, -h * 0.66),
        ]
    )
    brush.form(path, metal)
    seam = through([(-w, -h * 0.62), (shift * 0.3, -h * 0.56), (w, -h * 0.62)])
    brush.line(seam, metal, 0.9, alpha=0.7)
    for x in (-0.8, 0.8):
        brush.flat(ellipse(x * w + shift * 0.1, -h * 0.74, w * 0.035, w * 0.035), lighter(metal, 0.4), ink=0.6)
    if back:
        for i in range(4):
            y = h * (0.1 + 0.14 * i)
            brush.line(through([(-w * 0.4, y), (w * 0.4, y)]), metal, 1.3)
        return path
    screen = _box(shift * 0.5, h * 0.14, w * (0.8 - 0.1 * abs(ball.yaw)), h * 0.6, w * 0.3)
    glass: Color = (0.09, 0.13, 0.18, 1.0)
    brush.put(screen, brush.tone(glass), Stroke(brush.line_colour(metal), brush.ink * 1.6), outline=True)
    inner = mix(brush.tone(glass), lamp, 0.2)
    brush.put(
        screen,
        RadialGradient((shift * 0.5, h * 0.2), w * 0.9, ((0.0, inner), (1.0, with_alpha(inner, 0.0)))),
        effect=True,
    )
    _eyes(brush, ball, state, lamp, screen)
    _mouth(brush, ball, state, lamp)
    shine = polyline(
        [
            (-w * 0.6 + shift * 0.5, h * 0.5),
            (-w * 0.1 + shift * 0.5, -h * 0.5),
            (w * 0.12 + shift * 0.5, -h * 0.5),
            (-w * 0.38 + shift * 0.5, h * 0.5),
        ]
    )
    brush.put(shine, (1, 1, 1, 0.07), effect=True, clip=screen)
    return path


def _antenna(brush: Brush, d: Design, w: float, h: float, lamp: Color, swing: float, t: float) -> None:
    tip = (w * 0.1 + swing * 6, -h * 1.5)
    brush.put(
        through([(0, -h * 0.95), (w * 0.02, -h * 1.25), tip]),
        None,
        Stroke(brush.line_colour(d.palette.mark), 5.0 + brush.ink),
        outline=True,
    )
    brush.stroke(through([(0, -h * 0.95), (w * 0.02, -h * 1.25), tip]), d.palette.mark, 4.0)
    pulse = 0.75 + 0.25 * math.sin(t * 3.0)
    brush.soft(tip[0], tip[1], w * 0.34, with_alpha(lamp, 0.5 * pulse))
    brush.put(
        ellipse(*tip, w * 0.11, w * 0.11),
        mix(lamp, (1, 1, 1, 1), 0.2),
        Stroke(brush.line_colour(d.palette.mark), brush.ink),
        outline=True,
    )


def _eyes(brush: Brush, ball: Ball, state: FaceState, lamp: Color, screen: skia.Path) -> None:
    """Lights with shutters: lids, slants and looks are the same numbers as in a face of flesh."""
    face, w = state.face, ball.w
    glow = mix(lamp, (1, 1, 1, 1), 0.35)
    for side, index in ((1.0, 0), (-1.0, 1)):
        x, y = ball.at(0.36 * side, 0.06)
        k = max(0.6, ball.squash(0.36 * side))
        x += state.look[0] * w * 0.06
        y += state.look[1] * w * 0.06
        rx, ry = w * 0.19 * k * face.eye, w * 0.24 * face.eye
        lid = face.lid[index] + (1.0 - face.lid[index]) * state.blink
        top = -ry + 2 * ry * max(0.0, min(0.9, lid)) * 0.8
        low = ry * (1.0 - face.lower * 1.1)
        slant = face.lid_slant * ry * 0.5
        if low - top < ry * 0.24:
            low = top + ry * 0.24
        points = [
            (x - side * rx, y + top * 0.7 + slant + ry * 0.1),
            (x, y + top),
            (x + side * rx, y + top * 0.7 - slant + ry * 0.1),
            (x + side * rx * 0.96, y + low * 0.6),
            (x, y + low),
            (x - side * rx * 0.96, y + low * 0.6),
        ]
        path = smooth(points)
        brush.soft(x, y, rx * 2.2, with_alpha(lamp, 0.5), clip=screen)
        brush.put(path, glow, outline=True)
        brush.put(
            ellipse(x, y + (top + low) / 2, rx * 0.55, (low - top) * 0.3), (1, 1, 1, 0.75), effect=True, clip=path
        )
        inner, outer = -0.34 - face.brow_in[index] * 0.12, -0.32 - face.brow_out[index] * 0.12
        a, b = ball.at(side * 0.18, inner), ball.at(side * 0.58, outer)
        brush.put(through([a, b]), None, Stroke(lamp, w * 0.06), effect=True, clip=screen)


def _mouth(brush: Brush, ball: Ball, state: FaceState, lamp: Color) -> None:
    x, y = ball.at(0, 0.5)
    upper, lower = mouth_curves(state.mouth, ball.w * 0.28 * state.mouth.width, ball.w * 0.8, state.t)
    mouth = brush.placed(x, y)
    if lower is None:
        mouth.put(through(upper), None, Stroke(lamp, ball.w * 0.06), effect=True)
        return
    path = smooth(upper + lower[::-1][1:-1])
    mouth.put(path, with_alpha(lamp, 0.85), effect=True)
    bars = skia.Path()
    for i in range(-3, 4):
        bars.addPath(through([(i * ball.w * 0.1, -ball.w), (i * ball.w * 0.1, ball.w)]))
    mouth.put(bars, None, Stroke(mouth.tone((0.09, 0.13, 0.18, 0.7)), ball.w * 0.025), effect=True, clip=path)


def draw_robot_trunk(brush: Brush, d: Design, trunk: Trunk) -> skia.Path:
    """Plates over chest and hips, a hatch with lamps."""
    metal, dark, lamp = d.palette.skin, d.palette.mark, d.palette.iris
    waist = smooth(
        [trunk.edge(t, s, 0.72) for t, s in ((0.52, -1), (0.52, 1), (0.3, 1), (0.1, 1), (0.1, -1), (0.3, -1))]
    )
    brush.form(waist, darker(dark, 0.15))
    ribs = skia.Path()
    for t in (0.2, 0.28, 0.36):
        ribs.addPath(through([trunk.edge(t, -1, 0.8), trunk.centre(t - 0.02), trunk.edge(t, 1, 0.8)]))
    brush.put(ribs, None, Stroke(with_alpha(brush.line_colour(dark), 0.7), 2.0), effect=True, clip=waist)
    hips = smooth(
        [
            trunk.edge(t, s, k)
            for t, s, k in (
                (0.17, -1, 0.9),
                (0.17, 1, 0.9),
                (0.0, 1, 1.02),
                (-0.14, 1, 0.7),
                (-0.14, -1, 0.7),
                (0.0, -1, 1.02),
            )
        ]
    )
    brush.form(hips, metal)
    left, right = trunk.shoulder(-1), trunk.shoulder(1)
    c = trunk.bones.chest
    chest = smooth(
        [
            left,
            (c[0], c[1] - 10),
            right,
            trunk.edge(0.8, 1, 1.06),
            trunk.edge(0.48, 1, 0.96),
            trunk.edge(0.4, 1, 0.6),
            trunk.edge(0.4, -1, 0.6),
            trunk.edge(0.48, -1, 0.96),
            trunk.edge(0.8, -1, 1.06),
        ]
    )
    brush.form(chest, metal)
    turn = math.sin(trunk.bones.yaw) * trunk.half(0.6) * 0.4
    x, y = trunk.centre(0.68)
    x += turn
    w = trunk.half(0.6) * 0.5
    brush.form(_box(x, y, w, w * 0.62, 5), darker(metal, 0.12), rim=0.0)
    if trunk.bones.back:
        for i in range(3):
            brush.line(through([(x - w * 0.7, y - 6 + 6 * i), (x + w * 0.7, y - 6 + 6 * i)]), metal, 1.0)
        return chest
    for i, colour in enumerate((lamp, (1.0, 0.78, 0.35, 1.0), (0.95, 0.42, 0.36, 1.0))):
        px = x - w * 0.55 + i * w * 0.55
        brush.soft(px, y - 3, 7, with_alpha(colour, 0.5))
        brush.put(
            ellipse(px, y - 3, 3.2, 3.2),
            mix(colour, (1, 1, 1, 1), 0.2),
            Stroke(brush.line_colour(metal), brush.ink * 0.6),
            effect=True,
        )
    brush.line(through([(x - w * 0.6, y + w * 0.34), (x + w * 0.6, y + w * 0.34)]), metal, 0.9)
    return chest
