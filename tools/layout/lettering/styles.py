"""Title styles: `packs/titles.yaml`."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from configs.yaml_file import YamlProblem, load_yaml_model
from tools.errors import InvalidInput
from tools.layout.drawlist import Color

__all__ = ["STYLES_FILE", "TitleStyle", "rgb", "style_for"]

STYLES_FILE = Path(__file__).resolve().parents[1] / "packs" / "titles.yaml"

Hex = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class TitleStyle(BaseModel):
    """One way to set a title. Widths are fractions of the letter size.

    Attributes:
        words: every entry must stand in the text it is chosen by; `a|b` is either.
        fill: colours from the top of the letters to their foot.
        edge: colour of the outline. extrude: of the letters' thickness. glow: of the light around them.
        bevel: a bright and a dark inner edge, as if embossed.
        backdrop: what fills the frame behind the title instead of the scene.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    words: list[str]
    face: Literal["title", "slab"] = "title"
    capitals: bool = False
    fill: list[Hex] = Field(min_length=1)
    edge: Hex
    edge_width: float = Field(0.06, ge=0, le=0.3)
    extrude: Hex | None = None
    extrude_depth: float = Field(0.0, ge=0, le=0.3)
    glow: Hex | None = None
    bevel: bool = False
    backdrop: Literal["none", "wood", "plain"] = "none"
    backdrop_colors: list[Hex] = Field(default_factory=list)


class StylesFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    styles: list[TitleStyle] = Field(min_length=1)


@lru_cache(maxsize=4)
def _styles(path: Path) -> tuple[TitleStyle, ...]:
    try:
        return tuple(load_yaml_model(path, StylesFile).styles)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from None


def style_for(text: str, path: Path = STYLES_FILE) -> TitleStyle:
    """The style whose words stand in `text` (the shot's style and action); the last one of the file otherwise."""
    styles = _styles(path)
    plain = text.lower()
    for style in styles:
        if style.words and all(re.search(rf"\b(?:{entry})\b", plain) for entry in style.words):
            return style
    return styles[-1]


def rgb(text: str, alpha: float = 1.0) -> Color:
    """`#rrggbb` as 0..1 RGBA."""
    return (int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255, alpha)
