"""The times of a shot: speech inside it, in order, with silence around; the same frames for picture and sound."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.timeline import LEAD_S, LINE_GAP_S, TAIL_S, estimate_speech_s, film_starts, shot_timeline

clips = st.lists(
    st.tuples(st.floats(0.0, 0.8), st.floats(0.1, 9.0)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=8
)


@given(st.floats(0.5, 120.0), st.integers(8, 60), clips)
def test_speech_lies_inside_the_shot_in_order_with_silence_around_it(
    duration_s: float, fps: int, spoken: list[tuple[float, float]]
) -> None:
    timeline = shot_timeline(duration_s, fps, spoken)
    assert timeline.duration_s == timeline.frames / fps
    assert timeline.duration_s >= duration_s - 1e-6
    assert len(timeline.lines) == len(spoken)
    for line, (start, end) in zip(timeline.lines, spoken, strict=True):
        assert line.offset >= 0
        assert line.start == pytest.approx(line.offset + start)
        assert line.end - line.start == pytest.approx(end - start)
    for before, after in itertools.pairwise(timeline.lines):
        assert after.start >= before.end + LINE_GAP_S - 1e-6
    if timeline.lines:
        assert timeline.lines[0].start >= LEAD_S - 1e-6
        assert timeline.lines[-1].end <= timeline.duration_s - TAIL_S + 1e-6


@given(st.floats(0.5, 120.0), st.integers(8, 60), clips)
def test_a_shot_is_stretched_only_by_what_its_speech_needs(
    duration_s: float, fps: int, spoken: list[tuple[float, float]]
) -> None:
    timeline = shot_timeline(duration_s, fps, spoken)
    assert timeline.stretched_s >= 0
    assert timeline.duration_s <= duration_s + timeline.stretched_s + 1 / fps + 1e-6
    if not spoken:
        assert timeline.stretched_s == 0


@pytest.mark.parametrize("fps", [8, 12, 23, 24, 25, 30, 48, 50, 60])
def test_a_length_that_is_whole_frames_gets_no_frame_more(fps: int) -> None:
    for frames in range(1, 500):
        assert shot_timeline(frames / fps, fps, []).frames == frames


@given(st.lists(st.integers(1, 500), min_size=1, max_size=30), st.integers(8, 60))
def test_shots_follow_one_another_without_a_gap(frames: list[int], fps: int) -> None:
    starts = film_starts(frames, fps)
    assert starts[0] == 0
    for index in range(1, len(frames)):
        assert starts[index] == pytest.approx(sum(frames[:index]) / fps)


MEASURED = [
    # What a clip of the embedded voice measures: the slowest of luca, alberto and giulia, said neutrally or gladly.
    ("Hi!", 0.46),
    ("We can do this!", 1.05),
    ("Silenzio, Bruno!", 1.52),
    ("Look at that sunset, it is beautiful.", 2.42),
    ("I don't want to go back into the water, not now, not ever!", 4.55),
    ("In 1954 there were 1,234,567 fish in the sea.", 7.80),
    ("Extraordinary responsibilities notwithstanding, congratulations!", 4.54),
    ("The fisherman told me that the harbour closes at 10:30 tonight, so we should really hurry up.", 6.21),
    ("Piacere, Girolamo Trombetta!", 2.06),
    ("Non voglio tornare in acqua, né adesso né mai!", 3.38),
    ("Nel 1954 c'erano 1234 pesci.", 5.41),
    ("Precipitevolissimevolmente parlando, congratulazioni!", 3.82),
    ("Sei sicuro che sia una buona idea? Perché io no. Per niente.", 4.74),
]


@pytest.mark.parametrize(("text", "measured"), MEASURED)
def test_the_estimate_is_on_the_safe_side_and_not_far_off(text: str, measured: float) -> None:
    estimate = estimate_speech_s(text)
    assert measured <= estimate <= measured * 1.5


@given(st.text(max_size=300), st.text(max_size=300))
def test_more_words_never_take_less_time(a: str, b: str) -> None:
    assert estimate_speech_s(f"{a} {b}") >= estimate_speech_s(a) - 1e-9
    assert estimate_speech_s(a) >= 0.4


def test_a_slower_rate_takes_longer() -> None:
    text = "Guarda che tramonto, è bellissimo."
    assert estimate_speech_s(text, 1.3) == pytest.approx(2 * estimate_speech_s(text, 2.6))


def test_other_scripts_are_not_free() -> None:
    assert estimate_speech_s("今日はとてもいい天気ですね") > 1.2
