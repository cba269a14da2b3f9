"""What is worn besides clothes and hats: on the face, round the neck, on the back."""

from __future__ import annotations

import math

import skia

from tools.layout.drawlist import Color, Stroke
from tools.layout.light import mix, with_alpha
from tools.layout.rig.ball import Ball
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.shapes import ellipse, smooth, through
from tools.layout.rig.trunk import Trunk

__all__ = ["draw_apron", "draw_backpack", "draw_beard", "draw_glasses", "draw_moustache", "draw_scarf", "draw_straps"]

Point = tuple[float, float]


GOLD: Color = (0.93, 0.72, 0.25, 1.0)


def draw_glasses(brush: Brush, d: Design, ball: Ball) -> None:
    """Round glasses with a glint."""
    frame = d.palette.extra if d.look.age in ("child", "teen") else (0.25, 0.2, 0.2, 1.0)
    ink = mix(brush.tone(frame), brush.line_colour(frame), 0.4)
    dv = d.body.face_y
    lenses: list[Point] = []
    for side in (-1.0, 1.0):
        x, y = ball.at(0.375 * side, 0.12 + dv, 0.03)
        k = max(0.55, ball.squash(0.375 * side))
        rx, ry = 0.34 * ball.w * d.body.eye * k, 0.33 * ball.w * d.body.eye
        lens = ellipse(x, y, rx, ry)
        brush.put(lens, (0.85, 0.95, 1.0, 0.14), effect=True)
        glint = skia.Path()
        glint.moveTo(x - rx * 0.5, y + ry * 0.2)
        glint.lineTo(x + rx * 0.1, y - ry * 0.7)
        brush.put(glint, None, Stroke((1, 1, 1, 0.32), rx * 0.24), effect=True, clip=lens)
        brush.put(lens, None, Stroke(ink, max(2.4, ball.w * 0.045)), outline=True)
        lenses += [(x - rx, y), (x + rx, y)]
    mx, my = ball.at(0, 0.1 + dv, 0.1)
    brush.put(through([lenses[1], (mx, my - 2), lenses[2]]), None, Stroke(ink, ball.w * 0.045), outline=True)
    for end, side in ((lenses[0], -1.0), (lenses[3], 1.0)):
        turn = ball.yaw * 1.5
        ear = side * math.cos(turn) * 0.99 - 0.16 * math.sin(turn)
        if side * ball.yaw < 0.15:
            brush.put(through([end, (ear * ball.w, 0.02 * ball.h)]), None, Stroke(ink, ball.w * 0.04), effect=True)


def draw_moustache(brush: Brush, d: Design, ball: Ball) -> None:
    """A moustache of two wings."""
    colour = darker(d.palette.hair, 0.06)
    x, y = ball.at(0, 0.52, 0.08)
    w = ball.w
    k = ball.squash(0)
    path = smooth(
        [
            (x, y - w * 0.05),
            (x + w * 0.2 * k, y - w * 0.1),
            (x + w * 0.44 * k, y + w * 0.06),
            (x + w * 0.2 * k, y + w * 0.08),
            (x, y + w * 0.03),
            (x - w * 0.2 * k, y + w * 0.08),
            (x - w * 0.44 * k, y + w * 0.06),
            (x - w * 0.2 * k, y - w * 0.1),
        ],
        frozenset({2, 6}),
    )
    brush.form(path, colour, rim=0.5)
    brush.line(through([(x - w * 0.3 * k, y + w * 0.03), (x - w * 0.1, y - w * 0.02)]), colour, 0.7, alpha=0.6)
    brush.line(through([(x + w * 0.3 * k, y + w * 0.03), (x + w * 0.1, y - w * 0.02)]), colour, 0.7, alpha=0.6)


