"""LoRA: which ones a shot calls for; put on for one call, and taken off again whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.characters import CharacterSheet
from configs.loras import LoraEntry, LorasFile
from tools.errors import EngineFailed, InvalidInput
from tools.image.rendering import LoraUse
from tools.image.sdxl.files import placed, require_safetensors, the_file
from tools.models.reading import local_path
from tools.storyboard import Shot

__all__ = ["Adapter", "Wardrobe", "attached", "choose_loras", "settle"]


@dataclass(frozen=True)
class Adapter:
    """A LoRA in use: `name` is safe for PEFT, `character` whose it is (empty: the whole picture's)."""

    name: str
    file: Path
    weight: float
    character: str = ""
    trigger: tuple[str, ...] = ()


def choose_loras(
    shot: Shot,
    style: str,
    location: str,
    sheets: Mapping[str, CharacterSheet],
    known: LorasFile,
    asked: Sequence[LoraUse] | None,
    preset: str = "",
) -> tuple[list[Adapter], list[str]]:
    """The LoRAs of a shot: those asked for, else those of its characters, its place and its style that are registered.

    Returns:
        The adapters, those of weight 0 left out, and notes on what is described by words alone.

    Raises:
        InvalidInput: an unknown name, or a file that is no LoRA for SDXL.
        MissingPrerequisite: one that was asked for by name is not on this machine.
    """
    notes: list[str] = []
    if asked is not None:
        found = [_asked(use, known) for use in asked]
    else:
        found = []
        for name, weight, character in _called_for(shot, style, location, sheets, known):
            entry = known.loras.get(name)
            if entry is None or not placed(entry.file, entry.model):
                notes.append(f"No LoRA is registered for {name}: words alone describe it.")
                continue
            found.append(_adapter(name, entry, weight, character))
    found += [
        _adapter(name, entry, entry.weight, "")
        for name, entry in known.loras.items()
        if entry.kind == "preset" and preset in entry.when
    ]
    used = [adapter for adapter in found if adapter.weight != 0.0]
    for adapter in used:
        require_safetensors(adapter.file, "lora", base="sdxl")
    unique = {adapter.name: adapter for adapter in used}
    if len(unique) < len(used):
        raise InvalidInput("the same LoRA is named twice", where="rendering.loras")
    return used, notes


def _called_for(
    shot: Shot, style: str, location: str, sheets: Mapping[str, CharacterSheet], known: LorasFile
) -> Iterator[tuple[str, float, str]]:
    """Name, weight and character."""
    for placement in shot.placements:
        sheet = sheets.get(placement.character)
        if sheet is not None and sheet.lora is not None:
            yield sheet.lora.name, sheet.lora.weight, placement.character
    for name, entry in known.loras.items():
        if (entry.kind == "place" and {shot.location, location} & set(entry.when)) or (
            entry.kind == "style" and style in entry.when
        ):
            yield name, entry.weight, ""


def _asked(use: LoraUse, known: LorasFile) -> Adapter:
    if use.file:
        path = local_path(use.file, "the LoRA file", "studio models list")
        return Adapter(_safe(path.stem), path, use.weight, use.character)
    entry = known.loras.get(use.name)
    if entry is None:
        raise InvalidInput(
            f"there is no LoRA {use.name!r}",
            where="rendering.loras",
            hint=f"There are: {', '.join(known.loras) or 'none'}.",
        )
    return _adapter(use.name, entry, use.weight, use.character)


def _adapter(name: str, entry: LoraEntry, weight: float, character: str) -> Adapter:
    how = (
        f"studio models pull {entry.model}"
        if entry.model
        else f"write its path as `file` of {name} into configs/loras.yaml"
    )
    path = the_file(local_path(placed(entry.file, entry.model), f"the LoRA {name}", how))
    return Adapter(_safe(name), path, weight, character, entry.trigger)


def _safe(name: str) -> str:
    """PEFT takes a dot in a name for a path."""
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower()) or "lora"


