"""The schema of loras.yaml: LoRA files of characters, places and styles. The files are the user's own, by path."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from configs.own import own_file
from configs.yaml_file import load_yaml_model

__all__ = ["LORAS_YAML", "LoraEntry", "LorasFile", "load_loras"]

LORAS_YAML = Path(__file__).with_name("loras.yaml")

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,47}$")]


class LoraEntry(BaseModel):
    """One LoRA.

    Attributes:
        about: one line.
        kind: whose it is; a character's is named in characters.yaml, with its weight; a preset cannot do without.
        file: safetensors file, in kohya's or diffusers' names; empty: not registered, words alone describe it.
        model: name in models.yaml, where it is pulled or registered there instead.
        weight: how strongly it is applied where nobody says otherwise.
        trigger: words that go into the prompt, once.
        when: locations of a place's, styles of a style's, presets of a preset's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = Field(min_length=1)
    kind: Literal["character", "place", "style", "preset"]
    file: str = ""
    model: str = ""
    weight: float = Field(1.0, ge=-2.0, le=2.0)
    trigger: tuple[str, ...] = ()
    when: tuple[str, ...] = ()


class LorasFile(BaseModel):
    """loras.yaml: LoRAs by name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    loras: dict[Name, LoraEntry] = Field(default_factory=dict)


def load_loras(path: Path = LORAS_YAML) -> LorasFile:
    """Read loras.yaml.

    The studio's own file is followed by `loras.yaml` of the folder that `STUDIO_OWN` names, if there is one; a LoRA
    there stands for the one of the same name here, and its `file` is looked for from that folder.

    Raises:
        YamlProblem: with file and line.
    """
    known = load_yaml_model(path, LorasFile)
    own = own_file(LORAS_YAML.name) if path == LORAS_YAML else None
    if own is None:
        return known
    theirs = {
        name: entry.model_copy(update={"file": str(own.parent / Path(entry.file).expanduser()) if entry.file else ""})
        for name, entry in load_yaml_model(own, LorasFile).loras.items()
    }
    return LorasFile(loras={**known.loras, **theirs})
