"""Any clip becomes exactly its shot: frames, rate, size, words; what was done to it is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.errors import BadOutput
from tools.layout.lettering import Caption, ShotWords
from tools.storyboard import Shot
from tools.video.clip_fit import SLOWEST, between, fit_clip, plan_timing

SHOT = Shot(id="s7", duration_s=2.0)
SIZE = (128, 72)


def ball(count: int, size: tuple[int, int] = (96, 64), reach: float = 60.0) -> list[np.ndarray]:
    """A soft ball that moves evenly from left to right over a ground that is not plain."""
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width]
    pictures = []
    for number in range(count):
        x = 16 + reach * number / max(1, count - 1)
        value = np.exp(-(((columns - x) / 7) ** 2 + ((rows - height / 2) / 7) ** 2))
        ground = 40 + 30 * columns / width + 20 * rows / height
        red = ground + value * (230 - ground)
        pictures.append(np.rint(np.stack([red, ground, ground], axis=2)).astype(np.uint8))
    return pictures


def place_of(frame: np.ndarray) -> float:
    """Where the ball is, as a fraction of the width; the frame is blue green red alpha."""
    light = frame[..., 2].astype(float) - frame[..., 1]
    light[light < 40] = 0
    return float((light.sum(axis=0) * (np.arange(light.shape[1]) + 0.5)).sum() / light.sum() / light.shape[1])


def fit(pictures: Any, source_fps: float, wanted: int, fps: int = 24, **more: Any) -> list[np.ndarray]:
    return [frame.copy() for frame in fit_clip(pictures, source_fps, SHOT, SIZE, fps, wanted, **more)]


@settings(max_examples=300, deadline=None)
@given(
    pictures=st.integers(1, 300),
    source_fps=st.sampled_from([6.0, 7.0, 8.0, 12.0, 23.976, 24.0, 25.0, 30.0, 48.0, 60.0]),
    fps=st.sampled_from([8, 12, 24, 25, 30, 60]),
    wanted=st.integers(1, 400),
)
def test_every_frame_has_its_instant_and_time_never_runs_back(
    pictures: int, source_fps: float, fps: int, wanted: int
) -> None:
    timing = plan_timing(pictures, source_fps, fps, wanted)
    assert len(timing.at) == wanted
    assert timing.at[0] == 0
    steps = np.diff(timing.at)
    assert (steps >= -1e-9).all()
    assert (steps <= 1 + 1e-9).all()
    assert timing.at[-1] * timing.step <= pictures - 1 + 1e-6
    assert SLOWEST - 1e-9 <= timing.speed <= 1 + 1e-9
    if timing.held_s > 1 / fps and pictures > 1:
        assert timing.speed == pytest.approx(SLOWEST), "it is held only where slowing down is not enough"
        # It comes to rest, it does not stop dead.
        assert len(steps) < fps or timing.at[-1] < fps or (np.abs(np.diff(steps)) <= 0.5 + 1e-9).all()


def test_a_clip_of_the_right_length_is_left_alone() -> None:
    notes: list[str] = []
    pictures = ball(24)
    frames = fit(pictures, 24, 24, notes=notes)
    assert len(frames) == 24
    assert not notes
    assert frames[0].shape == (72, 128, 4)
    assert frames[0].dtype == np.uint8
    assert (frames[0][..., 3] == 255).all()
    same = fit_clip(pictures, 24, SHOT, (96, 64), 24, 24)
    for shown, picture in zip(same, pictures, strict=True):
        assert np.array_equal(shown[..., 2::-1], picture)


def test_a_longer_clip_is_cut_and_keeps_its_speed() -> None:
    whole, short = fit(ball(48), 24, 48), fit(ball(48), 24, 20)
    assert len(short) == 20
    assert all(np.array_equal(a, b) for a, b in zip(whole[:20], short, strict=True))


def test_a_clip_of_fewer_pictures_a_second_moves_evenly_between_them() -> None:
    """25 pictures at 7 a second in 24: the ball goes on in every frame. A fade would stand, and show two balls."""
    frames = fit(ball(25), 7, 80)
    places = [place_of(frame) for frame in frames]
    steps = np.diff(places)[2:-2]
    assert (steps > 0).all()
    assert steps.max() < 2.2 * steps.mean()
    between_two = frames[5]
    row = between_two[36, :, 2].astype(float) - between_two[36, :, 1]
    assert ((row[1:-1] > row[:-2]) & (row[1:-1] >= row[2:]) & (row[1:-1] > 60)).sum() == 1, "one ball, not two"


def test_a_shorter_clip_is_slowed_and_that_is_said() -> None:
    notes: list[str] = []
    frames = fit(ball(24), 24, 30, notes=notes)
    assert len(frames) == 30
    assert place_of(frames[-1]) == pytest.approx(place_of(fit(ball(24), 24, 24)[-1]), abs=0.01)
    assert notes
    assert "s7" in notes[0]
    assert "% of its speed" in notes[0]


def test_a_much_shorter_clip_comes_to_rest_and_that_is_said() -> None:
    notes: list[str] = []
    frames = fit(ball(12), 24, 60, notes=notes)
    places = [place_of(frame) for frame in frames]
    assert len(frames) == 60
    assert "held for" in notes[0]
    assert np.array_equal(frames[-1], frames[-5])
    assert places[-1] > 0.7
    assert max(np.diff(places)[-30:]) < max(np.diff(places)[:10]) / 2


def test_one_picture_stands_for_the_whole_shot() -> None:
    notes: list[str] = []
    frames = fit(ball(1), 24, 10, notes=notes)
    assert len(frames) == 10
    assert np.array_equal(frames[0], frames[9])
    assert "held" in notes[0]


@pytest.mark.parametrize(("focus", "expected"), [((0.0, 0.5), 0.5), ((0.5, 0.5), 0.0), ((1.0, 0.5), None)])
def test_other_proportions_fill_the_frame_and_are_cut_around_the_focus(
    focus: tuple[float, float], expected: float | None
) -> None:
    wide = np.full((64, 256, 3), 20, dtype=np.uint8)
    wide[:, 40:72, 0] = 250
    frame = next(fit_clip([wide], 24, SHOT, SIZE, 24, 1, focus=focus))
    shown = frame[..., 2] > 128
    assert shown[:, :2].any() == (expected == 0.0) or expected == 0.5
    assert shown.any() == (expected is not None)
    if focus == (0.0, 0.5):
        across = np.nonzero(shown[36])[0]
        assert across.mean() / SIZE[0] == pytest.approx(56 / 113.8, abs=0.02)


def test_words_are_laid_over_the_frames_at_their_time() -> None:
    titled = SHOT.model_copy(update={"text_overlay": "The sea"})
    words = ShotWords(titled, "pixar_3d", SIZE, captions=[Caption(0.5, 1.0, "We can do this!")], duration_s=2.0)
    bare, worded = fit(ball(48), 24, 48), fit(ball(48), 24, 48, words=words)
    differs = [int((a != b).sum()) for a, b in zip(bare, worded, strict=True)]
    assert differs[0] == 0, "the title fades in"
    assert differs[6] > 100
    foot = [int((a[56:] != b[56:]).sum()) for a, b in zip(bare, worded, strict=True)]
    assert foot[8] < foot[16] > foot[30]


def test_fractions_are_taken_for_colours() -> None:
    pictures = ball(3)
    as_fractions = np.stack(pictures).astype(np.float32) / 255
    assert all(np.array_equal(a, b) for a, b in zip(fit(pictures, 24, 3), fit(as_fractions, 24, 3), strict=True))


def test_the_same_clip_gives_the_same_frames() -> None:
    assert all(np.array_equal(a, b) for a, b in zip(fit(ball(9), 8, 24), fit(ball(9), 8, 24), strict=True))


def test_between_gives_every_instant_up_to_the_last_picture() -> None:
    made = list(between(ball(8), 0.25))
    assert len(made) == 29
    assert np.abs(made[-1].astype(int) - ball(8)[-1]).max() < 8


BROKEN: dict[str, tuple[Any, str]] = {
    "empty": ([], "no picture"),
    "not a picture": ([np.zeros((64, 64), np.uint8)], "shape"),
    "four channels": ([np.zeros((64, 64, 4), np.uint8)], "shape"),
    "of two sizes": ([ball(1)[0], ball(1, (64, 64))[0]], "another size"),
    "not a number": ([np.full((64, 64, 3), np.nan, np.float32)], "no numbers"),
    "endless": ([np.full((64, 64, 3), np.inf, np.float32)], "no numbers"),
    "grey": ([np.full((64, 64, 3), 127, np.uint8)] * 4, "one colour"),
    "integers": ([np.full((64, 64, 3), 127, np.int64)], "neither bytes nor fractions"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_clip_is_refused(name: str) -> None:
    frames, told = BROKEN[name]
    with pytest.raises(BadOutput, match=told):
        fit(frames, 24, 4)
