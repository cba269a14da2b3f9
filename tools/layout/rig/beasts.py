"""Heads of animals and sea beings: muzzles, ears, fur, whiskers, fins, scales."""

from __future__ import annotations

import math

import skia

from tools.layout.drawlist import Color, Stroke
from tools.layout.light import with_alpha
from tools.layout.rig.ball import Ball, FaceState
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.seed import unit
from tools.layout.rig.shapes import ellipse, smooth, tapered, through, wedge

__all__ = ["draw_crest", "draw_ears", "draw_gills", "draw_mask", "draw_muzzle", "draw_scales", "draw_tufts"]

Point = tuple[float, float]


def draw_ears(brush: Brush, d: Design, ball: Ball, back: bool, swing: float, in_front: bool) -> None:
    """Both ears; floppy ones lie over the head, the others grow behind it."""
    ears = d.species.ears
    if ears is None or (ears.kind == "floppy") != in_front:
        return
    w = ball.w
    for side in (-1.0, 1.0):
        u, v = ears.at
        shift = math.sin(ball.yaw) * 0.3 * (1 if not back else 0)
        x, y = (u * side * math.cos(ball.yaw) + shift * 0.5) * w, v * ball.h
        ear = brush.placed(x, y, side * ears.angle + swing * (3 if ears.kind != "floppy" else 6) * side)
        sx, sy = ears.size[0] * w, ears.size[1] * w
        _ear(ear, d, ears.kind, sx, sy, side, back)


def _ear(ear: Brush, d: Design, kind: str, sx: float, sy: float, side: float, back: bool) -> None:
    skin, pink = d.palette.skin, _inner(d)
    colour = darker(skin, 0.3) if kind == "floppy" else skin
    if kind == "round":
        ear.form(ellipse(0, -sy * 0.4, sx * 0.55, sy * 0.55), colour)
        if not back:
            ear.flat(ellipse(0, -sy * 0.36, sx * 0.36, sy * 0.37), pink)
            ear.fade(ellipse(0, -sy * 0.36, sx * 0.36, sy * 0.37), ear.shadow(pink, 0.5), (0, sy * 0.1), (0, -sy * 0.6))
        return
    if kind == "long":
        bend = side * sx * 0.2
        outer = [
            (-sx * 0.4, sy * 0.08),
            (-sx * 0.55, -sy * 0.5),
            (-sx * 0.2 + bend, -sy * 1.02),
            (bend, -sy * 1.1),
            (sx * 0.2 + bend, -sy * 1.02),
            (sx * 0.55, -sy * 0.5),
            (sx * 0.4, sy * 0.08),
        ]
        ear.form(smooth(outer), colour)
        if not back:
            ear.flat(smooth([(x * 0.55 + bend * 0.3, y * 0.86) for x, y in outer]), pink)
        return
    if kind == "floppy":
        outer = [
            (-sx * 0.45, -sy * 0.1),
            (0, -sy * 0.2),
            (sx * 0.5 * 1.0, 0),
            (sx * 0.62, sy * 0.5),
            (sx * 0.3, sy * 0.92),
            (-sx * 0.25, sy * 0.86),
            (-sx * 0.5, sy * 0.4),
        ]
        ear.form(smooth([(x * side, y) for x, y in outer]), colour)
        ear.line(
            through([(side * -sx * 0.2, sy * 0.1), (side * -sx * 0.1, sy * 0.5), (side * 0.1 * sx, sy * 0.72)]),
            colour,
            0.8,
            alpha=0.5,
        )
        return
    if kind == "fin":
        ribs = 4
        tips = [
            (
                math.cos(math.radians(-150 + 120 * i / ribs)) * sx,
                -sy * 0.2 + math.sin(math.radians(-150 + 120 * i / ribs)) * sy,
            )
            for i in range(ribs + 1)
        ]
        outer = [(-sx * 0.3, sy * 0.1)]
        for i, tip in enumerate(tips):
            outer.append(tip)
            if i < ribs:
                nx, ny = tips[i + 1]
                outer.append(((tip[0] + nx) / 2 * 0.78, (tip[1] + ny) / 2 * 0.82))
        outer.append((sx * 0.3, sy * 0.1))
        path = smooth(outer, frozenset(range(1, len(outer) - 1, 2)), 0.7)
        ear.form(path, d.palette.mark)
        lines = skia.Path()
        for tip in tips:
            lines.addPath(through([(0, 0), (tip[0] * 0.5, tip[1] * 0.52), (tip[0] * 0.92, tip[1] * 0.92)]))
        ear.put(
            lines, None, Stroke(with_alpha(ear.bright(d.palette.pale), 0.55), ear.ink * 1.1), effect=True, clip=path
        )
        return
    outer = [
        (-sx * 0.62, sy * 0.2),
        (-sx * 0.52, -sy * 0.35),
        (side * sx * 0.12, -sy),
        (sx * 0.52, -sy * 0.35),
        (sx * 0.62, sy * 0.2),
    ]
    ear.form(smooth(outer, frozenset({2}), 0.8), colour)
    if d.look.species == "fox":
        tip = smooth(
            [(-sx * 0.3, -sy * 0.6), (side * sx * 0.12, -sy), (sx * 0.34, -sy * 0.6), (0, -sy * 0.5)], frozenset({1})
        )
        ear.flat(tip, (0.2, 0.13, 0.12, 1.0), ink=0.5)
    if not back:
        inner = [(x * 0.6, y * 0.62 + sy * 0.06) for x, y in outer]
        ear.flat(smooth(inner, frozenset({2}), 0.8), pink)
        for k in (-0.2, 0.1):
            ear.put(
                wedge((k * sx, sy * 0.1), (k * sx * 0.6, -sy * 0.32), sx * 0.16, 0.05),
                ear.tone(d.palette.pale),
                effect=True,
            )


