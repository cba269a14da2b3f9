"""The layout of a shot: drawn once, it gives the draft picture, a mask per character, and the control maps.

Every engine of `generate_image` begins with it: the draft shows it as it is, image models are conditioned on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.image.tool import ControlMap, GenerateImage, OnStage

if TYPE_CHECKING:
    import numpy as np
    import skia

    from tools.layout.drawlist import Layer
    from tools.layout.frames import FrameRenderer
    from tools.layout.scene import Scene
    from tools.layout.stage import Instant

__all__ = ["Layout", "Passes", "lay_out", "layout_digest"]


def layout_digest(args: GenerateImage.Input) -> str:
    """A digest of the data that the layout depends on.

    Raises:
        InvalidInput: a reference picture of the shot cannot be read.
    """
    from tools.image.references import check_pictures
    from tools.layout.digest import pack_digest

    check_pictures(args.shot)
    return pack_digest()


@dataclass
class Layout:
    """A shot as it was laid out.

    Attributes:
        output: what `generate_image` returns of it; its files are written.
        masks: by character: height x width uint8, 255 where the picture shows it.
        maps: by kind: height x width (x 3) uint8.
        picture: the draft without words, height x width x 3 uint8.
    """

    output: GenerateImage.Output
    masks: dict[str, np.ndarray]
    maps: dict[str, np.ndarray]
    picture: np.ndarray
    _renderer: FrameRenderer
    _scene: Scene
    _instant: Instant

    def lay_words(self, picture: np.ndarray) -> np.ndarray:
        """A picture (height x width x 3 uint8, red green blue) of the layout's size with the shot's title over it."""
        self._renderer.frame[..., 2::-1] = picture
        self._renderer.lay_words(0.0, self._scene.base, self._instant.drawn, moving=False)
        titled: np.ndarray = self._renderer.frame[..., 2::-1].copy()
        return titled

    def write_plain(self, picture: np.ndarray, out: Path) -> str:
        """Keep a picture without its title, for engines that set it in motion; "" where the shot has no title."""
        from tools.layout.png import write_png

        if not self._scene.shot.text_overlay.strip():
            return ""
        write_png(out / "plain.png", picture)
        return "plain.png"


def lay_out(
    args: GenerateImage.Input, out: Path, seed: int, progress: Callable[[float, str], None], image: str = "still.png"
) -> Layout:
    """Draw a shot and write picture, masks and maps into `out`.

    Args:
        progress: called with (fraction, text); may raise to stop.
        image: name of the picture's file.

    Raises:
        InvalidInput: the shot cannot be drawn.
    """
    from tools.layout.frames import FrameRenderer
    from tools.layout.passes import presence
    from tools.layout.png import write_png
    from tools.layout.scene import Scene

    size = (args.width, args.height)
    progress(0.0, "setting the stage")
    scene = Scene.build(args.shot, args.cast, size=size, style=args.style, adjust=args.adjust, seed=seed)
    progress(0.15, "drawing")
    renderer = FrameRenderer(scene)
    instant = renderer.render_picture(0.0, scene.base, moving=False)
    picture = bare = renderer.frame[..., 2::-1].copy()
    renderer.lay_words(0.0, scene.base, instant.drawn, moving=False)
    write_png(out / image, renderer.frame[..., 2::-1])
    progress(0.5, "masks")
    passes = Passes(scene, instant, size)
    masks = {}
    for player in scene.players:
        masks[player.id] = passes.gbuffer.mask(player.id).astype("uint8") * 255
        write_png(out / f"mask-{player.id}.png", masks[player.id])
    backs = [player.id for player in scene.players if player.placement.facing == "back"]
    on_stage = presence(instant.draw, instant.drawn, passes.gbuffer, passes.matrix, size, backs)
    if "canny" in args.maps and scene.place.sky and scene.shot.weather != "clear":
        # Drops and flakes are no edges of the scene.
        renderer.render_picture(0.0, scene.base, moving=False, weather=False)
        bare = renderer.frame[..., 2::-1].copy()
    maps: dict[str, np.ndarray] = {}
    for number, kind in enumerate(dict.fromkeys(args.maps)):
        progress(0.6 + 0.4 * number / len(args.maps), f"{kind} map")
        maps[kind] = passes.draw(kind, bare, on_stage)
        write_png(out / f"{kind}.png", maps[kind])
    output = GenerateImage.Output(
        image=image,
        width=args.width,
        height=args.height,
        masks={name: f"mask-{name}.png" for name in masks},
        maps={kind: f"{kind}.png" for kind in maps},
        on_stage=on_stage,
        location=scene.place.id,
        notes=list(dict.fromkeys([*scene.notes, *renderer.notes])),
    )
    return Layout(output, masks, maps, picture, renderer, scene, instant)


class Passes:
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
