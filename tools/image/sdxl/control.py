"""ControlNet: which maps condition a shot, from the layout or a person's own picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from configs.controlnets import ControlNetEntry, ControlNetsFile
from tools.image.rendering import ControlUse
from tools.image.sdxl.files import placed
from tools.models.reading import local_path
from tools.storyboard import Shot

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "UNION_MODES",
    "ChosenControl",
    "choose_controls",
    "model_of",
    "normals_of",
    "thick_poses",
    "uses_of",
]

UNION_MODES = {"openpose": 0, "depth": 1, "canny": 3, "line": 3, "normal": 4, "segmentation": 5}
"""Which input of a union ControlNet a kind of map is (xinsir/controlnet-union-sdxl-1.0, model card)."""


@dataclass(frozen=True)
class ChosenControl:
    """A ControlNet in use: `picture` is a person's own; empty: the layout's map of that kind.

    `model` is its name in models.yaml; empty where a person named a path.
    """

    kind: str
    source: Path
    strength: float
    start: float
    end: float
    picture: str = ""
    model: str = ""

    @property
    def drawn_from(self) -> str:
        """The layout's map that it is made of: normals are those of the depths."""
        return "depth" if self.kind == "normal" else self.kind


def model_of(entry: ControlNetEntry, is_here: Callable[[str], bool]) -> str:
    """The model of an entry that is on this machine; empty where none is, or where it names a path."""
    names = () if entry.source else (entry.model, entry.otherwise)
    return next((name for name in names if name and is_here(name)), "")


def uses_of(
    shot: Shot, known: ControlNetsFile, asked: Sequence[ControlUse] | None, is_here: Callable[[str], bool]
) -> list[ControlUse]:
    """Those asked for; where nothing is said, the registered defaults and those of a person's own pictures."""
    if asked is not None:
        return list(asked)
    pictures = {given.kind for given in shot.control}
    return [
        ControlUse(kind=kind, start=entry.start, end=entry.end)
        for kind, entry in known.controlnets.items()
        if (entry.by_default or kind in pictures) and (entry.source or model_of(entry, is_here))
    ]


def choose_controls(
    shot: Shot, known: ControlNetsFile, asked: Sequence[ControlUse] | None
) -> tuple[list[ChosenControl], list[str]]:
    """The ControlNets of a shot: those asked for, else the registered defaults and those of a person's own pictures.

    Returns:
        The controls, and notes on what was not used.

    Raises:
        MissingPrerequisite: one that was asked for is not on this machine.
    """
    pictures: dict[str, str] = {given.kind: given.image for given in shot.control if given.kind != "reference"}
    notes: list[str] = []
    uses = uses_of(shot, known, asked, _is_placed)
    if asked is None and not uses:
        notes.append("No ControlNet is registered: the picture need not follow the layout, its masks and its poses.")
    chosen = [_chosen(use, known, pictures) for use in uses]
    taken = {control.kind for control in chosen}
    notes += [
        f"The {kind} picture {image} was not used: no ControlNet for {kind} is in use."
        for kind, image in pictures.items()
        if kind not in taken
    ]
    return chosen, notes


def _is_placed(name: str) -> bool:
    return bool(placed("", name))


def _chosen(use: ControlUse, known: ControlNetsFile, pictures: Mapping[str, str]) -> ChosenControl:
    entry = known.controlnets.get(use.kind)
    model = "" if use.model or entry is None else model_of(entry, _is_placed)
    source = use.model or (entry.source if entry else "") or placed("", model)
    how = f"write its path as `source` of {use.kind} into configs/controlnets.yaml"
    if entry is not None and entry.model:
        how = f"studio models pull {entry.model}"
    path = local_path(source, f"a ControlNet for {use.kind}", how)
    strength = use.strength if use.strength is not None else (entry.strength if entry else 1.0)
    return ChosenControl(use.kind, path, strength, use.start, use.end, pictures.get(use.kind, ""), model)


def normals_of(depth: np.ndarray) -> np.ndarray:
    """Surface normals of a depth map whose near parts are white.

    Colours follow ScanNet's protocol, which ControlNets are trained with: blue faces the camera, red the left, green
    the top (lllyasviel/ControlNet-v1-1-nightly, README, "ControlNet 1.1 Normal").

    Args:
        depth: height x width (x 3) uint8.

    Returns:
        height x width x 3 uint8.
    """
    import numpy as np
    from scipy.ndimage import gaussian_filter

    near = depth[..., 0] if depth.ndim == 3 else depth
    side = min(near.shape)
    # Cut-outs have flat depths: softened edges give them the roundness of bodies.
    soft = gaussian_filter(near.astype(np.float64) / 255.0, side / 64)
    down, across = np.gradient(soft * side / 4)
    normal = np.stack([across, down, np.ones_like(soft)], axis=2)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    colours: np.ndarray = np.rint((normal * 0.5 + 0.5) * 255).astype(np.uint8)
    return colours


def thick_poses(
    people: Sequence[Sequence[tuple[float, float, float]]], drawn: tuple[int, int], size: tuple[int, int]
) -> np.ndarray:
    """Skeletons with the thicker sticks that xinsir's ControlNets are trained with.

    Radius 4 px below 500 px of the longer side, twice that below 1000, three times below 2000, and so on, up to seven
    (xinsir/controlnet-openpose-sdxl-1.0, model card).

    Args:
        people: 18 keypoints each, in pixels of a picture of the size `drawn`.
        size: width and height of the map.

    Returns:
        height x width x 3 uint8.
    """
    from tools.layout.passes import openpose_map

    across, down = size[0] / drawn[0], size[1] / drawn[1]
    moved = [[(x * across, y * down, seen) for x, y, seen in points] for points in people]
    longer = max(size)
    times = 1 if longer < 500 else 2 if longer < 1000 else min(7, 2 + longer // 1000)
    return openpose_map(moved, size, radius=4.0 * times)
