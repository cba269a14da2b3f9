"""New mouths for a few faces: each cut out, shown to the network with what is heard, and laid back without a seam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation

from tools.errors import BadOutput
from tools.video.lip.faces import Box
from tools.video.lip.network import FACE

__all__ = ["face_cut", "lay_mouth", "speak"]

CHIN = 0.1
"""How much is added below a face: the network was shown faces with their chins (`--pads 0 10 0 0` of its authors)."""
COVERED = 0.5
"""From this part of the height on the network sees nothing of the face, and draws it."""
SEAM = 0.09
"""Over which part of the box what was drawn fades into what was there."""
BLANK = 1.0
"""A mouth that deviates less than this from one colour (of 255) is none."""


def face_cut(face: Box, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box that the network is shown, whole pixels within the frame: x0, y0, x1, y1."""
    x0, y0, x1, y1 = face
    y1 += CHIN * (y1 - y0)
    left, top = min(max(0, round(x0)), size[0] - 8), min(max(0, round(y0)), size[1] - 8)
    return left, top, max(left + 8, min(size[0], round(x1))), max(top + 8, min(size[1], round(y1)))


def _scaled(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
    how = Interpolation.AREA if picture.shape[0] > height else Interpolation.BICUBIC
    made: np.ndarray = frame.reformat(width=width, height=height, format="bgr24", interpolation=how).to_ndarray()
    return made


def speak(network: Any, faces: Sequence[np.ndarray], sounds: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The faces with mouths that say what is heard.

    Args:
        network: `tools.video.lip.network`.
        faces: cut out, height x width x 3 uint8, blue green red.
        sounds: for each, 80 x 16 of `mel_window`.

    Returns:
        96 x 96 x 3 uint8 each, blue green red.

    Raises:
        BadOutput: what it drew is no picture.
    """
    import torch

    small = np.stack([_scaled(face, FACE, FACE) for face in faces]).astype(np.float32) / 255
    covered = small.copy()
    covered[:, FACE // 2 :] = 0.0
    device = next(network.parameters()).device
    seen = torch.from_numpy(np.concatenate([covered, small], axis=3).transpose(0, 3, 1, 2).copy()).to(device)
    heard = torch.from_numpy(np.stack(sounds).astype(np.float32)[:, None]).to(device)
    with torch.inference_mode():
        drawn = network(heard, seen).float().cpu().numpy().transpose(0, 2, 3, 1) * 255
    if not np.isfinite(drawn).all():
        raise BadOutput("Wav2Lip drew values that are no numbers.")
    if float(drawn.std(axis=(1, 2)).max()) < BLANK:
        raise BadOutput("Wav2Lip drew mouths of one colour: its weights are not those of a trained network.")
    return list(np.rint(np.clip(drawn, 0, 255)).astype(np.uint8))


def lay_mouth(frame: np.ndarray, cut: tuple[int, int, int, int], mouth: np.ndarray, strength: float) -> None:
    """Lay the lower half of a drawn face over a frame (blue green red first), in place.

    Args:
        cut: where the face was cut out.
        mouth: as `speak` gives it.
        strength: 0 leaves the frame, 1 shows the new mouth alone.
    """
    x0, y0, x1, y1 = cut
    width, height = x1 - x0, y1 - y0
    drawn = _scaled(mouth, width, height).astype(np.float32)
    share = strength * _seamless(width, height)[..., None]
    part = frame[y0:y1, x0:x1, :3]
    part[:] = np.rint(part * (1 - share) + drawn * share).astype(np.uint8)


def _seamless(width: int, height: int) -> np.ndarray:
    """How much of each pixel of the box is taken from the drawn face: 0 above the mouth and at the edges."""
    across = (np.arange(width) + 0.5) / width
    down = (np.arange(height) + 0.5) / height
    below_eyes = np.clip((down - COVERED) / SEAM, 0, 1)
    # The jaw is round: in the corners of the box there is what lies behind the head.
    from_middle = np.hypot((across[None] - 0.5) / 0.5, (down[:, None] - 0.55) / 0.45)
    round_jaw = np.clip((1 - from_middle) / (3 * SEAM), 0, 1)
    share = below_eyes[:, None] * round_jaw
    smooth: np.ndarray = share * share * (3 - 2 * share)
    return smooth.astype(np.float32)
