"""The cast: `characters.yaml`, one sheet a character.

A sheet's `look` stays plain data here, because the schema of looks belongs to the renderer, which this package does
not import; `tools.layout.casting` validates it, with the line that `CharacterFile.look_line` finds.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from configs.own import own_file
from configs.yaml_file import YamlProblem, line_of, load_yaml_model, parse_yaml

__all__ = [
    "CHARACTERS_FILE",
    "CharacterFile",
    "CharacterSheet",
    "LoraWeight",
    "field_of",
    "load_characters",
    "sheet_file",
]

CHARACTERS_FILE = Path(__file__).with_name("characters.yaml")

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LoraWeight(_Model):
    """A LoRA by the name it is registered under, and how strongly it is applied."""

    name: str
    weight: float = Field(gt=0, le=2)


class CharacterSheet(_Model):
    """One character of the cast.

    Attributes:
        aliases: other spellings and short names, lower case.
        description: as people describe the character.
        trigger: words for a prompt.
        identity_threshold: least ArcFace cosine likeness that counts as the same character.
        references: pictures that show the character, by path: for the IP-Adapter, and to compare faces with.
        voice: a voice of voices.yaml that the character speaks with; empty: the one that voices.yaml gives to its id,
            else one that suits the look.
        look: how the draft engine draws the character; a `tools.storyboard.Look` as plain data.
    """

    id: Id
    name: str = Field(min_length=1, max_length=80)
    aliases: list[str] = Field(default_factory=list)
    description: str
    trigger: list[str] = Field(default_factory=list)
    lora: LoraWeight | None = None
    identity_threshold: float = Field(0.65, gt=0, le=1)
    references: list[str] = Field(default_factory=list, max_length=12)
    voice: str = ""
    look: dict[str, Any]


class CharacterFile(_Model):
    """The whole file."""

    characters: list[CharacterSheet] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> CharacterFile:
        owner: dict[str, str] = {}
        for sheet in self.characters:
            for word in {sheet.id, *sheet.aliases}:
                if owner.setdefault(word, sheet.id) != sheet.id:
                    raise ValueError(f"{word!r} names both {owner[word]} and {sheet.id}")
        return self


@lru_cache(maxsize=8)
def _load(path: Path, _stamp: int) -> dict[str, CharacterSheet]:
    return {sheet.id: sheet for sheet in load_yaml_model(path, CharacterFile).characters}


def _read(path: Path) -> dict[str, CharacterSheet]:
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    return dict(_load(path, stamp))


def load_characters(path: Path = CHARACTERS_FILE) -> dict[str, CharacterSheet]:
    """Every sheet by id, in the order of the file; read again only when the file has changed.

    The studio's own file is followed by `characters.yaml` of the folder that `STUDIO_OWN` names, if there is one; a
    sheet there stands for the one of the same id here.

    Raises:
        YamlProblem: the file is missing or breaks the schema, or a name would mean two; names file and line.
    """
    own = own_file(CHARACTERS_FILE.name) if path == CHARACTERS_FILE else None
    if own is None:
        return _read(path)
    sheets = {**_read(path), **_read(own)}
    try:
        CharacterFile(characters=list(sheets.values()))
    except ValueError as error:
        first = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise YamlProblem(first.removeprefix("Value error, "), where=str(own)) from None
    return sheets


def sheet_file(character: str, path: Path = CHARACTERS_FILE) -> Path:
    """The file that holds a character's sheet, as `load_characters(path)` takes it."""
    own = own_file(CHARACTERS_FILE.name) if path == CHARACTERS_FILE else None
    return own if own is not None and character in _read(own) else path


def field_of(character: str, *loc: str, path: Path = CHARACTERS_FILE) -> str:
    """Where a field of a character's sheet stands, as `file:line`.

    Args:
        character: that has a sheet.
        loc: the field, and the fields below it.
        path: as `load_characters` takes it.
    """
    file = sheet_file(character, path)
    data, node = parse_yaml(file.read_text(encoding="utf-8-sig"), str(file))
    place = next(number for number, sheet in enumerate(data["characters"]) if sheet["id"] == character)
    return f"{file}:{line_of(node, ('characters', place, *loc))}"
