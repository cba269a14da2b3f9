"""The still that a shot begins from: its picture, who is where in it, and how far away everything is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from tools.artifact import Artifact
from tools.errors import InvalidInput
from tools.image.tool import GenerateImage, OnStage

__all__ = ["Person", "Still", "read_still"]

LEAST_SHARE = 2e-4
"""A character that takes less of the picture than this moves with what is behind it."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Person:
    """A character in the still, everything in pixels of the film.

    Attributes:
        mask: height x width bool: where the picture shows it.
        near: how near it is, 0 farthest .. 1 nearest.
        stage: as the layout has it.
    """

    id: str
    mask: np.ndarray
    near: float
    stage: OnStage


@dataclass(frozen=True)
class Still:
    """A still at the size of the film.

    Attributes:
        picture: height x width x 3 uint8, red green blue, without its title where the engine kept it so.
        near: height x width float32, 0 farthest .. 1 nearest.
        people: far ones first.
        titled: the title is part of the picture.
        traced: the masks follow the picture to the pixel, as those of the draft do of the draft.
    """

    picture: np.ndarray
    near: np.ndarray
    people: tuple[Person, ...]
    titled: bool
    traced: bool

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.picture.shape[1], self.picture.shape[0]

    @property
    def faces(self) -> tuple[Box, ...]:
        """Of everybody whose face the picture shows at all."""
        width, height = self.size
        boxes = [person.stage.face for person in self.people]
        return tuple(box for box in boxes if box[0] < width and box[2] > 0 and box[1] < height and box[3] > 0)

    @property
    def heads(self) -> tuple[Box, ...]:
        """The faces that the picture shows, with the hair above and beside them."""
        return tuple(
            _with_hair(person.stage.face, person.mask) for person in self.people if person.stage.face in self.faces
        )


def _with_hair(face: Box, mask: np.ndarray) -> Box:
    """The face with what there is of the character above and beside it: hair, ears, not all of an arm held high."""
    x0, y0, x1, y1 = face
    wide, tall = x1 - x0, y1 - y0
    left, right = max(0, round(x0 - 0.5 * wide)), max(0, round(x1 + 0.5 * wide))
    above = mask[: max(0, round(y0)), max(0, round(x0)) : max(0, round(x1))]
    beside = mask[max(0, round(y0)) : max(0, round(y1)), left:right]
    rows, columns = np.nonzero(above.any(axis=1))[0], np.nonzero(beside.any(axis=0))[0]
    top = max(float(rows[0]), y0 - tall) if len(rows) else y0
    sides = (left + float(columns[0]), left + float(columns[-1]) + 1) if len(columns) else (x0, x1)
    return (min(x0, sides[0]), top, max(x1, sides[1]), y1)


def read_still(artifact: Artifact, size: tuple[int, int], shot: str) -> Still:
    """Read a `generate_image` artifact and bring it to the size of the film.

    Other proportions fill the frame, and what is too much is cut off evenly on both sides.

    Args:
        size: of the film in pixels.
        shot: names it in errors.

    Raises:
        InvalidInput: it is no still, or one of its pictures cannot be read or has another size than it says.
    """
    try:
        output = GenerateImage.Output.model_validate(artifact.output)
    except ValueError as error:
        raise InvalidInput(f"shot {shot}: what it begins from is no still", where="picture") from error
    drawn = (output.width, output.height)
    picture = _read(artifact.file(output.plain or output.image), drawn)
    near = _nearness(artifact, output, drawn)
    cut = _Cut.of(drawn, size)
    picture, near = cut.apply(picture, smooth=True), cut.apply(near, smooth=True)
    depth = near.astype(np.float32) / 255
    people = []
    for name, stage in output.on_stage.items():
        if name not in output.masks:
            continue
        mask = cut.apply(_read(artifact.file(output.masks[name]), drawn)[..., 0], smooth=False) > 127
        if mask.mean() < LEAST_SHARE:
            continue
        people.append(Person(name, mask, float(np.median(depth[mask])), cut.moved(stage)))
    people.sort(key=lambda person: (person.near, person.id))
    titled = bool(artifact.record.args.get("shot", {}).get("text_overlay", "").strip()) and not output.plain
    return Still(picture, depth, tuple(people), titled, artifact.record.engine == "draft")


def _read(path: Path, size: tuple[int, int]) -> np.ndarray:
    from tools.layout.png import read_png

    try:
        # The end chunk (PNG 1.2, 4.1.4): skia shows what there is of a file that breaks off, and says nothing.
        if not path.read_bytes().endswith(b"IEND\xaeB`\x82"):
            raise ValueError("it breaks off")
        picture = read_png(path)
    except (RuntimeError, ValueError, OSError) as error:
        raise InvalidInput(f"{path.name} cannot be read as a picture", where="picture") from error
    if (picture.shape[1], picture.shape[0]) != size:
        told = f"{picture.shape[1]}x{picture.shape[0]} and its record says {size[0]}x{size[1]}"
        raise InvalidInput(f"{path.name} is {told}", where="picture", hint="Make that still again.")
    return picture


def _nearness(artifact: Artifact, output: GenerateImage.Output, size: tuple[int, int]) -> np.ndarray:
    """The depth map (near is white); where there is none, what is lower in the picture is taken to be nearer."""
    if "depth" in output.maps:
        return _read(artifact.file(output.maps["depth"]), size)[..., 0]
    rows = np.linspace(0, 255, size[1]).astype(np.uint8)
    near = np.repeat(rows[:, None], size[0], axis=1)
    for name, stage in output.on_stage.items():
        if name in output.masks:
            foot = min(size[1] - 1, max(0, round(stage.body[3])))
            near[_read(artifact.file(output.masks[name]), size)[..., 0] > 127] = rows[foot]
    return near


@dataclass(frozen=True)
class _Cut:
    """The part of a still that the film shows, and how much larger."""

    x0: int
    y0: int
    width: int
    height: int
    size: tuple[int, int]

    @classmethod
    def of(cls, drawn: tuple[int, int], size: tuple[int, int]) -> _Cut:
        width = min(drawn[0], round(drawn[1] * size[0] / size[1]))
        height = min(drawn[1], round(drawn[0] * size[1] / size[0]))
        return cls((drawn[0] - width) // 2, (drawn[1] - height) // 2, width, height, size)

    def apply(self, picture: np.ndarray, *, smooth: bool) -> np.ndarray:
        part = picture[self.y0 : self.y0 + self.height, self.x0 : self.x0 + self.width]
        if (self.width, self.height) == self.size:
            return np.ascontiguousarray(part)
        zoom = (self.size[1] / self.height, self.size[0] / self.width, 1)[: part.ndim]
        values = part.astype(np.float32)
        if smooth and min(zoom[:2]) < 1:
            values = ndimage.gaussian_filter(values, [max(0.0, (1 / z - 1) / 2) for z in zoom])
        grown = ndimage.zoom(values, zoom, order=1 if smooth else 0, mode="nearest", grid_mode=True)
        fitted: np.ndarray = np.rint(np.clip(grown, 0, 255)).astype(np.uint8)
        return fitted

    def moved(self, stage: OnStage) -> OnStage:
        sx, sy = self.size[0] / self.width, self.size[1] / self.height

        def box(b: Box) -> Box:
            return ((b[0] - self.x0) * sx, (b[1] - self.y0) * sy, (b[2] - self.x0) * sx, (b[3] - self.y0) * sy)

        points = [((x - self.x0) * sx, (y - self.y0) * sy, seen) for x, y, seen in stage.keypoints]
        return stage.model_copy(update={"body": box(stage.body), "face": box(stage.face), "keypoints": points})
