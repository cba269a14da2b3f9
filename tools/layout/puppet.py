"""The seam between the stage and the rig: what a character is told to do, and what it tells back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import skia

from tools.layout.drawlist import Layer
from tools.layout.light import Light
from tools.storyboard import Emotion, Facing
from tools.timeline import MouthShape

__all__ = ["Acting", "Drawn", "Puppet"]


@dataclass(frozen=True, slots=True)
class Acting:
    """One instant of a performance.

    Attributes:
        pose: name of a pose in the pose pack.
        expression: of the face.
        facing: left and right are three-quarter views; the person's, as the audience sees it.
        t: seconds since the shot began; breathing, sway, walk cycles and gestures are functions of it (and of the
            character's seed). The same t gives the same drawing.
        mouth: shape of the mouth while speaking; None: the expression's own mouth.
        mouth_open: 0..1, loudness of the voice at this instant.
        speaking: whether a line is being said now: gestures and brows are livelier.
        energy: 0..1, how far talking has taken hold of hands, head and brows while `speaking`: eased in and out by
            the caller over the first and last third of a second of a line, so that nothing jumps; 1 all of it.
        blink: 0 open .. 1 closed; None: the rig's own blinking, a function of t.
        look_at: where the eyes look, relative to the head: x -1 left .. 1 right, y -1 up .. 1 down; None: ahead.
        moving: False freezes all idle motion (for still pictures: the pose's most telling instant).
    """

    pose: str = "stand"
    expression: Emotion = "neutral"
    facing: Facing = "front"
    t: float = 0.0
    mouth: MouthShape | None = None
    mouth_open: float = 0.0
    speaking: bool = False
    energy: float = 1.0
    blink: float | None = None
    look_at: tuple[float, float] | None = None
    moving: bool = True


@dataclass(slots=True)
class Drawn:
    """What was drawn, in world coordinates.

    Attributes:
        silhouette: outline of all that belongs to the character, holes not counted.
        face: x0, y0, x1, y1 of the face (chin to hairline, ear to ear).
        keypoints: the 18 of OpenPose in COCO order (nose, neck, right shoulder, right elbow, right wrist,
            left shoulder, left elbow, left wrist, right hip, right knee, right ankle, left hip, left knee,
            left ankle, right eye, left eye, right ear, left ear) as x, y, visible (1.0 or 0.0); right is the
            person's own. Each visible one lies inside the silhouette.
        ground: x, y where the feet (or the seat) touch the floor.
    """

    silhouette: skia.Path
    face: tuple[float, float, float, float]
    keypoints: list[tuple[float, float, float]]
    ground: tuple[float, float]
    notes: list[str] = field(default_factory=list)


class Puppet(Protocol):
    """A character that can be drawn. Made by `tools.layout.rig.make_puppet(character_id, look)`."""

    height: float
    """Standing height in world units at scale 1; a grown child has 400."""

    def draw(
        self, layer: Layer, acting: Acting, *, at: tuple[float, float], scale: float, depth: float, light: Light
    ) -> Drawn:
        """Add the character's items (owner set, segment `person`) to `layer`.

        Args:
            at: world x, y of the ground point below the hips.
            scale: times the rig's own size.
            depth: of the character, 0 nearest .. 1 farthest; small differences inside the body are allowed.
            light: of the scene.
        """
        ...
