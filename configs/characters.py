"""The cast: `characters.yaml`, one sheet a character.

A sheet's `look` stays plain data here, because the schema of looks belongs to the renderer, which this package does
not import; `tools.layout.casting` validates it, with the line that `CharacterFile.look_line` finds.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import load_yaml_model

__all__ = ["CHARACTERS_FILE", "CharacterFile", "CharacterSheet", "LoraWeight", "load_characters"]

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
        voice: id of the default voice; empty means the character's own id.
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

    @property
    def voice_id(self) -> str:
        """Id of the voice the character speaks with."""
        return self.voice or self.id


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


def load_characters(path: Path = CHARACTERS_FILE) -> dict[str, CharacterSheet]:
    """Every sheet by id, in the order of the file; read again only when the file has changed.

    Raises:
        YamlProblem: the file is missing or breaks the schema; names file and line.
    """
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    return dict(_load(path, stamp))
