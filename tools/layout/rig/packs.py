"""Reading the rig's packs. Each file is read once in a process; what it holds never changes after."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar, get_args

from pydantic import BaseModel

from configs.yaml_file import YamlProblem, load_yaml_model
from tools.errors import InvalidInput
from tools.layout.rig import schema
from tools.storyboard import Emotion, Look

__all__ = [
    "PACKS",
    "colours",
    "expressions",
    "gestures",
    "hair",
    "hands",
    "measures",
    "mouths",
    "outfits",
    "poses",
    "species",
]

PACKS = Path(__file__).resolve().parent.parent / "packs" / "rig"
"""The folder of the packs."""

SheetT = TypeVar("SheetT", bound=BaseModel)


def _read(name: str, model: type[SheetT]) -> SheetT:
    try:
        return load_yaml_model(PACKS / name, model)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem


@cache
def measures() -> schema.MeasurePack:
    """Bodies by age, build and gender."""
    return _read("proportions.yaml", schema.MeasurePack)


@cache
def colours() -> schema.ColourPack:
    """Colour names."""
    return _read("colours.yaml", schema.ColourPack)


@cache
def poses() -> schema.PosePack:
    """Poses by name."""
    return _read("poses.yaml", schema.PosePack)


@cache
def gestures() -> schema.GesturePack:
    """What arms do while their owner speaks."""
    return _read("gestures.yaml", schema.GesturePack)


@cache
def hands() -> schema.HandPack:
    """Shapes of the hand."""
    return _read("hands.yaml", schema.HandPack)


@cache
def mouths() -> schema.MouthPack:
    """Mouths of speech."""
    return _read("mouths.yaml", schema.MouthPack)


@cache
def expressions() -> schema.ExpressionPack:
    """Faces by emotion."""
    return _read("expressions.yaml", schema.ExpressionPack)


@cache
def outfits() -> schema.OutfitPack:
    """Tops and bottoms."""
    return _read("outfits.yaml", schema.OutfitPack)


@cache
def species() -> schema.SpeciesPack:
    """How other beings differ from people."""
    return _read("species.yaml", schema.SpeciesPack)


@cache
def hair(style: str) -> schema.HairPack:
    """One hair style; raises `InvalidInput` for a name that Look does not know."""
    annotation = Look.model_fields["hair"].annotation
    known = [name for part in get_args(annotation) for name in get_args(part)]
    if style not in known:
        raise InvalidInput(f"there is no hair style {style!r}", hint=f"Known: {', '.join(known)}.")
    return _read(f"hair/{style}.yaml", schema.HairPack)


def emotions() -> list[str]:
    """Every emotion of the storyboard, in its order."""
    return list(get_args(Emotion))
