"""A line cut into parts that an engine can say at once: between sentences, else at commas, else between words."""

from __future__ import annotations

import re

__all__ = ["parts_of"]

_CUTS = (r"(?<=[.!?…:;])\s+", r"(?<=[,–—])\s+", r"\s+")
"""Where a line may be cut, the best first."""


def parts_of(text: str, most: int) -> list[str]:
    """Parts of at most `most` letters, as few as fit; a single word that is longer is cut."""
    return _joined(_cut(" ".join(text.split()), most, 0), most)


def _cut(text: str, most: int, level: int) -> list[str]:
    if len(text) <= most:
        return [text] if text else []
    if level == len(_CUTS):
        return [text[at : at + most] for at in range(0, len(text), most)]
    return [part for piece in re.split(_CUTS[level], text) for part in _cut(piece, most, level + 1)]


def _joined(pieces: list[str], most: int) -> list[str]:
    parts: list[str] = []
    for piece in pieces:
        if parts and len(parts[-1]) + 1 + len(piece) <= most:
            parts[-1] += " " + piece
        else:
            parts.append(piece)
    return parts
