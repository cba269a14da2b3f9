"""Which of SDXL's companions a call uses: the ControlNets and the IP-Adapter that are on the device for it alone.

Asked before anything runs, in the studio's own process: nothing here imports torch. What a person names by a path is no
companion: the engine reads it itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from configs.controlnets import CONTROLNETS_YAML, load_controlnets
from configs.images import IMAGES_YAML, load_images
from configs.yaml_file import YamlProblem
from tools.errors import InvalidInput
from tools.image.reference.maps import seers_of
from tools.image.rendering import Rendering
from tools.image.sdxl.control import model_of, uses_of
from tools.image.sdxl.identity import identity_models
from tools.image.tool import GenerateImage

__all__ = ["wants"]


def wants(asked: GenerateImage.Input, here: Collection[str]) -> list[str]:
    """Names of the models that a call needs besides SDXL itself.

    Args:
        asked: the call.
        here: names of the companions that are on this machine.

    Raises:
        InvalidInput: a configuration cannot be read.
    """
    try:
        return list(dict.fromkeys([*_nets(asked, here), *_seers(asked, here), *_identity(asked, here)]))
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem


def _nets(asked: GenerateImage.Input, here: Collection[str]) -> Iterator[str]:
    known = load_controlnets(CONTROLNETS_YAML)
    rendering = asked.rendering or Rendering()
    for use in uses_of(asked.shot, known, rendering.controls, lambda name: name in here):
        entry = known.controlnets.get(use.kind)
        if entry is not None and not use.model and use.strength != 0.0:
            name = model_of(entry, lambda name: name in here)
            if name:
                yield name


def _seers(asked: GenerateImage.Input, here: Collection[str]) -> list[str]:
    """Those that make maps of a person's own photographs."""
    rendering, known = asked.rendering or Rendering(), load_controlnets(CONTROLNETS_YAML)
    uses = uses_of(asked.shot, known, rendering.controls, lambda name: name in here)
    kinds = {use.kind for use in uses if use.strength != 0.0}
    return [name for name in seers_of(asked.shot, kinds) if name in here]


def _identity(asked: GenerateImage.Input, here: Collection[str]) -> Iterator[str]:
    rendering, entry = asked.rendering or Rendering(), load_images(IMAGES_YAML).identity
    shown = bool(rendering.references) or any(given.kind == "reference" for given in asked.shot.control)
    scale = entry.scale if rendering.identity is None else rendering.identity
    if shown and scale:
        yield from identity_models(entry, frozenset(here))