def draw_beard(brush: Brush, d: Design, ball: Ball, mouth_open: float) -> None:
    """A full beard along the jaw, with room for the mouth."""
    colour = d.palette.hair
    w, h = ball.w, ball.h
    q = ball.yaw / 0.4
    s = q * 0.12 * w
    low = h * (1.22 + 0.08 * mouth_open)
    gap = ball.at(0, 0.66, 0.05)
    outer: list[Point] = [
        (-w * (0.99 - 0.1 * max(0.0, q)), -h * 0.02),
        (-w * 0.97 + s * 0.5, h * 0.42),
        (-w * 0.72 + s, h * 0.86),
        (-w * 0.4 + s, h * 1.1),
        (s * 1.2, low),
        (w * 0.4 + s, h * 1.1),
        (w * 0.72 + s, h * 0.86),
        (w * 0.97 + s * 0.5, h * 0.42),
        (w * (0.99 + 0.1 * min(0.0, q)), -h * 0.02),
    ]
    ux = gap[0]
    inner: list[Point] = [
        (w * 0.86 + s * 0.4, h * 0.1),
        (w * 0.7 + s * 0.7, h * 0.5),
        (ux + w * 0.4, gap[1] - w * 0.02),
        (ux + w * 0.3, gap[1] + w * (0.2 + 0.2 * mouth_open)),
        (ux, gap[1] + w * (0.22 + 0.26 * mouth_open)),
        (ux - w * 0.3, gap[1] + w * (0.2 + 0.2 * mouth_open)),
        (ux - w * 0.4, gap[1] - w * 0.02),
        (-w * 0.7 + s * 0.7, h * 0.5),
        (-w * 0.86 + s * 0.4, h * 0.1),
    ]
    path = smooth([*outer, *inner], frozenset({0, 8}))
    brush.form(path, colour, rim=0.6)
    lines = skia.Path()
    for f in (-0.62, -0.34, -0.08, 0.2, 0.48):
        x = f * w + s
        y = h * (1.12 - abs(f) * 0.4)
        lines.addPath(through([(x * 1.02, y - h * 0.2), (x * 0.98 + 2, y - h * 0.08), (x * 0.92, y)]))
    brush.put(lines, None, Stroke(with_alpha(brush.line_colour(colour), 0.5), brush.ink * 0.9), effect=True, clip=path)


def draw_scarf(brush: Brush, d: Design, trunk: Trunk) -> None:
    """A scarf with one end that hangs and sways."""
    colour = d.palette.extra
    n = trunk.bones.chest
    r = d.body.neck[0] * 1.75
    nx, ny = trunk.normal(1.0)
    sway = trunk.swing * 3
    sign = -1.0 if math.sin(trunk.bones.yaw) > 0.2 else 1.0
    ex = n[0] + nx * r * 0.55 * sign
    ey = n[1] + 4
    tail = smooth(
        [
            (ex - 8, ey),
            (ex + 8, ey - 1),
            (ex + 12 + sway, ey + 34),
            (ex + 11 + sway * 1.5, ey + 56),
            (ex - 7 + sway * 1.5, ey + 57),
            (ex - 7 + sway, ey + 30),
        ],
        frozenset({3, 4}),
    )
    brush.form(tail, darker(colour, 0.06))
    for y in (38, 46):
        brush.stroke(
            through([(ex - 14 + sway, ey + y), (ex + 20 + sway, ey + y)]), lighter(colour, 0.5), 3.2, clip=tail
        )
    up = -11.0
    ring = smooth(
        [
            (n[0] - r * 1.12 - ny * up, n[1] + up * 0.55),
            (n[0], n[1] + up * 0.2),
            (n[0] + r * 1.12, n[1] + up * 0.55),
            (n[0] + r * 1.2, n[1] + 6),
            (n[0], n[1] + 15),
            (n[0] - r * 1.2, n[1] + 6),
        ]
    )
    brush.form(ring, colour)
    brush.line(
        through([(n[0] - r * 0.9, n[1] + 1), (n[0], n[1] + 7), (n[0] + r * 0.8, n[1] + 2)]), colour, 0.9, alpha=0.6
    )


