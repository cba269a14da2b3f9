"""Arms and legs with what covers them."""

from __future__ import annotations

import math
from collections.abc import Callable

import skia

from tools.layout.drawlist import Color, Stroke
from tools.layout.light import with_alpha
from tools.layout.rig.beasts import draw_scales
from tools.layout.rig.casting import Design
from tools.layout.rig.foot import draw_foot
from tools.layout.rig.hand import draw_hand
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.schema import Outfit
from tools.layout.rig.shapes import Bent, bent, ellipse, swelling, through
from tools.layout.rig.skeleton import Bones, Limb

__all__ = ["draw_arm", "draw_leg", "garment_tube"]

Point = tuple[float, float]


def _xy(p: tuple[float, float, float]) -> Point:
    return (p[0], p[1])


def _radius(r: tuple[float, float, float, float], t: float, muscle: float) -> float:
    """Half width along a limb: root, above the joint, below it, end, with a soft belly in each half."""
    if t <= 1.0:
        k = r[0] + (r[1] - r[0]) * t
        return k * (1.0 + muscle * math.sin(math.pi * t))
    f = t - 1.0
    k = r[2] + (r[3] - r[2]) * f
    return k * (1.0 + muscle * 1.6 * math.sin(math.pi * min(1.0, f * 1.35)) * (1 - f))


def draw_arm(brush: Brush, d: Design, bones: Bones, side: str, hand: str, wrist: float, torso: skia.Path) -> None:
    """An arm from the shoulder to the finger tips: skin, hand, sleeve."""
    limb = bones.arms[side]
    b = d.body
    skin = d.palette.skin
    a, m, e = _xy(limb.root), _xy(limb.mid), _xy(limb.end)

    def radius(t: float) -> float:
        return _radius(b.arm, t, 0.05)

    robot = d.kind == "robot"
    sleeve = d.top
    covered = sleeve.sleeve if sleeve else 0.0
    if robot:
        _robot_arm(brush, d, a, m, e, radius)
    else:
        _joint(brush, a, m, e, radius(1.0), skin)
        arm = bent(a, m, e, radius)
        if covered < 1.7:
            brush.form(arm.path, skin, ink=0.0, rim=0.9, along=_both(arm))
            if d.kind == "sea_monster":
                draw_scales(brush, d, arm.path)
            _sides(brush, arm, skin, torso, 0.4)
            _elbow(brush, arm, limb, skin)
    size = b.hand * (1.0 if d.look.build != "sturdy" else 1.06)
    along = _hand_direction(limb, wrist, bones, side)
    colour = _glove(d)
    draw_hand(brush.nearer(0.004), e, along, hand, size, colour, _thumb_side(limb, bones), d.species.fingers)
    if sleeve and covered > 0.05:
        tube = bent(
            a,
            m,
            e,
            lambda t: radius(min(2.0, t)) * _sleeve_width(sleeve, t) + 1.2,
            stop=min(1.92, covered),
            round_end=False,
        )
        garment_tube(brush, tube, d.palette.top, sleeve, torso, d.palette.trim)


def _joint(brush: Brush, a: Point, m: Point, e: Point, r: float, colour: Color) -> None:
    """A limb folded sharply keeps the flesh of its joint."""
    ux, uy, vx, vy = m[0] - a[0], m[1] - a[1], e[0] - m[0], e[1] - m[1]
    if ux * vx + uy * vy < 0.2 * math.hypot(ux, uy) * math.hypot(vx, vy):
        line = brush.line_colour(colour)
        brush.put(ellipse(m[0], m[1], r * 0.92, r * 0.92), line, Stroke(line, brush.ink * 2), outline=True)


def _sleeve_width(outfit: Outfit, t: float) -> float:
    """Sleeves hug the shoulder and widen to the hem."""
    f = min(1.0, t / max(0.4, outfit.sleeve))
    return 1.06 + (outfit.sleeve_width - 1.06) * f


def _glove(d: Design) -> Color:
    if d.kind == "robot":
        return darker(d.palette.skin, 0.12)
    return d.palette.skin


def _hand_direction(limb: Limb, wrist: float, bones: Bones, side: str) -> Point:
    dx, dy = limb.end[0] - limb.mid[0], limb.end[1] - limb.mid[1]
    length = math.hypot(dx, dy)
    if length < 6.0:
        dx, dy = limb.tip[0] + 1e-3, limb.tip[1] + 0.25
        length = math.hypot(dx, dy)
    # The wrist bends outward (+), which is another way round for the other arm and from behind.
    sign = (1.0 if side == "left" else -1.0) * (-1.0 if bones.back else 1.0)
    a = math.radians(-wrist * sign)
    dx, dy = dx / length, dy / length
    return (dx * math.cos(a) - dy * math.sin(a), dx * math.sin(a) + dy * math.cos(a))


