"""What may stand in the rig's packs: one pydantic model a file, so that a slip is told with its file and line."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.storyboard import Emotion
from tools.timeline import MouthShape

__all__ = [
    "ArmKey",
    "ColourPack",
    "ExpressionPack",
    "Face",
    "GesturePack",
    "HairPack",
    "HandPack",
    "LegKey",
    "MeasurePack",
    "Measures",
    "MouthPack",
    "Outfit",
    "OutfitPack",
    "PoseKey",
    "PosePack",
    "PoseSheet",
    "SpeciesPack",
]

Degrees = Annotated[float, Field(ge=-360.0, le=360.0)]
Swing = tuple[Degrees, Degrees]
"""Degrees forward (+) or back (-) of hanging down, then degrees out to the own side."""
Hex = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
Vec3 = tuple[float, float, float]
"""Units of the child's body: outward to the own side, down, forward."""


class _Sheet(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Measures(_Sheet):
    """One body; see proportions.yaml for what each number is."""

    height: float = Field(gt=100)
    head: tuple[float, float]
    neck: tuple[float, float]
    torso: float
    shoulder: float
    chest: tuple[float, float]
    waist: tuple[float, float]
    hip: tuple[float, float]
    hip_joint: float
    upper_arm: float
    forearm: float
    arm: tuple[float, float, float, float]
    thigh: float
    shin: float
    leg: tuple[float, float, float, float]
    hand: float
    foot: tuple[float, float, float]
    eye: float
    face_y: float
    lean: float


class Build(_Sheet):
    """Factors on widths."""

    body: float
    limb: float
    face: float


class GenderShape(_Sheet):
    """Factors on shoulders, waist and hips, of children and of the grown."""

    child: tuple[float, float, float]
    grown: tuple[float, float, float]


class MeasurePack(_Sheet):
    """proportions.yaml"""

    ages: dict[Literal["child", "teen", "adult", "elder"], Measures]
    builds: dict[Literal["slim", "average", "sturdy"], Build]
    genders: dict[Literal["boy", "girl", "neutral"], GenderShape]


class ColourPack(_Sheet):
    """colours.yaml: tables of names, and what the draw for open fields takes from."""

    skin: dict[str, Hex]
    hair: dict[str, Hex]
    eyes: dict[str, Hex]
    cloth: dict[str, Hex]
    fur: dict[str, Hex]
    metal: dict[str, Hex]
    scales: dict[str, Hex]
    open: dict[str, list[str]]


HandShape = Literal["open", "relaxed", "fist", "point", "flat", "grip", "thumb_up"]
Anchor = Literal["hip", "chin", "mouth", "cheek", "brow", "chest", "belly", "other_arm", "knee", "back_head", "prop"]


class Reach(_Sheet):
    """The hand goes to a place on the body (inverse kinematics) instead of by angles."""

    to: Anchor
    offset: Vec3 = (0.0, 0.0, 0.0)
    elbow: Vec3 = (1.0, 0.4, -0.2)
    """Where the elbow points."""


class ArmKey(_Sheet):
    """What a pose, or one of its keys, says of an arm; what it leaves out stays."""

    upper: Swing | None = None
    fore: Swing | None = None
    hand: HandShape | None = None
    wrist: Degrees | None = None
    reach: Reach | None = None


class LegKey(_Sheet):
    """The same of a leg; `foot` is degrees toe-down (+), `turn` degrees toe-out."""

    thigh: Swing | None = None
    shin: Swing | None = None
    foot: Degrees | None = None
    turn: Degrees | None = None


class BodyKey(_Sheet):
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


class HeadKey(_Sheet):
    """`tilt` to the own left shoulder (+), `nod` down (+), `turn` to the own left (+); degrees."""

    tilt: Degrees | None = None
    nod: Degrees | None = None
    turn: Degrees | None = None


class PoseKey(_Sheet):
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


class PosePack(_Sheet):
    """poses.yaml"""

    poses: dict[str, PoseSheet] = Field(min_length=1)


class Gesture(_Sheet):
    """What a speaking arm does: added to the pose's angles, `beats` a second."""

    upper: Swing
    fore: Swing
    hand: HandShape
    wrist: Degrees = 0.0


class GesturePack(_Sheet):
    """gestures.yaml"""

    beat_s: float = Field(gt=0.1)
    """Seconds that one gesture is held."""
    rest: float = Field(ge=0.0, le=1.0)
    """Part of the beats in which an arm rests."""
    gestures: list[Gesture] = Field(min_length=1)


class Digit(_Sheet):
    """A finger: degrees from the hand's own axis, length 0..1, bend at the middle joint in degrees."""

    spread: Degrees
    length: float = Field(ge=0.1, le=1.3)
    bend: Degrees = 0.0


class Hand(_Sheet):
    """One shape of the hand, the thumb to the left when it points up; `palm` scales the palm (length, width)."""

    palm: tuple[float, float] = (1.0, 1.0)
    fingers: tuple[Digit, Digit, Digit, Digit]
    """Index, middle, ring, little."""
    thumb: Digit
    thumb_over: bool = False
    """The thumb lies across the palm."""
    knuckles: bool = False


class HandPack(_Sheet):
    """hands.yaml"""

    hands: dict[HandShape, Hand]

    @model_validator(mode="after")
    def _all(self) -> HandPack:
        missing = set(get_args(HandShape)) - set(self.hands)
        if missing:
            raise ValueError(f"no hand for {', '.join(sorted(missing))}")
        return self


class Mouth(_Sheet):
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


class MouthPack(_Sheet):
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


class Face(_Sheet):
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


class ExpressionPack(_Sheet):
    """expressions.yaml: a face for each emotion."""

    expressions: dict[Emotion, Face]

    @model_validator(mode="after")
    def _all(self) -> ExpressionPack:
        missing = set(get_args(Emotion)) - set(self.expressions)
        if missing:
            raise ValueError(f"no face for {', '.join(sorted(missing))}")
        return self


HairPoint = tuple[float, float, float] | tuple[float, float, float, Literal["c"]]
"""x, y in half widths of the head from its middle, how far to the front (1) or the back (-1); "c" is a corner."""


class Lock(_Sheet):
    """A clump of hair: a bent wedge from the middle of its root to its tip."""

    root: HairPoint
    tip: HairPoint
    width: float = Field(gt=0.0, le=1.5)
    bend: float = Field(0.0, ge=-1.0, le=1.0)
    sway: float = Field(0.0, ge=0.0, le=1.0)


class HairPack(_Sheet):
    """One style in hair/*.yaml. `back` lies behind the body, `cap` over the skull, `locks` over the cap."""

    back: list[list[HairPoint]] = Field(default_factory=list)
    cap: list[HairPoint] = Field(default_factory=list)
    nape: list[HairPoint] = Field(default_factory=list)
    """What covers the head seen from behind."""
    locks: list[Lock] = Field(default_factory=list)
    nape_locks: list[Lock] = Field(default_factory=list)
    tails: list[Lock] = Field(default_factory=list)
    """Hanging hair (ponytail, braids), drawn behind the head from the front, before it from the back."""
    braided: bool = False
    strands: list[list[HairPoint]] = Field(default_factory=list)
    nape_strands: list[list[HairPoint]] = Field(default_factory=list)
    scallop: float = Field(0.0, ge=0.0, le=0.4)
    """Curls: how far the outline bulges between its points."""
    curls: int = Field(0, ge=0, le=80)
    knot: tuple[float, float, float] | None = None
    """A bun: x, y, radius."""
    ear: Literal["show", "half", "cover"] = "show"
    sway: float = Field(0.0, ge=0.0, le=1.0)


class Outfit(_Sheet):
    """A garment. Lengths are parts of the torso, of the arm (0..2, elbow at 1) or of the leg (0..2, knee at 1)."""

    sleeve: float = Field(0.0, ge=0.0, le=2.0)
    sleeve_width: float = 1.2
    hem: float = 0.0
    """Lower edge below the hip line (+) in parts of the torso."""
    flare: float = 1.0
    fit: float = 1.06
    neck: Literal["crew", "tank", "collar", "hood", "turtle", "round"] = "crew"
    stripes: int = Field(0, ge=0, le=12)
    cuff: bool = False
    ribbed: bool = False
    buttons: int = Field(0, ge=0, le=8)
    zip: bool = False
    pocket: Literal["none", "chest", "pouch", "patch", "side"] = "none"
    skirt: float = Field(0.0, ge=0.0, le=2.0)
    leg: float = Field(0.0, ge=0.0, le=2.0)
    leg_width: float = 1.15
    trim: bool = False
    motif: bool = False
    """A small picture on the chest, drawn by the character's own chance."""
    folds: float = Field(1.0, ge=0.0, le=2.0)


class OutfitPack(_Sheet):
    """outfits.yaml"""

    tops: dict[str, Outfit]
    bottoms: dict[str, Outfit]


class Ears(_Sheet):
    """Ears on top of an animal's head: where, how large, how pointed; degrees outward."""

    at: tuple[float, float]
    size: tuple[float, float]
    angle: Degrees = 0.0
    kind: Literal["pointed", "round", "long", "floppy", "fin"]


class Species(_Sheet):
    """How a head and a body differ from a human's."""

    ears: Ears | None = None
    muzzle: tuple[float, float, float] | None = None
    """Half width, half height, how far it stands out; parts of the head's half width."""
    nose: Literal["button", "triangle", "oval", "none"] = "button"
    nose_size: float = 1.0
    mask: Literal["none", "cheeks", "patch", "stripes", "brows"] = "none"
    tail: Literal["none", "thin", "bushy", "curl", "stub", "puff", "fin"] = "none"
    tail_size: float = 1.0
    whiskers: bool = False
    cheeks: float = 0.0
    """Tufts of fur at the cheeks."""
    fingers: Literal[3, 4] = 4
    eye: float = 1.0
    wears: bool = True
    teeth: Literal["none", "front", "fangs"] = "none"
    """Which teeth always show when the mouth opens."""


class SpeciesPack(_Sheet):
    """species.yaml"""

    species: dict[str, Species]
