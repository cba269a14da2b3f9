"""IP-Adapter: reference pictures shape the people of a picture. On the model for one call, and off it afterwards.

Source: Ye et al. 2023, "IP-Adapter" (arXiv 2308.06721). Base projects the picture's embedding, Plus its patches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from configs.images import IdentityEntry
from tools.errors import InvalidInput
from tools.image.sdxl.files import local_path, placed, require_safetensors, the_file
from tools.image.sdxl.reference_weights import load_image_encoder

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["Identity", "with_identity"]


@dataclass(frozen=True)
class Identity:
    """What references became.

    Attributes:
        images: by character (empty: everybody), as the UNet takes them.
        nobody: of the same form, the embedding of no picture.
    """

    images: Mapping[str, tuple[torch.Tensor, ...]]
    nobody: tuple[torch.Tensor, ...]


@contextmanager
def with_identity(
    pipeline: Any,
    entry: IdentityEntry,
    references: Mapping[str, Sequence[np.ndarray]],
    dtype: Any,
    device: str,
    companions: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Identity | None]:
    """Have the IP-Adapter on the UNet while the block runs.

    Args:
        references: by character its pictures, height x width x 3 uint8; empty: nothing is attached.
        companions: models on the device; adapter and encoder are taken from there where they are by name.

    Raises:
        MissingPrerequisite: adapter or image encoder are not on this machine.
        InvalidInput: one of them cannot be read, or does not fit the model.
    """
    if not references:
        yield None
        return
    how = f"studio models pull {entry.model}" if entry.model else "write `identity.file` into configs/images.yaml"
    file = the_file(local_path(placed(entry.file, entry.model), "an IP-Adapter for SDXL", how))
    require_safetensors(file, "ip_adapter", base="sdxl")
    resident = None if entry.file else companions.get(entry.model)
    encoder = _image_encoder(entry, file, dtype, companions)
    processors = pipeline.unet.attn_processors
    try:
        _attach(pipeline, file, resident)
        yield _look_at(pipeline, encoder.to(device), references, dtype, device)
    finally:
        pipeline.unload_ip_adapter()
        # Sliced attention, where it was on, comes back as it was.
        pipeline.unet.set_attn_processor(dict(processors))


def _attach(pipeline: Any, file: Path, resident: Any = None) -> None:
    from safetensors.torch import load_file

    state: dict[str, dict[str, Any]] = {"image_proj": {}, "ip_adapter": {}}
    for name, tensor in (load_file(str(file)) if resident is None else resident.tensors()).items():
        part, _, rest = name.partition(".")
        state.setdefault(part, {})[rest] = tensor
    try:
        pipeline.load_ip_adapter([state], subfolder=[""], weight_name=[""], image_encoder_folder=None)
    except (RuntimeError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InvalidInput(
            f"does not fit this model: {str(error).strip().splitlines()[0][:200]}", where=str(file),
            hint="It must be an IP-Adapter for SDXL.",
        ) from error  # fmt: skip


def _image_encoder(entry: IdentityEntry, file: Path, dtype: Any, companions: Mapping[str, Any]) -> Any:
    if not entry.image_encoder and entry.encoder_model in companions:
        return companions[entry.encoder_model]
    beside = file.with_name("image_encoder")
    source = entry.image_encoder or (str(beside) if beside.is_dir() else placed("", entry.encoder_model))
    how = (
        f"studio models pull {entry.encoder_model}"
        if entry.encoder_model
        else "write `identity.image_encoder` into configs/images.yaml"
    )
    return load_image_encoder(local_path(source, "the IP-Adapter's image encoder", how), dtype)


def _look_at(
    pipeline: Any, encoder: Any, references: Mapping[str, Sequence[np.ndarray]], dtype: Any, device: str
) -> Identity:
    import torch
    from diffusers.models.embeddings import ImageProjection

    layer = pipeline.unet.encoder_hid_proj.image_projection_layers[0]
    whole = isinstance(layer, ImageProjection)
    images: dict[str, tuple[torch.Tensor, ...]] = {}
    nobody: tuple[torch.Tensor, ...] = ()
    most = max(len(pictures) for pictures in references.values())
    with torch.no_grad():
        for name, pictures in references.items():
            # Samples of one batch must hold equally many pictures.
            filled = [pictures[index % len(pictures)] for index in range(most)]
            pixels = _pixels(filled, encoder.config.image_size).to(device, dtype)
            if whole:
                seen = encoder(pixels).image_embeds
                none = torch.zeros_like(seen)
            else:
                seen = encoder(pixels, output_hidden_states=True).hidden_states[-2]
                none = encoder(torch.zeros_like(pixels), output_hidden_states=True).hidden_states[-2]
            images[name], nobody = (seen[None],), (none[None],)
    return Identity(images, nobody)


def _pixels(pictures: Sequence[np.ndarray], side: int) -> torch.Tensor:
    """CLIP's own preparation: shorter side to `side`, centre cut, normalised."""
    import numpy as np
    import torch
    from PIL import Image, ImageOps

    mean = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
    std = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)
    fitted = [
        np.asarray(ImageOps.fit(Image.fromarray(one), (side, side), Image.Resampling.BICUBIC)) for one in pictures
    ]
    values = (np.stack(fitted).astype(np.float32) / 255.0 - mean) / std
    return torch.from_numpy(values).permute(0, 3, 1, 2)
