"""What goes into a film of Stable Video Diffusion shows in it; its length is the shot's, to the frame."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest

from tests.tools.video.filmed import Studio, asked, difference
from tests.tools.video.svd.conftest import from_one
from tools.errors import BadOutput, Cancelled, InvalidInput
from tools.model import Placing


def test_the_same_is_the_same_and_each_of_picture_seed_motion_and_steps_changes_it(
    studio: Studio, plain: np.ndarray
) -> None:
    assert np.array_equal(studio.film(from_one()), plain)
    changed = {
        "picture": studio.film(from_one(picture=studio.still("two", 2))),
        "seed": studio.film(from_one(), seed=8),
        "motion": studio.film(from_one(filming={"motion": 255})),
        "camera": studio.film(from_one(shot={"camera": "pan"})),
        "guidance": studio.film(from_one(filming={"guidance": 9.0})),
        "steps": studio.film(from_one(filming={"steps": 3})),
    }
    assert {name: difference(one, plain) > 0.2 for name, one in changed.items()} == dict.fromkeys(changed, True)
    studio.rules(svd={"noise": 0.9})
    assert difference(studio.film(from_one()), plain) > 0.5


def test_it_reads_no_words_and_says_so(studio: Studio, plain: np.ndarray) -> None:
    said = studio.film(from_one(filming={"prompt": "a red balloon"}, shot={"action": "he jumps"}))
    assert np.array_equal(said, plain)
    assert "reads no words" in studio.notes


def test_the_rate_is_told_to_the_model(studio: Studio, plain: np.ndarray) -> None:
    studio.rules(svd={"clip": {"fps": 8, "slowest": 8, "fastest": 8}})
    assert difference(studio.film(from_one()), plain) > 0.5
    assert "Drawn at 8 frames a second and brought to 12." in studio.notes


def test_frames_are_decoded_a_few_at_a_time(studio: Studio, plain: np.ndarray) -> None:
    """The decoder looks at neighbouring frames: other chunks give other frames, of the same number."""
    told: list[str] = []
    film = studio.film(from_one(), placing=Placing(smaller=1), report=lambda _f, text: told.append(text))
    assert [text for text in told if text.startswith("decoding")] == [f"decoding frame {n}" for n in range(1, 26, 4)]
    assert film.shape == plain.shape
    assert 0 < difference(film, plain) < 20
    blocks = [one for one in studio.models["svd_xt"].unet.modules() if hasattr(one, "_chunk_size")]
    assert blocks
    assert all(one._chunk_size is None for one in blocks), "the wide layers are whole again"
    assert np.array_equal(studio.film(from_one()), plain)


@pytest.mark.parametrize(
    ("fps", "seconds", "size", "frames", "clips"),
    [(24, 0.5, (64, 64), 12, 1), (8, 1.3, (100, 66), 11, 1), (60, 0.51, (66, 100), 31, 1), (24, 2.2, (64, 64), 53, 2)],
)
def test_length_rate_and_size_are_the_shots_own(
    studio: Studio, fps: int, seconds: float, size: tuple[int, int], frames: int, clips: int
) -> None:
    studio.still("one")
    film = studio.film(from_one(fps=fps, shot={"duration_s": seconds}, width=size[0], height=size[1]))
    assert film.shape == (frames, size[1], size[0], 3)
    assert (f"Drawn in {clips} clips" in studio.notes) == (clips > 1)
    assert studio.output is not None
    assert studio.output.duration_s == frames / fps
    with av.open(str(studio.out / studio.output.file)) as container:
        first = next(container.demux(container.streams.video[0]))
        assert first.is_keyframe


def test_the_second_clip_goes_on_from_the_first(studio: Studio) -> None:
    studio.rules(svd={"clip": {"fps": 14, "slowest": 14, "fastest": 14}})
    one = studio.film(asked(fps=14, picture=studio.still("one"), shot={"duration_s": 3.0}))
    other = studio.film(asked(fps=14, picture=studio.still("two", 2), shot={"duration_s": 3.0}))
    assert difference(one[26:], other[26:]) > 0.3
    assert len(one) == 42


def test_it_cannot_begin_from_nothing_or_from_letters(studio: Studio) -> None:
    with pytest.raises(InvalidInput, match="needs a picture"):
        studio.film()
    with pytest.raises(InvalidInput, match="title"):
        studio.film(asked(picture=studio.still("titled", 1, "BEACH"), shot={"text_overlay": "BEACH"}))


def test_a_title_card_needs_no_model_and_no_picture(studio: Studio) -> None:
    studio.models = {}
    film = studio.film(asked(shot={"placements": [], "text_overlay": "CHIMP BANANA TRAIN", "action": "dark wood"}))
    assert len(film) == 12
    assert film.std() > 5


def test_it_stops_within_one_step_and_while_it_decodes(studio: Studio, plain: np.ndarray) -> None:
    for last in ("step 2 of 40", "decoding frame 9"):
        told: list[str] = []
        steps = 40 if last.startswith("step") else 2

        def is_told(last: str = last, told: list[str] = told) -> bool:
            return last in told

        with pytest.raises(Cancelled):
            studio.film(
                from_one(filming={"steps": steps}), is_cancelled=is_told,
                report=lambda _f, text, told=told: told.append(text),
            )  # fmt: skip
        assert told[-1] == last
        assert not list(studio.out.glob("*.mp4"))
    assert np.array_equal(studio.film(from_one()), plain)


def test_values_that_are_no_numbers_are_no_film(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    studio.still("one")
    pipeline = studio.models["svd_xt"]
    decode, step = pipeline.vae.decode, pipeline.scheduler.step

    class Shown:
        def __init__(self, sample: torch.Tensor) -> None:
            self.sample = sample

    for factor, told in ((float("nan"), "decoder.*NaN"), (0.0, "one colour")):
        monkeypatch.setattr(
            pipeline.vae, "decode", lambda *a, factor=factor, **more: Shown(decode(*a, **more).sample * factor)
        )
        with pytest.raises(BadOutput, match=told):
            studio.film(from_one())
    monkeypatch.setattr(pipeline.vae, "decode", decode)

    def overflow(*args: object, **more: object) -> object:
        found = step(*args, **more)
        found.prev_sample = found.prev_sample * float("inf")
        return found

    monkeypatch.setattr(pipeline.scheduler, "step", overflow)
    with pytest.raises(BadOutput, match="video model"):
        studio.film(from_one())


def test_beside_diffusers_own_pipeline(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Called as its documentation says: the very same frames."""
    import torch

    from tools.video.svd import draw as module

    found: list[Any] = []
    plain = module.draw
    monkeypatch.setattr(module, "draw", lambda canvas: found.append((canvas, plain(canvas))) or found[-1][1])
    studio.still("one")
    studio.film(from_one())
    canvas, frames = found[0]
    stock = studio.models["svd_xt"](
        canvas.first, width=64, height=64, num_frames=25, num_inference_steps=2, fps=12, motion_bucket_id=60,
        decode_chunk_size=8, generator=torch.Generator("cpu").manual_seed(7 * 1_000_003), output_type="pt",
    ).frames[0]  # fmt: skip
    expected = (stock * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    apart = np.abs(np.stack(frames).astype(int) - expected)
    assert apart.max() <= 1, apart.mean()
