"""What an engine of this world really makes badly: the files it wrote are changed before anybody sees them."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

__all__ = ["spoil"]


def spoil(kind: str, out: Path, output: Any) -> None:
    """Spoil the picture or sound that was just made.

    Args:
        kind: `black`, `blurred` (pictures), `silent`, `clipped` (sounds).
        out: folder of the call.
        output: of the tool; names the files.
    """
    if kind in ("black", "blurred"):
        _spoil_picture(kind, out / str(output.image))
    else:
        _spoil_sound(kind, out / str(output.file))


def _spoil_picture(kind: str, path: Path) -> None:
    import skia

    image = skia.Image.open(str(path))
    surface = skia.Surface(image.width(), image.height())
    with surface as canvas:
        canvas.clear(skia.ColorBLACK)
        if kind == "blurred":
            canvas.drawImage(
                image, 0, 0, skia.SamplingOptions(), skia.Paint(ImageFilter=skia.ImageFilters.Blur(24, 24))
            )
    surface.makeImageSnapshot().save(str(path), skia.kPNG)


def _spoil_sound(kind: str, path: Path) -> None:
    import numpy as np

    with wave.open(str(path), "rb") as sound:
        params, data = sound.getparams(), sound.readframes(sound.getnframes())
    samples = np.frombuffer(data, dtype="<i2").astype(np.int32)
    spoilt = np.zeros_like(samples) if kind == "silent" else np.clip(samples * 60, -32768, 32767)
    with wave.open(str(path), "wb") as sound:
        sound.setparams(params)
        sound.writeframes(spoilt.astype("<i2").tobytes())
