"""Tiny FaceID, FaceID Plus v2 and InstantID files for the tiny SDXL, in the names of the published ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["make_faceid", "make_instantid"]

WIDTH = 192
"""Of the tiny SDXL's cross-attention."""
FACE = 512
RANK = 4


def _of_attention(tensors: dict[str, Any], *, lora: bool) -> None:
    """Keys and values of every cross-attention by odd numbers; a LoRA of every attention by all numbers."""
    import torch

    from evals.checkpoints.sdxl import make_unet

    unet = make_unet(1)
    number = 1
    for place, name in enumerate(unet.attn_processors):
        module = unet.get_submodule(name.removesuffix(".processor"))
        inside = module.to_q.in_features
        if "attn2" in name:
            for part in ("to_k_ip", "to_v_ip"):
                tensors[f"ip_adapter.{number}.{part}.weight"] = torch.randn(module.inner_dim, WIDTH) * 0.2
            number += 2
        for part in ("to_q", "to_k", "to_v", "to_out") if lora else ():
            wide = module.to_k.in_features if part in ("to_k", "to_v") else inside
            tensors[f"ip_adapter.{place}.{part}_lora.down.weight"] = torch.randn(RANK, wide) * 0.2
            tensors[f"ip_adapter.{place}.{part}_lora.up.weight"] = torch.randn(inside, RANK) * 0.2


def _resampler(tensors: dict[str, Any], prefix: str, given: int, width: int, out: int) -> None:
    """Four layers of one head of 64, as the published resamplers name them."""
    import torch

    def normal(name: str, *shape: int) -> None:
        tensors[f"{prefix}{name}"] = torch.randn(*shape) / shape[-1] ** 0.5

    def norm(name: str, size: int) -> None:
        tensors[f"{prefix}{name}.weight"], tensors[f"{prefix}{name}.bias"] = torch.ones(size), torch.zeros(size)

    for name, inside, outside in (("proj_in", given, width), ("proj_out", width, out)):
        normal(f"{name}.weight", outside, inside)
        tensors[f"{prefix}{name}.bias"] = torch.zeros(outside)
    norm("norm_out", out)
    for layer in range(4):
        here = f"layers.{layer}."
        norm(f"{here}0.norm1", width)
        norm(f"{here}0.norm2", width)
        normal(f"{here}0.to_q.weight", 64, width)
        normal(f"{here}0.to_kv.weight", 128, width)
        normal(f"{here}0.to_out.weight", width, 64)
        norm(f"{here}1.0", width)
        normal(f"{here}1.1.weight", 4 * width, width)
        normal(f"{here}1.3.weight", width, 4 * width)


def make_faceid(folder: Path, seed: int = 31, *, plus: bool = False, clip_width: int = 64) -> Path:
    """FaceID with its LoRA; `plus` is version 2, which also reads patches of `clip_width`."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    tensors: dict[str, Any] = {}
    for name, inside, outside in (("0", FACE, 2 * FACE), ("2", 2 * FACE, 4 * WIDTH)):
        tensors[f"image_proj.proj.{name}.weight"] = torch.randn(outside, inside) / inside**0.5 * 3
        tensors[f"image_proj.proj.{name}.bias"] = torch.randn(outside) * 0.1
    tensors["image_proj.norm.weight"], tensors["image_proj.norm.bias"] = torch.ones(WIDTH), torch.zeros(WIDTH)
    if plus:
        _resampler(tensors, "image_proj.perceiver_resampler.", clip_width, WIDTH, WIDTH)
    _of_attention(tensors, lora=True)
    file = folder / ("ip-adapter-faceid-plusv2_sdxl.safetensors" if plus else "ip-adapter-faceid_sdxl.safetensors")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, str(file))
    return file


def make_instantid(folder: Path, seed: int = 32, queries: int = 6) -> Path:
    """InstantID's adapter; its ControlNet is a plain one."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    tensors: dict[str, Any] = {"image_proj.latents": torch.randn(1, queries, 64)}
    _resampler(tensors, "image_proj.", FACE, 64, WIDTH)
    _of_attention(tensors, lora=False)
    file = folder / "ip-adapter.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, str(file))
    return file
