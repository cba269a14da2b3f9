"""What may stand in the rig's packs: one pydantic model a file, so that a slip is told with its file and line."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, model_validator

from tools.layout.rig.look_schema import (
    ColourPack,
    Degrees,
    HairPack,
    HairPoint,
    Lock,
    MeasurePack,
    Measures,
    Outfit,
    OutfitPack,
    Sheet,
    Species,
    SpeciesPack,
)
from tools.storyboard import Emotion
from tools.timeline import MouthShape

__all__ = [
    "ArmKey",
    "ColourPack",
    "ExpressionPack",
    "Face",
    "GesturePack",
    "HairPack",
    "HairPoint",
    "HandPack",
    "LegKey",
    "Lock",
    "MeasurePack",
    "Measures",
    "MouthPack",
    "Outfit",
    "OutfitPack",
    "PoseKey",
    "PosePack",
    "PoseSheet",
    "Species",
    "SpeciesPack",
]


Swing = tuple[Degrees, Degrees]
"""Degrees forward (+) or back (-) of hanging down, then degrees out to the own side."""


Vec3 = tuple[float, float, float]
"""Units of the child's body: outward to the own side, down, forward."""


HandShape = Literal["open", "relaxed", "fist", "point", "flat", "grip", "thumb_up"]


Anchor = Literal["hip", "chin", "mouth", "cheek", "brow", "chest", "belly", "other_arm", "knee", "back_head", "prop"]


class Reach(Sheet):
    """The hand goes to a place on the body (inverse kinematics) instead of by angles."""

    to: Anchor
    offset: Vec3 = (0.0, 0.0, 0.0)
    elbow: Vec3 = (1.0, 0.4, -0.2)
    """Where the elbow points."""


class ArmKey(Sheet):
    """What a pose, or one of its keys, says of an arm; what it leaves out stays."""

    upper: Swing | None = None
    fore: Swing | None = None
    hand: HandShape | None = None
    wrist: Degrees | None = None
    reach: Reach | None = None


class LegKey(Sheet):
    """The same of a leg; `foot` is degrees toe-down (+), `turn` degrees toe-out."""

    thigh: Swing | None = None
    shin: Swing | None = None
    foot: Degrees | None = None
    turn: Degrees | None = None


class BodyKey(Sheet):
    """Of the trunk. `lean` is degrees forward and to the own left; `shift` is forward and up, in units."""

    lean: tuple[Degrees, Degrees] | None = None
    twist: Degrees | None = None
    hips: Degrees | None = None
    """Tilt of the pelvis: the own left hip higher (+)."""
    shrug: float | None = None
    roll: Degrees | None = None
    """The whole figure turned in the picture, forward (+): 90 lies on its front."""
    turn: Degrees | None = None
    """How far the body turns in a three-quarter view."""
    shift: tuple[float, float] | None = None
    stretch: float | None = None


class HeadKey(Sheet):
    """`tilt` to the own left shoulder (+), `nod` down (+), `turn` to the own left (+); degrees."""

    tilt: Degrees | None = None
    nod: Degrees | None = None
    turn: Degrees | None = None


class PoseKey(Sheet):
    """A pose, or what one of its keys changes."""

    body: BodyKey = BodyKey()
    head: HeadKey = HeadKey()
    left: ArmKey = ArmKey()
    right: ArmKey = ArmKey()
    arms: ArmKey = ArmKey()
    """Both arms; `left` and `right` go before it."""
    left_leg: LegKey = LegKey()
    right_leg: LegKey = LegKey()
    legs: LegKey = LegKey()


class TimedKey(PoseKey):
    """A key at a part of the cycle, 0..1."""

    at: float = Field(ge=0.0, lt=1.0)


class PoseSheet(PoseKey):
    """One pose of poses.yaml."""

    note: str = ""
    ground: Literal["feet", "seat", "body", "none"] = "feet"
    planted: bool = False
    """Feet stay while the hips sway (knees by inverse kinematics)."""
    period: float = Field(2.0, gt=0.05, le=20.0)
    still: float = Field(0.0, ge=0.0, lt=1.0)
    """The part of the cycle that tells the pose best."""
    idle: float = Field(1.0, ge=0.0, le=2.0)
    """How much breathing and swaying shows."""
    talk: float = Field(1.0, ge=0.0, le=1.0)
    """How free the arms are for talking gestures."""
    prop: Literal["none", "ball", "rod"] = "none"
    look: tuple[float, float] | None = None
    """Where the eyes look in this pose: x, y in -1..1."""
    cycle: list[TimedKey] = Field(default_factory=list)

    @model_validator(mode="after")
    def _keys_in_order(self) -> PoseSheet:
        times = [key.at for key in self.cycle]
        if times != sorted(set(times)):
            raise ValueError("the keys of a cycle must come in order, each `at` once")
        return self


class PosePack(Sheet):
    """poses.yaml"""

    poses: dict[str, PoseSheet] = Field(min_length=1)


class Gesture(Sheet):
    """What a speaking arm does: added to the pose's angles, `beats` a second."""

    upper: Swing
    fore: Swing
    hand: HandShape
    wrist: Degrees = 0.0


