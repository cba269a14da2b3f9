"""How many frames, of what size, in which clips: what is asked of a model covers the shot to the frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from configs.videos import ClipRules, load_videos
from tools.video.windows import Window, drawn_size, frames_needed, model_rate, windows

LTX, SVD = load_videos().ltx.clip, load_videos().svd.clip
FRAMES = st.integers(1, 3000)
FPS = st.integers(8, 60)
RULES = st.sampled_from([LTX, SVD])


def of_the_form(frames: int, clip: ClipRules) -> bool:
    return frames % clip.frames_step == 1 % clip.frames_step and clip.least_frames <= frames <= clip.frames


@given(needed=FRAMES, clip=RULES, halved=st.integers(0, 4))
def test_clips_cover_what_is_needed_in_the_models_own_form(needed: int, clip: ClipRules, halved: int) -> None:
    found = windows(needed, clip, halved)
    assert all(of_the_form(one.frames, clip) for one in found)
    assert found[0].first == 0
    assert found[0].overlap == 0
    end = 0
    for one in found:
        assert one.first + one.overlap == end, "each goes on where the one before ended"
        end = one.first + one.frames
    assert end >= needed
    assert end - found[-1].frames + found[-1].overlap < needed, "no clip is drawn that nobody sees"


@given(frames=FRAMES, fps=FPS, clip=RULES)
def test_the_rate_is_one_that_the_model_can_and_covers_the_film(frames: int, fps: int, clip: ClipRules) -> None:
    rate = model_rate(frames, fps, clip)
    assert clip.slowest <= rate <= clip.fastest
    needed = frames_needed(frames, fps, rate)
    assert (needed - 1) / rate >= (frames - 1) / fps - 1e-9, "the last film frame lies within what is drawn"
    assert (needed - 2) / rate < (frames - 1) / fps, "and no frame too many"


@pytest.mark.parametrize(
    ("fps", "rate"), [(24, 24), (25, 25), (30, 30), (20, 20), (60, 20), (48, 24), (12, 24), (8, 24)]
)
def test_ltx_is_asked_for_the_films_own_rate_or_one_that_divides(fps: int, rate: int) -> None:
    assert model_rate(fps * 4, fps, LTX) == rate


def test_a_long_shot_takes_a_lower_rate_rather_than_too_many_clips() -> None:
    assert model_rate(2 * 24, 24, SVD) == 12
    assert model_rate(9 * 24, 24, SVD) == 8
    assert len(windows(frames_needed(9 * 24, 24, 8), SVD)) <= SVD.windows


def test_twelve_frames_are_drawn_as_seventeen_never_as_nine() -> None:
    assert windows(12, LTX) == [Window(0, 17, 0)]
    assert windows(1, LTX) == [Window(0, 9, 0)]
    assert windows(122, LTX) == [Window(0, 73, 0), Window(64, 73, 9)]
    assert windows(49, SVD) == [Window(0, 25, 0), Window(24, 25, 1)]


@given(width=st.integers(64, 4096), height=st.integers(64, 4096), clip=RULES, halved=st.integers(0, 3))
def test_sizes_are_multiples_of_the_step_and_about_the_models_area(
    width: int, height: int, clip: ClipRules, halved: int
) -> None:
    drawn = drawn_size(width, height, clip, halved)
    assert all(side % clip.step == 0 and side >= clip.step for side in drawn)
    if 0.4 < width / height < 2.5:
        area = clip.width * clip.height / 2**halved
        assert 0.6 < drawn[0] * drawn[1] / area < 1.6
        assert 0.75 < (drawn[0] / drawn[1]) / (width / height) < 1.34


def test_the_films_sizes() -> None:
    assert [drawn_size(*size, LTX) for size in ((768, 512), (1280, 720), (720, 1280))] == [
        (768, 512), (832, 480), (480, 832),
    ]  # fmt: skip
    assert drawn_size(1280, 720, SVD) == (1024, 576)


@pytest.mark.parametrize(
    ("field", "value"), [("frames", 120), ("overlap", 8), ("overlap", 121), ("fps", 31), ("least_frames", 129)]
)
def test_rules_that_no_clip_can_keep_are_refused(field: str, value: int) -> None:
    with pytest.raises(ValidationError, match=r"must|more"):
        ClipRules.model_validate({**LTX.model_dump(), field: value})
