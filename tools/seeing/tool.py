"""`see_picture`: a vision model holds a picture against a rubric: scores with reasons, and one thing to change."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.base import ArtifactRef, Tool, ToolInput, ToolOutput

__all__ = ["CHANGES", "OF_A_PERSON", "Change", "Criterion", "Rubric", "Score", "SeePicture", "Suggestion"]

Change = Literal[
    "nothing", "another_take", "wider", "closer", "brighter", "darker", "move_left", "move_right", "emphasise",
    "avoid_artefacts", "redraw", "follow_layout_more", "follow_layout_less", "more_alike",
]  # fmt: skip
"""All that a model may propose. tools/review/meaning.py says what each means for the next attempt; nothing else of what
a model writes reaches a generator."""
CHANGES: tuple[Change, ...] = Change.__args__  # type: ignore[attr-defined]
OF_A_PERSON: tuple[Change, ...] = ("move_left", "move_right", "redraw", "more_alike")
"""Changes that are about one character."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,31}(\.[a-z0-9][a-z0-9_-]{0,63})?$")]
Person = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Criterion(_Model):
    """One question about a picture, with what its worst, its middle and its best answer mean.

    Attributes:
        name: `who.luca`, `where`: its kind, and whom it is about.
    """

    name: Name = Field(description="of the score")
    question: str = Field(min_length=1, max_length=500, description="that the score answers")
    none: str = Field(min_length=1, max_length=200, description="what 0 means")
    partly: str = Field(min_length=1, max_length=200, description="what the middle means")
    full: str = Field(min_length=1, max_length=200, description="what the best means")

    @property
    def kind(self) -> str:
        """`who` of `who.luca`."""
        return self.name.partition(".")[0]


class Rubric(_Model):
    """What a picture is held against.

    Attributes:
        wanted: what it should show, in plain words.
        people: names by id, from left to right.
        changes: what the engine at work could change for the next attempt; the model is offered no other.
    """

    wanted: str = Field(min_length=1, max_length=4000, description="what the picture should show, in words")
    criteria: list[Criterion] = Field(min_length=1, max_length=32, description="what to score, one by one")
    people: dict[Person, str] = Field(default_factory=dict, max_length=8, description="who should be in it")
    changes: list[Change] = Field(
        default_factory=list, max_length=len(CHANGES), description="what may be changed to mend it"
    )

    @model_validator(mode="after")
    def _each_once(self) -> Rubric:
        if len({one.name for one in self.criteria}) < len(self.criteria):
            raise ValueError("a criterion stands twice in the rubric")
        return self


class Score(_Model):
    """How far a criterion holds, and why, in the model's words (cleaned, cut)."""

    name: Name
    score: Fraction
    reason: str = Field(max_length=240)


class Suggestion(_Model):
    """The one change that would help most.

    Attributes:
        about: id of a character, or name of a criterion; empty where it is about the whole picture.
        amount: 1 a little, 2 clearly, 3 much.
    """

    change: Change = "nothing"
    about: str = Field("", max_length=100)
    amount: int = Field(1, ge=1, le=3)


class SeePicture(Tool):
    """Look at a picture, or at the first, middle and last frame of a film, and score how far it shows what a rubric
    asks, each with a reason, and name one change that would help most."""

    name = "see_picture"

    class Input(ToolInput):
        picture: ArtifactRef | None = Field(None, description="a result with a picture or a film")
        file: str = Field("", max_length=4096, description="or a file: png, jpg, webp, gif, bmp, mp4")
        rubric: Rubric = Field(description="what to look for")
        threshold: Fraction = Field(0.6, description="of the overall score: near it the model is asked twice")
        margin: Fraction = Field(0.1, description="how near")
        variant: int = Field(0, ge=0, le=999, description="another order of the questions")

        @model_validator(mode="after")
        def _one_source(self) -> SeePicture.Input:
            if (self.picture is None) == (not self.file):
                raise ValueError("give either `picture`, a result, or `file`, a path")
            return self

    class Output(ToolOutput):
        seen: str = Field(description="JPEG: what the model was shown")
        scores: list[Score] = Field(description="in the order of the rubric")
        overall: Fraction = Field(description="mean over the kinds of criteria")
        suggestion: Suggestion = Suggestion()
        model: str = Field(description="which model looked, as provider/model")
        askings: int = Field(ge=1, le=2, description="how often it was asked, each time in another order")
        disagreement: Fraction = Field(0.0, description="most that the askings differ by on one criterion")
        tokens: int = Field(ge=0)
        seconds: float = Field(ge=0.0)
        key: str = Field("", description="of the result that was looked at; empty for a file")
        notes: list[str] = Field(default_factory=list, description="what else to know of it")
