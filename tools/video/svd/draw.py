"""A shot drawn by Stable Video Diffusion through diffusers' pipeline, and decoded a few frames at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from configs.videos import SvdEntry, VideoPreset
from tools.errors import BadOutput
from tools.model import Placing
from tools.video.windows import Window

if TYPE_CHECKING:
    import numpy as np
    import torch
    from PIL.Image import Image

__all__ = ["Canvas", "draw"]


@dataclass(frozen=True)
class Canvas:
    """What a shot is drawn with.

    Attributes:
        pipeline: on the device.
        rules, preset: of videos.yaml.
        placing: how sparing to be.
        size: width and height that are drawn.
        windows: the clips, in order.
        rate: frames a second, as the model is told.
        motion: the motion bucket, 1..255.
        seed: of the noise.
        first: picture that the shot begins from, of that size.
        progress: called with fraction and text; may raise to stop.
    """

    pipeline: Any
    rules: SvdEntry
    preset: VideoPreset
    placing: Placing
    size: tuple[int, int]
    windows: Sequence[Window]
    rate: int
    motion: int
    seed: int
    first: Image
    progress: Callable[[float, str], None]

    @property
    def chunk(self) -> int:
        """Frames that are decoded together."""
        return max(1, self.rules.decode_chunk >> self.placing.smaller)


def draw(canvas: Canvas) -> list[np.ndarray]:
    """The frames of a shot at the model's rate, height x width x 3 uint8.

    Raises:
        BadOutput: the model computed values that are no numbers.
        Cancelled: within one step of being told.
    """
    import torch
    from PIL import Image

    frames: list[np.ndarray] = []
    begin = canvas.first
    with torch.no_grad(), _sparing(canvas.pipeline.unet, canvas.placing):
        for number, window in enumerate(canvas.windows):
            latents = _latents(canvas, number, window, begin)
            frames.extend(_decoded(canvas, number, latents)[window.overlap :])
            begin = Image.fromarray(frames[-1])
    return frames


@contextmanager
def _sparing(unet: Any, placing: Placing) -> Iterator[None]:
    """The wide layers in pieces while the block runs, once memory has run out."""
    if not placing.smaller:
        yield
        return
    unet.enable_forward_chunking()
    try:
        yield
    finally:
        for module in unet.modules():
            if hasattr(module, "set_chunk_feed_forward"):
                module.set_chunk_feed_forward(chunk_size=None, dim=0)


def _latents(canvas: Canvas, number: int, window: Window, begin: Image) -> torch.Tensor:
    """The latents of one clip, 1 x frames x 4 x h x w."""
    import torch

    steps, total = canvas.preset.steps, len(canvas.windows)
    of = f" of clip {number + 1} of {total}" if total > 1 else ""

    def tell(_pipeline: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        canvas.progress((number + 0.8 * (step + 1) / steps) / total, f"step {step + 1} of {steps}{of}")
        return tensors

    canvas.progress(number / total, f"step 0 of {steps}{of}")
    found: torch.Tensor = canvas.pipeline(
        begin,
        width=canvas.size[0],
        height=canvas.size[1],
        num_frames=window.frames,
        num_inference_steps=steps,
        min_guidance_scale=canvas.rules.guidance_first,
        max_guidance_scale=canvas.preset.guidance,
        fps=canvas.rate,
        motion_bucket_id=canvas.motion,
        noise_aug_strength=canvas.rules.noise,
        # On the CPU: one seed is one film on every device.
        generator=torch.Generator("cpu").manual_seed((canvas.seed * 1_000_003 + number) % 2**63),
        output_type="latent",
        callback_on_step_end=tell,
    ).frames
    if not bool(torch.isfinite(found).all()):
        raise BadOutput("the video model computed values that are not numbers (NaN).", hint="Another seed may help.")
    return found


def _decoded(canvas: Canvas, number: int, latents: torch.Tensor) -> list[np.ndarray]:
    """The pictures of one clip; a stop is heard between chunks."""
    import torch

    vae, total = canvas.pipeline.vae, len(canvas.windows)
    values = latents[0].to(vae.dtype) / vae.config.scaling_factor
    frames: list[np.ndarray] = []
    for start in range(0, len(values), canvas.chunk):
        canvas.progress((number + 0.8 + 0.2 * start / len(values)) / total, f"decoding frame {start + 1}")
        part = values[start : start + canvas.chunk]
        shown = vae.decode(part, num_frames=len(part)).sample
        if not bool(torch.isfinite(shown).all()):
            raise BadOutput("the decoder computed values that are not numbers (NaN).", hint="Another seed may help.")
        pixels = ((shown / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        frames.extend(pixels.cpu().numpy())
    return frames
