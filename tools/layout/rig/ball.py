"""The head as a ball that turns, and what all features share."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tools.layout.drawlist import Color
from tools.layout.light import mix, unlit
from tools.layout.rig.ink import Brush
from tools.layout.rig.schema import Face, Mouth

__all__ = ["IVORY", "Ball", "FaceState", "cubic", "true_white"]

Point = tuple[float, float]

IVORY: Color = (1.0, 0.97, 0.91, 1.0)


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


def cubic(p0: Point, c1: Point, c2: Point, p3: Point, n: int) -> list[Point]:
    out = []
    for i in range(n):
        f = i / (n - 1)
        g = 1 - f
        a, b, c, d = g * g * g, 3 * g * g * f, 3 * g * f * f, f * f * f
        out.append((a * p0[0] + b * c1[0] + c * c2[0] + d * p3[0], a * p0[1] + b * c1[1] + c * c2[1] + d * p3[1]))
    return out


def true_white(brush: Brush) -> Color:
    """Eyes and teeth keep more of their white than cloth does, or they drown in a coloured light."""
    ivory = brush.tone(unlit(IVORY, brush.light, 0.7))
    return mix(ivory, (1.0, 0.99, 0.97, 1.0), 0.42 * (0.4 + 0.6 * brush.light.strength))
