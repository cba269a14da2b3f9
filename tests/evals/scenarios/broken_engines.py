"""An engine that does not do what it is told."""

from __future__ import annotations

from tools.base import EngineContext
from tools.image.draft import DraftImage
from tools.image.tool import GenerateImage

__all__ = ["LeavesOneOut"]


class LeavesOneOut(DraftImage):
    """The last one who stands in the shot is not drawn."""

    def run(self, args: GenerateImage.Input, ctx: EngineContext) -> GenerateImage.Output:
        shot = args.shot.model_copy(update={"placements": args.shot.placements[:-1]})
        return super().run(args.model_copy(update={"shot": shot}), ctx)