def _thumb_side(limb: Limb, bones: Bones) -> Point:
    """Thumbs lie to the front of the body in a side view, to its middle in the front view, upwards when in doubt."""
    s = math.sin(bones.yaw)
    toward = bones.chest[0] - limb.end[0]
    x = s * 1.1 + max(-1.0, min(1.0, toward / 30.0)) * abs(math.cos(bones.yaw))
    return (x, -0.55)


def _elbow(brush: Brush, arm: Bent, limb: Limb, skin: Color) -> None:
    n1 = (limb.mid[0] - limb.root[0], limb.mid[1] - limb.root[1])
    n2 = (limb.end[0] - limb.mid[0], limb.end[1] - limb.mid[1])
    cross = n1[0] * n2[1] - n1[1] * n2[0]
    length = math.hypot(*n1) * math.hypot(*n2)
    if length < 1 or abs(cross) / length < 0.3:
        return
    # The crease on the inner side of the bend.
    side = 1.0 if cross > 0 else -1.0
    x, y = limb.mid[0], limb.mid[1]
    ux, uy = n1[0] / math.hypot(*n1), n1[1] / math.hypot(*n1)
    vx, vy = n2[0] / math.hypot(*n2), n2[1] / math.hypot(*n2)
    bx, by = vx - ux, vy - uy
    k = math.hypot(bx, by) or 1.0
    r = arm.line[len(arm.line) // 2][2]
    start = (x + bx / k * r * 0.72, y + by / k * r * 0.72)
    brush.line(through([start, (x + bx / k * r * 0.2 - uy * side * 0.6, y + by / k * r * 0.2)]), skin, 0.8, alpha=0.55)


def _sides(brush: Brush, tube: Bent, colour: Color, torso: skia.Path, reach: float) -> None:
    """Ink along both sides and round the tip, but not where the root lies on the body."""
    whole, grown = skia.Path(), skia.Path()
    for points in tube.sides:
        skip = 0
        limit = max(1, int(len(points) * reach))
        while skip < limit and torso.contains(*points[skip]):
            skip += 1
        kept = points[max(0, skip - 1) :] if skip else points
        if len(kept) < 2:
            continue
        if skip:
            # Where it leaves the body the line begins as a hair: a fold, not a cut.
            grown.addPath(swelling(kept, brush.ink * 1.2))
        else:
            whole.addPath(through(kept))
    if not whole.isEmpty():
        brush.put(whole, None, _stroke(brush, colour), outline=True)
    if not grown.isEmpty():
        brush.put(grown, brush.line_colour(colour), outline=True)


def _both(tube: Bent) -> skia.Path:
    """Both long sides, from where they leave the root."""
    path = skia.Path()
    for points in tube.sides:
        path.addPath(through(points[1:] if len(points) > 2 else points))
    return path


def _stroke(brush: Brush, colour: Color) -> Stroke:
    return Stroke(brush.line_colour(colour), brush.ink * 1.2)


def garment_tube(brush: Brush, tube: Bent, colour: Color, outfit: Outfit, torso: skia.Path, trim: Color) -> None:
    """A sleeve or a trouser leg: cloth, ink, hem, folds where it bends."""
    brush.form(tube.path, colour, ink=0.0, rim=0.9, along=_both(tube))
    _sides(brush, tube, colour, torso, 0.45)
    a, mid, c = tube.hem
    brush.put(through([a, mid, c]), None, _stroke(brush, colour), outline=True)
    line = tube.line
    (x1, y1, _), (x2, y2, r) = line[-2], line[-1]
    length = math.hypot(x2 - x1, y2 - y1) or 1.0
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    off = 3.2
    hem = through(
        [(a[0] - ux * off, a[1] - uy * off), (mid[0] - ux * off, mid[1] - uy * off), (c[0] - ux * off, c[1] - uy * off)]
    )
    if outfit.stripes:
        rings = skia.Path()
        n = max(2, round(outfit.stripes * 0.45))
        for i in range(n):
            px, py, pr = line[min(len(line) - 1, 1 + i * (len(line) - 1) // n)]
            rings.addPath(
                through(
                    [
                        (px - uy * pr * 1.2, py + ux * pr * 1.2),
                        (px + ux * pr * 0.28, py + uy * pr * 0.28),
                        (px + uy * pr * 1.2, py - ux * pr * 1.2),
                    ]
                )
            )
        brush.stroke(rings, trim, 4.0, clip=tube.path)
    if outfit.cuff or outfit.trim or outfit.stripes:
        shade = lighter(trim, 0.0) if outfit.trim or outfit.stripes else darker(colour, 0.14)
        brush.stroke(hem, shade, 2.6 if outfit.trim else 3.6, clip=tube.path)
    brush.line(hem, colour, 0.55, alpha=0.5)
    if len(line) > 6:
        x, y, r = line[len(line) // 2]
        for k in (-0.5, 0.5):
            fold = through([(x - r * 0.75, y + k * r * 0.6), (x, y + k * r * 0.25), (x + r * 0.5, y + k * r * 0.3)])
            brush.put(fold, None, _fold(brush, colour), effect=True, clip=tube.path)


def _fold(brush: Brush, colour: Color) -> Stroke:
    return Stroke(with_alpha(brush.shade(darker(colour, 0.3)), 0.55), brush.ink * 1.2)


def draw_leg(brush: Brush, d: Design, bones: Bones, side: str) -> None:
    """A leg from the hip to the toes, without the garment."""
    limb = bones.legs[side]
    b = d.body
    skin = d.palette.skin
    a, m, e = _xy(limb.root), _xy(limb.mid), _xy(limb.end)

    def radius(t: float) -> float:
        return _radius(b.leg, t, 0.04)

    inner = -1.0 if (limb.root[0] > bones.pelvis[0]) else 1.0
    leg = bent(a, m, e, radius)
    if d.kind == "robot":
        _robot_arm(brush, d, a, m, e, radius)
    else:
        _joint(brush, a, m, e, radius(1.0), skin)
        brush.form(leg.path, skin)
        if d.kind == "sea_monster":
            draw_scales(brush, d, leg.path)
        if not (d.bottom and d.bottom.leg > 1.05):
            _knee(brush, d, limb, skin)
    draw_foot(brush.nearer(0.003), d, e, limb.tip, inner, skin)
    if d.kind != "robot" and d.shoes in ("barefoot", "sandals"):
        # The shin runs into the foot: no line between them.
        start = (m[0] + (e[0] - m[0]) * 0.62, m[1] + (e[1] - m[1]) * 0.62)
        half = ((start[0] + e[0]) / 2, (start[1] + e[1]) / 2)
        shin = bent(start, half, e, lambda t: radius(1.62 + 0.19 * t) * 0.97, cap=False)
        brush.put(shin.path, brush.modelled(leg.path, skin), effect=True)
        brush.edges(leg.path, skin, 1.0, *brush.across(leg.path), clip=shin.path)


def _knee(brush: Brush, d: Design, limb: Limb, skin: Color) -> None:
    if limb.tip[2] < -0.3 and d.kind == "human":
        x, y = limb.mid[0], limb.mid[1]
        r = d.body.leg[1]
        brush.line(through([(x - r * 0.5, y), (x, y + r * 0.12), (x + r * 0.5, y)]), skin, 0.7, alpha=0.4)
        return
    r = d.body.leg[1]
    x, y = limb.mid[0] + limb.tip[0] * r * 0.25, limb.mid[1]
    brush.line(
        through([(x - r * 0.45, y + r * 0.28), (x, y + r * 0.5), (x + r * 0.45, y + r * 0.28)]), skin, 0.75, alpha=0.5
    )
    brush.soft(x, y - r * 0.1, r * 0.62, (*brush.bright(skin, 2.0)[:3], 0.32))


def _shell(a: Point, m: Point, e: Point, r: float) -> skia.Path:
    return bent(a, m, e, lambda t: r * (1.06 - 0.05 * abs(t - 1))).path


def _robot_arm(brush: Brush, d: Design, a: Point, m: Point, e: Point, radius: Callable[[float], float]) -> None:
    """Two shells with a dark joint between them."""
    metal = d.palette.skin
    dark = d.palette.mark
    inside = bent(a, m, e, lambda t: radius(t) * 0.62)
    brush.form(inside.path, darker(dark, 0.2))
    for p, q, start, stop in ((a, m, 0.06, 0.82), (m, e, 0.16, 0.96)):
        f = [(p[0] + (q[0] - p[0]) * k, p[1] + (q[1] - p[1]) * k) for k in (start, stop)]
        half = ((f[0][0] + f[1][0]) / 2, (f[0][1] + f[1][1]) / 2)
        brush.form(_shell(f[0], half, f[1], radius(0.4 if p is a else 1.5)), metal)
    r = radius(1.0) * 0.62
    brush.form(ellipse(m[0], m[1], r, r), dark, rim=0.4)
    brush.put(ellipse(m[0], m[1], r * 0.35, r * 0.35), brush.tone(lighter(metal, 0.3)), effect=True)
