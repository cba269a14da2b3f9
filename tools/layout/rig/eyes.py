"""Eyes and brows."""

from __future__ import annotations

import math

import skia

from tools.layout.drawlist import Color, LinearGradient
from tools.layout.light import mix, with_alpha
from tools.layout.rig.ball import Ball, FaceState, cubic, true_white
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.shapes import ellipse, smooth, tapered, through, wedge

__all__ = ["draw_brows", "draw_eyes"]

Point = tuple[float, float]


def draw_eyes(brush: Brush, d: Design, ball: Ball, state: FaceState) -> None:
    """Both eyes; the one that is turned away first."""
    order = (1.0, -1.0) if ball.yaw > 0 else (-1.0, 1.0)
    for side in order:
        _eye(brush, d, ball, state, side)


def _eye(brush: Brush, d: Design, ball: Ball, state: FaceState, side: float) -> None:
    face = state.face
    # `side` is in the picture; the own left is to the right of the picture.
    index = 0 if side > 0 else 1
    u = 0.375 * side
    x, y = ball.at(u, 0.1 + d.body.face_y)
    k = max(0.5, min(1.1, ball.squash(u)))
    size = d.body.eye * face.eye * ball.w
    rx, ry = 0.25 * size * (1.0 + (k - 1.0) * 0.8), 0.3 * size
    eye = brush.placed(x, y, 0.0, side, 1.0)
    eye.light_dir = brush.light_dir
    lid = face.lid[index]
    lid = lid + (1.02 - lid) * state.blink
    slant = face.lid_slant * (1.0 - state.blink) * ry * 0.36
    inner, outer = (-rx * 0.98, ry * 0.16 + slant * 0.45), (rx, ry * 0.02 - slant * 0.35)
    line_y = ry * 0.42
    top = -ry + (line_y + ry) * max(-0.16, lid)
    bottom = ry * 0.96 - (ry * 0.96 - line_y) * max(face.lower, 0.8 * max(0.0, state.blink - 0.3))
    skin = d.palette.skin
    if lid > 0.9:
        _shut_eye(eye, d, rx, ry, line_y, face.lower)
        return
    c1 = (-rx * 0.7, inner[1] + (top + slant - inner[1]) * 1.36)
    c2 = (rx * 0.72, outer[1] + (top - slant - outer[1]) * 1.36)
    c3 = (rx * 0.72, outer[1] + (bottom - outer[1]) * 1.34)
    c4 = (-rx * 0.66, inner[1] + (bottom - inner[1]) * 1.34)
    path = _eye_path(inner, outer, c1, c2, c3, c4)
    if lid > 0.16:
        # The lid itself, where the open eye would be.
        open_top = -ry * 1.02
        o1 = (-rx * 0.74, inner[1] + (open_top - inner[1]) * 1.36)
        o2 = (rx * 0.76, outer[1] + (open_top - outer[1]) * 1.36)
        socket = _eye_path(inner, outer, o1, o2, c3, c4)
        eye.put(socket, eye.shade(skin, 0.5), effect=True)
        eye.line(through(cubic(inner, o1, o2, outer, 6)[1:]), skin, 0.6, alpha=0.5)
    white = true_white(eye)
    eye.put(
        path,
        LinearGradient(
            (0, -ry), (0, ry * 0.6), ((0.0, mix(white, eye.light.ambient, 0.27)), (0.5, white), (1.0, white))
        ),
        outline=True,
    )
    _iris(eye, d, state, path, rx, ry, side, k)
    lid_line = cubic(inner, c1, c2, outer, 8)
    flick = (outer[0] + rx * 0.16, outer[1] - ry * 0.1)
    eye.put(tapered([*lid_line, flick], 5.4 * d.body.eye * (0.75 + 0.25 * ball.w / 70), 0.28), _lash_ink(eye, d))
    if d.lashes:
        _lashes(eye, d, lid_line, ry)
    eye.line(through(cubic(inner, c4, c3, outer, 7)[1:-1]), skin, 0.55, alpha=0.55)
    if lid < 0.3:
        crease = [(px * 0.92 + rx * 0.04, py - ry * 0.24) for px, py in lid_line[2:7]]
        eye.line(through(crease), skin, 0.6, alpha=0.45)
    if d.wrinkles:
        eye.line(through([(-rx * 0.7, ry * 1.15), (0, ry * 1.3), (rx * 0.7, ry * 1.12)]), skin, 0.6, alpha=0.5)
        for dy in (-0.1, 0.2):
            eye.line(through([(rx * 1.2, ry * dy), (rx * 1.5, ry * (dy * 2.2))]), skin, 0.6, alpha=0.5)


