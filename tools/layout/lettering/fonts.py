"""The typefaces: OFL fonts from the packages `fontpkg-*`, and the system's for what they lack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from typing import Literal

import skia

from tools.errors import MissingPrerequisite

__all__ = ["Face", "Run", "runs", "typeface", "width_of"]

Face = Literal["caption", "title", "slab"]

_FILES: dict[Face, tuple[str, str, float | None]] = {
    "caption": ("fontpkg_nunito", "Nunito[wght].ttf", 800.0),
    "title": ("fontpkg_fredoka", "Fredoka[wdth,wght].ttf", 650.0),
    "slab": ("fontpkg_alfa_slab_one", "AlfaSlabOne-Regular.ttf", None),
}
"""By face: package, file in it, and weight for fonts that vary."""

_INVISIBLE = {0x200B, 0x200C, 0x200D, 0x2060, 0xFE0E, 0xFE0F, 0xFEFF, 0x00AD}
"""Joiners, variation selectors and soft hyphens: nothing to draw, and no loss."""


@dataclass(frozen=True)
class Run:
    """A piece of text in one typeface."""

    text: str
    face: skia.Typeface


@lru_cache(maxsize=8)
def typeface(face: Face) -> skia.Typeface:
    """One of the studio's own typefaces.

    Raises:
        MissingPrerequisite: its package is not installed.
    """
    package, name, weight = _FILES[face]
    try:
        with as_file(files(package) / "files" / name) as path:
            # Not the default manager: it reads every font of the system first, and warns where that is set up oddly.
            found = skia.FontMgr.New_Custom_Empty().makeFromFile(str(path))
    except (ModuleNotFoundError, FileNotFoundError):
        found = None
    if found is None:
        raise MissingPrerequisite(f"The font {name} is missing.", command=f"pip install {package.replace('_', '-')}")
    return found if weight is None else _weighted(found, weight)


def _weighted(face: skia.Typeface, weight: float) -> skia.Typeface:
    tag = int.from_bytes(b"wght", "big")
    coordinates = skia.FontArguments.VariationPosition.Coordinates(
        [skia.FontArguments.VariationPosition.Coordinate(tag, weight)]
    )
    arguments = skia.FontArguments()
    arguments.setVariationDesignPosition(skia.FontArguments.VariationPosition(coordinates))
    return face.makeClone(arguments) or face


@lru_cache(maxsize=1024)
def _system_face(char: str) -> skia.Typeface | None:
    """A font of this machine that has the character, if any."""
    return skia.FontMgr().matchFamilyStyleCharacter("", skia.FontStyle.Bold(), [], ord(char))


def runs(text: str, face: Face) -> tuple[list[Run], str]:
    """Cut a line into runs that can be drawn.

    Returns:
        The runs, and the characters for which neither our font nor the system has a glyph: they are left out, since an
        empty box says nothing.
    """
    own = typeface(face)
    found: list[Run] = []
    missing = ""
    for char in text:
        if ord(char) in _INVISIBLE or (not char.isprintable() and char != " "):
            continue
        best = own if own.unicharToGlyph(ord(char)) else _system_face(char)
        if best is None or not best.unicharToGlyph(ord(char)):
            missing += char
        elif found and found[-1].face is best:
            found[-1] = Run(found[-1].text + char, best)
        else:
            found.append(Run(char, best))
    return found, missing


def font(face: skia.Typeface, size: float) -> skia.Font:
    """A font for drawing outlines: no hinting, exact widths."""
    made = skia.Font(face, size)
    made.setHinting(skia.FontHinting.kNone)
    made.setSubpixel(True)
    made.setLinearMetrics(True)
    return made


def width_of(text: str, face: Face, size: float) -> float:
    """Width of a line in pixels."""
    return float(sum(font(run.face, size).measureText(run.text) for run in runs(text, face)[0]))
