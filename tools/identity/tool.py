"""`compare_faces`: do the faces of a picture look like the characters they stand for?"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.base import ArtifactRef, Tool, ToolInput, ToolOutput

__all__ = ["CompareFaces", "FaceMatch", "FaceReference", "PictureFaces"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FaceReference(_Model):
    """A picture that shows a character's face."""

    character: str = Field(min_length=1, max_length=64, description="whom it shows")
    image: str = Field(min_length=1, max_length=1024, description="path of the picture")


class FaceMatch(_Model):
    """How one character's face came out.

    Attributes:
        status: `passed` and `failed` were measured; `no_face`: none was found where the character is; `not_run`:
            there is nothing to compare with, or the character is turned away.
        similarity: cosine of the ArcFace embeddings, -1..1; None where nothing was measured.
        threshold: least similarity that passes.
        box: of the face, x0, y0, x1, y1 in pixels; None where there is none.
        reference: the picture it is most like.
        detail: what was measured, or why nothing was, in one sentence.
    """

    status: Literal["passed", "failed", "no_face", "not_run"]
    similarity: float | None = Field(None, ge=-1.0, le=1.0)
    threshold: float
    box: tuple[float, float, float, float] | None = None
    reference: str = ""
    detail: str


class PictureFaces(_Model):
    """One picture: its characters' faces, whether all that were measured pass, and the least of their margins.

    `margin` is the similarity over the threshold of the worst character (below 0 it failed); None where no face was
    measured.
    """

    call: str = Field(description="whose result the picture is")
    key: str = Field(description="of that result")
    faces: dict[str, FaceMatch] = Field(description="by character")
    strangers: int = Field(0, description="faces that are nobody's")
    passed: bool
    margin: float | None = None


class CompareFaces(Tool):
    """Compare the faces in pictures with reference pictures of their characters, and rank the pictures by likeness."""

    name = "compare_faces"

    class Input(ToolInput):
        pictures: list[ArtifactRef] = Field(min_length=1, max_length=32, description="results of generate_image")
        references: list[FaceReference] = Field(
            default_factory=list, max_length=64, description="of each character one picture or several"
        )
        rule: Literal["best", "mean"] = Field(
            "best", description="best: the most similar reference counts; mean: the mean of their embeddings"
        )
        thresholds: dict[str, float] = Field(
            default_factory=dict, description="by character, least similarity; left out: as in characters.yaml"
        )

    class Output(ToolOutput):
        pictures: list[PictureFaces] = Field(description="in the order given")
        ranking: list[int] = Field(description="numbers of the pictures from 0, the best first")
        kept: list[int] = Field(description="those in which every face that can be measured is there and passes")
        notes: list[str] = Field(default_factory=list)
