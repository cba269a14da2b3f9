"""Text to picture: what diffusers' own pipelines give, by presets, seeds, sizes; stopped at once; never blank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.image.sdxl.conftest import ONE, Studio, asked, difference
from tools.errors import BadOutput, Cancelled, InvalidInput
from tools.image.tool import GenerateImage
from tools.model import Placing


def stock(
    pipeline: Any, args: GenerateImage.Input, seed: int, kind: str = "StableDiffusionXLPipeline", **more: Any
) -> np.ndarray:
    """The picture of a pipeline of diffusers, from the same prompt, seed and sampler."""
    import diffusers
    import torch

    from tools.image.sdxl.encode import encode
    from tools.image.sdxl.plan import make_plan
    from tools.image.sdxl.schedulers import make_scheduler

    plan = make_plan(args)
    words, avoid = encode(pipeline, [plan.prompts.whole, plan.prompts.negative], "cpu", torch.float32)
    parts = {key: value for key, value in pipeline.components.items() if value is not None}
    parts["scheduler"] = make_scheduler(plan.preset.scheduler, pipeline.scheduler.config)
    controlnet = {"controlnet": more.pop("controlnet")} if "controlnet" in more else {}
    pipe = getattr(diffusers, kind)(**parts, **controlnet, add_watermarker=False)
    pipe.set_progress_bar_config(disable=True)
    picture = pipe(
        prompt_embeds=words.embeds, pooled_prompt_embeds=words.pooled, negative_prompt_embeds=avoid.embeds,
        negative_pooled_prompt_embeds=avoid.pooled, num_inference_steps=plan.preset.steps,
        guidance_scale=plan.preset.guidance, generator=torch.Generator().manual_seed(seed), output_type="np",
        **({} if kind.endswith("Img2ImgPipeline") else {"height": args.height, "width": args.width}), **more,
    ).images[0]  # fmt: skip
    return np.rint(picture * 255).astype(int)


@pytest.mark.parametrize("scheduler", ["dpmpp_2m", "euler", "dpmpp_2m_karras", "ddim", "unipc"])
def test_the_loop_gives_what_diffusers_gives(studio: Studio, scheduler: str) -> None:
    args = asked(rendering={"scheduler": scheduler, "steps": 3})
    ours = studio.draw(args)
    assert np.abs(ours - stock(studio.pipeline, args, 7)).max() <= 1


def test_seed_prompt_and_steps_each_change_the_picture_and_nothing_else_does(
    studio: Studio, plain_picture: np.ndarray
) -> None:
    assert np.array_equal(studio.draw(asked()), plain_picture)
    assert difference(studio.draw(asked(), seed=8), plain_picture) > 2
    assert difference(studio.draw(asked(action="a dragon lands")), plain_picture) > 0.5
    assert difference(studio.draw(asked(rendering={"steps": 3})), plain_picture) > 0.5
    assert difference(studio.draw(asked(rendering={"negative": "everything"})), plain_picture) > 0.2
    assert difference(studio.draw(asked(rendering={"prompt": "(fog)1.5"})), plain_picture) > 0.2


def test_the_output_has_the_form_of_the_drafts(studio: Studio) -> None:
    from tools.image.draft import DraftImage
    from tools.layout.png import read_png

    args = asked(maps=["depth", "openpose"], width=128, height=96)
    picture = studio.draw(args)
    made = studio.output
    assert made is not None
    assert picture.shape == (96, 128, 3)
    for name in (made.image, *made.masks.values(), *made.maps.values()):
        assert read_png(studio.out / name).shape == (96, 128, 3)
    from tools.base import EngineContext

    draft = DraftImage()
    draft.load()
    folder = studio.folder / "draft"
    folder.mkdir()
    drawn = draft.run(args, EngineContext(out=folder, seed=7, open_artifact=lambda key: pytest.fail(key)))
    assert (made.masks, made.maps, made.on_stage) == (drawn.masks, drawn.maps, drawn.on_stage)
    assert any("Drawn at" in note for note in made.notes)


def test_a_title_is_laid_over_the_picture(studio: Studio, plain_picture: np.ndarray) -> None:
    args = asked(text_overlay="CHIMP BANANA TRAIN", width=64, height=64)
    assert difference(studio.draw(args), plain_picture) > 1


def test_it_stops_within_one_step_and_says_where_it_is(studio: Studio) -> None:
    told: list[str] = []
    with pytest.raises(Cancelled):
        studio.draw(
            asked(rendering={"steps": 50}),
            report=lambda _fraction, text: told.append(text),
            is_cancelled=lambda: "step 2 of 50" in told,
        )
    assert [text for text in told if text.startswith("step")] == ["step 1 of 50", "step 2 of 50"]


def test_progress_only_rises(studio: Studio) -> None:
    told: list[float] = []
    studio.draw(asked(), report=lambda fraction, _text: told.append(fraction))
    assert told == sorted(told)
    assert 0 < told[-1] <= 1


@pytest.mark.parametrize(
    "placing",
    [Placing(sliced=True), Placing(tiled=True), Placing(smaller=1)],
    ids=["sliced", "tiled", "one by one"],
)
def test_sparing_gives_the_same_picture_up_to_rounding(
    studio: Studio, plain_picture: np.ndarray, placing: Placing
) -> None:
    assert np.abs(studio.draw(asked(), placing=placing) - plain_picture).max() <= 2
    assert np.array_equal(studio.draw(asked()), plain_picture)


def test_halved_twice_it_draws_smaller_and_says_so(studio: Studio) -> None:
    assert studio.draw(asked(), placing=Placing(smaller=3)).shape == (64, 64, 3)
    assert studio.output is not None
    assert "Drawn at 32x32 and brought to 64x64." in studio.output.notes


@contextmanager
def filled(weight: Any, value: float) -> Iterator[None]:
    before = weight.detach().clone()
    weight.data.fill_(value)
    try:
        yield
    finally:
        weight.data.copy_(before)


@pytest.mark.parametrize("where", ["unet.conv_out.bias", "vae.decoder.conv_out.bias", "text_encoder_2.final"])
def test_values_that_are_no_numbers_are_no_picture(studio: Studio, plain_picture: np.ndarray, where: str) -> None:
    pipeline = studio.pipeline
    weight = {
        "unet.conv_out.bias": pipeline.unet.conv_out.bias,
        "vae.decoder.conv_out.bias": pipeline.vae.decoder.conv_out.bias,
        "text_encoder_2.final": pipeline.text_encoder_2.text_projection.weight,
    }[where]
    with filled(weight, float("nan")), pytest.raises(BadOutput, match="NaN"):
        studio.draw(asked())
    assert np.array_equal(studio.draw(asked()), plain_picture)


def test_a_blank_picture_is_no_picture(studio: Studio) -> None:
    with filled(studio.pipeline.vae.decoder.conv_out.weight, 0.0), pytest.raises(BadOutput, match="blank"):
        studio.draw(asked())


def test_an_unknown_preset_or_scheduler_names_those_there_are(studio: Studio) -> None:
    with pytest.raises(InvalidInput, match="standard"):
        studio.draw(asked(rendering={"preset": "ultra"}))
    with pytest.raises(InvalidInput, match="dpmpp_2m"):
        studio.draw(asked(rendering={"scheduler": "magic"}))


def test_every_scheduler_draws(pipeline: Any) -> None:
    import torch

    from tools.image.sdxl.schedulers import SAMPLERS, make_scheduler

    for name in SAMPLERS:
        scheduler = make_scheduler(name, pipeline.scheduler.config)
        scheduler.set_timesteps(4)
        latents = torch.randn(1, 4, 4, 4) * scheduler.init_noise_sigma
        for time in scheduler.timesteps:
            scaled = scheduler.scale_model_input(latents, time)
            latents = scheduler.step(scaled * 0.1, time, latents, return_dict=False)[0]
        assert bool(torch.isfinite(latents).all()), name


def test_a_picture_is_begun_from_another_as_diffusers_would(
    studio: Studio, plain_picture: np.ndarray, tmp_path: Path
) -> None:
    import torch

    from tools.image.sdxl.pictures import encode_picture
    from tools.layout.png import write_png

    file = tmp_path / "start.png"
    write_png(file, plain_picture.astype(np.uint8))
    with torch.no_grad():
        latents = encode_picture(studio.pipeline.vae, plain_picture.astype(np.uint8), torch.float32)
    pictures = {}
    for strength in (0.4, 0.8):
        args = asked(rendering={"steps": 5, "start_image": str(file), "strength": strength, "scheduler": "euler"})
        pictures[strength] = studio.draw(args)
        theirs = stock(
            studio.pipeline, args, 7, "StableDiffusionXLImg2ImgPipeline", image=latents, strength=strength,
        )  # fmt: skip
        assert np.abs(pictures[strength] - theirs).max() <= 1
    assert difference(pictures[0.4], pictures[0.8]) > 1


def test_a_repair_changes_one_character_alone(larger: Studio, tmp_path: Path) -> None:
    from tools.layout.png import read_png, write_png

    size = {"width": 192, "height": 192}
    apart = [{"character": "luca", "x": 0.15}, {"character": "alberto", "x": 0.85}]
    before = larger.draw(asked(apart, **size))
    file = tmp_path / "start.png"
    write_png(file, before.astype(np.uint8))
    more = {"start_image": str(file), "strength": 1.0, "repair": "luca"}
    picture = larger.draw(asked(apart, rendering=more, **size))
    assert larger.output is not None
    mask = read_png(larger.out / larger.output.masks["luca"])[..., 0] > 127
    other = read_png(larger.out / larger.output.masks["alberto"])[..., 0] > 127
    assert mask.any()
    assert np.abs(picture - before)[mask].mean() > 5
    assert np.array_equal(picture[other], before[other])
    with pytest.raises(InvalidInput, match="giulia"):
        larger.draw(asked(ONE, rendering={**more, "repair": "giulia"}))


def test_lightning_asks_for_its_lora(studio: Studio) -> None:
    from tools.errors import MissingPrerequisite

    with pytest.raises(MissingPrerequisite, match="studio models pull sdxl_lightning"):
        studio.draw(asked(), engine=studio.engine("SdxlLightningImage"))


def test_lightning_wears_its_lora_and_needs_no_guidance(
    studio: Studio, plain_picture: np.ndarray, make_lora_file: Callable[..., Path]
) -> None:
    from tools.image.sdxl.plan import make_plan

    entry = {"about": "fast", "kind": "preset", "file": str(make_lora_file()), "when": ["lightning"]}
    studio.config("loras", {"loras": {"fast": entry}})
    plan = make_plan(asked(rendering={"steps": None}), "lightning", studio.paths)
    assert (plan.preset.steps, plan.preset.guidance, plan.preset.scheduler) == (8, 0.0, "euler_trailing")
    fast = studio.draw(asked(), engine=studio.engine("SdxlLightningImage"))
    assert difference(fast, plain_picture) > 1
    avoiding = asked(rendering={"negative": "everything"})
    assert np.array_equal(studio.draw(avoiding, engine=studio.engine("SdxlLightningImage")), fast)
