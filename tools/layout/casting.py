"""Who is drawn how: the look of known characters from their sheets, of others from the storyboard."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from configs.characters import CHARACTERS_FILE, load_characters, sheet_file
from tools.errors import InvalidInput
from tools.storyboard import CastMember, Look

__all__ = ["known_looks", "look_of"]


def _line_of(path: Path, character: str, field: str) -> int:
    """Line of a character's look field in the file, counted from 1: the schema error itself has none."""
    inside = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip().removeprefix("- ")
        if text.startswith("id:"):
            inside = text.removeprefix("id:").strip() == character
        elif inside and re.search(rf"(^|[{{,\s]){field}:", text):
            return number
    return 1


def known_looks(path: Path = CHARACTERS_FILE) -> dict[str, Look]:
    """The look of every character that has a sheet.

    Raises:
        InvalidInput: a look breaks the schema; names file and line.
        YamlProblem: the file itself is malformed.
    """
    looks = {}
    for sheet in load_characters(path).values():
        try:
            looks[sheet.id] = Look.model_validate({"description": sheet.description, **sheet.look})
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "look"
            file = sheet_file(sheet.id, path)
            line = _line_of(file, sheet.id, str(first["loc"][0]) if first["loc"] else "look")
            raise InvalidInput(f"look of {sheet.id}: {field}: {first['msg']}", where=f"{file}:{line}") from None
    return looks


def look_of(member: CastMember, known: dict[str, Look]) -> tuple[Look, str]:
    """A cast member's look, and a note when it is not the one of a sheet although it should be.

    A look in the storyboard counts first: a person may have redressed a known character there.
    """
    if member.look is not None:
        return member.look, ""
    if member.id in known:
        return known[member.id], ""
    if member.known:
        return Look(), f"{member.name} has no sheet in configs/characters.yaml: drawn from the name alone."
    return Look(), f"{member.name} is not described: drawn with a look of our own choice."