def _inner(d: Design) -> Color:
    r, g, b, a = d.palette.pale
    return (min(1.0, r * 0.98), g * 0.76, b * 0.74, a)


def draw_tufts(brush: Brush, d: Design, ball: Ball) -> None:
    """Pointed fur at the cheeks, behind the head's outline."""
    k = d.species.cheeks
    if not k:
        return
    w, h = ball.w, ball.h
    colour = d.palette.pale if d.species.mask == "cheeks" else d.palette.skin
    for side in (-1.0, 1.0):
        for v, length in ((0.2, 0.9), (0.42, 1.0), (0.62, 0.7)):
            x = side * w * (0.96 - 0.3 * max(0.0, v - 0.3))
            tip = (side * w * (1.0 + k * length), h * (v + 0.16))
            brush.form(wedge((x * 0.9, h * v), tip, w * 0.34, 0.1 * side), colour, rim=0.5)


def draw_mask(brush: Brush, d: Design, ball: Ball, clip: skia.Path, back: bool) -> None:
    """The pattern of the fur."""
    mask = d.species.mask
    w, h = ball.w, ball.h
    mark, pale = brush.tone(d.palette.mark), brush.tone(d.palette.pale)
    if mask == "stripes":
        lines: list[list[Point]] = []
        for u in (-0.2, 0.0, 0.2):
            lines.append([ball.at(u, -0.98), ball.at(u * 0.9, -0.74), ball.at(u * 0.8, -0.52)])
        for side in (-1.0, 1.0):
            for v in (0.16, 0.36):
                lines.append([ball.at(side * 0.97, v), ball.at(side * 0.84, v + 0.03), ball.at(side * 0.72, v + 0.08)])
        if back:
            lines = [[(u * w, -0.9 * h), (u * w * 1.2, -0.4 * h), (u * w, 0.1 * h)] for u in (-0.4, 0.0, 0.4)]
        for line in lines:
            brush.put(tapered(line, w * 0.12, 0.2), with_alpha(mark, 0.85), effect=True, clip=clip)
    if back:
        return
    if mask == "cheeks":
        for side in (-1.0, 1.0):
            x, y = ball.at(side * 0.56, 0.5)
            brush.put(ellipse(x, y, w * 0.52, h * 0.4), pale, effect=True, clip=clip)
        x, y = ball.at(0, 0.78)
        brush.put(ellipse(x, y, w * 0.6, h * 0.34), pale, effect=True, clip=clip)
    elif mask == "patch":
        side = 1.0 if unit(d.seed, 21) > 0.5 else -1.0
        x, y = ball.at(side * 0.4, 0.04)
        brush.put(ellipse(x, y, w * 0.36, h * 0.42), with_alpha(mark, 0.8), effect=True, clip=clip)
        x, y = ball.at(0, -0.5)
        blaze = smooth(
            [
                ball.at(-0.08, -0.98),
                ball.at(0.08, -0.98),
                ball.at(0.1, -0.3),
                ball.at(0.22, 0.3),
                ball.at(-0.22, 0.3),
                ball.at(-0.1, -0.3),
            ]
        )
        brush.put(blaze, pale, effect=True, clip=clip)


