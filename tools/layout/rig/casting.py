"""From a Look to a design: every open field decided, every colour and measure a number."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tools.errors import InvalidInput
from tools.layout.drawlist import Color
from tools.layout.light import Light, unlit
from tools.layout.rig import packs
from tools.layout.rig.schema import HairPack, Measures, Outfit, Species
from tools.layout.rig.seed import pick, seed_of
from tools.storyboard import Look

__all__ = ["Design", "Palette", "design", "parse_colour"]

ANIMALS = frozenset({"cat", "dog", "fox", "bear", "rabbit", "mouse"})
SKIN_SHARE = {"human": 1.0, "animal": 0.6, "sea_monster": 0.5, "robot": 0.0}
"""How far a surface takes the light as skin does; metal takes it like everything else."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Surface colours in white light."""

    skin: Color
    pale: Color
    """Belly, muzzle, palms and inner ears of animals; of people a lighter skin."""
    mark: Color
    """Pattern of fur or scales."""
    hair: Color
    iris: Color
    top: Color
    trim: Color
    bottom: Color
    shoes: Color
    extra: Color
    lips: Color

    def under(self, light: Light, share: float) -> Palette:
        """The palette for painting in this light, its skin as the light's `skin` asks; see `unlit`."""
        skin, pale, mark, lips = (unlit(c, light, share) for c in (self.skin, self.pale, self.mark, self.lips))
        return replace(self, skin=skin, pale=pale, mark=mark, lips=lips)


@dataclass(frozen=True, slots=True)
class Design:
    """What one character looks like, once and for all."""

    id: str
    seed: int
    look: Look
    species: Species
    body: Measures
    scale: float
    """Rig units -> world units at scale 1."""
    height: float
    palette: Palette
    hair_style: str
    hair: HairPack
    top_style: str
    top: Outfit | None
    bottom_style: str
    bottom: Outfit | None
    shoes: str
    accessories: frozenset[str]
    lashes: bool
    wrinkles: bool
    feminine: bool

    @property
    def kind(self) -> str:
        """human, animal, robot or sea_monster."""
        return "animal" if self.look.species in ANIMALS else self.look.species

    def under(self, light: Light) -> Design:
        """The design with its palette made up for this light."""
        return replace(self, palette=self.palette.under(light, SKIN_SHARE[self.kind]))


def parse_colour(text: str, table: dict[str, str], field: str) -> Color:
    """`text` as a colour: #rrggbb, #rgb, a name of `table`, or words that end in or hold one ("light brown").

    Raises:
        InvalidInput: it is none of these.
    """
    word = text.strip().lower().replace("-", "_").replace(" ", "_")
    if word.startswith("#"):
        digits = word[1:]
        if len(digits) == 3:
            digits = "".join(c * 2 for c in digits)
        try:
            if len(digits) != 6:
                raise ValueError
            value = int(digits, 16)
        except ValueError:
            raise InvalidInput(f"{text!r} is not a colour", where=field, hint="Write #rrggbb or a name.") from None
        return ((value >> 16 & 255) / 255, (value >> 8 & 255) / 255, (value & 255) / 255, 1.0)
    found = table.get(word)
    if found is None:
        # Two words such as "bright_red" or "golden_brown": the last that is known counts.
        found = next((table[part] for part in reversed(word.split("_")) if part in table), None)
    if found is None:
        raise InvalidInput(
            f"{text!r} is not a colour known for {field}", where=field, hint=f"Known: {', '.join(sorted(table))}."
        )
    return parse_colour(found, {}, field)


def _shift(color: Color, light: float, warm: float = 0.0) -> Color:
    """Towards white (+) or towards dark (-), and towards orange (+)."""
    r, g, b, a = color
    if light >= 0:
        r, g, b = r + (1 - r) * light, g + (1 - g) * light, b + (1 - b) * light
    else:
        r, g, b = r * (1 + light), g * (1 + light), b * (1 + light)
    return (min(1.0, max(0.0, r + warm)), g, min(1.0, max(0.0, b - warm)), a)


def _colour(look: Look, field: str, table: str, options: str, character_id: str) -> Color:
    colours = packs.colours()
    # Any common word will do for any surface ("blue hair", "a pink cat"); the surface's own meaning goes first.
    names = {**colours.eyes, **colours.hair, **colours.skin, **colours.cloth, **getattr(colours, table)}
    value = getattr(look, field) or pick(colours.open[options], character_id, field)
    return parse_colour(value, names, field)


def _surface(look: Look, character_id: str) -> tuple[Color, Color, Color]:
    """Skin (or fur, metal, scales), its pale part and its marks."""
    species = look.species
    if species == "human":
        skin = _colour(look, "skin", "skin", "skin", character_id)
        return skin, _shift(skin, 0.18), _shift(skin, -0.25, 0.04)
    if species == "robot":
        skin = _colour(look, "skin", "metal", "metal", character_id)
        return skin, _shift(skin, 0.4), _shift(skin, -0.35)
    if species == "sea_monster":
        skin = _colour(look, "skin", "scales", "scales", character_id)
        return skin, _shift(skin, 0.5, 0.03), _shift(skin, -0.28)
    skin = _colour(look, "skin", "fur", f"fur_{species}", character_id)
    luma = 0.3 * skin[0] + 0.6 * skin[1] + 0.1 * skin[2]
    return skin, _shift(skin, 0.68, 0.02), _shift(skin, -0.36 if luma > 0.3 else 0.25)


