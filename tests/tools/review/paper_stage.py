"""A stage of paper dolls that obeys `StageAdjustment`: pictures, masks and boxes to review, small and quick to draw.

A doll is a head on a body; nearer dolls cover farther ones. What lies outside the frame is drawn too (on a canvas three
times as large), so that the parts that are in the frame and visible are counted, not guessed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import skia
from numpy.typing import NDArray

from tests.tools.review.fabricate import Shelf
from tools.base import ArtifactRef
from tools.image.tool import GenerateImage, OnStage, StageAdjustment
from tools.storyboard import CastMember, Placement, Shot

SIZE = (480, 270)
KINDS = ("depth", "line", "canny", "openpose", "segmentation")
BODY = {"wide": 0.45, "full": 0.8, "medium": 1.5, "close": 2.6, "detail": 4.0}
"""Height of a doll in frame heights."""
HEAD_TOP = {"wide": 0.42, "full": 0.12, "medium": 0.14, "close": 0.12, "detail": -0.5}
MEAN = {"dawn": 120, "day": 140, "sunset": 110, "night": 45}


def write_gray(path: Path, pixels: NDArray[np.uint8]) -> None:
    write_rgb(path, np.repeat(pixels[:, :, None], 3, axis=2))


def write_rgb(path: Path, pixels: NDArray[np.uint8]) -> None:
    alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    image = skia.Image.fromarray(
        np.ascontiguousarray(np.concatenate((pixels, alpha), axis=2)), skia.kRGBA_8888_ColorType
    )
    image.save(str(path), skia.kPNG)


class Doll:
    """One character in frame coordinates (pixels), after the camera."""

    def __init__(self, placement: Placement, shot: Shot, adjust: StageAdjustment, size: tuple[int, int]) -> None:
        width, height = size
        tall = BODY[shot.framing] * (1 - 0.4 * placement.depth) * height
        x = (placement.x + adjust.dx.get(placement.character, 0.0)) * width
        top = HEAD_TOP[shot.framing] * height
        self.placement = placement
        self.body = tuple(self._seen(v, adjust, size) for v in ((x - tall * 0.14, top), (x + tall * 0.14, top + tall)))
        side = tall * 0.1
        self.face = tuple(self._seen(v, adjust, size) for v in ((x - side, top), (x + side, top + 2.2 * side)))

    @staticmethod
    def _seen(point: tuple[float, float], adjust: StageAdjustment, size: tuple[int, int]) -> tuple[float, float]:
        x, y = point
        zoomed = ((x - size[0] / 2) * adjust.zoom + size[0] / 2, (y - size[1] / 2) * adjust.zoom + size[1] / 2)
        return zoomed[0], zoomed[1] + adjust.dy * size[1]

    def silhouette(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """On a canvas of three frames by three; the frame is the middle one."""
        rows = np.arange(3 * size[1])[:, None] + 0.5 - size[1]
        columns = np.arange(3 * size[0])[None, :] + 0.5 - size[0]
        (left, top), (right, bottom) = self.face
        head = ((columns - (left + right) / 2) / (right - left) * 2) ** 2
        head = head + ((rows - (top + bottom) / 2) / (bottom - top) * 2) ** 2 <= 1
        (left, _), (right, low) = self.body
        middle = (top + 2 * bottom) / 3
        trunk = (columns >= left) & (columns <= right) & (rows >= middle) & (rows <= low)
        return head | trunk

    def keypoints(self, shown: NDArray[np.bool_]) -> list[tuple[float, float, float]]:
        (left, top), (right, bottom) = self.face
        x, waist = (left + right) / 2, (self.body[1][1] + bottom) / 2
        points = [(x, (top + bottom) / 2), (x, bottom)] + [(x + 3 * (n % 3 - 1), waist) for n in range(16)]
        height, width = shown.shape
        return [(px, py, float(0 <= px < width and 0 <= py < height and shown[int(py), int(px)])) for px, py in points]


def draw_stage(
    shot: Shot, adjust: StageAdjustment, size: tuple[int, int] = SIZE
) -> tuple[NDArray[np.uint8], dict[str, NDArray[np.uint8]], dict[str, OnStage]]:
    """The picture, a mask per character, and where each one is."""
    width, height = size
    frame = np.s_[height : 2 * height, width : 2 * width]
    dolls = sorted((Doll(p, shot, adjust, size) for p in shot.placements), key=lambda doll: doll.placement.depth)
    whole = {doll.placement.character: doll.silhouette(size) for doll in dolls}
    taken = np.zeros((3 * height, 3 * width), bool)
    masks, seen = {}, {}
    hidden: dict[str, dict[str, float]] = {name: {} for name in whole}
    for number, doll in enumerate(dolls):
        name = doll.placement.character
        own = whole[name]
        total = max(1, int(own.sum()))
        for nearer in dolls[:number]:
            other = nearer.placement.character
            hidden[name][other] = float((own & whole[other]).sum() / total)
        shown = (own & ~taken)[frame]
        taken |= own
        masks[name] = shown.astype(np.uint8) * 255
        seen[name] = OnStage(
            body=(*doll.body[0], *doll.body[1]),
            face=(*doll.face[0], *doll.face[1]),
            visible=float(shown.sum() / total),
            in_frame=float(own[frame].sum() / total),
            hidden_by=hidden[name],
            keypoints=doll.keypoints(shown),
        )
    return _paint(shot, adjust, masks, size), masks, seen


def _paint(
    shot: Shot, adjust: StageAdjustment, masks: dict[str, NDArray[np.uint8]], size: tuple[int, int]
) -> NDArray[np.uint8]:
    width, height = size
    rng = np.random.default_rng(7)
    level = MEAN[shot.time_of_day]
    sky = np.linspace(level * 1.3, level * 0.7, height)[:, None, None] * np.array([0.9, 1.0, 1.15])
    picture = np.broadcast_to(sky, (height, width, 3)) + rng.normal(0, level * 0.08, (height, width, 1))
    picture = picture.copy()
    for number, mask in enumerate(masks.values()):
        stripes = ((np.arange(height)[:, None] // 4 + np.arange(width)[None, :] // 4) % 2)[:, :, None]
        paint = np.roll(np.array([1.4, 0.8, 0.4]), number) * level * (0.7 + 0.6 * stripes)
        picture = np.where(mask[:, :, None] > 0, paint, picture)
    return (picture * adjust.exposure).clip(0, 255).astype(np.uint8)


def put_image(
    shelf: Shelf,
    call: str,
    shot: Shot,
    adjust: StageAdjustment | None = None,
    *,
    size: tuple[int, int] = SIZE,
    picture: NDArray[np.uint8] | None = None,
    told: dict[str, Any] | None = None,
    on_stage: dict[str, OnStage] | None = None,
    masks: dict[str, NDArray[np.uint8]] | None = None,
    maps: dict[str, NDArray[np.uint8]] | None = None,
) -> ArtifactRef:
    """A stored picture of the paper stage; every part may be replaced by a broken one.

    Args:
        told: fields of the output that are to differ.
        maps: by kind, instead of the usual ones.
    """
    adjust = adjust or StageAdjustment()
    folder = shelf.folder(call)
    painted, own_masks, seen = draw_stage(shot, adjust, size)
    write_rgb(folder / "still.png", painted if picture is None else picture)
    masks = own_masks if masks is None else masks
    for name, mask in masks.items():
        write_gray(folder / f"mask-{name}.png", mask)
    if maps is None:
        ramp = np.broadcast_to(np.linspace(0, 255, size[0]).astype(np.uint8), (size[1], size[0]))
        maps = dict.fromkeys(KINDS, np.ascontiguousarray(ramp))
    for kind, pixels in maps.items():
        write_gray(folder / f"{kind}.png", pixels)
    fields: dict[str, Any] = {
        "image": "still.png",
        "width": size[0],
        "height": size[1],
        "masks": {name: f"mask-{name}.png" for name in masks},
        "maps": {kind: f"{kind}.png" for kind in maps},
        "on_stage": seen if on_stage is None else on_stage,
        "location": shot.location,
    }
    args = {"shot": shot.model_dump(mode="json"), "adjust": adjust.model_dump(mode="json"), "maps": list(KINDS)}
    return shelf.store(call, "generate_image", folder, GenerateImage.Output(**(fields | (told or {}))), args)


def two_shot(**changes: Any) -> Shot:
    """Two characters side by side."""
    placements = [Placement(character="luca", x=0.33), Placement(character="alberto", x=0.67, depth=0.4)]
    return Shot(**({"id": "s1", "framing": "full", "placements": placements} | changes))


CAST = [CastMember(id="luca", name="Luca", known=True), CastMember(id="alberto", name="Alberto", known=True)]