def _eye_path(inner: Point, outer: Point, c1: Point, c2: Point, c3: Point, c4: Point) -> skia.Path:
    path = skia.Path()
    path.moveTo(*inner)
    path.cubicTo(*c1, *c2, *outer)
    path.cubicTo(*c3, *c4, *inner)
    path.close()
    return path


def _lash_ink(eye: Brush, d: Design) -> Color:
    return mix(eye.tone((0.13, 0.07, 0.07, 1.0)), eye.line_colour(d.palette.skin), 0.2)


def _lashes(eye: Brush, d: Design, lid: list[Point], ry: float) -> None:
    path = skia.Path()
    for i, length, angle in ((5, 0.26, -62), (6, 0.34, -42), (7, 0.36, -18)):
        x, y = lid[i]
        a = math.radians(angle)
        tip = (x + math.cos(a) * ry * length, y + math.sin(a) * ry * length)
        path.addPath(wedge((x - ry * 0.03, y + ry * 0.04), tip, ry * 0.15, -0.12))
    eye.put(path, _lash_ink(eye, d))


def _shut_eye(eye: Brush, d: Design, rx: float, ry: float, y: float, smile: float) -> None:
    """Shut: a lid with a thick line; a smile that reaches the eyes bows it upward."""
    bow = ry * (0.2 - smile * 0.9)
    curve = cubic((-rx, y), (-rx * 0.5, y + bow * 1.3), (rx * 0.5, y + bow * 1.3), (rx * 1.08, y - ry * 0.04), 8)
    lid = smooth([(-rx, y), (-rx * 0.6, -ry * 0.5), (0, -ry * 0.82), (rx * 0.7, -ry * 0.5), (rx, y), (0, y + bow)])
    eye.put(lid, with_alpha(eye.shade(d.palette.skin, 0.5), 0.7), effect=True)
    eye.put(tapered(curve, 5.0 * d.body.eye, 0.3), _lash_ink(eye, d))
    if d.lashes:
        path = skia.Path()
        for i, angle in ((5, 58), (6, 38), (7, 16)):
            x, py = curve[i]
            a = math.radians(angle)
            path.addPath(wedge((x, py), (x + math.cos(a) * ry * 0.3, py + math.sin(a) * ry * 0.3), ry * 0.13, 0.1))
        eye.put(path, _lash_ink(eye, d))


