"""Text of others made fit to be shown: one line, without what steers a terminal or hides letters, cut to a length."""

from __future__ import annotations

import unicodedata

__all__ = ["cleaned"]


def cleaned(text: str, most: int) -> str:
    """The text in one line of at most `most` characters, without control, format and unassigned characters."""
    # A megabyte need not be looked through for its first two hundred letters.
    head = text[: 8 * most]
    kept = "".join(" " if char.isspace() else char for char in head if char.isspace() or _is_shown(char))
    line = " ".join(kept.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _is_shown(char: str) -> bool:
    return not unicodedata.category(char).startswith("C")
