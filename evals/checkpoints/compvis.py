"""diffusers' tensor names of SDXL as the original (CompVis, OpenCLIP) names: the inverse of what diffusers reads."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["to_compvis"]

_RESNET = (
    ("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
    ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection"),
)  # fmt: skip
_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
}  # fmt: skip
_OPENCLIP = (
    ("encoder.layers.", "resblocks."), ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"), (".fc1.", ".c_fc."),
    (".fc2.", ".c_proj."), (".self_attn.", ".attn."),
)  # fmt: skip


def to_compvis(parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """State dicts of unet, vae, text_encoder and, where it is given, text_encoder_2 as one."""
    named = {f"model.diffusion_model.{_unet(name)}": tensor for name, tensor in parts["unet"].items()}
    for name, tensor in parts["vae"].items():
        # The original attention of the VAE is made of 1x1 convolutions.
        is_conv = "mid_block.attentions" in name and name.endswith("weight") and "group_norm" not in name
        named[f"first_stage_model.{_vae(name)}"] = tensor[..., None, None] if is_conv else tensor
    for name, tensor in parts["text_encoder"].items():
        named[f"conditioner.embedders.0.transformer.text_model.{name.removeprefix('text_model.')}"] = tensor
    if "text_encoder_2" in parts:
        named.update(_openclip(parts["text_encoder_2"]))
    return named


def _unet(name: str) -> str:
    for old, new in _UNET_ENDS.items():
        if name.startswith(f"{old}."):
            return name.replace(old, new, 1)
    if found := re.match(r"(down|up)_blocks\.(\d)\.(resnets|attentions)\.(\d)\.(.*)", name):
        side, block, kind, layer, rest = found.groups()
        number = 3 * int(block) + int(layer) + (1 if side == "down" else 0)
        place = "input_blocks" if side == "down" else "output_blocks"
        return f"{place}.{number}.{int(kind == 'attentions')}.{_inner(rest) if kind == 'resnets' else rest}"
    if found := re.match(r"down_blocks\.(\d)\.downsamplers\.0\.conv\.(.*)", name):
        return f"input_blocks.{3 * (int(found[1]) + 1)}.0.op.{found[2]}"
    if found := re.match(r"up_blocks\.(\d)\.upsamplers\.0\.conv\.(.*)", name):
        return f"output_blocks.{3 * int(found[1]) + 2}.2.conv.{found[2]}"
    found = re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", name)
    assert found, name
    if found[1] == "attentions":
        return f"middle_block.1.{found[3]}"
    return f"middle_block.{2 * int(found[2])}.{_inner(found[3])}"


def _inner(name: str) -> str:
    for old, new in _RESNET:
        name = name.replace(old, new)
    return name


def _vae(name: str) -> str:
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    name = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{3 - int(m[1])}.block", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{3 - int(m[1])}.upsample", name)
    if "mid_block.attentions.0" in name:
        name = name.replace("mid_block.attentions.0", "mid.attn_1").replace("group_norm", "norm")
        for old, new in (("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")):
            name = name.replace(old, new)
    return name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")


def _openclip(state: dict[str, Any]) -> dict[str, Any]:
    import torch

    root = "conditioner.embedders.1.model."
    plain = {name.removeprefix("text_model."): tensor for name, tensor in state.items()}
    named = {
        f"{root}positional_embedding": plain.pop("embeddings.position_embedding.weight"),
        f"{root}token_embedding.weight": plain.pop("embeddings.token_embedding.weight"),
        f"{root}ln_final.weight": plain.pop("final_layer_norm.weight"),
        f"{root}ln_final.bias": plain.pop("final_layer_norm.bias"),
        f"{root}text_projection": plain.pop("text_projection.weight").T,
    }
    for name in [one for one in plain if ".q_proj." in one]:
        joined = torch.cat([plain.pop(name.replace("q_proj", f"{part}_proj")) for part in "qkv"])
        block = name.partition(".self_attn.")[0].replace("encoder.layers.", "resblocks.")
        named[f"{root}transformer.{block}.attn.in_proj_{name.rpartition('.')[2]}"] = joined
    for name, tensor in plain.items():
        new = name
        for old, become in _OPENCLIP:
            new = new.replace(old, become)
        if ".c_fc." in new or ".c_proj." in new:
            new = new.replace("mlp.mlp", "mlp")
        named[f"{root}transformer.{new}"] = tensor
    return named
