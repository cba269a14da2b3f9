"""Reference pictures shape the people of a picture: on the model for one call, and off it afterwards.

    IP-Adapter base, plus, plus-face    what CLIP sees of a picture      Ye et al. 2023 (arXiv 2308.06721)
    IP-Adapter FaceID, FaceID plus v2   a face as ArcFace describes it   h94/IP-Adapter-FaceID, its model card
    InstantID                           that, and a ControlNet           Wang et al. 2024 (arXiv 2401.07519)

What a file is shows in its tensors. References are looked at once, before the first step: the UNet is handed tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from configs.images import IdentityEntry
from tools.errors import InvalidInput, MissingPrerequisite
from tools.image.sdxl.files import placed, require_safetensors, the_file
from tools.image.sdxl.reference_weights import load_image_encoder
from tools.image.sdxl.references import Look, Looker, style_of, tokens_of
from tools.models import PickleRefused
from tools.models.reading import local_path

if TYPE_CHECKING:
    import torch

__all__ = ["INSTANT_NET", "Identity", "identity_models", "identity_sources", "with_identity"]

INSTANT_NET = "instantid_net"
"""Name in models.yaml of the ControlNet that goes with InstantID's adapter."""
WHOLE_PICTURES = (
    "No face pack is on this machine: the whole reference pictures were looked at, not the faces in them. "
    "To mend it: studio models path arcface FOLDER"
)
FACE_LORA = "faceid_0"
"""What diffusers calls the LoRA inside a FaceID file."""
CONVERT = (
    "Where you trust it, convert it in an environment of its own, which runs no code of the file: "
    'python -c "import sys, torch; from safetensors.torch import save_file; '
    "parts = torch.load(sys.argv[1], map_location='cpu', weights_only=True); "
    "save_file({p + '.' + k: v.contiguous() for p, d in parts.items() for k, v in d.items()}, sys.argv[2])\" "
    "IN.bin OUT.safetensors"
)


@dataclass(frozen=True)
class Identity:
    """What references became.

    Attributes:
        images: by character (empty: everybody), tokens as the UNet's cross-attention takes them.
        nobody: of the same form, those of no picture.
        adapters: LoRAs that act where references do: FaceID has one of its own.
        net: InstantID's ControlNet on the device; None for the others.
    """

    images: Mapping[str, tuple[torch.Tensor, ...]]
    nobody: tuple[torch.Tensor, ...]
    adapters: tuple[tuple[str, float], ...] = ()
    net: Any = None

    def for_all(self) -> Identity:
        """All references for the whole picture: where it is drawn by one prompt, they act side by side."""
        import torch

        merged = tuple(torch.cat(list(one), dim=1) for one in zip(*self.images.values(), strict=True))
        nobody = tuple(one.repeat(1, len(self.images), 1, 1) for one in self.nobody)
        return replace(self, images={"": merged}, nobody=nobody)


def identity_models(entry: IdentityEntry, here: Sequence[str] | frozenset[str]) -> list[str]:
    """The models that references need on the device, of those that are here by name."""
    from configs.models import load_models

    known = load_models().models.get(entry.model)
    style = known.style if known is not None else ""
    family = known.family if known is not None else ""
    names = [] if entry.file else [entry.model]
    if family == "instantid":
        names.append(INSTANT_NET)
    elif style != "faceid" and not entry.image_encoder:
        names.append(entry.encoder_model)
    return [name for name in names if name in here]


def identity_sources(entry: IdentityEntry) -> list[str]:
    """Where everything lies that references may be looked at with; empty for what is not on this machine."""
    named = (INSTANT_NET, "arcface", "antelopev2")
    sources = [placed(entry.file, entry.model), placed(entry.image_encoder, entry.encoder_model)]
    return sources + [placed("", name) for name in named]


@contextmanager
def with_identity(
    pipeline: Any,
    entry: IdentityEntry,
    references: Mapping[str, Sequence[str]],
    dtype: Any,
    device: str,
    companions: Mapping[str, Any] = MappingProxyType({}),
    note: Callable[[str], None] = lambda _text: None,
) -> Iterator[Identity | None]:
    """Have the adapter on the UNet while the block runs.

    Args:
        references: by character (empty: everybody) paths of its pictures; none: nothing is attached.
        companions: models on the device; adapter and encoder are taken from there where they are by name.
        note: told what is done otherwise than one might think.

    Raises:
        MissingPrerequisite: adapter, image encoder, ControlNet or face pack are not on this machine.
        InvalidInput: one of them cannot be read, is a pickle, or does not fit the model; a reference has no face.
    """
    if not references:
        yield None
        return
    file = _file(entry)
    style = style_of(file)
    resident = None if entry.file else companions.get(entry.model)
    encoder = _image_encoder(entry, file, dtype, companions) if style != "faceid" and style != "instantid" else None
    net = _net(companions, dtype, pipeline, device) if style == "instantid" else None
    looker = Looker(style, None if encoder is None else encoder.to(device), _is_for_faces(entry, file))
    if looker.misses_faces:
        note(WHOLE_PICTURES)
    looks = {name: [looker.look(Path(one).expanduser()) for one in paths] for name, paths in references.items()}
    processors = pipeline.unet.attn_processors
    try:
        _attach(pipeline, file, resident)
        lora = _settled_lora(pipeline, dtype, device)
        images, nobody = _tokens(pipeline, style, looks, dtype, device)
        # The UNet would project them anew for every sample of every step.
        pipeline.unet.encoder_hid_proj = _as_they_are()
        yield Identity(images, nobody, ((FACE_LORA, 1.0),) if lora else (), net)
    finally:
        pipeline.unload_ip_adapter()
        _take_off_lora(pipeline)
        # Sliced attention, where it was on, comes back as it was.
        pipeline.unet.set_attn_processor(dict(processors))