def draw_muzzle(brush: Brush, d: Design, ball: Ball, state: FaceState, clip: skia.Path) -> None:
    """Muzzle, nose and whiskers; the mouth is drawn after."""
    muzzle = d.species.muzzle
    if muzzle is None:
        return
    mw, mh, out = muzzle
    w, h = ball.w, ball.h
    x, y = ball.at(0.0, 0.56, out)
    open_jaw = state.mouth.open * 0.14 * h
    if d.look.species != "sea_monster":
        path = smooth(
            [
                (x, y - mh * h),
                (x + mw * w * 0.72, y - mh * h * 0.55),
                (x + mw * w, y + mh * h * 0.25),
                (x + mw * w * 0.6, y + mh * h * 0.95 + open_jaw),
                (x, y + mh * h * 1.12 + open_jaw),
                (x - mw * w * 0.6, y + mh * h * 0.95 + open_jaw),
                (x - mw * w, y + mh * h * 0.25),
                (x - mw * w * 0.72, y - mh * h * 0.55),
            ]
        )
        pale = d.palette.pale
        brush.soft(
            x - brush.light_dir[0] * w * 0.1,
            y + mh * h * 0.3,
            mw * w * 1.35,
            brush.shadow(d.palette.skin, 0.35),
            clip=clip,
            squash=0.8,
        )
        brush.form(path, pale, ink=0.0, rim=0.6, shade=0.8)
        brush.line(
            through(
                [
                    (x - mw * w * 0.86, y - mh * h * 0.2),
                    (x - mw * w, y + mh * h * 0.25),
                    (x - mw * w * 0.6, y + mh * h * 0.95 + open_jaw),
                ]
            ),
            pale,
            0.8,
            alpha=0.5,
        )
        brush.line(
            through(
                [
                    (x + mw * w * 0.86, y - mh * h * 0.2),
                    (x + mw * w, y + mh * h * 0.25),
                    (x + mw * w * 0.6, y + mh * h * 0.95 + open_jaw),
                ]
            ),
            pale,
            0.8,
            alpha=0.5,
        )
    if d.species.nose == "none":
        nostrils = skia.Path()
        for side in (-1.0, 1.0):
            nostrils.addPath(ellipse(x + side * w * 0.06, y - h * 0.16, w * 0.018, w * 0.028))
        brush.put(nostrils, brush.line_colour(d.palette.skin), effect=True)
        return
    _nose(brush, d, x + math.sin(ball.yaw) * w * 0.05, y - mh * h * 0.78, w * 0.15 * d.species.nose_size)
    if d.species.whiskers:
        hairs = skia.Path()
        for side in (-1.0, 1.0):
            for i, dy in enumerate((-0.04, 0.06, 0.16)):
                sx = x + side * mw * w * 0.75
                hairs.addPath(
                    through(
                        [
                            (sx, y + dy * h),
                            (sx + side * w * 0.34, y + (dy - 0.03) * h),
                            (sx + side * w * 0.62, y + (dy + 0.03 * (i - 1) + 0.02) * h),
                        ]
                    )
                )
        brush.put(
            hairs, None, Stroke(with_alpha(brush.line_colour(d.palette.pale), 0.75), brush.ink * 0.75), effect=True
        )


