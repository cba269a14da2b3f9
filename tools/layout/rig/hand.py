"""Hands: a palm, four fingers and a thumb, in shapes that the pack describes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import skia

from tools.layout.drawlist import Color, LinearGradient, Stroke
from tools.layout.light import with_alpha
from tools.layout.rig import packs
from tools.layout.rig.ink import Brush
from tools.layout.rig.schema import Digit, Hand
from tools.layout.rig.shapes import bent, ellipse, smooth, through

__all__ = ["HAND_LENGTH", "draw_hand"]

Point = tuple[float, float]
PALM, HALF, FINGER = 15.5, 9.6, 15.0
"""Length and half width of the palm, length of the middle finger, of a hand of size 1, in units."""
HAND_LENGTH = PALM + FINGER


@dataclass(frozen=True)
class _Drawing:
    palm: skia.Path
    palm_edge: skia.Path
    fingers: tuple[skia.Path, ...]
    cover: skia.Path
    thumb: skia.Path
    thumb_root: skia.Path | None
    creases: skia.Path


def _digit(base: Point, digit: Digit, length: float, r: float) -> skia.Path:
    a = math.radians(digit.spread)
    b = math.radians(digit.spread + digit.bend)
    long = length * digit.length
    mid = (base[0] + math.sin(a) * long * 0.5, base[1] - math.cos(a) * long * 0.5)
    tip = (mid[0] + math.sin(b) * long * 0.42, mid[1] - math.cos(b) * long * 0.42)
    # A little waist behind a rounded tip: not a sausage.
    return bent(base, mid, tip, lambda t: r * (1.0 - 0.06 * t if t < 1.6 else 0.93), round_end=True).path


@cache
def _drawing(shape: str, fingers: int) -> _Drawing:
    sheet: Hand = packs.hands().hands[shape]  # type: ignore[index]
    pl, pw = PALM * sheet.palm[0], HALF * sheet.palm[1]
    edge = [
        (-6.2, 1.5),
        (-7.4, -pl * 0.3),
        (-pw, -pl * 0.72),
        (-pw * 0.86, -pl * 1.03),
        (0.0, -pl * 1.12),
        (pw * 0.9, -pl * 0.98),
        (pw, -pl * 0.6),
        (7.0, -pl * 0.2),
        (6.2, 1.5),
    ]
    palm = smooth([*edge, (0, 3.5)])
    digits = list(sheet.fingers) if fingers == 4 else [sheet.fingers[0], sheet.fingers[1], sheet.fingers[3]]
    r = 3.75 if fingers == 4 else 4.7
    n = len(digits)
    paths: list[skia.Path] = []
    creases = skia.Path()
    for i, digit in enumerate(digits):
        x = (-1 + 2 * i / (n - 1)) * (pw - r * 0.95)
        y = -pl * (1.0 - 0.1 * abs(i - 0.8) / n)
        if sheet.knuckles and digit.length < 0.6:
            # Folded over the palm.
            paths.append(
                smooth(
                    [
                        (x - r, y - 1.5),
                        (x, y - r - 1.2),
                        (x + r, y - 1.5),
                        (x + r * 0.96, y + 7),
                        (x, y + 9.4),
                        (x - r * 0.96, y + 7),
                    ]
                )
            )
        else:
            paths.append(_digit((x, y + 2.0), digit, FINGER, r))
    thumb_base = (-pw * 0.62, -pl * 0.42)
    thumb = _digit(thumb_base, sheet.thumb, 15.0, 4.2 if fingers == 4 else 4.8)
    cover = smooth(
        [
            (-pw * 0.8, -pl * 0.9),
            (0, -pl * 1.0),
            (pw * 0.84, -pl * 0.86),
            (pw * 0.84, -pl * 0.45),
            (0, -pl * 0.3),
            (-pw * 0.78, -pl * 0.5),
        ]
    )
    root = None if sheet.thumb_over else ellipse(-pw * 0.42, -pl * 0.38, pw * 0.42, pl * 0.32)
    if not sheet.thumb_over:
        creases.addPath(through([(-pw * 0.25, -pl * 0.78), (-pw * 0.02, -pl * 0.45), (-pw * 0.2, -pl * 0.12)]))
        creases.addPath(through([(pw * 0.8, -pl * 0.66), (pw * 0.3, -pl * 0.72), (-pw * 0.1, -pl * 0.92)]))
    return _Drawing(palm, through(edge), tuple(paths), cover, thumb, root, creases)


def draw_hand(
    brush: Brush, wrist: Point, direction: Point, shape: str, size: float, colour: Color, thumb_to: Point, fingers: int
) -> None:
    """A hand at the wrist.

    Args:
        direction: where the stretched hand points, in the picture.
        thumb_to: the side on which the thumb lies, in the picture.
        size: 1 is a child's.
        fingers: 3 or 4, besides the thumb.
    """
    dx, dy = direction
    angle = math.degrees(math.atan2(dx, -dy))
    # With the hand pointing up the thumb is on the left; (dy, -dx) is that side turned along.
    flip = -1.0 if dy * thumb_to[0] - dx * thumb_to[1] < 0 else 1.0
    hand = brush.placed(wrist[0], wrist[1], angle, size * flip, size)
    drawing = _drawing(shape, fingers)
    lx, ly = hand.light_dir
    near, far = (lx * 18, -14 + ly * 18), (-lx * 18, -14 - ly * 18)
    fill = LinearGradient(near, far, ((0.0, hand.bright(colour)), (0.45, hand.tone(colour)), (1.0, hand.shade(colour))))
    ink = hand.line_colour(colour)
    line = Stroke(ink, hand.ink * 1.0)
    # No line where the palm runs into the wrist.
    hand.put(drawing.palm_edge, None, Stroke(ink, hand.ink * 2), outline=True)
    folded = packs.hands().hands[shape].knuckles  # type: ignore[index]
    hand.put(drawing.palm, fill)
    for path in reversed(drawing.fingers):
        hand.put(path, fill, line, outline=True)
    if not folded:
        hand.put(drawing.palm, fill)
        hand.put(drawing.cover, fill, effect=True)
    hand.put(drawing.thumb, fill, line, outline=True)
    if drawing.thumb_root is not None:
        hand.put(drawing.thumb_root, fill, effect=True)
    hand.put(drawing.creases, None, Stroke(with_alpha(ink, 0.4), hand.ink * 0.7), effect=True)
