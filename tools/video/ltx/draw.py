"""A shot drawn by LTX-Video through diffusers' pipelines: clip after clip, each beginning where the last one ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from configs.videos import LtxEntry, VideoPreset
from tools.errors import BadOutput
from tools.model import Placing
from tools.video.ltx.lora import Adapter, worn
from tools.video.ltx.text import LtxWords
from tools.video.ltx.weights import LtxModel, in_bf16
from tools.video.windows import Window

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

__all__ = ["Canvas", "draw"]


@dataclass(frozen=True)
class Canvas:
    """What a shot is drawn with.

    Attributes:
        model, words: on the device.
        rules, preset: of videos.yaml.
        adapters: LoRAs to wear.
        placing: how sparing to be.
        size: width and height that are drawn.
        windows: the clips, in order.
        needed: how many frames the shot takes of them.
        rate: frames a second.
        seed: of the noise.
        first, last: pictures that the shot begins from and ends on, of that size; None: from words alone.
        progress: called with fraction and text; may raise to stop.
    """

    model: LtxModel
    words: LtxWords
    rules: LtxEntry
    preset: VideoPreset
    adapters: Sequence[Adapter]
    placing: Placing
    size: tuple[int, int]
    windows: Sequence[Window]
    needed: int
    rate: int
    seed: int
    first: Image | None
    last: Image | None
    progress: Callable[[float, str], None]


@dataclass(frozen=True)
class _Held:
    """Frames that a clip must show: from `index` on, `strength` 1 exactly."""

    frames: Sequence[Any]
    index: int
    strength: float


def draw(canvas: Canvas) -> list[np.ndarray]:
    """The frames of a shot at the model's rate, height x width x 3 uint8, at least as many as `needed`.

    Raises:
        BadOutput: the model computed values that are no numbers.
        InvalidInput: a LoRA does not fit.
        Cancelled: within one step of being told.
    """
    import torch
    from PIL import Image

    from tools.model import torch_dtype

    frames: list[np.ndarray] = []
    dtype = torch_dtype(in_bf16(canvas.placing))
    with (
        torch.no_grad(),
        _sparing(canvas.model.vae, canvas.placing),
        worn(_pipeline("LTXPipeline", canvas), canvas.adapters, dtype, canvas.placing.device),
    ):
        for number, window in enumerate(canvas.windows):
            held: list[_Held] = []
            if window.overlap:
                held.append(_Held([Image.fromarray(frame) for frame in frames[-window.overlap :]], 0, 1.0))
            elif canvas.first is not None:
                held.append(_Held([canvas.first], 0, canvas.rules.first))
            ends = canvas.needed - 1 - window.first
            if canvas.last is not None and number == len(canvas.windows) - 1 and ends > 0:
                held.append(_Held([canvas.last], ends, canvas.rules.last))
            frames.extend(_clip(canvas, number, window, held)[window.overlap :])
    return frames


def _pipeline(name: str, canvas: Canvas, **scheduling: Any) -> Any:
    import diffusers

    model = canvas.model
    pipeline = getattr(diffusers, name)(
        scheduler=type(model.scheduler).from_config(model.scheduler.config, **scheduling),
        vae=model.vae,
        transformer=model.transformer,
        text_encoder=None,
        tokenizer=None,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@contextmanager
def _sparing(vae: Any, placing: Placing) -> Iterator[None]:
    """The decoder in tiles, and a few frames at a time, while the block runs."""
    if not placing.tiled:
        yield
        return
    before = vae.use_framewise_encoding, vae.use_framewise_decoding
    vae.enable_tiling()
    vae.use_framewise_encoding = vae.use_framewise_decoding = True
    try:
        yield
    finally:
        vae.disable_tiling()
        vae.use_framewise_encoding, vae.use_framewise_decoding = before


def _clip(canvas: Canvas, number: int, window: Window, held: Sequence[_Held]) -> np.ndarray:
    """One clip, frames x height x width x 3 uint8."""
    import torch

    words, rules, total = canvas.words, canvas.rules, len(canvas.windows)
    of = f" of clip {number + 1} of {total}" if total > 1 else ""

    def tell(_pipeline: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        canvas.progress((number + 0.9 * (step + 1) / steps) / total, f"step {step + 1} of {steps}{of}")
        return tensors

    steps = canvas.preset.steps
    canvas.progress(number / total, f"step 0 of {steps}{of}")
    pipeline, asked = _way(canvas, held)
    drawn = pipeline(
        **asked,
        prompt_embeds=words.embeds,
        prompt_attention_mask=words.mask,
        negative_prompt_embeds=words.negative,
        negative_prompt_attention_mask=words.negative_mask,
        width=canvas.size[0],
        height=canvas.size[1],
        num_frames=window.frames,
        frame_rate=canvas.rate,
        num_inference_steps=steps,
        guidance_scale=canvas.preset.guidance,
        # On the CPU: one seed is one film on every device.
        generator=torch.Generator("cpu").manual_seed((canvas.seed * 1_000_003 + number) % 2**63),
        decode_timestep=rules.decode_timestep,
        decode_noise_scale=rules.decode_noise,
        output_type="pt",
        callback_on_step_end=tell,
    ).frames[0]
    canvas.progress((number + 0.98) / total, f"decoded{of}")
    if not bool(torch.isfinite(drawn).all()):
        raise BadOutput("the video model computed values that are not numbers (NaN).", hint="Another seed may help.")
    pixels: np.ndarray = (drawn.float() * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    if len(pixels) != window.frames:
        raise BadOutput(f"the video model drew {len(pixels)} frames instead of {window.frames}.")
    return pixels


def _way(canvas: Canvas, held: Sequence[_Held]) -> tuple[Any, dict[str, Any]]:
    """Which of diffusers' pipelines draws it, and what only that one is told.

    The first generation (its scheduler shifts with the size) draws from words, or from one picture, as it was
    published. All else takes the pipeline of frames that are held, without the shift, as later generations want.
    """
    if canvas.model.scheduler.config.get("use_dynamic_shifting", False):
        if not held:
            return _pipeline("LTXPipeline", canvas), {}
        if len(held) == 1 and len(held[0].frames) == 1 and held[0].index == 0 and held[0].strength == 1.0:
            return _pipeline("LTXImageToVideoPipeline", canvas), {"image": held[0].frames[0]}
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

    conditions = [
        LTXVideoCondition(
            image=one.frames[0] if len(one.frames) == 1 else None,
            video=list(one.frames) if len(one.frames) > 1 else None,
            frame_index=one.index,
            strength=one.strength,
        )
        for one in held
    ]
    pipeline = _pipeline("LTXConditionPipeline", canvas, use_dynamic_shifting=False, shift_terminal=None, shift=1.0)
    return pipeline, {"conditions": conditions or None, "image_cond_noise_scale": canvas.rules.condition_noise}