def _file(entry: IdentityEntry) -> Path:
    how = f"studio models pull {entry.model}" if entry.model else "write `identity.file` into configs/images.yaml"
    file = the_file(local_path(placed(entry.file, entry.model), "an IP-Adapter for SDXL", how))
    try:
        require_safetensors(file, "ip_adapter", "instantid", base="sdxl")
    except PickleRefused as error:
        raise InvalidInput("is a pickle: loading it could run any program", where=str(file), hint=CONVERT) from error
    return file


def _is_for_faces(entry: IdentityEntry, file: Path) -> bool:
    """IP-Adapter Plus-Face has the form of Plus: its name alone tells."""
    name = f"{'' if entry.file else entry.model} {file.stem}".lower().replace("-", "_")
    return "plus_face" in name


def _attach(pipeline: Any, file: Path, resident: Any = None) -> None:
    from safetensors.torch import load_file

    state: dict[str, dict[str, Any]] = {"image_proj": {}, "ip_adapter": {}}
    for name, tensor in (load_file(str(file)) if resident is None else resident.tensors()).items():
        part, _, rest = name.partition(".")
        state.setdefault(part, {})[rest] = tensor
    try:
        pipeline.load_ip_adapter([state], subfolder=[""], weight_name=[""], image_encoder_folder=None)
    except (RuntimeError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise InvalidInput(
            f"does not fit this model: {str(error).strip().splitlines()[0][:200]}", where=str(file),
            hint="It must be an IP-Adapter or InstantID for SDXL.",
        ) from error  # fmt: skip


def _settled_lora(pipeline: Any, dtype: Any, device: str) -> bool:
    """Bring the LoRA that came with the file, where one did, to the model's dtype and device."""
    from tools.image.sdxl.lora import settle

    if FACE_LORA not in getattr(pipeline.unet, "peft_config", {}):
        return False
    settle(pipeline, dtype, device)
    return True


def _take_off_lora(pipeline: Any) -> None:
    attached = set(getattr(pipeline.unet, "peft_config", {}))
    if FACE_LORA in attached:
        # The last one takes PEFT's layers with it; with others on, those are the wardrobe's.
        if attached == {FACE_LORA}:
            pipeline.unload_lora_weights()
        else:
            pipeline.delete_adapters(FACE_LORA)


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


def _net(companions: Mapping[str, Any], dtype: Any, pipeline: Any, device: str) -> Any:
    """InstantID's ControlNet, on the device."""
    from tools.image.sdxl.nets import load_controlnet

    if INSTANT_NET in companions:
        return companions[INSTANT_NET]
    source = placed("", INSTANT_NET)
    if not source:
        raise MissingPrerequisite(
            "InstantID's ControlNet is not on this machine.", command=f"studio models pull {INSTANT_NET}"
        )
    path = local_path(source, "InstantID's ControlNet", f"studio models pull {INSTANT_NET}")
    return load_controlnet(path, dtype, pipeline.unet).to(device)


def _tokens(
    pipeline: Any, style: str, looks: Mapping[str, Sequence[Look]], dtype: Any, device: str
) -> tuple[dict[str, tuple[torch.Tensor, ...]], tuple[torch.Tensor, ...]]:
    """By character its tokens, 1 x pictures x tokens x width, and those of nobody."""
    import torch

    layer = pipeline.unet.encoder_hid_proj.image_projection_layers[0]
    most = max(len(seen) for seen in looks.values())
    images: dict[str, tuple[torch.Tensor, ...]] = {}
    nobody: tuple[torch.Tensor, ...] = ()
    with torch.no_grad():
        for name, seen in looks.items():
            # Samples of one batch must hold equally many pictures.
            filled = [seen[index % len(seen)] for index in range(most)]
            shown, none = tokens_of(layer, style, filled, dtype, device)
            images[name], nobody = (shown[None],), (none[None],)
    return images, nobody


def _as_they_are() -> Any:
    import torch

    class AsTheyAre(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        """Stands where the UNet's image projection was: what comes in are tokens already."""

        def forward(self, image_embeds: Any) -> Any:
            return image_embeds

    return AsTheyAre()
