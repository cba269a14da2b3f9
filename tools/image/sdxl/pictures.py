"""Pictures to latents and back, always in the VAE's own float32; and the sizes that SDXL draws well."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import BadOutput

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["decode", "encode_picture", "fit", "map_tensor", "read_picture", "working_size"]

_LEAST_CONTRAST = 1.5
"""Standard deviation of 8-bit values, in each of the three colours, below which a picture is blank."""
_SMALLEST, _LARGEST = 0.55, 1.1
"""Of the area a checkpoint was trained on (1024 x 1024): outside of it SDXL repeats or breaks its subjects."""


def working_size(width: int, height: int, native: int, smaller: int = 0) -> tuple[int, int]:
    """The size that is drawn before the picture is brought to the size asked for.

    Args:
        width, height: asked for, in pixels.
        native: side of the square that the checkpoint was trained on.
        smaller: how many times the picture was halved (in area) because memory ran out.

    Returns:
        Multiples of 8 of about the same aspect, within the area that the checkpoint draws well.
    """
    area = width * height
    wanted = min(max(area, _SMALLEST * native**2), _LARGEST * native**2) / 2**smaller
    scale = math.sqrt(wanted / area)
    return max(8, round(width * scale / 8) * 8), max(8, round(height * scale / 8) * 8)


def fit(picture: np.ndarray, size: tuple[int, int], *, nearest: bool = False) -> np.ndarray:
    """A picture (height x width (x 3), uint8) brought to width and height."""
    import numpy as np
    from PIL import Image

    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    way = Image.Resampling.NEAREST if nearest else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(picture).resize(size, way))


def read_picture(path: Path, size: tuple[int, int]) -> np.ndarray:
    """A picture file as height x width x 3 uint8 of the size given; cut to its aspect, never stretched.

    Raises:
        InvalidInput: it cannot be read; names it.
    """
    import numpy as np
    from PIL import Image, ImageOps

    from tools.image.reference.photo import MAX_SIDE, read_photo

    upright = Image.fromarray(read_photo(path, longest=MAX_SIDE))
    return np.asarray(ImageOps.fit(upright, size, Image.Resampling.LANCZOS))


def map_tensor(picture: np.ndarray, device: str, dtype: torch.dtype) -> torch.Tensor:
    """A control map (height x width (x 3), uint8) as 1 x 3 x H x W, 0..1."""
    import numpy as np
    import torch

    colours = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture
    values = torch.from_numpy(colours.astype(np.float32) / 255.0).permute(2, 0, 1)[None]
    return values.to(device, dtype)


def encode_picture(vae: Any, picture: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    """A picture (height x width x 3, uint8) as the mean of its latents, 1 x 4 x h x w."""
    import torch

    pixels = map_tensor(picture, str(vae.device), torch.float32) * 2.0 - 1.0
    mean, std = _statistics(vae, pixels.device)
    latents = (vae.encode(pixels).latent_dist.mode() - mean) * vae.config.scaling_factor / std
    wanted: torch.Tensor = latents.to(dtype)
    return wanted


def decode(vae: Any, latents: torch.Tensor) -> np.ndarray:
    """Latents as a picture, height x width x 3 uint8.

    Raises:
        BadOutput: they are not finite, or the picture is blank.
    """
    import torch

    if not bool(torch.isfinite(latents).all()):
        raise BadOutput("the image model computed values that are not numbers (NaN).", hint="Another seed may help.")
    mean, std = _statistics(vae, latents.device)
    values = latents.to(torch.float32) * std / vae.config.scaling_factor + mean
    decoded = vae.decode(values, return_dict=False)[0]
    if not bool(torch.isfinite(decoded).all()):
        raise BadOutput("the image decoder computed values that are not numbers (NaN).", hint="Another seed may help.")
    pixels = ((decoded[0] / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    if float(pixels.std(axis=(0, 1)).max()) < _LEAST_CONTRAST:
        raise BadOutput("the image model drew a blank picture.", hint="Another seed may help.")
    picture: np.ndarray = pixels
    return picture


def _statistics(vae: Any, device: Any) -> tuple[Any, Any]:
    """Mean and deviation by which some VAEs' latents are normalised; 0 and 1 where they are not."""
    import torch

    mean, std = getattr(vae.config, "latents_mean", None), getattr(vae.config, "latents_std", None)
    if mean is None or std is None:
        return 0.0, 1.0
    shape = (1, -1, 1, 1)
    return (torch.tensor(mean, device=device).view(shape), torch.tensor(std, device=device).view(shape))
