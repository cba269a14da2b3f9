"""The camera: a window into the world, its moves, and what it shows of layers at every distance.

Pure arithmetic on boxes, so that it can be tested by the thousand without drawing. Boxes are (x0, y0, x1, y1).
World units are those of `tools.layout.drawlist`: one unit is one pixel of a 1280x720 wide shot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tools.storyboard import Camera

__all__ = [
    "FACE_MARGIN", "HOME", "Box", "Framed", "Move", "Window", "layer_window", "move_for", "moved", "union",
]  # fmt: skip

Box = tuple[float, float, float, float]

FACE_MARGIN = 0.03
"""Least distance of a face to the edge of the frame, as a fraction of the frame."""


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the world that the frame shows: its centre and its size in world units."""

    cx: float
    cy: float
    w: float
    h: float

    @property
    def box(self) -> Box:
        return (self.cx - self.w / 2, self.cy - self.h / 2, self.cx + self.w / 2, self.cy + self.h / 2)

    def scaled(self, factor: float, about: tuple[float, float]) -> Window:
        """The window `factor` times as large, with the point `about` staying where it is in the frame."""
        x, y = about
        return Window(x + (self.cx - x) * factor, y + (self.cy - y) * factor, self.w * factor, self.h * factor)

    def holds(self, box: Box, margin: float = 0.0) -> bool:
        """Whether a box lies inside, `margin` (a fraction of the size) away from every edge."""
        x0, y0, x1, y1 = self.box
        mx, my = margin * self.w - 1e-6, margin * self.h - 1e-6
        return x0 + mx <= box[0] and y0 + my <= box[1] and box[2] <= x1 - mx and box[3] <= y1 - my


HOME = Window(640.0, 360.0, 1280.0, 720.0)
"""What a 16:9 wide shot shows; every place is composed for it."""


def union(boxes: Sequence[Box]) -> Box:
    """The smallest box around all of them."""
    return (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))


def moved(box: Box, x: float, y: float) -> Box:
    """The box, `x` to the right and `y` down."""
    return (box[0] + x, box[1] + y, box[2] + x, box[3] + y)


@dataclass(frozen=True)
class Framed:
    """A window, the world x of every figure in it, and their faces and heads (hair included) in world units."""

    window: Window
    xs: dict[str, float] = field(default_factory=dict)
    faces: tuple[Box, ...] = ()
    heads: tuple[Box, ...] = ()

    def shifted(self, dx: float) -> Framed:
        """The same picture, farther along the set."""
        if dx == 0.0:
            return self
        window = replace(self.window, cx=self.window.cx + dx)
        faces, heads = (tuple(moved(box, dx, 0.0) for box in boxes) for boxes in (self.faces, self.heads))
        return Framed(window, {name: x + dx for name, x in self.xs.items()}, faces, heads)


@dataclass(frozen=True)
class Move:
    """A camera move from one window to another over the length of the shot.

    `follow` is the way, in world units, that the camera goes along with people who walk: evenly, on top of the move.
    """

    start: Window
    end: Window
    follow: float = 0.0

    @property
    def still(self) -> bool:
        return self.start == self.end and self.follow == 0.0

    def at(self, u: float) -> Window:
        """The window at `u`, 0 the first frame .. 1 the last; a move starts and ends at rest (smootherstep, Perlin)."""
        u = min(1.0, max(0.0, u))
        window = self._eased(u)
        return replace(window, cx=window.cx + self.follow * (u - 0.5)) if self.follow else window

    def _eased(self, u: float) -> Window:
        if self.start == self.end:
            return self.start
        u = u * u * u * (u * (u * 6 - 15) + 10)
        a, b = self.start, self.end
        # A zoom is even to the eye when the logarithm of the size goes evenly.
        k = (b.w / a.w) ** u
        v = (k - 1) / (b.w / a.w - 1) if abs(b.w / a.w - 1) > 1e-9 else u
        return Window(a.cx + (b.cx - a.cx) * v, a.cy + (b.cy - a.cy) * v, a.w * k, a.h * k)


def _focus_of(window: Window, faces: Sequence[Box]) -> tuple[float, float]:
    if not faces:
        return window.cx, window.cy
    box = union(faces)
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def move_for(camera: Camera, framed: Framed, bounds: Box) -> Move:
    """The move of a shot, as wide as the faces and the painted world allow; a face in the frame never leaves it."""
    window, faces = framed.window, [f for f in framed.faces if framed.window.holds(f, FACE_MARGIN)]
    if camera == "static":
        return Move(window, window)
    if camera == "pan":
        return _pan(window, faces, bounds)
    about = _focus_of(window, faces)
    heads = [head for head in framed.heads if window.holds(head)]
    near = window.scaled(0.86 if faces else 0.8, about)
    for step in range(1, 15):
        if all(near.holds(face, FACE_MARGIN) for face in faces) and all(near.holds(head) for head in heads):
            break
        near = window.scaled(0.86 + step * 0.01, about)
    far = window
    for factor in (1.1, 1.07, 1.04, 1.02):
        grown = window.scaled(factor, about)
        if grown.holds(union(faces) if faces else grown.box, 0.0) and _inside(grown, bounds):
            far = grown
            break
    return Move(far, near) if camera == "push" else Move(near, far)


def _inside(window: Window, bounds: Box) -> bool:
    x0, y0, x1, y1 = window.box
    return bounds[0] <= x0 and bounds[1] <= y0 and x1 <= bounds[2] and y1 <= bounds[3]


def _pan(window: Window, faces: Sequence[Box], bounds: Box) -> Move:
    reach = window.w * (0.07 if faces else 0.14)
    x0, _, x1, _ = window.box
    left = min([reach, max(0.0, x0 - bounds[0]), *(x1 - FACE_MARGIN * window.w - face[2] for face in faces)])
    right = min([reach, max(0.0, bounds[2] - x1), *(face[0] - x0 - FACE_MARGIN * window.w for face in faces)])
    return Move(replace(window, cx=window.cx - max(0.0, left)), replace(window, cx=window.cx + max(0.0, right)))


FRAMING_PULL = 0.72
"""How far even the horizon follows a closer framing: a longer lens, not only a nearer camera."""


def layer_window(camera: Window, base: Window, parallax: float, horizon: float) -> Window:
    """What the frame shows of a layer.

    The layer at parallax 1 is seen through the camera itself. Farther layers follow less; all of them keep the horizon
    at one height in the frame, as a camera does that moves over level ground, so that no gap opens where they meet.

    Args:
        camera: the window at this instant.
        base: the window that the shot is framed with (the camera without its move).
        parallax: of the layer.
        horizon: world y of the eye's height.
    """
    if parallax == 1.0:
        return camera
    q = FRAMING_PULL + (1 - FRAMING_PULL) * parallax
    h = HOME.h * (base.h / HOME.h) ** q * (camera.h / base.h) ** (0.3 + 0.7 * parallax)
    w = h * camera.w / camera.h
    cx = HOME.cx + (base.cx - HOME.cx) * q + (camera.cx - base.cx) * parallax * (w / camera.w)
    level = (horizon - (camera.cy - camera.h / 2)) / camera.h
    return Window(cx, horizon - level * h + h / 2, w, h)
