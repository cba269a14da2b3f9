"""The words of a shot, its title and its captions, laid over finished frames whoever painted them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import skia

from tools.layout.camera import Box
from tools.layout.lettering.captions import Caption
from tools.layout.lettering.overlay import Overlay, caption_overlay, title_overlay
from tools.layout.lettering.styles import style_for
from tools.layout.paint import canvas_on
from tools.storyboard import Shot

__all__ = ["ShotWords"]

TITLE_FADE_S = 0.5


def _image(picture: np.ndarray) -> skia.Image:
    # Copied: without, skia would read memory that numpy has given back.
    return skia.Image.fromarray(picture, skia.kBGRA_8888_ColorType, skia.kPremul_AlphaType, copy=True)


class ShotWords:
    """Title and captions of one shot.

    Args:
        shot: its `text_overlay` is the title; style and action choose how that looks.
        style: of the production.
        size: of the frame in pixels, width and height.
        seed: of the grain of a title card.
        captions: burned in.
        duration_s: of the shot; a title over a scene fades in and out at its ends.
    """

    def __init__(
        self,
        shot: Shot,
        style: str,
        size: tuple[int, int],
        *,
        seed: int = 0,
        captions: Sequence[Caption] = (),
        duration_s: float = 1.0,
    ) -> None:
        self.duration_s = duration_s
        self.notes: list[str] = []
        self._shot, self._size, self._seed = shot, size, seed
        self._wording = f"{style} {shot.action}"
        self._captions = tuple(captions)
        self._title: tuple[Overlay, skia.Image] | None = None
        self._caption_cache: dict[str, tuple[Overlay, skia.Image]] = {}

    def covers(self) -> bool:
        """Whether the title is a card with a ground of its own, which hides the frame."""
        return bool(self._shot.text_overlay.strip()) and style_for(self._wording).backdrop != "none"

    def lay(self, frame: np.ndarray, t: float, faces: Sequence[Box] = (), *, moving: bool = True) -> None:
        """Lay the words of the instant `t` over a frame (height x width x 4 uint8, blue green red alpha), in place.

        Args:
            t: seconds from the first frame.
            faces: in pixels; the title takes its place by those that it is given first.
            moving: fade the title at the ends of the shot.
        """
        canvas = canvas_on(frame)
        title = self._titled(faces)
        if title is not None:
            overlay, image = title
            edge = min(t, self.duration_s - t) / TITLE_FADE_S if moving else 1.0
            strength = 1.0 if overlay.covers(self._size) else max(0.0, min(1.0, edge))
            canvas.drawImage(image, overlay.x, overlay.y, skia.SamplingOptions(), skia.Paint(Alphaf=strength))
        caption = next((c for c in self._captions if c.start <= t < c.end), None)
        if caption is not None:
            overlay, image = self._caption_for(caption.text)
            canvas.drawImage(image, overlay.x, overlay.y)

    def _titled(self, faces: Sequence[Box]) -> tuple[Overlay, skia.Image] | None:
        if self._title is None and self._shot.text_overlay.strip():
            captioned = bool(self._captions)
            overlay = title_overlay(
                self._shot.text_overlay, self._wording, self._size, faces, self._seed, captioned=captioned
            )
            self._title = (overlay, _image(overlay.picture))
            self.notes.extend(overlay.notes)
        return self._title

    def _caption_for(self, text: str) -> tuple[Overlay, skia.Image]:
        if text not in self._caption_cache:
            overlay = caption_overlay(text, self._size)
            self.notes.extend(note for note in overlay.notes if note not in self.notes)
            self._caption_cache[text] = (overlay, _image(overlay.picture))
        return self._caption_cache[text]
