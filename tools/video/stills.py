"""The picture that a video model begins from, or ends on: the still of a shot, without its title."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from tools.base import ArtifactRef, EngineContext
from tools.errors import InvalidInput
from tools.image.tool import GenerateImage

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Still", "open_still"]

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Still:
    """A still.

    Attributes:
        path: of its picture.
        size: its width and height in pixels.
        boxes: of the faces, in pixels of it.
        titled: a title is drawn into it: a model would take its letters for things, and move them.
    """

    path: Path
    size: tuple[int, int]
    boxes: tuple[Box, ...]
    titled: bool

    def faces(self, size: tuple[int, int]) -> list[Box]:
        """Where the faces are in a film of that size."""
        wide, high = size[0] / self.size[0], size[1] / self.size[1]
        return [(x0 * wide, y0 * high, x1 * wide, y1 * high) for x0, y0, x1, y1 in self.boxes]

    def picture(self, size: tuple[int, int]) -> Image:
        """The picture at that width and height: cut to the shape around its middle, never stretched.

        Raises:
            InvalidInput: it cannot be read; names the file.
        """
        from PIL import Image, ImageOps, UnidentifiedImageError

        try:
            with Image.open(self.path, formats=["PNG", "JPEG", "WEBP"]) as opened:
                return ImageOps.fit(opened.convert("RGB"), size, Image.Resampling.LANCZOS)
        except (OSError, ValueError, SyntaxError, UnidentifiedImageError) as error:
            raise InvalidInput(f"cannot be read as a picture: {str(error)[:120]}", where=str(self.path)) from error


def open_still(ref: ArtifactRef, ctx: EngineContext) -> Still:
    """Open the result of a `generate_image` call.

    Raises:
        InvalidInput: it is the result of another tool.
    """
    artifact = ctx.open(ref)
    try:
        known = GenerateImage.Output.model_validate(artifact.output)
    except ValidationError as error:
        raise InvalidInput(f"{ref.call or 'it'} is no picture of generate_image", where="picture") from error
    shot = artifact.record.args.get("shot") or {}
    titled = not known.plain and bool(str(shot.get("text_overlay") or "").strip())
    boxes = tuple(one.face for one in known.on_stage.values() if one.visible > 0 and not one.facing_back)
    return Still(artifact.file(known.plain or known.image), (known.width, known.height), boxes, titled)
