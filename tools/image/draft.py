"""The draft engine: a shot drawn in vectors, with its masks and control maps. No model, no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tools.base import Engine, EngineContext
from tools.image.tool import ControlMap, GenerateImage, OnStage

if TYPE_CHECKING:
    import numpy as np
    import skia

    from tools.layout.drawlist import Layer
    from tools.layout.scene import Scene
    from tools.layout.stage import Instant

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
        from tools.image.references import check_pictures
        from tools.layout.digest import pack_digest

        check_pictures(args.shot)
        return pack_digest()

    def run(self, args: GenerateImage.Input, ctx: EngineContext) -> GenerateImage.Output:
        from tools.layout.frames import FrameRenderer
        from tools.layout.passes import presence
        from tools.layout.png import write_png
        from tools.layout.scene import Scene

        size = (args.width, args.height)
        ctx.progress(0.0, "setting the stage")
        scene = Scene.build(args.shot, args.cast, size=size, style=args.style, adjust=args.adjust, seed=ctx.seed)
        ctx.progress(0.15, "drawing")
        renderer = FrameRenderer(scene)
        instant = renderer.render_picture(0.0, scene.base, moving=False)
        bare = renderer.frame[..., 2::-1].copy()
        renderer.lay_words(0.0, scene.base, instant.drawn, moving=False)
        write_png(ctx.out / "still.png", renderer.frame[..., 2::-1])
        ctx.progress(0.5, "masks")
        passes = _Passes(scene, instant, size)
        masks = {}
        for player in scene.players:
            masks[player.id] = f"mask-{player.id}.png"
            write_png(ctx.out / masks[player.id], passes.gbuffer.mask(player.id).astype("uint8") * 255)
        backs = [player.id for player in scene.players if player.placement.facing == "back"]
        on_stage = presence(instant.draw, instant.drawn, passes.gbuffer, passes.matrix, size, backs)
        if "canny" in args.maps and scene.place.sky and scene.shot.weather != "clear":
            # Drops and flakes are no edges of the scene.
            renderer.render_picture(0.0, scene.base, moving=False, weather=False)
            bare = renderer.frame[..., 2::-1].copy()
        maps = {}
        for number, kind in enumerate(dict.fromkeys(args.maps)):
            ctx.progress(0.6 + 0.4 * number / len(args.maps), f"{kind} map")
            maps[kind] = f"{kind}.png"
            write_png(ctx.out / maps[kind], passes.draw(kind, bare, on_stage))
        return GenerateImage.Output(
            image="still.png",
            width=args.width,
            height=args.height,
            masks=masks,
            maps={str(kind): name for kind, name in maps.items()},
            on_stage=on_stage,
            location=scene.place.id,
            notes=list(dict.fromkeys([*scene.notes, *renderer.notes, *_unused_pictures(args)])),
        )


class _Passes:
    """The maps of one instant; all of them read the same draw list."""

    def __init__(self, scene: Scene, instant: Instant, size: tuple[int, int]) -> None:
        from tools.layout.passes import fill_gbuffer

        self._scene, self._instant, self._size = scene, instant, size
        self.gbuffer = fill_gbuffer(instant.draw, self.matrix, size)

    def matrix(self, layer: Layer) -> skia.Matrix:
        """World to pixels for a layer of the still."""
        from tools.layout.passes.gbuffer import layer_matrix

        return layer_matrix(layer, self._scene.base, self._scene.base, self._scene.horizon, self._size)

    def draw(self, kind: ControlMap, bare: np.ndarray, on_stage: dict[str, OnStage]) -> np.ndarray:
        """A map as height x width (x 3) uint8; `bare` is the picture without words, red green blue."""
        import numpy as np

        from tools.layout.passes import canny, line_map, openpose_map

        if kind == "openpose":
            # On stage far to near: the near ones' sticks lie on top.
            return openpose_map([on_stage[player.id].keypoints for player in self._scene.players], self._size)
        if kind == "segmentation":
            return self.gbuffer.segmentation()
        if kind == "depth":
            return np.repeat(self.gbuffer.depth()[..., None], 3, axis=2)
        if kind == "line":
            return line_map(self._instant.draw, self.matrix, self._size)
        return canny(bare)


def _unused_pictures(args: GenerateImage.Input) -> list[str]:
    """A person's reference pictures condition the image models; the draft draws from the storyboard alone."""
    return [
        f"The {given.kind} picture {given.image} was not used: the draft engine draws from the storyboard alone."
        for given in args.shot.control
    ]
