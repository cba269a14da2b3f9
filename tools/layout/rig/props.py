"""What a pose carries: a beach ball, a fishing rod."""

from __future__ import annotations

import math

from tools.layout.drawlist import Color, Stroke
from tools.layout.light import with_alpha
from tools.layout.rig.casting import Design
from tools.layout.rig.ink import Brush
from tools.layout.rig.shapes import ellipse, smooth, through
from tools.layout.rig.skeleton import Bones

__all__ = ["draw_ball", "draw_rod"]

WOOD: Color = (0.55, 0.36, 0.2, 1.0)
CREAM: Color = (0.97, 0.94, 0.88, 1.0)
RED: Color = (0.88, 0.3, 0.26, 1.0)


def draw_ball(brush: Brush, d: Design, bones: Bones) -> None:
    """A striped ball held before the chest."""
    r = d.body.torso * 0.43
    x, y = bones.prop[0], bones.prop[1]
    path = ellipse(x, y, r, r)
    brush.form(path, CREAM)
    for start, colour in ((-0.95, RED), (-0.1, d.palette.extra)):
        a, b = start * r, (start + 0.42) * r
        edge = r * 1.05
        points = [
            (x + a, y - edge),
            (x + a * 1.5, y),
            (x + a, y + edge),
            (x + b, y + edge),
            (x + b * 1.3, y),
            (x + b, y - edge),
        ]
        brush.put(smooth(points, frozenset({0, 2, 3, 5})), brush.tone(colour), effect=True, clip=path)
    lx, ly = brush.light_dir
    brush.soft(x + lx * r * 0.4, y + ly * r * 0.45, r * 0.6, (1.0, 1.0, 1.0, 0.5), clip=path)
    brush.soft(x - lx * r * 0.4, y + r * 0.5, r * 0.9, brush.shadow(CREAM, 0.4), clip=path)


def draw_rod(brush: Brush, bones: Bones, t: float) -> None:
    """A rod from the near hand, its line and a float that bobs."""
    hand = max(bones.arms.values(), key=lambda limb: limb.end[2]).end
    s = math.sin(bones.yaw)
    side = 1.0 if s >= -0.1 else -1.0
    butt = (hand[0] - side * 16, hand[1] + 12)
    tip = (hand[0] + side * 104, hand[1] - 84 + math.sin(t * 2.1) * 1.5)
    bend = (hand[0] + side * 46, hand[1] - 52)
    rod = through([butt, (hand[0], hand[1]), bend, tip])
    brush.put(rod, None, Stroke(brush.line_colour(WOOD), 3.4 + brush.ink), outline=True)
    brush.stroke(rod, WOOD, 3.0)
    float_y = 2.0 + math.sin(t * 1.7) * 2.0
    end = (tip[0] + side * 8, float_y)
    thread = through([tip, ((tip[0] + end[0]) / 2 + side * 3, (tip[1] + end[1]) / 2), end])
    brush.put(thread, None, Stroke(with_alpha(brush.tone(CREAM), 0.8), 0.9), effect=True)
    brush.flat(ellipse(end[0], float_y, 3.4, 4.4), RED, ink=0.8)