class GesturePack(Sheet):
    """gestures.yaml"""

    beat_s: float = Field(gt=0.1)
    """Seconds that one gesture is held."""
    rest: float = Field(ge=0.0, le=1.0)
    """Part of the beats in which an arm rests."""
    gestures: list[Gesture] = Field(min_length=1)


class Digit(Sheet):
    """A finger: degrees from the hand's own axis, length 0..1, bend at the middle joint in degrees."""

    spread: Degrees
    length: float = Field(ge=0.1, le=1.3)
    bend: Degrees = 0.0


class Hand(Sheet):
    """One shape of the hand, the thumb to the left when it points up; `palm` scales the palm (length, width)."""

    palm: tuple[float, float] = (1.0, 1.0)
    fingers: tuple[Digit, Digit, Digit, Digit]
    """Index, middle, ring, little."""
    thumb: Digit
    thumb_over: bool = False
    """The thumb lies across the palm."""
    knuckles: bool = False


class HandPack(Sheet):
    """hands.yaml"""

    hands: dict[HandShape, Hand]

    @model_validator(mode="after")
    def _all(self) -> HandPack:
        missing = set(get_args(HandShape)) - set(self.hands)
        if missing:
            raise ValueError(f"no hand for {', '.join(sorted(missing))}")
        return self


class Mouth(Sheet):
    """A mouth: all in parts of its neutral width unless said.

    `width` 1 is neutral; `open` the height of the opening; `smile` lifts (+) or drops (-) the corners; `round` 0..1
    purses the lips; `skew` lifts one corner; `upper` bends the upper lip's line up (+) or down (-).
    """

    width: float = Field(1.0, ge=0.1, le=1.6)
    open: float = Field(0.0, ge=0.0, le=1.2)
    smile: float = Field(0.0, ge=-1.0, le=1.0)
    round: float = Field(0.0, ge=0.0, le=1.0)
    skew: float = Field(0.0, ge=-1.0, le=1.0)
    upper: float = Field(0.0, ge=-1.0, le=1.0)
    teeth: float = Field(0.0, ge=0.0, le=1.0)
    lower_teeth: float = Field(0.0, ge=0.0, le=1.0)
    tongue: float = Field(0.0, ge=0.0, le=1.0)
    tongue_up: bool = False
    wobble: float = Field(0.0, ge=0.0, le=1.0)


class MouthPack(Sheet):
    """mouths.yaml: a mouth for each shape of speech, at full voice."""

    mouths: dict[MouthShape, Mouth]
    follow: float = Field(ge=0.0, le=1.0)
    """How much of the expression's smile stays in a spoken shape."""

    @model_validator(mode="after")
    def _all(self) -> MouthPack:
        missing = set(get_args(MouthShape)) - set(self.mouths)
        if missing:
            raise ValueError(f"no mouth for {', '.join(sorted(missing))}")
        return self


class Face(Sheet):
    """One expression. Pairs are (the own left, the own right) where a face may be uneven."""

    brow_in: tuple[float, float] = (0.0, 0.0)
    """Inner end of the brow up (+)."""
    brow_out: tuple[float, float] = (0.0, 0.0)
    brow_arch: float = 0.3
    brow_close: float = 0.0
    """Brows drawn together (+)."""
    lid: tuple[float, float] = (0.12, 0.12)
    """Upper lid down, 0 wide open .. 1 shut; below 0 shows white above the iris."""
    lid_slant: float = 0.0
    """Upper lid's inner end lower (+, anger) or higher (-, sorrow)."""
    lower: float = Field(0.0, ge=0.0, le=1.0)
    """Lower lid pushed up (a smile that reaches the eyes)."""
    eye: float = Field(1.0, ge=0.5, le=1.4)
    iris: float = Field(1.0, ge=0.5, le=1.3)
    pupil: float = Field(1.0, ge=0.4, le=1.6)
    look: tuple[float, float] = (0.0, 0.0)
    sparkle: float = Field(0.0, ge=0.0, le=1.0)
    mouth: Mouth = Mouth()
    settle: float = Field(0.0, ge=0.0, le=1.0)
    """How far a mouth that is open in silence closes again after its first moment: a breath, not a gape."""
    blush: float = Field(0.35, ge=0.0, le=1.0)
    tears: float = Field(0.0, ge=0.0, le=1.0)
    sweat: bool = False
    pale: float = Field(0.0, ge=0.0, le=1.0)
    frown: float = Field(0.0, ge=0.0, le=1.0)
    """Crease between the brows."""
    head: tuple[float, float] = (0.0, 0.0)
    """Tilt and nod added to the pose's head, degrees."""
    shrug: float = 0.0
    tremble: float = Field(0.0, ge=0.0, le=1.0)


class ExpressionPack(Sheet):
    """expressions.yaml: a face for each emotion."""

    expressions: dict[Emotion, Face]

    @model_validator(mode="after")
    def _all(self) -> ExpressionPack:
        missing = set(get_args(Emotion)) - set(self.expressions)
        if missing:
            raise ValueError(f"no face for {', '.join(sorted(missing))}")
        return self
