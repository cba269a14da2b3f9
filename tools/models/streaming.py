"""Weights that stay in host memory and go through the device in parts, while a call computes with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tools.errors import EngineFailed
from tools.model import Placing

__all__ = ["is_streamed", "stream"]


def is_streamed(placing: Placing) -> bool:
    """Whether weights stay in host memory: on the CPU they are there anyway."""
    return placing.offload != "none" and placing.device != "cpu"


def stream(modules: Mapping[str, Any], placing: Placing, blocks: Collection[str] = ()) -> None:
    """Have diffusers' hooks move the parts of modules to the device when they compute, and off it afterwards.

    Args:
        modules: by name.
        placing: says to which device, and how.
        blocks: names of the modules that are made of blocks of layers, which go through it block by block.

    Raises:
        EngineFailed: nothing can be streamed to that device.
    """
    import torch
    from diffusers.hooks import apply_group_offloading

    if not hasattr(torch, placing.device.partition(":")[0]):
        raise EngineFailed(f"weights cannot be streamed to {placing.device}.")
    for name, module in modules.items():
        whole_blocks = placing.offload == "group" and name in blocks
        apply_group_offloading(
            module,
            onload_device=torch.device(placing.device),
            offload_device=torch.device("cpu"),
            offload_type="block_level" if whole_blocks else "leaf_level",
            num_blocks_per_group=1 if whole_blocks else None,
            # Matrices in fewer bits are made of several tensors, which diffusers' streams do not pin.
            use_stream=placing.offload == "group" and placing.device.startswith("cuda") and placing.quantise == "none",
        )
