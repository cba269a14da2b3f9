"""A person's own picture as the map that a ControlNet reads: a photograph is looked at, a map is taken as it is."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import InvalidInput, MissingPrerequisite
from tools.image.reference.keypoints import Point
from tools.storyboard import Shot

if TYPE_CHECKING:
    import numpy as np

__all__ = ["SEERS", "is_map", "map_of", "people_in", "seers_of"]

SEERS = {"openpose": ("person_detector", "vitpose"), "depth": ("depth_anything",), "normal": ("depth_anything",)}
"""Models that turn a photograph into a map, by kind; edges need none, and there is none for the other kinds."""
CANNY = (100, 200)


def seers_of(shot: Shot, kinds: Collection[str]) -> list[str]:
    """The models that a shot's own pictures need, of those kinds of map that are in use.

    A picture that cannot be read here is told by the engine; it needs none.
    """
    from tools.image.reference.photo import read_photo

    needed: list[str] = []
    for given in shot.control:
        if given.kind in kinds and given.kind in SEERS:
            try:
                is_one = is_map(given.kind, read_photo(Path(given.image).expanduser(), longest=512))
            except (InvalidInput, ModuleNotFoundError):
                continue
            needed += [] if is_one else SEERS[given.kind]
    return list(dict.fromkeys(needed))


def is_map(kind: str, picture: np.ndarray) -> bool:
    """Whether a picture (height x width x 3 uint8) is a map of that kind already.

    openpose: bright sticks on black. canny, line: nearly all black or white, most of it black. depth: without colour; a
    black and white photograph counts as one, too. normal: bluish on the whole, as surfaces that face the camera are.
    segmentation: few flat colours; there is no model for it, so any picture counts.
    """
    import numpy as np

    values = picture.astype(np.float32)
    grey, spread = values.mean(axis=2), values.max(axis=2) - values.min(axis=2)
    if kind == "depth":
        return float(spread.mean()) < 3.0
    if kind == "normal":
        blue = values[..., 2].mean() - max(values[..., 0].mean(), values[..., 1].mean())
        return float(blue) > 40.0
    if kind == "openpose":
        lit = values.max(axis=2) > 40.0
        return float(lit.mean()) < 0.5 and (not lit.any() or float(spread[lit].mean()) > 80.0)
    if kind in ("canny", "line"):
        dark, bright = float(np.mean(grey < 40)), float(np.mean(grey > 215))
        return dark + bright > 0.9 and dark > bright and float(spread.mean()) < 8.0
    return True


def people_in(picture: np.ndarray, model: Callable[[str], Any]) -> list[list[Point]]:
    """Skeletons of the people in a photograph: 18 joints each, x, y in pixels and 1 where seen.

    Args:
        model: gives a model by its name in models.yaml.

    Raises:
        MissingPrerequisite: a model is not on this machine.
        InvalidInput: there is nobody in it.
    """
    from tools.image.reference.pose import poses_of

    found = poses_of(picture, _seer(model, "person_detector"), _seer(model, "vitpose"))
    if not found:
        raise InvalidInput("nobody was found in the picture", hint="Give one that shows a person, or a drawn pose.")
    return found


def map_of(
    kind: str, picture: np.ndarray, model: Callable[[str], Any], thresholds: tuple[int, int] = CANNY
) -> np.ndarray:
    """A picture as a map of its own size.

    Args:
        kind: openpose, depth, canny, line, normal or segmentation.
        picture: height x width x 3 uint8.
        model: gives a model by its name in models.yaml; asked only where one is needed.
        thresholds: of Canny's hysteresis.

    Returns:
        height x width x 3 uint8.

    Raises:
        MissingPrerequisite: a model that is needed is not on this machine.
        InvalidInput: a pose is asked for, and nobody is in the picture.
    """
    import numpy as np

    if is_map(kind, picture):
        return picture
    if kind == "openpose":
        from tools.layout.passes import openpose_map

        return openpose_map(people_in(picture, model), (picture.shape[1], picture.shape[0]))
    if kind in ("depth", "normal"):
        from tools.image.sdxl.control import normals_of

        depth: np.ndarray = _seer(model, "depth_anything").depth(picture)
        return normals_of(depth) if kind == "normal" else depth
    return np.repeat(edges_of(picture, thresholds)[..., None], 3, axis=2)


def edges_of(picture: np.ndarray, thresholds: tuple[int, int]) -> np.ndarray:
    """Canny's edges, white on black, height x width uint8; by OpenCV."""
    import cv2
    import numpy as np

    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    edges: np.ndarray = cv2.Canny(grey, *thresholds)
    return edges


def _seer(model: Callable[[str], Any], name: str) -> Any:
    try:
        return model(name)
    except InvalidInput as error:
        raise MissingPrerequisite(
            f"a photograph becomes a map by {name}, which is not at hand.", command=f"studio models pull {name}"
        ) from error
