"""Eyes, brows, nose, mouth: the features of a head, on a ball that turns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import skia

from tools.layout.drawlist import Color, LinearGradient, RadialGradient, Stroke
from tools.layout.light import mix, with_alpha
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.schema import Face, Mouth
from tools.layout.rig.seed import unit
from tools.layout.rig.shapes import ellipse, smooth, tapered, through, wedge

__all__ = [
    "Ball",
    "FaceState",
    "draw_brows",
    "draw_cheeks",
    "draw_eyes",
    "draw_mouth",
    "draw_nose",
    "draw_tears",
    "mouth_curves",
]

Point = tuple[float, float]
IVORY: Color = (1.0, 0.97, 0.91, 1.0)
THROAT: Color = (0.36, 0.07, 0.1, 1.0)
TONGUE: Color = (0.86, 0.36, 0.36, 1.0)


@dataclass(slots=True)
class Ball:
    """The head as a ball: from places on the face to places in the picture.

    Attributes:
        w, h: half width and half height.
        yaw, nod: radians; to the right of the picture, down.
    """

    w: float
    h: float
    yaw: float
    nod: float

    def at(self, u: float, v: float, out: float = 0.0) -> Point:
        """Place of a feature; u, v in half widths from the middle of a face that looks at us; `out` stands off."""
        a = math.asin(max(-0.98, min(0.98, u))) + self.yaw
        b = math.asin(max(-0.98, min(0.98, v))) + self.nod * 0.62
        return (self.w * (math.sin(a) + out * math.sin(self.yaw)), self.h * (math.sin(b) + out * math.sin(self.nod)))

    def squash(self, u: float) -> float:
        """Width that is left of something flat at u."""
        a = math.asin(max(-0.98, min(0.98, u)))
        return math.cos(a + self.yaw) / math.cos(a)


@dataclass(slots=True)
class FaceState:
    """A face at an instant: the expression with blinking, looking and speaking in it."""

    face: Face
    mouth: Mouth
    blink: float
    look: Point
    brow: float
    t: float


def _cubic(p0: Point, c1: Point, c2: Point, p3: Point, n: int) -> list[Point]:
    out = []
    for i in range(n):
        f = i / (n - 1)
        g = 1 - f
        a, b, c, d = g * g * g, 3 * g * g * f, 3 * g * f * f, f * f * f
        out.append((a * p0[0] + b * c1[0] + c * c2[0] + d * p3[0], a * p0[1] + b * c1[1] + c * c2[1] + d * p3[1]))
    return out


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
        eye.line(through(_cubic(inner, o1, o2, outer, 6)[1:]), skin, 0.6, alpha=0.5)
    white = _white(eye)
    eye.put(
        path,
        LinearGradient(
            (0, -ry), (0, ry * 0.6), ((0.0, mix(white, eye.light.ambient, 0.42)), (0.5, white), (1.0, white))
        ),
        outline=True,
    )
    _iris(eye, d, state, path, rx, ry, side, k)
    lid_line = _cubic(inner, c1, c2, outer, 8)
    flick = (outer[0] + rx * 0.16, outer[1] - ry * 0.1)
    eye.put(tapered([*lid_line, flick], 5.4 * d.body.eye * (0.75 + 0.25 * ball.w / 70), 0.28), _lash_ink(eye, d))
    if d.lashes:
        _lashes(eye, d, lid_line, ry)
    eye.line(through(_cubic(inner, c4, c3, outer, 7)[1:-1]), skin, 0.55, alpha=0.55)
    if lid < 0.3:
        crease = [(px * 0.92 + rx * 0.04, py - ry * 0.24) for px, py in lid_line[2:7]]
        eye.line(through(crease), skin, 0.6, alpha=0.45)
    if d.wrinkles:
        eye.line(through([(-rx * 0.7, ry * 1.15), (0, ry * 1.3), (rx * 0.7, ry * 1.12)]), skin, 0.6, alpha=0.5)
        for dy in (-0.1, 0.2):
            eye.line(through([(rx * 1.2, ry * dy), (rx * 1.5, ry * (dy * 2.2))]), skin, 0.6, alpha=0.5)


def _white(brush: Brush) -> Color:
    """Eyes and teeth keep more of their white than cloth does, or they drown in a coloured light."""
    return mix(brush.tone(IVORY), (1.0, 0.99, 0.97, 1.0), 0.42 * (0.4 + 0.6 * brush.light.strength))


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
    curve = _cubic((-rx, y), (-rx * 0.5, y + bow * 1.3), (rx * 0.5, y + bow * 1.3), (rx * 1.08, y - ry * 0.04), 8)
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
                u = side * (0.3 + 0.36 * unit(d.seed, 40 + i))
                v = 0.36 + 0.17 * unit(d.seed, 60 + i)
                fx, fy = ball.at(u, v)
                r = ball.w * (0.014 + 0.01 * unit(d.seed, 80 + i))
                dots.addOval(skia.Rect.MakeLTRB(fx - r * 1.1, fy - r, fx + r * 1.1, fy + r))
            mark = mix(brush.tone(skin), brush.tone((0.5, 0.2, 0.08, 1.0)), 0.58)
            brush.put(dots, with_alpha(mark, 0.85), effect=True, clip=clip)
    if d.wrinkles:
        for side in (1.0, -1.0):
            fold = [ball.at(0.24 * side, 0.44), ball.at(0.36 * side, 0.58), ball.at(0.37 * side, 0.7)]
            brush.line(through(fold), skin, 0.8, alpha=0.5)


def mouth_curves(m: Mouth, w: float, unit_h: float, t: float) -> tuple[list[Point], list[Point] | None]:
    """Upper and lower lip from the left to the right corner, nine points each; no lower one when it is shut.

    Args:
        m: the mouth.
        w: half its width, in units.
        unit_h: half width of the head, which its height is measured in.
        t: seconds, for lips that tremble.
    """
    lift = m.smile * 0.1 * unit_h
    # One corner climbs, the other stays.
    left_y = -lift - max(0.0, -m.skew) * 0.1 * unit_h
    right_y = -lift - max(0.0, m.skew) * 0.1 * unit_h
    height = m.open * 0.34 * unit_h
    if height < 1.5:
        dip = (m.smile * 0.055 - m.upper * 0.05) * unit_h
        return _cubic((-w, left_y), (-w * 0.42, dip * 1.34), (w * 0.42, dip * 1.34), (w, right_y), 9), None
    r = m.round
    top = m.smile * 0.035 * unit_h - height * (0.16 + 0.34 * r) - m.upper * 0.07 * unit_h
    bottom = top + height + max(0.0, m.smile) * 0.03 * unit_h
    # A round mouth has its corners half way between its lips.
    middle = (top + bottom) / 2
    left_y += (middle - left_y) * r
    right_y += (middle - right_y) * r

    def bow(c: float, apex: float) -> list[Point]:
        first, last = (-w * c, left_y + (apex - left_y) * 1.34), (w * c, right_y + (apex - right_y) * 1.34)
        points = _cubic((-w, left_y), first, last, (w, right_y), 9)
        if m.wobble:
            shake = 0.022 * unit_h * m.wobble
            points = [
                (x, y + math.sin(i * 2.6 + t * 14) * shake * math.sin(math.pi * i / 8))
                for i, (x, y) in enumerate(points)
            ]
        return points

    return bow(0.5 + 0.3 * r, top), bow(0.62 + 0.2 * r, bottom)


def draw_mouth(brush: Brush, d: Design, ball: Ball, state: FaceState) -> None:
    """The mouth: a line when it is shut, else lips, teeth and tongue."""
    m = state.mouth
    lower = 0.66 + d.body.face_y * 0.4 + m.open * 0.03
    out = 0.05
    if d.species.muzzle is not None:
        # On a muzzle the mouth is smaller, lower and stands out.
        out, lower = d.species.muzzle[2], lower + (0.06 if d.kind == "animal" else 0.0)
    x, y = ball.at(0.0, lower, out)
    k = max(0.6, ball.squash(0.0))
    w = ball.w * (0.31 if d.kind != "animal" else 0.24) * m.width * k
    unit_h = ball.w
    mouth = brush.placed(x, y)
    lift = m.smile * 0.1 * unit_h
    # One corner climbs, the other stays.
    left_y = -lift - max(0.0, -m.skew) * 0.1 * unit_h
    right_y = -lift - max(0.0, m.skew) * 0.1 * unit_h
    upper, lower_lip = mouth_curves(m, w, unit_h, state.t)
    if lower_lip is None:
        _shut_mouth(mouth, d, m, w, left_y, right_y, unit_h)
        return
    r = m.round
    left, right = upper[0], upper[-1]
    top, bottom = upper[4][1], lower_lip[4][1]
    path = smooth(upper + lower_lip[::-1][1:-1], frozenset({0, 8}) if r < 0.5 else frozenset())
    throat = mouth.tone(THROAT)
    ink = mouth.line_colour(d.palette.lips)
    if d.feminine or r > 0.5:
        mouth.put(path, None, Stroke(mouth.tone(d.palette.lips), unit_h * (0.05 if r > 0.5 else 0.035)), effect=True)
    mouth.put(
        path,
        LinearGradient((0, top), (0, bottom), ((0.0, darker(throat, 0.45)), (1.0, throat))),
        Stroke(ink, mouth.ink * 1.25),
        outline=True,
    )
    _inside(mouth, d, m, path, upper, lower_lip, w, top, bottom, unit_h)
    if m.smile > 0.3 and r < 0.5:
        for px, py, s in ((left[0], left[1], -1), (right[0], right[1], 1)):
            mouth.line(
                through([(px - s * 1.0, py + 1.4), (px + s * 2.2, py - 1.2), (px + s * 3.4, py - 4.2)]),
                d.palette.skin,
                0.9,
            )
    mouth.line(
        through(
            [(-w * 0.36, bottom + unit_h * 0.075), (0, bottom + unit_h * 0.092), (w * 0.36, bottom + unit_h * 0.075)]
        ),
        d.palette.skin,
        0.8,
        alpha=0.4,
    )


def _inside(
    mouth: Brush,
    d: Design,
    m: Mouth,
    clip: skia.Path,
    upper: list[Point],
    lower: list[Point],
    w: float,
    top: float,
    bottom: float,
    unit_h: float,
) -> None:
    height = bottom - top
    if m.tongue:
        colour = mouth.tone(TONGUE)
        ty = bottom - height * 0.1 * m.tongue if not m.tongue_up else bottom - height * 0.34
        path = ellipse(0, ty, w * 0.62, height * 0.34 * (0.6 + 0.5 * m.tongue))
        mouth.put(
            path,
            LinearGradient(
                (0, ty - height * 0.3),
                (0, ty + height * 0.2),
                ((0.0, lighter(colour, 0.12)), (1.0, darker(colour, 0.25))),
            ),
            effect=True,
            clip=clip,
        )
        mouth.put(
            through([(0, ty - height * 0.2), (0, ty + height * 0.1)]),
            None,
            Stroke(with_alpha(darker(colour, 0.4), 0.5), 1.2),
            effect=True,
            clip=clip,
        )
    ivory = _white(mouth)
    if m.teeth:
        thick = min(height * 0.62, unit_h * 0.1 * (0.5 + 0.5 * m.teeth) + 1.0)
        mouth.put(through(upper), None, Stroke(ivory, thick * 2), effect=True, clip=clip)
        if m.teeth > 0.85 and m.lower_teeth > 0.5:
            for i in (-0.5, -0.17, 0.17, 0.5):
                mouth.put(
                    through([(w * i, top - 2), (w * i, bottom + 2)]),
                    None,
                    Stroke(with_alpha(darker(ivory, 0.5), 0.35), 0.9),
                    effect=True,
                    clip=clip,
                )
    if m.lower_teeth:
        mouth.put(
            through(lower), None, Stroke(darker(ivory, 0.06), unit_h * 0.11 * m.lower_teeth), effect=True, clip=clip
        )
        if m.teeth > 0.6 and m.lower_teeth > 0.5:
            mouth.put(
                through([(-w, (top + bottom) / 2), (w, (top + bottom) / 2)]),
                None,
                Stroke(with_alpha(darker(ivory, 0.7), 0.6), 1.1),
                effect=True,
                clip=clip,
            )
    if d.species.teeth == "front":
        s = unit_h * 0.075
        y = upper[4][1]
        for px in (-s * 0.95, 0.08):
            mouth.put(
                skia.Path.RRect(skia.Rect.MakeXYWH(px, y - 1, s * 0.9, s * 1.7), 1.6, 1.6),
                ivory,
                Stroke(mouth.line_colour(IVORY), mouth.ink * 0.5),
                effect=True,
            )
    elif d.species.teeth == "fangs":
        for i in (2, 6):
            x, y = upper[i]
            s = unit_h * 0.045
            mouth.put(
                smooth([(x - s, y), (x, y + s * 2.4), (x + s, y)], frozenset({0, 1, 2})), ivory, effect=True, clip=clip
            )


def _shut_mouth(mouth: Brush, d: Design, m: Mouth, w: float, left_y: float, right_y: float, unit_h: float) -> None:
    dip = m.smile * 0.055 * unit_h - m.upper * 0.05 * unit_h
    w *= 0.92
    points = _cubic((-w, left_y), (-w * 0.42, dip * 1.34), (w * 0.42, dip * 1.34), (w, right_y), 9)
    if m.wobble:
        points = [(x, y + math.sin(i * 2.6) * 0.02 * unit_h * m.wobble) for i, (x, y) in enumerate(points)]
    ink = mouth.line_colour(d.palette.lips)
    mouth.put(tapered(points, unit_h * 0.05, 0.4), ink, outline=True)
    if m.round > 0.6:
        mouth.put(ellipse(0, dip, w, unit_h * 0.05), mouth.tone(d.palette.lips), Stroke(ink, mouth.ink), outline=True)
    for (x, y), s in ((points[0], -1), (points[-1], 1)):
        if m.smile > 0.4 or m.skew * s > 0.3:
            mouth.line(
                through([(x - s * 0.5, y + 2.6), (x + s * 2.4, y - 0.2), (x + s * 2.6, y - 3.4)]),
                d.palette.skin,
                0.8,
                alpha=0.7,
            )
    low = max(p[1] for p in points)
    mouth.line(
        through([(-w * 0.3, low + unit_h * 0.085), (0, low + unit_h * 0.1), (w * 0.3, low + unit_h * 0.085)]),
        d.palette.skin,
        0.8,
        alpha=0.38,
    )
    if d.feminine:
        mouth.soft(0, low + unit_h * 0.035, w * 0.55, with_alpha(mouth.tone(d.palette.lips), 0.5), squash=0.4)


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