def _palette(look: Look, character_id: str) -> Palette:
    colours = packs.colours()
    skin, pale, mark = _surface(look, character_id)
    elder = look.age == "elder"
    hair = _colour(look, "hair_color", "hair", "hair_elder" if elder else "hair", character_id)
    if look.species in ANIMALS and look.hair_color is None:
        hair = _shift(skin, -0.18)
    if look.species == "sea_monster" and look.hair_color is None:
        hair = _shift(skin, -0.32)
    eyes = {"human": "eyes", "robot": "lamp"}.get(look.species, "animal_eyes")
    iris = _colour(look, "eye_color", "eyes", eyes, character_id)
    top = _colour(look, "top_color", "cloth", "cloth", character_id)
    bottom = _colour(look, "bottom_color", "cloth", "cloth_bottom", character_id)
    bright = top[0] + top[1] + top[2] > 2.2
    trim = _shift(bottom, 0.15) if bright else (0.965, 0.93, 0.87, 1.0)
    shoes = parse_colour(pick(colours.open["shoes"], character_id, "shoes_color"), colours.cloth, "shoes")
    extra = parse_colour(pick(colours.open["cloth"], character_id, "extra"), colours.cloth, "extra")
    lips = (skin[0] * 0.82, skin[1] * 0.52, skin[2] * 0.5, 1.0)
    return Palette(skin, pale, mark, hair, iris, top, trim, bottom, shoes, extra, lips)


def _measures(look: Look, species: Species) -> Measures:
    pack = packs.measures()
    base, build = pack.ages[look.age], pack.builds[look.build]
    gender = pack.genders[look.gender]
    shoulders, waist, hips = gender.grown if look.age != "child" else gender.child
    b, limb = build.body, build.limb
    if look.species == "bear":
        b, limb = b * 1.12, limb * 1.12

    # Grown animals keep some of the large head of a toy.
    beast = 1.0 + max(0.0, 70 - base.head[0]) / 70 * (0.75 if look.species != "human" else 0.0)

    def wide(pair: tuple[float, float], k: float) -> tuple[float, float]:
        return pair[0] * b * k, pair[1] * b * k

    return base.model_copy(
        update={
            "head": (base.head[0] * build.face * beast, base.head[1] * beast),
            "neck": (base.neck[0] * limb, base.neck[1]),
            "shoulder": base.shoulder * shoulders * (1 + (b - 1) * 0.6),
            "chest": wide(base.chest, shoulders),
            "waist": wide(base.waist, waist * (1.06 if look.build == "sturdy" else 1.0)),
            "hip": wide(base.hip, hips),
            "hip_joint": base.hip_joint * (1 + (b - 1) * 0.6) * hips,
            "arm": tuple(r * limb for r in base.arm),
            "leg": tuple(r * limb for r in base.leg),
            "eye": base.eye * species.eye,
        }
    )


def _clothes(look: Look, character_id: str, species: Species) -> tuple[str, str, str]:
    """Names of top, bottom and shoes; "" for what is not worn."""
    girl = look.gender == "girl"
    tops: list[str] = ["tshirt", "striped_tshirt", "shirt", "sweater", "hoodie", "tank_top"] + (
        ["dress"] if girl else []
    )
    bottoms: list[str] = ["shorts", "trousers"] + (["skirt"] if girl else [])
    shoes: list[str] = ["sneakers", "sandals", "boots", "sneakers"]
    top: str = look.top or (pick(tops, character_id, "top") if species.wears else "")
    bottom: str = look.bottom or (pick(bottoms, character_id, "bottom") if species.wears else "")
    if look.species in ANIMALS:
        shoes = ["barefoot"]
    if look.species == "sea_monster":
        shoes = ["barefoot"]
        top = look.top or ""
        bottom = look.bottom or "shorts"
    if look.species == "robot":
        shoes = ["boots"]
    if top == "dress" and look.bottom is None:
        bottom = ""
    return top, bottom, look.shoes or pick(shoes, character_id, "shoes")


def _hair_style(look: Look, character_id: str) -> str:
    if look.hair:
        return look.hair
    if look.species != "human":
        return "bald"
    boys = ["short", "tousled", "curly", "spiky"]
    girls = ["long", "ponytail", "bun", "braids", "bob", "curly"]
    if look.age in ("adult", "elder"):
        boys, girls = ["short", "short", "curly", "bald" if look.age == "elder" else "tousled"], [*girls[:3], "bob"]
    options = {"boy": boys, "girl": girls}.get(look.gender, boys + girls)
    return pick(options, character_id, "hair")


def design(character_id: str, look: Look) -> Design:
    """Decide everything that `look` leaves open, by a draw seeded with the id.

    A height of 1.0, the default, means the usual height of the age; any other is taken as it stands.

    Raises:
        InvalidInput: a colour is not known.
    """
    species = packs.species().species[look.species]
    body = _measures(look, species)
    natural = packs.measures().ages[look.age].height
    height = natural if look.height == 1.0 else 400.0 * look.height
    top, bottom, shoes = _clothes(look, character_id, species)
    outfits = packs.outfits()
    hair = _hair_style(look, character_id)
    feminine = look.gender == "girl" or (look.gender == "neutral" and pick([True, False], character_id, "lashes"))
    return Design(
        id=character_id,
        seed=seed_of(character_id),
        look=look,
        species=species,
        body=body,
        scale=height / natural,
        height=height,
        palette=_palette(look, character_id),
        hair_style=hair,
        hair=packs.hair(hair),
        top_style=top,
        top=outfits.tops.get(top),
        bottom_style=bottom,
        bottom=outfits.bottoms.get(bottom),
        shoes=shoes,
        accessories=frozenset(look.accessories),
        lashes=feminine,
        wrinkles=look.age == "elder" and look.species == "human",
        feminine=feminine,
    )
