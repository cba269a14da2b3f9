"""Beside diffusers' own pipelines, called as their documentation says: the very same frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.tools.video.filmed import Studio, asked


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What `draw` was given and what it returned, call by call."""
    from tools.video.ltx import draw as module

    found: list[Any] = []
    plain = module.draw

    def draw(canvas: Any) -> Any:
        frames = plain(canvas)
        found.append((canvas, frames))
        return frames

    monkeypatch.setattr(module, "draw", draw)
    return found


def stock(studio: Studio, canvas: Any, prompt: Any, **more: Any) -> np.ndarray:
    """Frames as diffusers gives them, from the parts themselves and from words.

    The words are read as its pipeline of conditions reads them, which masks what only fills a prompt up, as LTX's own
    code does; its two others do not.
    """
    import diffusers
    import torch

    model, reader = studio.models["ltx_video"], studio.models["ltx_text_encoder"]
    parts = {
        "scheduler": model.scheduler, "vae": model.vae, "transformer": model.transformer,
        "text_encoder": reader.encoder, "tokenizer": reader.tokenizer,
    }  # fmt: skip
    words = diffusers.LTXConditionPipeline(**parts).encode_prompt(
        prompt.text, prompt.negative, True, max_sequence_length=256
    )
    names = ("prompt_embeds", "prompt_attention_mask", "negative_prompt_embeds", "negative_prompt_attention_mask")
    pipeline = getattr(diffusers, "LTXImageToVideoPipeline" if "image" in more else "LTXPipeline")(**parts)
    pipeline.set_progress_bar_config(disable=True)
    found = pipeline(
        **dict(zip(names, words, strict=True)), width=canvas.size[0], height=canvas.size[1],
        num_frames=canvas.windows[0].frames, frame_rate=canvas.rate, num_inference_steps=2, guidance_scale=3.0,
        output_type="pt", generator=torch.Generator("cpu").manual_seed(7 * 1_000_003), **more,
    ).frames[0]  # fmt: skip
    pixels: np.ndarray = (found * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return pixels


def test_from_words(studio: Studio, drawn: list[Any]) -> None:
    studio.film()
    canvas, frames = drawn[0]
    expected = stock(studio, canvas, studio.engine()._plan(asked()).prompt)
    apart = np.abs(np.stack(frames).astype(int) - expected)
    assert apart.max() <= 1, apart.mean()


def test_from_a_picture(studio: Studio, drawn: list[Any]) -> None:
    args = asked(picture=studio.still("one"))
    studio.film(args)
    canvas, frames = drawn[0]
    expected = stock(studio, canvas, studio.engine()._plan(args).prompt, image=canvas.first)
    apart = np.abs(np.stack(frames).astype(int) - expected)
    assert apart.max() <= 1, apart.mean()
    assert not np.array_equal(stock(studio, canvas, studio.engine()._plan(asked()).prompt), expected), "the control"
