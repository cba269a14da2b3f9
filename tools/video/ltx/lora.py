"""LoRAs for LTX-Video: which a shot calls for; worn for one call, and off again whatever happens in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.loras import LoraEntry
from tools.errors import EngineFailed, InvalidInput
from tools.image.sdxl.files import placed, require_safetensors, the_file
from tools.models.reading import local_path
from tools.storyboard import Shot
from tools.video.filming import VideoLoraUse

__all__ = ["Adapter", "choose_loras", "worn"]


@dataclass(frozen=True)
class Adapter:
    """A LoRA in use; `name` is safe for PEFT."""

    name: str
    file: Path
    weight: float
    trigger: tuple[str, ...] = ()


def choose_loras(
    shot: Shot, style: str, preset: str, known: Mapping[str, LoraEntry], asked: Sequence[VideoLoraUse] | None
) -> list[Adapter]:
    """The LoRAs of a shot: those asked for, else those that are registered for what it shows. Weight 0 is left out.

    Raises:
        InvalidInput: an unknown name, one twice, or a file that is no LoRA for LTX-Video.
        MissingPrerequisite: one that is asked for is not on this machine.
    """
    if asked is not None:
        found = [_asked(use, known) for use in asked]
    else:
        shown = {*(one.character for one in shot.placements), shot.location, style, preset}
        found = [
            _registered(name, entry, entry.weight)
            for name, entry in known.items()
            if shown & set(entry.when) and placed(entry.file, entry.model)
        ]
    used = [one for one in found if one.weight != 0.0]
    for one in used:
        require_safetensors(one.file, "lora", base="ltx")
    if len({one.name for one in used}) < len(used):
        raise InvalidInput("the same LoRA is named twice", where="filming.loras")
    return used


def _asked(use: VideoLoraUse, known: Mapping[str, LoraEntry]) -> Adapter:
    if use.file:
        path = the_file(local_path(use.file, "the LoRA file", "studio models list"))
        return Adapter(_safe(path.stem), path, use.weight)
    if use.name not in known:
        raise InvalidInput(
            f"there is no LoRA {use.name!r} for LTX-Video",
            where="filming.loras",
            hint=f"videos.yaml has: {', '.join(known) or 'none'}.",
        )
    return _registered(use.name, known[use.name], use.weight)


def _registered(name: str, entry: LoraEntry, weight: float) -> Adapter:
    how = f"studio models pull {entry.model}" if entry.model else f"write the path of {name} into configs/videos.yaml"
    path = the_file(local_path(placed(entry.file, entry.model), f"the LoRA {name}", how))
    return Adapter(_safe(name), path, weight, entry.trigger)


def _safe(name: str) -> str:
    """PEFT takes a dot in a name for a path."""
    return "".join(letter if letter.isalnum() else "_" for letter in name.lower()) or "lora"


@contextmanager
def worn(pipeline: Any, adapters: Sequence[Adapter], dtype: Any, device: str) -> Iterator[None]:
    """Have LoRAs on the transformer while the block runs; afterwards it is as before, also when one did not fit.

    Args:
        pipeline: any of diffusers' for LTX, around that transformer.

    Raises:
        InvalidInput: a file does not fit the model.
        EngineFailed: something of a LoRA is still on the model.
    """
    if not adapters:
        yield
        return
    try:
        for adapter in adapters:
            _put_on(pipeline, adapter)
        _settle(pipeline.transformer, dtype, device)
        pipeline.set_adapters([one.name for one in adapters], adapter_weights=[one.weight for one in adapters])
        yield
    finally:
        pipeline.unload_lora_weights()
        left = [name for name, _ in _lora_tensors(pipeline.transformer)]
        if left:
            raise EngineFailed(f"{len(left)} tensors of a LoRA are still on the model, as {left[0]}.")


def _put_on(pipeline: Any, adapter: Adapter) -> None:
    try:
        pipeline.load_lora_weights(
            str(adapter.file.parent), weight_name=adapter.file.name, adapter_name=adapter.name, local_files_only=True,
            use_safetensors=True,
        )  # fmt: skip
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"does not fit this model: {(str(error).strip().splitlines() or ['?'])[0][:200]}",
            where=str(adapter.file),
            hint="Is it a LoRA for this size of LTX-Video?",
        ) from error
    if not any(adapter.name in names for names in pipeline.get_list_adapters().values()):
        raise InvalidInput("none of its layers is in this model", where=str(adapter.file), hint="Is it for LTX-Video?")


def _settle(transformer: Any, dtype: Any, device: str) -> None:
    """Adapters are stored in any dtype, and attached where the model was built."""
    # Where weights are streamed, the hooks that move them move these, too.
    streamed = hasattr(transformer, "_diffusers_hook")
    for _, tensor in _lora_tensors(transformer):
        tensor.data = tensor.data.to(tensor.device if streamed else device, dtype)
        tensor.requires_grad_(False)


def _lora_tensors(transformer: Any) -> Iterator[tuple[str, Any]]:
    return ((name, one) for name, one in transformer.named_parameters() if ".lora_" in name)
