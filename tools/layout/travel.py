"""People who walk, run or swim get somewhere: the camera follows them along the set, or they cross the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.layout.camera import FACE_MARGIN, Box, Window
from tools.storyboard import Camera, Placement

__all__ = ["SPEEDS", "Mover", "Travel", "plan_travel"]

SPEEDS = {"walk": 170.0, "run": 400.0, "swim": 90.0}
"""World units a second at scale 1, by pose: a step (twice the leg times the sine of its swing) over half a cycle."""

CROSSING = 0.3
"""How far one who is not followed by the camera may go, as a fraction of the frame's width."""
WIDEST = 1.12
"""A push begins and a pull ends with a window this much larger than the one the shot is framed with."""


@dataclass(frozen=True)
class Mover:
    """A character as this module needs it: face in world units."""

    placement: Placement
    scale: float
    face: Box

    @property
    def speed(self) -> float:
        """World units a second, to the right; 0 for one who stays, or who comes towards the camera."""
        way = {"left": -1.0, "right": 1.0}.get(self.placement.facing, 0.0)
        return way * SPEEDS.get(self.placement.pose, 0.0) * self.scale


@dataclass(frozen=True)
class Travel:
    """How far things go during the shot, world units, half of it before the middle of the shot.

    Attributes:
        by: each character's own way.
        camera: the camera's way.
        shift: by which the whole stage, camera included, is set aside first, so that there is room for the way.
    """

    by: dict[str, float] = field(default_factory=dict)
    camera: float = 0.0
    shift: float = 0.0


def _followed(movers: Sequence[Mover], window: Window, bounds: Box, duration_s: float) -> Travel:
    speed = sum(mover.speed for mover in movers) / len(movers)
    half = window.w * WIDEST / 2
    room = bounds[2] - bounds[0] - 2 * half
    if room <= 0:
        return Travel()
    way = max(-room, min(room, speed * duration_s))
    cx = min(max(window.cx, bounds[0] + half + abs(way) / 2), bounds[2] - half - abs(way) / 2)
    return Travel({mover.placement.character: way for mover in movers}, way, cx - window.cx)


def plan_travel(movers: Sequence[Mover], window: Window, bounds: Box, duration_s: float, camera: Camera) -> Travel:
    """Who goes how far.

    When everybody on stage goes the same way, the camera goes with them, as far as the set is painted. Otherwise those
    who go cross a part of the frame under a resting camera, and their faces stay in it.
    """
    speeds = [mover.speed for mover in movers]
    if movers and (all(speed > 0 for speed in speeds) or all(speed < 0 for speed in speeds)):
        return _followed(movers, window, bounds, duration_s)
    if camera != "static":
        return Travel()
    x0, _, x1, _ = window.box
    margin = FACE_MARGIN * window.w
    by = {}
    for mover in movers:
        room = 2 * max(0.0, min(mover.face[0] - x0 - margin, x1 - margin - mover.face[2]))
        most = min(abs(mover.speed) * duration_s, room, CROSSING * window.w)
        if most > 0:
            by[mover.placement.character] = most if mover.speed > 0 else -most
    return Travel(by)
