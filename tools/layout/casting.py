"""Who is drawn how: the look of known characters from their sheets, of others from the storyboard."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from configs.characters import CHARACTERS_FILE, field_of, load_characters, sheet_file
from tools.errors import InvalidInput
from tools.storyboard import CastMember, Look

__all__ = ["check_looks", "known_looks", "look_of"]


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
            where = field_of(sheet.id, "look", *map(str, first["loc"][:1]), path=path)
            raise InvalidInput(f"look of {sheet.id}: {field}: {first['msg']}", where=where) from None
    return looks


def check_looks(path: Path = CHARACTERS_FILE) -> list[str]:
    """See that every sheet of one's own can be drawn, before one of them is; returns their ids.

    The schema holds what a field may be; which colours and styles there are, the packs of the rig say.

    Raises:
        InvalidInput: a look breaks the schema, or asks for a colour or style that there is not; file, line and field.
        YamlProblem: the file itself is malformed.
    """
    from tools.layout.rig.casting import design

    studios = known_looks(path)
    own = [character for character in studios if sheet_file(character, path) != path]
    for character in own:
        try:
            design(character, studios[character])
        except InvalidInput as problem:
            # It begins with the field.
            told = f"look of {character}: {problem.message}"
            where = field_of(character, "look", problem.where, path=path)
            raise InvalidInput(told, where=where, hint=problem.hint) from None
    return own


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
