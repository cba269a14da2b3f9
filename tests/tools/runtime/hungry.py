"""SDXL that runs out of memory as torch does, until it is told to spare some: `prompt` says what it waits for."""

from __future__ import annotations

from tools.base import EngineContext
from tools.image.sdxl.engine import SdxlImage
from tools.image.tool import GenerateImage

__all__ = ["HungrySdxl"]


class HungrySdxl(SdxlImage):
    """Asks torch for a petabyte unless its placing has the field that the prompt names."""

    def run(self, args: GenerateImage.Input, ctx: EngineContext) -> GenerateImage.Output:
        import torch

        wanted = args.rendering.prompt if args.rendering else ""
        if wanted and not getattr(ctx.placing, wanted):
            torch.empty(1 << 50, dtype=torch.uint8)
        return super().run(args, ctx)
