"""A character as the camera needs it."""

from __future__ import annotations

from dataclasses import dataclass

from tools.layout.camera import Box
from tools.storyboard import Facing

__all__ = ["TOGETHER", "Figure"]

TOGETHER = 0.06
"""Figures whose x lie closer than this are meant to stand together: they stay as the storyboard has them."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A character as the camera needs it.

    Attributes:
        id: of the character.
        x: of the hips, as a fraction of the frame's width, as the storyboard says.
        ground: world y of the floor where it stands.
        face, body: around the ground point, world units, everything the pose does in the shot included.
        facing: for look room.
        sides: left and right of the head with hair, hat or a hand beside it, from the ground point; None: the face's.
    """

    id: str
    x: float
    ground: float
    face: Box
    body: Box
    facing: Facing = "front"
    sides: tuple[float, float] | None = None

    @property
    def span(self) -> tuple[float, float]:
        """Left and right of the head with all that is beside it."""
        return self.sides or (self.face[0], self.face[2])

    def at_scale(self, factor: float, ground: float) -> Figure:
        """The same figure farther away or nearer: `factor` times as large, on another line of the floor."""
        face, body = (
            (box[0] * factor, box[1] * factor, box[2] * factor, box[3] * factor) for box in (self.face, self.body)
        )
        sides = (self.sides[0] * factor, self.sides[1] * factor) if self.sides else None
        return Figure(self.id, self.x, ground, face, body, self.facing, sides)
