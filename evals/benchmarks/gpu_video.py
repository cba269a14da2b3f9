"""LTX-Video on a card: a shot as the studio draws it, beside diffusers' pipeline; and T5, which reads for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evals.benchmarks.gpu_card import GB, Card
from evals.benchmarks.gpu_full import fill, make
from evals.benchmarks.gpu_sdxl import timed
from evals.benchmarks.row import Row

if TYPE_CHECKING:
    import numpy as np
    import torch

__all__ = ["measure_ltx"]


@dataclass(frozen=True)
class Clip:
    """What is drawn: pixels, frames and steps without guidance, after so many tokens of text."""

    size: tuple[int, int]
    frames: int
    steps: int = 8
    tokens: int = 256


FULL = Clip((1216, 704), 121)
"""The size that the distilled model is published for: 8 steps are 688 TFLOP."""
SMALL = Clip((64, 64), 9)


class Film:
    """LTX-Video with random weights on the card, its words read by T5."""

    def __init__(self, card: Card, small: bool) -> None:
        import torch
        from diffusers import FlowMatchEulerDiscreteScheduler

        from tools.video.ltx.weights import LtxModel

        self.card, self.clip, self.small = card, SMALL if small else FULL, small
        self.dtype = torch.bfloat16 if card.is_cuda else torch.float32
        device = str(card.device)
        self.model = LtxModel(
            fill(make("ltx_transformer", small=small), device, self.dtype, 1),
            fill(make("ltx_vae", small=small), device, self.dtype, 2),
            FlowMatchEulerDiscreteScheduler(),
        )
        self.embeds: torch.Tensor | None = None

    def read(self) -> dict[str, Any]:
        """Have T5 read: to the card, a prompt, off it again, as a call of the engine does it. Seconds of each."""
        import torch

        card, device = self.card, str(self.card.device)
        # Drawn on the card and taken off it: a host draws five billion numbers in minutes.
        encoder = fill(make("ltx_text", small=self.small), device, self.dtype, 3).to("cpu")
        if card.is_cuda:
            torch.cuda.empty_cache()
        ids = torch.randint(0, 32000, (1, self.clip.tokens), generator=torch.Generator().manual_seed(4)).to(device)
        mask = torch.ones_like(ids, dtype=torch.bool)
        to_card = card.seconds(lambda: encoder.to(device))
        with torch.no_grad():
            reading = timed(card, lambda: encoder(ids, attention_mask=mask), 3)
            self.embeds = encoder(ids, attention_mask=mask)[0].clone()
        return {"to the card, pageable": to_card, "reading": reading, "peak_gb": card.peak() / GB}

    def ours(self) -> list[np.ndarray]:
        """A clip as the engine draws it."""
        import torch

        from configs.videos import VideoPreset, load_videos
        from tools.model import Placing
        from tools.video.ltx.draw import Canvas, draw
        from tools.video.ltx.text import LtxWords
        from tools.video.windows import Window

        assert self.embeds is not None
        mask = torch.ones(1, self.clip.tokens, device=self.card.device)
        return draw(
            Canvas(
                model=self.model, words=LtxWords(self.embeds, mask, self.embeds, mask, ""), rules=load_videos().ltx,
                preset=VideoPreset(about="8 steps", steps=self.clip.steps, guidance=1.0), adapters=(),
                placing=Placing(str(self.card.device), "bf16" if self.card.is_cuda else "fp32"), size=self.clip.size,
                windows=[Window(0, self.clip.frames, 0)], needed=self.clip.frames, rate=24, seed=7, first=None,
                last=None, progress=lambda _fraction, _text: None,
            )
        )  # fmt: skip

    def stock(self) -> Any:
        """The same by diffusers' pipeline of held frames, as the documentation of the distilled model has it."""
        import torch
        from diffusers import FlowMatchEulerDiscreteScheduler, LTXConditionPipeline

        assert self.embeds is not None
        mask = torch.ones(1, self.clip.tokens, device=self.card.device)
        pipeline = LTXConditionPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(), vae=self.model.vae, transformer=self.model.transformer,
            text_encoder=None, tokenizer=None,
        )  # fmt: skip
        pipeline.set_progress_bar_config(disable=True)
        with torch.no_grad():
            return pipeline(
                prompt_embeds=self.embeds, prompt_attention_mask=mask, negative_prompt_embeds=self.embeds,
                negative_prompt_attention_mask=mask, width=self.clip.size[0], height=self.clip.size[1],
                num_frames=self.clip.frames, frame_rate=24, num_inference_steps=self.clip.steps, guidance_scale=1.0,
                generator=torch.Generator("cpu").manual_seed(7), decode_timestep=0.05, decode_noise_scale=0.025,
                output_type="np",
            ).frames  # fmt: skip


def measure_ltx(
    card: Card, *, small: bool = False, times: int = 3, compiled: bool = False
) -> tuple[list[Row], dict[str, Any]]:
    """Measure T5's reading and a clip of 8 steps; `compiled` also with the transformer's blocks compiled.

    Returns:
        The rows, and everything that was measured.
    """
    film = Film(card, small)
    found: dict[str, Any] = {"size": film.clip.size, "frames": film.clip.frames, "steps": film.clip.steps}
    found["text"] = film.read()
    card.empty()
    found["stock"] = timed(card, film.stock, times)
    found["ours"] = timed(card, film.ours, times)
    best = found["ours"]["median"]
    if compiled:
        film.model.transformer.compile_repeated_blocks(fullgraph=True)
        found["compiled"] = timed(card, film.ours, times)
        best = min(best, found["compiled"]["median"])
    found["peak_gb"] = card.peak() / GB
    return [
        Row("LTX 2B, 8 steps, words read before", best, "s", 2.0, found["stock"]["median"], "stock diffusers"),
        Row("T5-XXL reads a prompt", found["text"]["reading"]["median"], "s"),
        Row("LTX peak, T5 beside it included", found["peak_gb"], "GB", goal=15.5),
    ], found
