"""The camera before a picture: the shot's own move, as far as the picture reaches, and what it shows of every distance.

The picture is the world here: one unit is one pixel of the film, and there is nothing outside it. So the camera rests
a little inside, and no window that it ever looks through, at any distance, reaches past the picture's edges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from tools.layout.camera import Box, Framed, Move, Window, move_for, union
from tools.storyboard import Camera

__all__ = ["PictureCamera", "drift_at"]

DEEP, CLOSE = 0.42, 1.3
"""Parallax of the farthest and of the nearest, where the person the shot is about has 1: farther is slower."""
MOST_APART = 0.02
"""How far the farthest may move against the people, from one end of a move to the other, as a part of the width: what
is uncovered is made up."""
RESTS: dict[Camera, tuple[float, ...]] = {
    "static": (0.965, 0.98),
    "push": (0.97, 0.98),
    "pull": (0.97, 0.98),
    "pan": (0.86, 0.89, 0.92, 0.95, 0.97),
}
"""How much of the picture's width the camera at rest sees: the first that keeps every head."""
SETTLE = 0.975
"""A camera that stands still comes this much nearer over the shot: less than is noticed, enough to be alive."""
DRIFT = (0.0022, 0.0016)
"""How far a camera wanders about its path, sideways and up, as parts of the picture's width and height."""
INSTANTS = 33


def drift_at(t: float, seed: int) -> tuple[float, float]:
    """Where a camera that is held wanders to, -1..1 in both directions: slow sines that do not repeat within a shot."""
    dice = Random(f"drift/{seed}")
    parts = []
    for _ in range(2):
        slow, quick = dice.uniform(7.0, 9.5), dice.uniform(3.4, 4.6)
        first, second = dice.uniform(0, math.tau), dice.uniform(0, math.tau)
        parts.append(0.72 * math.sin(math.tau * t / slow + first) + 0.28 * math.sin(math.tau * t / quick + second))
    return parts[0], parts[1]


