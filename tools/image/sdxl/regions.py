"""Several people in one picture: how much of each one's own prompt is taken where, from the layout's masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["latent_mask", "region_weights"]

_OWN_SHARE = 0.9
"""Of a prediction inside a mask; the rest is the whole picture's, which holds light and perspective together."""
_SOFT = 0.02
"""Of the shorter side: how far an edge is softened, so that no seam shows."""


def latent_mask(mask: np.ndarray, size: tuple[int, int], device: str, *, grow: float = 0.0) -> torch.Tensor:
    """A mask (height x width uint8) as 1 x 1 x h x w, 0..1, soft at its edges.

    Args:
        size: width and height of the latents.
        grow: fraction of the shorter side by which it grows first.
    """
    import torch
    from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

    values = torch.from_numpy((mask > 127).astype("float32"))[None, None]
    small = interpolate(values, size=(size[1], size[0]), mode="area")
    if grow:
        reach = max(1, round(grow * min(size)))
        small = max_pool2d(small, 2 * reach + 1, stride=1, padding=reach)
    soft = max(1, round(_SOFT * min(size)))
    blurred = avg_pool2d(small, 2 * soft + 1, stride=1, padding=soft, count_include_pad=False)
    return blurred.to(device)


def region_weights(masks: Mapping[str, np.ndarray], size: tuple[int, int], device: str) -> dict[str, torch.Tensor]:
    """By character the weight of its own prediction; under `""` that of the whole picture's. They add up to 1.

    Args:
        masks: height x width uint8, 255 where the picture shows the character.
        size: width and height of the latents.
    """
    import torch

    soft = {name: latent_mask(mask, size, device) for name, mask in masks.items()}
    total = sum(soft.values(), torch.zeros(1, 1, size[1], size[0], device=device))
    weights = {name: one * _OWN_SHARE / total.clamp(min=1.0) for name, one in soft.items()}
    rest = 1.0 - sum(weights.values(), torch.zeros_like(total))
    return {"": rest, **weights}