class Wardrobe:
    """The adapters that are attached, and which of them are switched on now."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._worn: tuple[tuple[str, float], ...] | None = None

    def wear(self, adapters: tuple[tuple[str, float], ...]) -> None:
        """Switch on these alone, with their weights; cheap where they are on already."""
        if adapters == self._worn:
            return
        if adapters:
            self._pipeline.enable_lora()
            self._pipeline.set_adapters(
                [name for name, _ in adapters], adapter_weights=[weight for _, weight in adapters]
            )
        else:
            self._pipeline.disable_lora()
        self._worn = adapters


@contextmanager
def attached(
    pipeline: Any, adapters: Sequence[Adapter], dtype: Any, device: str, restore: Callable[[], None] | None = None
) -> Iterator[Wardrobe | None]:
    """Have LoRAs on the model while the block runs; afterwards it is as before, also when attaching one failed.

    Args:
        restore: makes the weights again what was read; given, the LoRAs are merged into them, all for the whole
            picture: a step is faster then by what two more products for every layer take.

    Yields:
        What switches them; None where there are none, or nothing to switch.

    Raises:
        InvalidInput: a file does not fit the model.
        EngineFailed: something of a LoRA is still on the model.
    """
    if not adapters:
        yield None
        return
    try:
        for adapter in adapters:
            _attach(pipeline, adapter)
        settle(pipeline, dtype, device)
        if restore is None:
            yield Wardrobe(pipeline)
        else:
            _merge(pipeline, adapters)
            yield None
    finally:
        # A failure inside the text encoders leaves the UNet's part attached; this takes off both.
        pipeline.unload_lora_weights()
        left = [name for name, _ in _lora_tensors(pipeline)]
        if left:
            raise EngineFailed(f"{len(left)} tensors of a LoRA are still on the model, as {left[0]}.")
        if restore is not None:
            restore()


def _merge(pipeline: Any, adapters: Sequence[Adapter]) -> None:
    """Add the LoRAs to the weights, and take their own layers off."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    names = [one.name for one in adapters]
    pipeline.set_adapters(names, adapter_weights=[one.weight for one in adapters])
    for part in ("unet", "text_encoder", "text_encoder_2"):
        module = getattr(pipeline, part)
        for layer in module.modules() if module is not None else ():
            if isinstance(layer, BaseTunerLayer):
                layer.merge(adapter_names=[name for name in names if name in layer.active_adapters])
    pipeline.unload_lora_weights()


def _attach(pipeline: Any, adapter: Adapter) -> None:
    try:
        pipeline.load_lora_weights(
            str(adapter.file.parent), weight_name=adapter.file.name, adapter_name=adapter.name, local_files_only=True
        )
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"does not fit this model: {str(error).strip().splitlines()[0][:200]}", where=str(adapter.file),
            hint="Is it a LoRA for SDXL?",
        ) from error  # fmt: skip
    if not any(adapter.name in names for names in pipeline.get_list_adapters().values()):
        raise InvalidInput(
            "none of its layers is in this model", where=str(adapter.file), hint="Is it a LoRA for SDXL?"
        )


def settle(pipeline: Any, dtype: Any, device: str) -> None:
    """Adapters are stored in any dtype, and attached where the model was built."""
    # Where weights are streamed, the hooks that move them move these, too.
    streamed = hasattr(pipeline.unet, "_diffusers_hook")
    for _, tensor in _lora_tensors(pipeline):
        tensor.data = tensor.data.to(tensor.device if streamed else device, dtype)
        tensor.requires_grad_(False)


def _lora_tensors(pipeline: Any) -> Iterator[tuple[str, Any]]:
    for part in ("unet", "text_encoder", "text_encoder_2"):
        module = getattr(pipeline, part)
        if module is not None:
            yield from ((f"{part}.{name}", one) for name, one in module.named_parameters() if ".lora_" in name)
