"""The frames of a still in motion: its sheets as the camera sees them, people alive, weather between, words on top."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import skia

from tools.layout.camera import Window
from tools.layout.drawlist import DrawList
from tools.layout.lettering import ShotWords
from tools.layout.paint import canvas_on, paint_items, pixels, window_matrix
from tools.layout.scene import Scene
from tools.layout.weather import paint_weather_back, paint_weather_front
from tools.video.parallax.acting import Life
from tools.video.parallax.camera import PictureCamera
from tools.video.parallax.sheets import Sheet
from tools.video.parallax.still import Still

__all__ = ["moving_frames"]

Box = tuple[float, float, float, float]


class _Stage:
    """One shot, ready to be drawn at any instant."""

    def __init__(
        self, still: Still, sheets: Sequence[Sheet], camera: PictureCamera, scene: Scene, lives: Mapping[str, Life]
    ) -> None:
        self.still, self.sheets, self.camera, self.scene, self.lives = still, sheets, camera, scene, lives
        self.frame = pixels(*still.size)
        self._parallax = [np.vectorize(camera.parallax, otypes=[float])(sheet.near) for sheet in sheets]

    def draw(self, t: float, u: float) -> None:
        """Draw the instant `t` seconds, `u` of the shot, into `frame`."""
        canvas = canvas_on(self.frame)
        window = self.camera.at(t, u)
        air = self._in_world(window)
        for number, (sheet, parallax) in enumerate(zip(self.sheets, self._parallax, strict=True)):
            x, y = sheet.x, sheet.y
            life = self.lives.get(sheet.person.id) if sheet.person else None
            if life is not None:
                x, y = life.moved(x, y, t)
            sheet.draw(canvas, *self._seen(x, y, parallax, window))
            if number == 0:
                back = DrawList()
                paint_weather_back(back, self.scene, air, t)
                self._paint(canvas, back, air)
        front = DrawList()
        paint_weather_front(front, self.scene, air, t)
        self._paint(canvas, front, air)

    def _seen(
        self, x: np.ndarray, y: np.ndarray, parallax: np.ndarray, window: Window
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of the frame at which points of the still are seen."""
        rest, (width, height) = self.camera.rest, self.still.size
        share = (window.h / rest.h) ** (0.3 + 0.7 * parallax)
        cx = rest.cx + (window.cx - rest.cx) * parallax
        cy = rest.cy + (window.cy - rest.cy) * parallax
        return (x - cx) / (rest.w * share) * width + width / 2, (y - cy) / (rest.h * share) * height + height / 2

    def _in_world(self, window: Window) -> Window:
        """The window in units of the set, where the weather is laid out."""
        base, (width, height) = self.scene.base, self.still.size
        x, y = base.w / width, base.h / height
        left, top = base.cx - base.w / 2, base.cy - base.h / 2
        return Window(left + window.cx * x, top + window.cy * y, window.w * x, window.h * y)

    def _paint(self, canvas: skia.Canvas, draw: DrawList, window: Window) -> None:
        for layer in draw.layers:
            paint_items(canvas, layer.items, window_matrix(window, *self.still.size))

    def faces(self) -> list[Box]:
        """In pixels of the frame while the camera rests: the title keeps off them."""
        one = np.ones(1)
        found = []
        for x0, y0, x1, y1 in self.still.faces:
            (left,), (top,) = self._seen(one * x0, one * y0, one, self.camera.rest)
            (right,), (bottom,) = self._seen(one * x1, one * y1, one, self.camera.rest)
            found.append((float(left), float(top), float(right), float(bottom)))
        return found


def moving_frames(
    still: Still,
    sheets: Sequence[Sheet],
    camera: PictureCamera,
    scene: Scene,
    lives: Mapping[str, Life],
    words: ShotWords | None,
    frames: int,
    fps: int,
) -> Iterator[np.ndarray]:
    """The frames of the shot in order.

    Args:
        sheets: of the still (`take_apart`).
        scene: the set of the shot, for its weather.
        lives: by character.
        words: title and captions.

    Yields:
        height x width x 4 uint8, blue green red alpha; one buffer, drawn over for every frame.
    """
    stage = _Stage(still, sheets, camera, scene, lives)
    faces, covered = stage.faces(), words is not None and not still.people and words.covers()
    for number in range(frames):
        t = number / fps
        if not covered:
            stage.draw(t, number / max(1, frames - 1))
        if words is not None:
            words.lay(stage.frame, t, faces)
        yield stage.frame