def draw_backpack(brush: Brush, d: Design, trunk: Trunk) -> None:
    """The pack itself, on the back."""
    colour = d.palette.extra
    bones = trunk.bones
    back = -math.sin(bones.yaw) * trunk.half(0.5) * 0.75
    cx, cy = trunk.centre(0.55)
    cx += back
    w = max(30.0, d.body.chest[0] * (0.72 + 0.2 * abs(math.cos(bones.yaw))))
    h = d.body.torso * 0.44
    pack = smooth(
        [
            (cx - w, cy - h * 0.7),
            (cx - w * 0.6, cy - h * 1.1),
            (cx + w * 0.6, cy - h * 1.1),
            (cx + w, cy - h * 0.7),
            (cx + w * 1.04, cy + h * 0.8),
            (cx + w * 0.7, cy + h),
            (cx - w * 0.7, cy + h),
            (cx - w * 1.04, cy + h * 0.8),
        ]
    )
    brush.form(pack, colour)
    if bones.back:
        pocket = smooth(
            [
                (cx - w * 0.66, cy + h * 0.05),
                (cx + w * 0.66, cy + h * 0.05),
                (cx + w * 0.66, cy + h * 0.74),
                (cx - w * 0.66, cy + h * 0.74),
            ]
        )
        brush.form(pocket, lighter(colour, 0.1), rim=0.4)
        brush.line(
            through([(cx - w * 0.9, cy - h * 0.35), (cx, cy - h * 0.2), (cx + w * 0.9, cy - h * 0.35)]), colour, 1.0
        )
        brush.flat(ellipse(cx, cy + h * 0.2, 2.6, 2.6), GOLD, ink=0.6)


def draw_straps(brush: Brush, d: Design, trunk: Trunk) -> None:
    """Its straps over the chest."""
    colour = darker(d.palette.extra, 0.12)
    for side in (-1.0, 1.0):
        top = trunk.shoulder(side)
        c = trunk.bones.chest
        a = (top[0] + (c[0] - top[0]) * 0.42, top[1] + 1)
        b = trunk.edge(0.72, side, 0.62)
        e = trunk.edge(0.42, side, 0.98)
        path = through([a, b, e])
        brush.put(path, None, Stroke(brush.line_colour(colour), 8.0 + brush.ink * 1.6), effect=True)
        brush.stroke(path, colour, 8.0)


def draw_apron(brush: Brush, d: Design, trunk: Trunk) -> None:
    """An apron with a bib and a pocket; from behind, its bow."""
    colour = lighter(d.palette.extra, 0.35)
    if trunk.bones.back:
        x, y = trunk.centre(0.34)
        brush.stroke(through([trunk.edge(0.36, -1, 1.06), (x, y), trunk.edge(0.36, 1, 1.06)]), colour, 6.0)
        for side in (-1.0, 1.0):
            brush.form(
                smooth([(x, y), (x + side * 13, y - 9), (x + side * 20, y), (x + side * 12, y + 7)]), colour, rim=0.4
            )
            brush.form(
                smooth([(x, y), (x + side * 5, y + 14), (x + side * 12, y + 26), (x + side * 4, y + 27)]),
                colour,
                rim=0.4,
            )
        return
    turn = math.sin(trunk.bones.yaw) * 8
    low = max(-0.36, -max(0.05, (-trunk.bones.pelvis[1] - 2.0) / d.body.torso)) if not trunk.bones.roll else -0.2
    left, right = trunk.edge(0.36, -1, 1.06), trunk.edge(0.36, 1, 1.06)
    bib_l, bib_r = trunk.edge(0.8, -1, 0.5), trunk.edge(0.8, 1, 0.5)
    hem_l, hem_r = trunk.edge(low, -1, 1.0), trunk.edge(low, 1, 1.0)
    hx, hy = trunk.centre(low)
    points = [
        (bib_l[0] + turn, bib_l[1]),
        (bib_r[0] + turn, bib_r[1]),
        right,
        trunk.edge(0.0, 1, 1.06),
        hem_r,
        (hx + trunk.swing * 2, hy + 7),
        hem_l,
        trunk.edge(0.0, -1, 1.06),
        left,
    ]
    for side, p in ((-1.0, points[0]), (1.0, points[1])):
        c = trunk.bones.chest
        brush.stroke(through([p, (c[0] + side * 13, c[1] - 6)]), darker(colour, 0.1), 4.4)
    path = smooth(points, frozenset({0, 1, 2, 8}), 0.8)
    brush.form(path, colour)
    px, py = trunk.centre(0.06)
    w = trunk.half(0.0) * 0.44
    pocket = smooth(
        [
            (px - w + turn, py - 9),
            (px + w + turn, py - 9),
            (px + w + turn, py + 8),
            (px + turn, py + 12),
            (px - w + turn, py + 8),
        ],
        frozenset({0, 1}),
    )
    brush.form(pocket, lighter(colour, 0.1), rim=0.0)
