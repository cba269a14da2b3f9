"""Weights in fewer bits: 8 by torchao, 4 in the blocks of GGUF's Q4_0; and a UNet that was narrowed before, as GGUF.

Only matrices of linear layers become narrower (87 % of SDXL's UNet); what is computed with stays as wide as it was.
torchao's own 4 bits need a card of NVIDIA and a library of its own; the blocks of GGUF are computed everywhere alike.
Sources: https://github.com/pytorch/ao (Int8WeightOnlyConfig), https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.model import Placing
from tools.models.whole import naming_tensors, require_filled

if TYPE_CHECKING:
    import torch

__all__ = ["is_narrow", "narrow", "read_gguf_unet"]

_BLOCK = 32
"""Numbers that share a scale in Q4_0."""


def narrow(module: Any, placing: Placing, *, at_least: int = 4) -> None:
    """Make the matrices of a module as narrow as a placing says, in place.

    Args:
        at_least: bits; text encoders lose too much in 4.
    """
    bits = {"none": 16, "int8": 8, "int4": 4}[placing.quantise]
    if bits > 8:
        return
    if max(bits, at_least) == 8:
        _to_8_bits(module)
    else:
        _to_4_bits(module)


def is_narrow(module: Any) -> bool:
    """Whether a module holds matrices of fewer bits, into which nothing can be merged."""
    return any(type(one).__name__ in ("GGUFParameter", "Int8Tensor") for one in _stored(module))


def _stored(module: Any) -> Any:
    for one in module.parameters():
        yield one
        yield one.data


def _to_8_bits(module: Any) -> None:
    from torchao.quantization import Int8WeightOnlyConfig, quantize_

    quantize_(module, Int8WeightOnlyConfig())


def _to_4_bits(module: Any) -> None:
    import torch
    from diffusers.quantizers.gguf.utils import GGUFLinear

    named = [
        (name, layer) for name, layer in module.named_modules()
        if type(layer) is torch.nn.Linear and layer.in_features % _BLOCK == 0
    ]  # fmt: skip
    for name, layer in named:
        blocks = GGUFLinear(
            layer.in_features, layer.out_features, layer.bias is not None, compute_dtype=layer.weight.dtype
        )
        blocks.weight, blocks.bias = _q4_0(layer.weight), layer.bias
        parent, _, last = name.rpartition(".")
        setattr(module.get_submodule(parent), last, blocks.requires_grad_(False).eval())


def _q4_0(weight: torch.Tensor) -> Any:
    """A matrix as blocks: a scale in half precision, then 32 numbers of 4 bits, -8 to 7 times the scale.

    The same numbers as ggml's own `quantize_row_q4_0_ref`: the value that is farthest from zero becomes -8.
    """
    import gguf
    import torch
    from diffusers.quantizers.gguf.utils import GGUFParameter

    rows = weight.detach().float().reshape(-1, _BLOCK)
    extreme = rows.gather(1, rows.abs().argmax(dim=1, keepdim=True))
    scale = extreme / -8
    inverse = torch.where(scale == 0, torch.zeros_like(scale), 1 / scale)
    numbers = (rows * inverse + 8.5).clamp(0, 15).to(torch.uint8)
    packed = numbers[:, : _BLOCK // 2] | (numbers[:, _BLOCK // 2 :] << 4)
    told = scale.to(torch.float16).view(torch.uint8)
    data = torch.cat([told, packed], dim=1).reshape(weight.shape[0], -1)
    return GGUFParameter(data, quant_type=gguf.GGMLQuantizationType.Q4_0)


def read_gguf_unet(file: Path, config: Path, dtype: Any) -> Any:
    """A UNet out of a GGUF file in the original names, with or without their prefix; it stays as narrow as it is there.

    Args:
        file: inspected before.
        config: folder with `unet/config.json`.
        dtype: that is computed in.

    Raises:
        InvalidInput: weights are missing in it; names it and the first.
    """
    from diffusers import GGUFQuantizationConfig, UNet2DConditionModel
    from diffusers.models.model_loading_utils import load_gguf_checkpoint

    prefix = "model.diffusion_model."
    tensors = load_gguf_checkpoint(str(file), return_tensors=True)
    named = {name if name.startswith(prefix) else prefix + name: tensor for name, tensor in tensors.items()}
    with naming_tensors(file):
        unet = UNet2DConditionModel.from_single_file(
            named,
            config=str(config),
            subfolder="unet",
            quantization_config=GGUFQuantizationConfig(compute_dtype=dtype),
            dtype=dtype,
            local_files_only=True,
        )
    require_filled({"unet": unet}, file)
    return unet
