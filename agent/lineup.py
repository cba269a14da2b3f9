"""Which engine makes which part of a scene: settled before anything is made, said, and kept for the turn."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Lineup", "Part", "PassedOver"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PassedOver(_Model):
    """A preferred engine that was not taken: why, and the command that mends it."""

    engine: str
    why: str
    command: str = ""


class Part(_Model):
    """What makes one part: a tool's calls, or for voices those of one character in one language."""

    tool: str
    character: str = ""
    language: str = ""
    engine: str = Field("", description="empty: none is ready, and the part is left out")
    embedded: bool = False
    from_still: bool = False
    paid: bool = False
    levers: list[str] = Field(default_factory=list, description="what the quality loop may change for it")
    on_cpu: bool = Field(False, description="a model that wants a GPU, where there is none")
    licence: str = Field("", description="of models in it that may not be used commercially")
    passed_over: list[PassedOver] = Field(default_factory=list)


class Lineup(_Model):
    """Who makes what in this turn."""

    parts: list[Part] = Field(default_factory=list)

    def part(self, tool: str, character: str = "", language: str = "") -> Part | None:
        """The part of a tool, and for voices of a character in a language."""
        for part in self.parts:
            if (part.tool, part.character, part.language) == (tool, character, language):
                return part
        return None

    def engine(self, tool: str, character: str = "", language: str = "") -> str:
        """The name of the engine; empty where nothing was settled, and the registry's own choice holds."""
        found = self.part(tool, character, language)
        return found.engine if found else ""

    @property
    def all_embedded(self) -> bool:
        """Whether every part is made by what comes with the studio."""
        return all(part.embedded or not part.engine for part in self.parts)
