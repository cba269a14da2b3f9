"""What MusicGen is told: words by mood and place, and how it draws (tools/music/musicgen.yaml)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from configs.yaml_file import YamlProblem, load_yaml_model
from tools.errors import InvalidInput
from tools.storyboard import Mood

__all__ = ["MUSICGEN_PATH", "MusicgenBook", "describe", "load_book"]

MUSICGEN_PATH = Path(__file__).with_name("musicgen.yaml")
Words = Annotated[str, Field(min_length=3, max_length=300)]


class MusicgenBook(BaseModel):
    """All of tools/music/musicgen.yaml.

    Attributes:
        common: words of every description.
        moods: words of each mood.
        places: words of a place, by the id of its sound bed.
        guidance: how closely it keeps to the words (classifier-free guidance); 1 does without.
        temperature, top_k: of the sampling.
        window_s: seconds drawn at once; it was trained on 30.
        prompt_s: seconds of what is there that the next window hears before it goes on.
        crossfade_s: seconds over which one window becomes the next.
        loop_s: seconds over which the end of a loop becomes its start.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    common: Words
    moods: dict[Mood, Words]
    places: dict[str, Words] = Field(default_factory=dict)
    guidance: float = Field(3.0, ge=1.0, le=15.0)
    temperature: float = Field(1.0, ge=0.1, le=2.0)
    top_k: int = Field(250, ge=1, le=2048)
    window_s: float = Field(30.0, ge=0.5, le=30.0)
    prompt_s: float = Field(10.0, ge=0.2, le=25.0)
    crossfade_s: float = Field(0.5, ge=0.02, le=3.0)
    loop_s: float = Field(2.0, ge=0.05, le=5.0)

    @model_validator(mode="after")
    def _fits(self) -> MusicgenBook:
        missing = set(get_args(Mood)) - set(self.moods)
        if missing:
            raise ValueError(f"moods: these are missing: {', '.join(sorted(missing))}")
        if not self.crossfade_s < self.prompt_s < self.window_s:
            raise ValueError("crossfade_s must be shorter than prompt_s, and that shorter than window_s")
        return self


def load_book(path: Path = MUSICGEN_PATH) -> MusicgenBook:
    """Read the words and settings.

    Raises:
        InvalidInput: the file is missing or breaks the schema; names file and line.
    """
    try:
        return load_yaml_model(path, MusicgenBook)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem


def describe(book: MusicgenBook, mood: Mood, place: str, prompt: str) -> str:
    """The description of a piece: a person's own words first, for the first words weigh most; then mood and place."""
    parts = [prompt.strip(), book.moods[mood], book.places.get(place, ""), book.common]
    return ", ".join(part for part in parts if part)
