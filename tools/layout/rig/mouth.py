"""The mouth: lips, teeth and tongue, at rest and in speech."""

from __future__ import annotations

import math

import skia

from tools.layout.drawlist import Color, LinearGradient, Stroke
from tools.layout.light import with_alpha
from tools.layout.rig.ball import IVORY, Ball, FaceState, cubic, true_white
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush, darker, lighter
from tools.layout.rig.schema import Mouth
from tools.layout.rig.shapes import ellipse, smooth, tapered, through

__all__ = ["draw_mouth", "mouth_curves"]

Point = tuple[float, float]

THROAT: Color = (0.36, 0.07, 0.1, 1.0)


TONGUE: Color = (0.86, 0.36, 0.36, 1.0)


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
        return cubic((-w, left_y), (-w * 0.42, dip * 1.34), (w * 0.42, dip * 1.34), (w, right_y), 9), None
    r = m.round
    top = m.smile * 0.035 * unit_h - height * (0.16 + 0.34 * r) - m.upper * 0.07 * unit_h
    bottom = top + height + max(0.0, m.smile) * 0.03 * unit_h
    # A round mouth has its corners half way between its lips.
    middle = (top + bottom) / 2
    left_y += (middle - left_y) * r
    right_y += (middle - right_y) * r

    def bow(c: float, apex: float) -> list[Point]:
        first, last = (-w * c, left_y + (apex - left_y) * 1.34), (w * c, right_y + (apex - right_y) * 1.34)
        points = cubic((-w, left_y), first, last, (w, right_y), 9)
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
    ivory = true_white(mouth)
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
    points = cubic((-w, left_y), (-w * 0.42, dip * 1.34), (w * 0.42, dip * 1.34), (w, right_y), 9)
    if m.wobble:
        points = [(x, y + math.sin(i * 2.6) * 0.02 * unit_h * m.wobble) for i, (x, y) in enumerate(points)]
    ink = mouth.line_colour(d.palette.lips)
    mouth.put(tapered(points, unit_h * 0.05, 0.4), ink, outline=True)
    if m.round > 0.6:
        mouth.put(ellipse(0, dip, w, unit_h * 0.05), mouth.tone(d.palette.lips), Stroke(ink, mouth.ink), outline=True)
    for (x, y), s in ((points[0], -1), (points[-1], 1)):
        if m.smile > 0.55 or m.skew * s > 0.3:
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