def _iris(
    eye: Brush, d: Design, state: FaceState, clip: skia.Path, rx: float, ry: float, side: float, k: float
) -> None:
    face = state.face
    r = ry * 0.72 * face.iris
    squash = 0.88 + 0.12 * min(1.0, k)
    x = state.look[0] * side * rx * 0.42
    y = state.look[1] * ry * 0.3 + ry * 0.04
    colour = eye.tone(d.palette.iris)
    deep = darker(colour, 0.62)
    eye.put(ellipse(x, y, r * squash, r), deep, effect=True, clip=clip)
    eye.put(
        ellipse(x, y, r * 0.87 * squash, r * 0.87),
        LinearGradient(
            (x, y - r), (x, y + r), ((0.0, darker(colour, 0.5)), (0.55, colour), (1.0, lighter(colour, 0.45)))
        ),
        effect=True,
        clip=clip,
    )
    glow = smooth([(x - r * 0.6, y + r * 0.3), (x, y + r * 0.52), (x + r * 0.6, y + r * 0.3), (x, y + r * 0.86)])
    eye.put(glow, with_alpha(lighter(colour, 0.6), 0.5), effect=True, clip=clip)
    p = r * 0.46 * face.pupil
    eye.put(ellipse(x, y, p * squash, p), eye.tone((0.06, 0.03, 0.05, 1.0)), effect=True, clip=clip)
    eye.fade(ellipse(0, -ry * 0.62, rx * 1.3, ry * 0.75), (0.12, 0.05, 0.12, 0.42), (0, -ry * 0.9), (0, 0), clip=clip)
    # Highlights stand on the side of the light, in both eyes alike, whatever the mirror does.
    lx = (1.0 if eye.light_dir[0] >= 0 else -1.0) * side
    shine = 0.94 if d.kind != "robot" else 0.8
    white: Color = (1.0, 1.0, 1.0, shine)
    eye.put(ellipse(x + lx * r * 0.36, y - r * 0.36, r * 0.29, r * 0.31), white, effect=True, clip=clip)
    eye.put(
        ellipse(x - lx * r * 0.36, y + r * 0.42, r * 0.14, r * 0.14), with_alpha(white, 0.8), effect=True, clip=clip
    )
    if face.sparkle > 0.3:
        shimmer = math.sin(state.t * 7.0) * 0.02
        eye.put(
            ellipse(x + lx * r * (0.08 + shimmer), y + r * 0.62, r * 0.2 * face.sparkle, r * 0.1 * face.sparkle),
            with_alpha(white, 0.75),
            effect=True,
            clip=clip,
        )


def draw_brows(brush: Brush, d: Design, ball: Ball, state: FaceState) -> None:
    """Both brows: tapered strokes in a darker colour of the hair."""
    face = state.face
    colour = (
        darker(d.palette.hair, 0.28) if d.hair_style != "bald" or d.kind != "human" else darker(d.palette.hair, 0.1)
    )
    ink = mix(brush.tone(colour), brush.line_colour(colour), 0.35)
    thick = 7.4 if not d.feminine else 5.6
    thick *= 1.15 if d.wrinkles else 1.0
    for side, index in ((1.0, 0), (-1.0, 1)):
        lift = state.brow * 0.1
        inner = -0.3 - face.brow_in[index] * 0.13 - lift
        outer = -0.27 - face.brow_out[index] * 0.12 - lift
        close = face.brow_close * 0.06
        arch = face.brow_arch * 0.1 + 0.02
        dv = d.body.face_y
        points = []
        for f in (0.0, 0.25, 0.5, 0.75, 1.0):
            u = 0.18 - close + (0.42 + close) * f
            v = inner + (outer - inner) * f - arch * math.sin(math.pi * (0.2 + 0.7 * f)) + 0.03
            points.append(ball.at(u * side, max(-0.8, v + dv)))
        brush.put(_brow(points, thick * ball.w / 70), ink)
    if face.frown > 0.2:
        for u in (-0.05, 0.05):
            a, b = ball.at(u, -0.32), ball.at(u * 1.5, -0.2)
            brush.line(through([a, b]), d.palette.skin, 0.8 * face.frown, alpha=0.6 * face.frown)
    if d.wrinkles:
        for v in (-0.62, -0.5):
            brush.line(
                through([ball.at(-0.34, v), ball.at(0, v - 0.03), ball.at(0.34, v)]), d.palette.skin, 0.6, alpha=0.4
            )


def _brow(points: list[Point], thick: float) -> skia.Path:
    """Thick near the nose, running out to a point."""
    widths = (0.62, 1.0, 0.95, 0.66, 0.16)
    left, right = [], []
    for i, (x, y) in enumerate(points):
        ax, ay = points[max(0, i - 1)]
        bx, by = points[min(4, i + 1)]
        length = math.hypot(bx - ax, by - ay) or 1e-6
        nx, ny = -(by - ay) / length, (bx - ax) / length
        w = thick / 2 * widths[i]
        left.append((x + nx * w, y + ny * w))
        right.append((x - nx * w, y - ny * w))
    return smooth(left + right[::-1])