@dataclass(frozen=True)
class PictureCamera:
    """A camera move within a picture.

    Attributes:
        size: of the picture, and of the film, in pixels.
        rest: what is seen at parallax 1 where the move has not begun.
        move: at parallax 1.
        subject: how near the people are whom the shot is about (0..1): they have parallax 1.
        spread: how much of the parallax between deep and close is used, 0..1.
        seed: of the drift.
    """

    size: tuple[int, int]
    rest: Window
    move: Move
    subject: float
    spread: float
    seed: int

    @classmethod
    def plan(
        cls, camera: Camera, size: tuple[int, int], heads: Sequence[Box], subject: float, seed: int
    ) -> PictureCamera:
        """The move of a shot.

        Args:
            camera: as the storyboard has it.
            heads: in pixels; those wholly in the picture stay in the frame.
            subject: nearness of the people the shot is about, 0..1.
        """
        width, height = size
        whole = Window(width / 2, height / 2, float(width), float(height))
        seen = [head for head in heads if whole.holds(head)]
        rest = _rest(camera, whole, seen)
        margin = (DRIFT[0] * width * 2, DRIFT[1] * height * 2)
        bounds = (margin[0], margin[1], width - margin[0], height - margin[1])
        framed = Framed(rest, faces=tuple(seen), heads=tuple(seen))
        if camera == "static":
            about = _middle(seen) if seen else (rest.cx, rest.cy)
            nearer = rest.scaled(SETTLE, about)
            move = Move(rest, nearer if all(nearer.holds(head) for head in seen) else rest)
        else:
            move = move_for(camera, framed, bounds)
        way = math.hypot(move.end.cx - move.start.cx, move.end.cy - move.start.cy)
        apart = max(1 - DEEP, CLOSE - 1) * way
        spread = min(1.0, MOST_APART * width / apart) if apart > 0 else 1.0
        planned = cls(size, rest, move, subject, spread, seed)
        # A move that would look past the picture at some distance is made smaller; one that stands still never does.
        for part in (1.0, 0.85, 0.7, 0.5, 0.3, 0.15, 0.0):
            smaller = replace(planned, move=_part_of(move, rest, part))
            if smaller.within():
                return smaller
        return replace(planned, move=Move(rest, rest), spread=0.0)

    def parallax(self, near: float) -> float:
        """How much faster or slower than the people something moves that is so near (0..1)."""
        if near <= self.subject:
            part = (self.subject - near) / max(self.subject, 0.25)
            return 1 - (1 - DEEP) * min(1.0, part) * self.spread
        part = (near - self.subject) / max(1 - self.subject, 0.25)
        return 1 + (CLOSE - 1) * min(1.0, part) * self.spread

    def at(self, t: float, u: float) -> Window:
        """What is seen at parallax 1, at `t` seconds, `u` of the shot (0..1)."""
        window, (x, y) = self.move.at(u), drift_at(t, self.seed)
        return replace(window, cx=window.cx + x * DRIFT[0] * self.size[0], cy=window.cy + y * DRIFT[1] * self.size[1])

    def seen(self, window: Window, parallax: float) -> Window:
        """What the camera sees of what has this parallax, while it sees `window` of what has 1."""
        rest = self.rest
        share = (window.h / rest.h) ** (0.3 + 0.7 * parallax)
        cx = rest.cx + (window.cx - rest.cx) * parallax
        cy = rest.cy + (window.cy - rest.cy) * parallax
        return Window(cx, cy, rest.w * share, rest.h * share)

    def within(self) -> bool:
        """Whether nothing outside the picture is ever seen."""
        picture: Box = (0.0, 0.0, float(self.size[0]), float(self.size[1]))
        return all(_inside(window.box, picture) for window in self._extremes())

    def _extremes(self) -> Iterator[Window]:
        x, y = DRIFT[0] * self.size[0], DRIFT[1] * self.size[1]
        for step in range(INSTANTS):
            window = self.move.at(step / (INSTANTS - 1))
            for parallax in (self.parallax(0.0), 1.0, self.parallax(1.0)):
                for sx, sy in ((-1, -1), (1, 1)):
                    yield self.seen(replace(window, cx=window.cx + sx * x, cy=window.cy + sy * y), parallax)


def _inside(box: Box, bounds: Box) -> bool:
    return box[0] >= bounds[0] and box[1] >= bounds[1] and box[2] <= bounds[2] and box[3] <= bounds[3]


def _middle(boxes: Sequence[Box]) -> tuple[float, float]:
    box = union(boxes)
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _rest(camera: Camera, whole: Window, heads: Sequence[Box]) -> Window:
    """The window the camera rests at, moved as far as it takes to hold every head."""
    for share in RESTS[camera]:
        window = whole.scaled(share, (whole.cx, whole.cy))
        if not heads:
            return window
        box = union(heads)
        slack_x, slack_y = (whole.w - window.w) / 2 * 0.6, (whole.h - window.h) / 2 * 0.6
        air_x, air_y = window.w * 0.015, window.h * 0.015
        cx = _between(whole.cx, box[2] + air_x - window.w / 2, box[0] - air_x + window.w / 2)
        cy = _between(whole.cy, box[3] + air_y - window.h / 2, box[1] - air_y + window.h / 2)
        moved = replace(
            window,
            cx=_between(cx, whole.cx - slack_x, whole.cx + slack_x),
            cy=_between(cy, whole.cy - slack_y, whole.cy + slack_y),
        )
        if moved.holds(box):
            return moved
    return window


def _between(value: float, least: float, most: float) -> float:
    return min(max(value, least), most) if least <= most else (least + most) / 2


def _part_of(move: Move, rest: Window, part: float) -> Move:
    """The same move, smaller: its ends nearer to where it rests."""

    def nearer(window: Window) -> Window:
        w = rest.w * (window.w / rest.w) ** part
        cx, cy = rest.cx + (window.cx - rest.cx) * part, rest.cy + (window.cy - rest.cy) * part
        return Window(cx, cy, w, w * rest.h / rest.w)

    return Move(nearer(move.start), nearer(move.end))
