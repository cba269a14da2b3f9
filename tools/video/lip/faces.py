"""Where a face is in every frame of a moving shot, begun from where the layout says it is in the still.

Normalised cross-correlation (Lewis, "Fast Normalized Cross-Correlation", 1995) of the upper face, at a few sizes: no
detector, no weights. A box that is kept still instead would slide off every head that moves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage, signal

from tools.image.tool import OnStage

__all__ = ["Box", "FaceTrack", "hidden_because", "track_face"]

Box = tuple[float, float, float, float]
LEAST_FACE = 0.055
"""Height of a face as a part of the frame's, below which lips are not seen to move."""
LEAST_IN_FRAME, LEAST_VISIBLE = 0.75, 0.3
GRAIN = 36
"""Pixels of the height at which faces are compared."""
UPPER = 0.72
"""The part of the face that is compared: eyes, brows and nose. The mouth is what changes."""
FIRST_SIZES = (0.86, 0.93, 1.0, 1.07, 1.15, 1.24)
NEXT_SIZES = (0.98, 1.0, 1.02)
FIRST_REACH, NEXT_REACH = 0.6, 0.2
"""How far the face is looked for, in face sizes, in the first frame and from one frame to the next."""
SURE = 0.5
"""Correlation from which a place counts as the face."""
LEARNED = 0.08
"""How much of each new frame the sample takes over: heads turn."""
STEADY = 2.0
"""Deviation in frames over which the path is smoothed."""


def hidden_because(stage: OnStage | None, size: tuple[int, int]) -> str:
    """Why the lips of a character cannot be seen; empty where they can.

    Args:
        stage: where it is in the still; None where it is not in it.
        size: of the still in pixels.
    """
    if stage is None:
        return "is not in the picture"
    if stage.facing_back:
        return "is seen from behind"
    x0, y0, x1, y1 = stage.face
    area = max(1e-6, (x1 - x0) * (y1 - y0))
    inside = max(0.0, min(x1, size[0]) - max(x0, 0)) * max(0.0, min(y1, size[1]) - max(y0, 0)) / area
    if inside < LEAST_IN_FRAME:
        return "has the face outside the frame"
    if stage.visible < LEAST_VISIBLE * stage.in_frame:
        return "is hidden"
    if y1 - y0 < LEAST_FACE * size[1]:
        return "is too far away for lips to be seen"
    return ""


@dataclass(frozen=True)
class FaceTrack:
    """The face in every frame (boxes in pixels), and the part of the frames in which it was recognised."""

    boxes: tuple[Box, ...]
    found: float


def track_face(still: np.ndarray, face: Box, frames: Iterable[np.ndarray]) -> FaceTrack:
    """Follow a face through a shot.

    Args:
        still: height x width, grey, of the frames' size.
        face: in it.
        frames: of the shot, height x width, grey.
    """
    sample = _patch(still.astype(np.float32), _upper(face), 1.0)
    box, seen, path = face, 0, []
    for number, frame in enumerate(frames):
        grey = frame.astype(np.float32)
        sizes, around = (NEXT_SIZES, NEXT_REACH) if number else (FIRST_SIZES, FIRST_REACH)
        score, place = max((_best(grey, sample, box, size, around) for size in sizes), key=lambda found: found[0])
        if score >= SURE:
            box, seen = place, seen + 1
            now = _patch(grey, _upper(box), 1.0)
            if now.shape == sample.shape:
                sample = sample * (1 - LEARNED) + now * LEARNED
        path.append(box)
    if not path:
        return FaceTrack((), 0.0)
    smooth = ndimage.gaussian_filter1d(np.array(path), STEADY, axis=0, mode="nearest")
    boxes = tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in smooth)
    return FaceTrack(boxes, seen / len(path))


def _upper(face: Box) -> Box:
    return (face[0], face[1], face[2], face[1] + UPPER * (face[3] - face[1]))


def _patch(grey: np.ndarray, box: Box, scale: float) -> np.ndarray:
    """What a box shows, as many pixels high as `GRAIN` times `scale`."""
    x0, y0, x1, y1 = box
    height = max(4, round(GRAIN * scale))
    width = max(4, round(height * (x1 - x0) / max(y1 - y0, 1e-6)))
    step = (y1 - y0) / height
    # Cut out with some of what is around, and blurred as far as it is made smaller.
    margin = 2 * step + 2
    top, left = max(0, int(y0 - margin)), max(0, int(x0 - margin))
    part = grey[top : max(top + 1, int(y1 + margin) + 1), left : max(left + 1, int(x1 + margin) + 1)]
    if not part.size:
        return np.zeros((height, width), dtype=np.float32)
    soft = ndimage.uniform_filter(part, max(1, round(step)), mode="nearest")
    rows = y0 - top + (np.arange(height) + 0.5) * (y1 - y0) / height - 0.5
    columns = x0 - left + (np.arange(width) + 0.5) * (x1 - x0) / width - 0.5
    grid = np.meshgrid(rows, columns, indexing="ij")
    sampled: np.ndarray = ndimage.map_coordinates(soft, grid, order=1, mode="nearest")
    return sampled


def _best(grey: np.ndarray, sample: np.ndarray, box: Box, size: float, around: float) -> tuple[float, Box]:
    """The best correlation of the sample with what is near the box, at a size, and the face's box there."""
    x0, y0, x1, y1 = box
    width, height = (x1 - x0) * size, (y1 - y0) * size
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    high = height * UPPER
    left, top = cx - width / 2 - around * width, cy - height / 2 - around * height
    right, bottom = cx + width / 2 + around * width, top + high + 2 * around * height
    searched = _patch(grey, (left, top, right, bottom), (bottom - top) / high)
    if searched.shape[0] <= sample.shape[0] or searched.shape[1] <= sample.shape[1]:
        return -1.0, box
    scores = _correlation(searched, sample)
    row, column = np.unravel_index(int(np.argmax(scores)), scores.shape)
    dy, dx = _between(scores, int(row), int(column))
    y = top + (row + dy) * (bottom - top) / searched.shape[0]
    x = left + (column + dx) * (right - left) / searched.shape[1]
    return float(scores[row, column]), (x, y, x + width, y + height)


def _correlation(searched: np.ndarray, sample: np.ndarray) -> np.ndarray:
    """-1..1 for every place of the sample in what is searched."""
    ideal = sample - sample.mean()
    ones, count = np.ones_like(sample), sample.size
    shared = signal.fftconvolve(searched - searched.mean(), ideal[::-1, ::-1], mode="valid")
    total = signal.fftconvolve(searched, ones, mode="valid")
    squares = signal.fftconvolve(searched**2, ones, mode="valid")
    spread = np.sqrt(np.maximum(squares - total**2 / count, 1e-3)) * np.sqrt(max(float((ideal**2).sum()), 1e-3))
    scores: np.ndarray = shared / spread
    # What is all of one brightness is like nothing.
    return np.where(squares - total**2 / count > count, scores, -1.0)


def _between(scores: np.ndarray, row: int, column: int) -> tuple[float, float]:
    """How far the true peak lies from the highest place: the top of a parabola through its neighbours."""

    def top(before: float, at: float, after: float) -> float:
        bend = before - 2 * at + after
        return max(-0.5, min(0.5, (before - after) / (2 * bend))) if bend < -1e-9 else 0.0

    rows, columns = scores.shape
    dy = top(*(float(scores[row + i, column]) for i in (-1, 0, 1))) if 0 < row < rows - 1 else 0.0
    dx = top(*(float(scores[row, column + i]) for i in (-1, 0, 1))) if 0 < column < columns - 1 else 0.0
    return dy, dx
