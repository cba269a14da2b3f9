"""Stills with painted faces, as `generate_image` leaves them, for the tiny face pack."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evals.checkpoints.faces import FACE_SIDE, painted_face
from tests.tools.review.fabricate import Shelf
from tools.base import ArtifactRef
from tools.image.tool import GenerateImage, OnStage
from tools.layout.png import write_png

__all__ = ["SIZE", "put_still", "write_portrait"]

SIZE = (640, 352)

Painted = tuple[tuple[int, int], int, float]
"""Middle, pattern and noise of a face."""


def put_still(
    shelf: Shelf,
    call: str,
    masks: dict[str, tuple[int, int]],
    faces: list[Painted],
    back: tuple[str, ...] = (),
) -> ArtifactRef:
    """A still in the store.

    Args:
        masks: by character, from which column to which its mask reaches.
        faces: what is painted.
        back: who is turned away.
    """
    folder = shelf.folder(call)
    picture = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    for centre, pattern, noise in faces:
        painted_face(picture, centre, pattern, noise)
    write_png(folder / "still.png", picture)
    stage = {}
    for name, (left, right) in masks.items():
        mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        mask[:, left:right] = 255
        write_png(folder / f"mask-{name}.png", mask)
        middle, half = (left + right) / 2, FACE_SIDE / 2
        stage[name] = OnStage(
            body=(left, 0, right, SIZE[1]), face=(middle - half, 100, middle + half, 100 + FACE_SIDE), visible=1.0,
            in_frame=1.0, hidden_by={}, keypoints=[], facing_back=name in back,
        )  # fmt: skip
    output = GenerateImage.Output(
        image="still.png", width=SIZE[0], height=SIZE[1], masks={name: f"mask-{name}.png" for name in masks}, maps={},
        on_stage=stage, location="beach",
    )  # fmt: skip
    return shelf.store(call, "generate_image", folder, output, {})


def write_portrait(path: Path, pattern: int | None) -> Path:
    """A reference picture with one face, or with none."""
    picture = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    if pattern is not None:
        painted_face(picture, (336, 176), pattern)
    write_png(path, picture)
    return path
