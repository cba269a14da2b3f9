"""What may stand in the packs of looks: bodies, colours, hair, garments, species."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ColourPack",
    "Degrees",
    "Ears",
    "HairPack",
    "HairPoint",
    "Lock",
    "MeasurePack",
    "Measures",
    "Outfit",
    "OutfitPack",
    "Sheet",
    "Species",
    "SpeciesPack",
]

Degrees = Annotated[float, Field(ge=-360.0, le=360.0)]


Hex = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class Sheet(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Measures(Sheet):
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


class Build(Sheet):
    """Factors on widths."""

    body: float
    limb: float
    face: float


class GenderShape(Sheet):
    """Factors on shoulders, waist and hips, of children and of the grown."""

    child: tuple[float, float, float]
    grown: tuple[float, float, float]


class MeasurePack(Sheet):
    """proportions.yaml"""

    ages: dict[Literal["child", "teen", "adult", "elder"], Measures]
    builds: dict[Literal["slim", "average", "sturdy"], Build]
    genders: dict[Literal["boy", "girl", "neutral"], GenderShape]


class ColourPack(Sheet):
    """colours.yaml: tables of names, and what the draw for open fields takes from."""

    skin: dict[str, Hex]
    hair: dict[str, Hex]
    eyes: dict[str, Hex]
    cloth: dict[str, Hex]
    fur: dict[str, Hex]
    metal: dict[str, Hex]
    scales: dict[str, Hex]
    open: dict[str, list[str]]


HairPoint = tuple[float, float, float] | tuple[float, float, float, Literal["c"]]
"""x, y in half widths of the head from its middle, how far to the front (1) or the back (-1); "c" is a corner."""


class Lock(Sheet):
    """A clump of hair: a bent wedge from the middle of its root to its tip."""

    root: HairPoint
    tip: HairPoint
    width: float = Field(gt=0.0, le=1.5)
    bend: float = Field(0.0, ge=-1.0, le=1.0)
    sway: float = Field(0.0, ge=0.0, le=1.0)


class HairPack(Sheet):
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


class Outfit(Sheet):
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


class OutfitPack(Sheet):
    """outfits.yaml"""

    tops: dict[str, Outfit]
    bottoms: dict[str, Outfit]


class Ears(Sheet):
    """Ears on top of an animal's head: where, how large, how pointed; degrees outward."""

    at: tuple[float, float]
    size: tuple[float, float]
    angle: Degrees = 0.0
    kind: Literal["pointed", "round", "long", "floppy", "fin"]


class Species(Sheet):
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


class SpeciesPack(Sheet):
    """species.yaml"""

    species: dict[str, Species]
