"""Files that are added to a model: LoRA, ControlNet, IP-Adapter, textual inversion; which they are, and for which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tools.models.header import Header, TensorInfo
from tools.models.kinds import Family, base_of_width

__all__ = ["adapter_of"]

_LORA_ENDS = (
    ".lora_down.weight", ".lora_up.weight", ".lora_A.weight", ".lora_B.weight", ".lora.down.weight", ".lora.up.weight",
    ".hada_w1_a", ".lokr_w1", ".lokr_w1_a", ".lora_linear_layer.down.weight", ".oft_diag", ".oft_blocks", ".diff",
    ".processor.to_k_lora.down.weight", ".lora_A.default.weight",
)  # fmt: skip
_DOWN = (".lora_down.weight", ".lora_A.weight", ".lora.down.weight", ".lora_A.default.weight", ".hada_w1_b")

Tensors = Mapping[str, TensorInfo]


def adapter_of(header: Header) -> Family | None:
    """The family of what is added to a model; None for a model itself."""
    tensors = header.tensors
    return _ip_adapter(tensors) or _controlnet(tensors) or _lora(header) or _textual_inversion(tensors)


def _ip_adapter(tensors: Tensors) -> Family | None:
    # In torch's own files the two parts are nested; in safetensors their names are joined by a dot.
    if not any(name.startswith("ip_adapter.") for name in tensors):
        return None
    projection = {
        name.removeprefix("image_proj."): info for name, info in tensors.items() if name.startswith("image_proj.")
    }
    if not projection:
        return None
    key = next((info for name, info in tensors.items() if name.endswith("to_k_ip.weight")), None)
    base = base_of_width(key.shape[1]) if key is not None and len(key.shape) == 2 else ""
    if any(name.startswith("perceiver_resampler.") for name in projection):
        return Family("ip_adapter", base=base, style="faceid_plus")
    if "latents" in projection:
        width = projection["proj_in.weight"].shape[-1] if "proj_in.weight" in projection else 0
        # InstantID reads a face's 512 numbers where Plus reads the 1280 or 1664 of an image encoder.
        return Family("instantid", base=base) if width == 512 else Family("ip_adapter", base=base, style="plus")
    if "proj.3.weight" in projection:
        return Family("ip_adapter", base=base, style="full_face")
    if "proj.0.weight" in projection:
        return Family("ip_adapter", base=base, style="faceid")
    return Family("ip_adapter", base=base, style="base") if "proj.weight" in projection else None


def _controlnet(tensors: Tensors) -> Family | None:
    """A ControlNet in the original layout; diffusers' is told from its UNet in `family`."""
    if "lora_controlnet" in tensors:
        return Family("control_lora", base="sdxl" if _has(tensors, "label_emb.") else "")
    prefix = "control_model." if any(name.startswith("control_model.") for name in tensors) else ""
    if f"{prefix}input_hint_block.0.weight" not in tensors:
        return None
    width = next(
        (info.shape[-1] for name, info in tensors.items() if name.endswith("attn2.to_k.weight") and info.shape), 0
    )
    base = "sdxl" if _has(tensors, f"{prefix}label_emb.") else base_of_width(width)
    return Family("controlnet", base=base, style="original")


def _textual_inversion(tensors: Tensors) -> Family | None:
    if len(tensors) <= 2 and (tensors.keys() <= {"clip_l", "clip_g"} or tensors.keys() == {"emb_params"}):
        width = max(info.shape[-1] if info.shape else 0 for info in tensors.values()) if tensors else 0
        base = "sdxl" if "clip_g" in tensors else base_of_width(width)
        return Family("textual_inversion", base=base) if tensors else None
    return None


def _lora(header: Header) -> Family | None:
    if not any(name.endswith(_LORA_ENDS) for name in header.tensors):
        return None
    names = header.tensors
    kohya = any(name.startswith(("lora_unet_", "lora_te", "lora_transformer_")) for name in names)
    peft = any(name.endswith((".lora_A.weight", ".lora_A.default.weight")) for name in names)
    return Family("lora", base=_lora_base(header), style="kohya" if kohya else "peft" if peft else "diffusers")


def _lora_base(header: Header) -> str:
    """For which model: by the width of what it adds to the cross-attention, then by names, then by its own notes."""
    names = header.tensors
    for width in _cross_widths(names):
        base = base_of_width(width)
        if base:
            # Refiner LoRAs are next to unknown, and 1280 is an inner width of the others, too.
            return base
    if any(name.startswith(("lora_te2_", "text_encoder_2.", "lora_te1_")) for name in names):
        return "sdxl"
    if (
        _has(names, "lora_unet_input_blocks_")
        or _has(names, "transformer_blocks_1_")
        or _has(names, ".transformer_blocks.1.attn2.")
    ):
        unet = any(name.startswith(("lora_unet_", "unet.")) for name in names)
        if unet:
            return "sdxl"
    if _has(names, "single_transformer_blocks") or _has(names, "double_blocks") or _has(names, "single_blocks"):
        return "flux"
    if _has(names, "transformer_blocks.0.attn2.") and any(
        name.startswith(
            ("transformer.transformer_blocks.", "diffusion_model.transformer_blocks.", "transformer_blocks.")
        )
        for name in names
    ):
        return "ltx"
    if any(name.startswith("lora_te_") for name in names):
        return "sd15"
    return _noted_base(header.metadata)


def _cross_widths(tensors: Tensors) -> Iterator[int]:
    for name, info in tensors.items():
        crosses = "attn2_to_k" in name or "attn2.to_k" in name or "attn2.processor.to_k" in name
        of_unet = not name.startswith(("transformer.", "diffusion_model.", "transformer_blocks."))
        if crosses and of_unet and name.endswith(_DOWN) and len(info.shape) >= 2:
            yield info.shape[1]


def _noted_base(metadata: Mapping[str, str]) -> str:
    noted = " ".join(
        metadata.get(key, "") for key in ("modelspec.architecture", "ss_base_model_version", "ss_sd_model_name")
    ).lower()
    for words, base in (
        (("refiner",), "sdxl_refiner"),
        (("xl-v1", "sdxl", "xl_base"), "sdxl"),
        (("flux",), "flux"),
        (("ltx",), "ltx"),
        (("v2-",), "sd2"),
        (("sd_v1", "diffusion-v1"), "sd15"),
    ):
        if any(word in noted for word in words):
            return base
    return ""


def _has(tensors: Tensors, part: str) -> bool:
    return any(part in name for name in tensors)
