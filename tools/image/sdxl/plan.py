"""What a call asks for, worked out before anything is loaded: words, steps, LoRAs, ControlNets, references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from configs.characters import CHARACTERS_FILE, load_characters
from configs.controlnets import CONTROLNETS_YAML, ControlNetsFile, load_controlnets
from configs.images import IMAGES_YAML, ImagesFile, Preset, load_images
from configs.loras import LORAS_YAML, load_loras
from configs.yaml_file import YamlProblem
from tools.errors import InvalidInput
from tools.image.rendering import Rendering
from tools.image.sdxl.control import ChosenControl, choose_controls
from tools.image.sdxl.files import placed
from tools.image.sdxl.lora import Adapter, choose_loras
from tools.image.sdxl.words import Prompts, write_prompts
from tools.image.tool import GenerateImage

__all__ = ["ConfigPaths", "Plan", "make_plan"]


@dataclass(frozen=True)
class ConfigPaths:
    """Where the data of a plan is read from."""

    images: Path = IMAGES_YAML
    loras: Path = LORAS_YAML
    controlnets: Path = CONTROLNETS_YAML
    characters: Path = CHARACTERS_FILE


@dataclass(frozen=True)
class Plan:
    """One picture.

    Attributes:
        prompts: what is asked and avoided.
        preset: steps, guidance and scheduler, with what the call changed of them.
        adapters, controls: LoRAs and ControlNets in use.
        references: by character (empty: everybody) the pictures that show how it looks.
        identity_scale: how strongly they act.
        reference_weights: by character what that is times.
        regional: whether people are drawn by their own prompts.
        images, nets: the configuration.
        notes: what is done otherwise than one might think.
    """

    prompts: Prompts
    preset: Preset
    adapters: Sequence[Adapter]
    controls: Sequence[ChosenControl]
    references: Mapping[str, Sequence[str]]
    identity_scale: float
    regional: bool
    rendering: Rendering
    images: ImagesFile
    nets: ControlNetsFile
    notes: tuple[str, ...]
    reference_weights: Mapping[str, float] = field(default_factory=dict)


def make_plan(args: GenerateImage.Input, preset: str = "", paths: ConfigPaths = ConfigPaths()) -> Plan:
    """Work out what a call asks for.

    Args:
        preset: of the engine, where the call names none; empty is the default of images.yaml.

    Raises:
        InvalidInput: an unknown preset, LoRA or repair; a file or a configuration that cannot be used.
        MissingPrerequisite: something that was asked for by name is not on this machine.
    """
    try:
        images, loras = load_images(paths.images), load_loras(paths.loras)
        nets, sheets = load_controlnets(paths.controlnets), load_characters(paths.characters)
    except YamlProblem as problem:
        raise InvalidInput(problem.message, where=problem.where) from problem
    rendering = args.rendering or Rendering()
    name = rendering.preset or preset or images.default
    effort = _effort(rendering, images, name)
    people = [placement.character for placement in args.shot.placements]
    if rendering.repair and rendering.repair not in people:
        raise InvalidInput(
            f"{rendering.repair!r} is not in the shot",
            where="rendering.repair",
            hint=f"There are: {', '.join(people)}.",
        )
    adapters, words_alone = choose_loras(args.shot, args.style, "", sheets, loras, rendering.loras, name)
    adapters = [_scaled(one, rendering.likeness_scale) for one in adapters]
    controls, unused = choose_controls(args.shot, nets, rendering.controls)
    controls = [replace(one, strength=round(min(2.0, one.strength * rendering.control_scale), 4)) for one in controls]
    references, missing = _references(args, rendering, images)
    prompts = write_prompts(
        args.shot, args.cast, sheets, images, style=args.style,
        triggers=[word for one in adapters for word in one.trigger], more=rendering.prompt, avoid=rendering.negative,
    )  # fmt: skip
    scale = images.identity.scale if rendering.identity is None else rendering.identity
    scale = round(min(1.5, scale * rendering.likeness_scale), 4)
    return Plan(
        prompts, effort, adapters, controls, references if scale else {}, scale, rendering.regional and len(people) > 1,
        rendering, images, nets, (*words_alone, *unused, *missing), _weights(rendering),
    )  # fmt: skip


def _scaled(adapter: Adapter, scale: float) -> Adapter:
    """A character's LoRA at another strength; those of places and styles stay."""
    if not adapter.character or scale == 1.0:
        return adapter
    return replace(adapter, weight=round(min(2.0, max(-2.0, adapter.weight * scale)), 4))


def _effort(rendering: Rendering, images: ImagesFile, name: str) -> Preset:
    if name not in images.presets:
        raise InvalidInput(
            f"there is no preset {name!r}", where="rendering.preset", hint=f"There are: {', '.join(images.presets)}."
        )
    said = {
        "steps": rendering.steps,
        "guidance": rendering.guidance,
        "scheduler": rendering.scheduler or None,
        "refine_from": rendering.refine_from,
    }
    return images.presets[name].model_copy(update={key: value for key, value in said.items() if value is not None})


def _weights(rendering: Rendering) -> dict[str, float]:
    """By character the mean of its references' weights."""
    found: dict[str, list[float]] = {}
    for use in rendering.references:
        found.setdefault(use.character, []).append(use.weight)
    return {name: sum(weights) / len(weights) for name, weights in found.items()}


def _references(
    args: GenerateImage.Input, rendering: Rendering, images: ImagesFile
) -> tuple[dict[str, list[str]], list[str]]:
    found: dict[str, list[str]] = {}
    for given in args.shot.control:
        if given.kind == "reference":
            found.setdefault("", []).append(given.image)
    asked = bool(rendering.references)
    for use in rendering.references:
        found.setdefault(use.character, []).append(use.image)
    if found and not asked and not placed(images.identity.file, images.identity.model):
        unused = ", ".join(found.pop(""))
        return {}, [f"The reference picture {unused} was not used: no IP-Adapter is on this machine."]
    return found, []
