"""The refiner goes on where the base stops, as diffusers' hand-over does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evals.checkpoints.build import built
from tests.tools.image.sdxl.conftest import Studio, asked, difference
from tools.model import Placing


@pytest.fixture(scope="module")
def refiner() -> Any:
    from evals.checkpoints.sdxl import make_refiner
    from tools.image.sdxl.weights import SdxlRefiner

    folder = built(make_refiner)
    weights = SdxlRefiner()
    weights.check(str(folder))
    return weights.load(str(folder), Placing())


def test_the_hand_over_gives_what_diffusers_gives(studio: Studio, refiner: Any) -> None:
    import torch
    from diffusers import StableDiffusionXLImg2ImgPipeline, StableDiffusionXLPipeline

    from tools.image.sdxl.encode import encode
    from tools.image.sdxl.plan import make_plan

    args = asked(rendering={"steps": 5, "scheduler": "euler", "refine_from": 0.6})
    studio.models["sdxl_refiner"] = refiner
    ours = studio.draw(args, engine=studio.engine("SdxlRefinedImage"))

    prompts = make_plan(args).prompts
    first = encode(studio.pipeline, [prompts.whole, prompts.negative], "cpu", torch.float32)
    second = encode(refiner, [prompts.whole, prompts.negative], "cpu", torch.float32)
    common = {"num_inference_steps": 5, "guidance_scale": 7.5}

    def words(pair: Any) -> dict[str, Any]:
        return {
            "prompt_embeds": pair[0].embeds, "pooled_prompt_embeds": pair[0].pooled,
            "negative_prompt_embeds": pair[1].embeds, "negative_pooled_prompt_embeds": pair[1].pooled,
        }  # fmt: skip

    base = StableDiffusionXLPipeline(
        **{key: value for key, value in studio.pipeline.components.items() if value is not None}, add_watermarker=False
    )
    latents = base(
        height=64, width=64, denoising_end=0.6, output_type="latent", generator=torch.Generator().manual_seed(7),
        **words(first), **common,
    ).images  # fmt: skip
    late = StableDiffusionXLImg2ImgPipeline(**refiner.components, add_watermarker=False, requires_aesthetics_score=True)
    theirs = late(image=latents, denoising_start=0.6, output_type="latent", **words(second), **common).images
    from tools.image.sdxl.pictures import decode

    assert np.abs(ours - decode(studio.pipeline.vae, theirs).astype(int)).max() <= 1


def test_it_changes_the_picture_and_the_base_alone_says_that_it_was_not_used(
    studio: Studio, refiner: Any, plain_picture: np.ndarray
) -> None:
    args = asked(rendering={"refine_from": 0.5})
    assert np.array_equal(studio.draw(args), plain_picture)
    assert studio.output is not None
    assert any("refiner" in note for note in studio.output.notes)
    studio.models["sdxl_refiner"] = refiner
    refined = studio.draw(args, engine=studio.engine("SdxlRefinedImage"))
    assert difference(refined, plain_picture) > 1
