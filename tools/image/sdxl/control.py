"""ControlNet: which maps condition a shot, from the layout or a person's own picture; and what reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.controlnets import ControlNetsFile
from tools.errors import InvalidInput
from tools.image.rendering import ControlUse
from tools.image.sdxl.files import local_path, placed, require_safetensors, the_file
from tools.models import inspect_folder, require_family
from tools.storyboard import Shot

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ChosenControl", "choose_controls", "load_controlnet", "picture_as_map"]

_LAID_OUT = {"openpose", "depth", "canny", "line", "segmentation"}


@dataclass(frozen=True)
class ChosenControl:
    """A ControlNet in use: `picture` is a person's own; empty: the layout's map of that kind."""

    kind: str
    source: Path
    strength: float
    start: float
    end: float
    picture: str = ""


def choose_controls(
    shot: Shot, known: ControlNetsFile, asked: Sequence[ControlUse] | None
) -> tuple[list[ChosenControl], list[str]]:
    """The ControlNets of a shot: those asked for, else the registered defaults and those of a person's own pictures.

    Returns:
        The controls, and notes on what was not used.

    Raises:
        MissingPrerequisite: one that was asked for is not on this machine.
        InvalidInput: a kind that the layout does not draw, and no picture of it.
    """
    pictures: dict[str, str] = {given.kind: given.image for given in shot.control if given.kind != "reference"}
    notes: list[str] = []
    if asked is None:
        asked = []
        for kind, entry in known.controlnets.items():
            if (entry.by_default or kind in pictures) and placed(entry.source, entry.model):
                asked.append(ControlUse(kind=kind, start=entry.start, end=entry.end))
        if not asked:
            notes.append(
                "No ControlNet is registered: the picture need not follow the layout, its masks and its poses."
            )
    chosen = [_chosen(use, known, pictures) for use in asked]
    taken = {control.kind for control in chosen}
    notes += [
        f"The {kind} picture {image} was not used: no ControlNet for {kind} is in use."
        for kind, image in pictures.items()
        if kind not in taken
    ]
    return chosen, notes


def _chosen(use: ControlUse, known: ControlNetsFile, pictures: Mapping[str, str]) -> ChosenControl:
    entry = known.controlnets.get(use.kind)
    source = use.model or (placed(entry.source, entry.model) if entry else "")
    how = f"write its path as `source` of {use.kind} into configs/controlnets.yaml"
    if entry is not None and entry.model:
        how = f"studio models pull {entry.model}"
    path = local_path(source, f"a ControlNet for {use.kind}", how)
    if use.kind not in _LAID_OUT and use.kind not in pictures:
        raise InvalidInput(f"the layout draws no {use.kind} map: give a picture of it", where="rendering.controls")
    strength = use.strength if use.strength is not None else (entry.strength if entry else 1.0)
    return ChosenControl(use.kind, path, strength, use.start, use.end, pictures.get(use.kind, ""))


def picture_as_map(kind: str, picture: np.ndarray, thresholds: tuple[int, int]) -> np.ndarray:
    """A person's picture as a map: edges are found in a photograph, everything else is taken as the map it is.

    Args:
        picture: height x width x 3 uint8.
        thresholds: of Canny's hysteresis.
    """
    import numpy as np

    if kind != "canny" or is_line_drawing(picture):
        return picture
    try:
        import cv2
    except ModuleNotFoundError:
        from tools.layout.passes import canny

        return canny(picture)
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    edges: np.ndarray = cv2.Canny(grey, *thresholds)
    return edges


def is_line_drawing(picture: np.ndarray) -> bool:
    """Whether a picture is white lines on black already: nearly all of it black or white, most of it black."""
    import numpy as np

    grey = picture.mean(axis=2)
    dark, bright = float(np.mean(grey < 40)), float(np.mean(grey > 215))
    return dark + bright > 0.9 and dark > bright and float(picture.std(axis=2).mean()) < 3.0


def load_controlnet(path: Path, unet: Any, dtype: Any) -> Any:
    """Read a ControlNet into host memory.

    Args:
        path: a folder of diffusers, or a safetensors file: its topology is then that of the model's own UNet.
        unet: of the model that it is to condition.

    Raises:
        InvalidInput: it cannot be read, holds pickles alone, or is another kind of network.
    """
    folder = path if path.is_dir() else path.parent
    try:
        if (folder / "config.json").is_file():
            net = _from_folder(folder, dtype)
        else:
            net = _from_file(the_file(path), unet, dtype)
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise InvalidInput(
            f"cannot be read as a ControlNet: {str(error).strip().splitlines()[0][:200]}", where=str(path),
            hint="It must be a ControlNet for SDXL.",
        ) from error  # fmt: skip
    return net.requires_grad_(False).eval()


def _from_folder(folder: Path, dtype: Any) -> Any:
    from diffusers import ControlNetModel

    try:
        kind = json.loads((folder / "config.json").read_text())["_class_name"]
    except (ValueError, KeyError, TypeError):
        raise InvalidInput("is no config of diffusers", where=str(folder / "config.json")) from None
    if kind != "ControlNetModel":
        raise InvalidInput(f"is a {kind}; a ControlNetModel is needed", where=str(folder))
    files = [file for file in inspect_folder(folder).weights if file.path.parent == folder]
    for file in files:
        require_family(file, "controlnet", base="sdxl")
    # `variant` does not fall back by itself.
    variant = None if (folder / "diffusion_pytorch_model.safetensors").is_file() else "fp16"
    return ControlNetModel.from_pretrained(
        str(folder), dtype=dtype, use_safetensors=True, local_files_only=True, variant=variant
    )


def _from_file(file: Path, unet: Any, dtype: Any) -> Any:
    from diffusers import ControlNetModel
    from safetensors.torch import load_file

    require_safetensors(file, "controlnet", base="sdxl")
    net = ControlNetModel.from_unet(unet, load_weights_from_unet=False)
    net.load_state_dict(load_file(str(file)))
    return net.to(dtype)