def _nose(brush: Brush, d: Design, x: float, y: float, r: float) -> None:
    pink = d.look.species in ("cat", "rabbit", "mouse")
    colour: Color = (0.86, 0.48, 0.48, 1.0) if pink else (0.2, 0.14, 0.15, 1.0)
    if d.species.nose == "triangle":
        path = smooth(
            [
                (x - r, y - r * 0.5),
                (x, y - r * 0.72),
                (x + r, y - r * 0.5),
                (x + r * 0.25, y + r * 0.55),
                (x - r * 0.25, y + r * 0.55),
            ]
        )
    elif d.species.nose == "oval":
        path = smooth(
            [
                (x - r * 1.05, y - r * 0.3),
                (x, y - r * 0.78),
                (x + r * 1.05, y - r * 0.3),
                (x + r * 0.5, y + r * 0.52),
                (x, y + r * 0.7),
                (x - r * 0.5, y + r * 0.52),
            ]
        )
    else:
        path = ellipse(x, y, r, r * 0.9)
    brush.form(path, colour, rim=0.0)
    lx = 0.3 if brush.light_dir[0] >= 0 else -0.3
    brush.put(ellipse(x + lx * r, y - r * 0.34, r * 0.32, r * 0.18), (1, 1, 1, 0.62), effect=True)
    brush.line(through([(x, y + r * 0.6), (x, y + r * 1.25)]), d.palette.pale, 0.9, alpha=0.8)


def draw_scales(brush: Brush, d: Design, path: skia.Path) -> None:
    """Rows of scales, faint, over a surface."""
    box = path.getBounds()
    size = max(7.0, min(box.width(), box.height()) * 0.13)
    arcs = skia.Path()
    y, row = box.top() + size * 0.4, 0
    while y < box.bottom():
        x = box.left() + (size * 0.5 if row % 2 else 0.0)
        while x < box.right() + size:
            # Patches, not wallpaper: some scales are left out.
            if unit(d.seed, row * 37 + int(x / size)) > 0.45:
                arcs.addArc(skia.Rect.MakeXYWH(x - size / 2, y - size / 2, size, size), 20, 140)
            x += size
        y += size * 0.55
        row += 1
    brush.put(arcs, None, Stroke(with_alpha(brush.shade(d.palette.mark), 0.4), brush.ink * 0.8), effect=True, clip=path)


def draw_gills(brush: Brush, d: Design, ball: Ball) -> None:
    """Three slits at the side of the jaw."""
    for side in (-1.0, 1.0):
        for i in range(3):
            a, b = ball.at(side * (0.8 - 0.07 * i), 0.46 + 0.04 * i), ball.at(side * (0.72 - 0.07 * i), 0.64 + 0.05 * i)
            m = ((a[0] + b[0]) / 2 + side * 3, (a[1] + b[1]) / 2)
            brush.put(tapered([a, m, b], ball.w * 0.045, 0.2), brush.shade(darker(d.palette.mark, 0.25)), effect=True)


def draw_crest(brush: Brush, d: Design, ball: Ball, swing: float) -> None:
    """A fin along the top of the head."""
    w, h = ball.w, ball.h
    cx = math.sin(ball.yaw) * w * 0.12
    tips = [(-0.42, -1.2), (-0.2, -1.46), (0.08, -1.56), (0.36, -1.38), (0.56, -1.12)]
    points: list[Point] = [(cx - w * 0.55, -h * 0.8)]
    for i, (tx, ty) in enumerate(tips):
        points.append((cx + w * tx + swing * 3, h * ty))
        if i < len(tips) - 1:
            nx, ny = tips[i + 1]
            points.append((cx + w * (tx + nx) / 2, h * ((ty + ny) / 2 + 0.14)))
    points.append((cx + w * 0.6, -h * 0.76))
    path = smooth(points, frozenset(range(1, len(points) - 1, 2)), 0.8)
    brush.form(path, d.palette.hair)
    ribs = skia.Path()
    for tx, ty in tips:
        ribs.addPath(
            through(
                [
                    (cx + w * tx * 0.7, -h * 0.85),
                    (cx + w * tx * 0.95, h * (ty + 0.2)),
                    (cx + w * tx + swing * 3, h * ty),
                ]
            )
        )
    brush.put(
        ribs,
        None,
        Stroke(with_alpha(brush.bright(lighter(d.palette.hair, 0.4)), 0.5), brush.ink * 1.1),
        effect=True,
        clip=path,
    )
