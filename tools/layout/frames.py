"""The frames of a shot: static layers baked once, what moves drawn anew, words laid over the top."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import skia

from tools.layout.acting import Delivered
from tools.layout.bake import bake, lay
from tools.layout.camera import Box, Window, layer_window
from tools.layout.drawlist import DrawList
from tools.layout.finish import expose, vignette
from tools.layout.foreground import split_foreground
from tools.layout.lettering import Caption, ShotWords
from tools.layout.paint import canvas_on, paint_items, pixels, window_matrix
from tools.layout.puppet import Drawn
from tools.layout.scene import Scene
from tools.layout.stage import Instant, paint_cast, paint_live_back, paint_set_back, paint_set_front
from tools.layout.weather import paint_weather_front

__all__ = ["FrameRenderer", "render_frames"]


def _image(picture: np.ndarray) -> skia.Image:
    # Copied: without, skia would read memory that numpy has given back.
    return skia.Image.fromarray(picture, skia.kBGRA_8888_ColorType, skia.kPremul_AlphaType, copy=True)


class FrameRenderer:
    """Renders the instants of one shot into one buffer.

    Args:
        scene: the shot made ready.
        lines: what is said, for lips and glances.
        captions: burned in.
        duration_s: of the shot; the camera's move and the title's fades are spread over it.
    """

    def __init__(
        self, scene: Scene, lines: Sequence[Delivered] = (), captions: Sequence[Caption] = (), duration_s: float = 1.0
    ) -> None:
        self.scene = scene
        self.performance = scene.performance(lines)
        self._words = ShotWords(
            scene.shot, scene.style, scene.size, seed=scene.seed, captions=captions, duration_s=duration_s
        )
        size, base, move = scene.size, scene.base, scene.move
        self._set_back = paint_set_back(scene)
        self._set_middle, self._set_front = split_foreground(scene, paint_set_front(scene))
        self._back = bake(self._set_back, move, base, scene.horizon, size, blur=True)
        self._middle = bake(self._set_middle, move, base, scene.horizon, size, most=1)
        self._front = bake(self._set_front, move, base, scene.horizon, size, most=1)
        self._vignette = _image(vignette(size, scene.light))
        self.frame = pixels(*size)

    @property
    def notes(self) -> list[str]:
        """What could not be written as asked."""
        return self._words.notes

    def render(self, t: float, camera: Window, *, u: float = 0.5, moving: bool = True) -> dict[str, Drawn]:
        """Draw the instant `t` (seconds; `u` of the shot is over) through `camera` into `frame`, words included."""
        if not self.scene.players and self._words.covers():
            # A title card with a ground of its own: nothing of the scene behind it would be seen.
            drawn: dict[str, Drawn] = {}
        else:
            drawn = self.render_picture(t, camera, u=u, moving=moving).drawn
        self.lay_words(t, camera, drawn, moving=moving)
        return drawn

    def render_picture(
        self, t: float, camera: Window, *, u: float = 0.5, moving: bool = True, weather: bool = True
    ) -> Instant:
        """Draw the instant `t` into `frame`, without words; `weather=False` leaves out what falls before the set."""
        scene, size = self.scene, self.scene.size
        canvas = canvas_on(self.frame)
        first = self._back[0] if self._back else None
        if first is not None and first.still and first.opaque:
            np.copyto(self.frame, first.pixels)
        else:
            canvas.clear(_clear_color(scene))
            for plate in self._back:
                lay(canvas, plate, camera, scene.base, scene.horizon, size)
        live, cast, near = DrawList(), DrawList(), DrawList()
        paint_live_back(scene, live, camera, t, weather=weather)
        drawn = paint_cast(scene, self.performance, cast, t, u=u, moving=moving)
        for draw, plates in ((live, self._middle), (cast, self._front)):
            self._paint_live(canvas, draw, camera)
            for plate in plates:
                lay(canvas, plate, camera, scene.base, scene.horizon, size)
        if weather:
            paint_weather_front(near, scene, camera, t)
            self._paint_live(canvas, near, camera)
        canvas.drawImage(self._vignette, 0, 0)
        expose(self.frame, scene.exposure)
        sheets = (self._set_back, live, self._set_middle, cast, self._set_front, near)
        return Instant(DrawList([layer for sheet in sheets for layer in sheet.layers]), drawn)

    def _paint_live(self, canvas: skia.Canvas, draw: DrawList, camera: Window) -> None:
        scene = self.scene
        for layer in draw.layers:
            window = layer_window(camera, scene.base, layer.parallax, scene.horizon)
            paint_items(canvas, layer.items, window_matrix(window, *scene.size))

    def lay_words(self, t: float, camera: Window, drawn: dict[str, Drawn], *, moving: bool = True) -> None:
        """Lay the title and the caption of this instant over `frame`."""
        matrix = window_matrix(camera, *self.scene.size)
        self._words.lay(self.frame, t, [_mapped(matrix, person.face) for person in drawn.values()], moving=moving)


def _clear_color(scene: Scene) -> int:
    """What shows past the painted world: the shade of the scene rather than black."""
    r, g, b, _ = scene.light.ambient
    return 0xFF000000 | round(r * 255) << 16 | round(g * 255) << 8 | round(b * 255)


def _mapped(matrix: skia.Matrix, box: Box) -> Box:
    rect = matrix.mapRect(skia.Rect.MakeLTRB(*box))
    return (rect.left(), rect.top(), rect.right(), rect.bottom())


def render_frames(
    scene: Scene,
    frames: int,
    fps: int,
    lines: Sequence[Delivered] = (),
    captions: Sequence[Caption] = (),
) -> Iterator[np.ndarray]:
    """The frames of a shot in order.

    Yields:
        height x width x 4 uint8, blue green red alpha; one buffer, drawn over for every frame.
    """
    renderer = FrameRenderer(scene, lines, captions, frames / fps)
    for number in range(frames):
        u = number / max(1, frames - 1)
        renderer.render(number / fps, scene.move.at(u), u=u)
        yield renderer.frame
