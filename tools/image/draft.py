"""The draft engine: a shot drawn in vectors, with its masks and control maps. No model, no network."""

from __future__ import annotations

from typing import ClassVar

from tools.base import Engine, EngineContext
from tools.image.tool import GenerateImage

__all__ = ["DraftImage"]


class DraftImage(Engine[GenerateImage.Input, GenerateImage.Output]):
    """Draws the shot: the picture itself in draft mode, the layout that conditions other engines in every mode."""

    tool: ClassVar = GenerateImage
    name: ClassVar[str] = "draft"
    version: ClassVar[str] = "1"

    def load(self) -> None:
        import tools.layout.frames
        import tools.layout.passes  # noqa: F401

    def fingerprint(self, args: GenerateImage.Input) -> str:
        from tools.image.layout import layout_digest

        return layout_digest(args)

    def run(self, args: GenerateImage.Input, ctx: EngineContext) -> GenerateImage.Output:
        from tools.image.layout import lay_out

        layout = lay_out(args, ctx.out, ctx.seed, ctx.progress)
        made = layout.output
        plain = layout.write_plain(layout.picture, ctx.out)
        return made.model_copy(update={"plain": plain, "notes": [*made.notes, *_unused(args)]})


def _unused(args: GenerateImage.Input) -> list[str]:
    """What conditions the image models alone; the draft draws from the storyboard."""
    return [
        f"The {given.kind} picture {given.image} was not used: the draft engine draws from the storyboard alone."
        for given in args.shot.control
    ]
