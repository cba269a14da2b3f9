"""Subtitles that fit the speech pass; shifted, overlapping, rushed, swapped or wrong ones do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tools.review.fabricate import RATE, Shelf, put_mix, put_speech, put_subtitles, tone
from tools.base import ArtifactRef
from tools.review.measure import Measure
from tools.review.subtitles import line_times
from tools.review.tool import Check, ReviewArtifact
from tools.timeline import SpokenClip
from tools.transcription.subtitles_tool import SubtitleCue

LINES = ["Look at the water, it is so clear!", "We can do this, I am sure."]
CALL: dict[str, Any] = {
    "fps": 24,
    "shots": [
        {"duration_s": 5.0, "speech": [{"call": "a", "key": ""}]},
        {"duration_s": 5.0, "speech": [{"call": "b", "key": ""}]},
    ],
    "names": {"luca": "Luca"},
    "max_chars": 42,
}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@pytest.fixture
def speech(shelf: Shelf) -> list[ArtifactRef]:
    return [put_speech(shelf, name, text) for name, text in zip("ab", LINES, strict=True)]


@pytest.fixture
def spans(shelf: Shelf, speech: list[ArtifactRef]) -> list[tuple[float, float]]:
    context = shelf.context("spans")
    found = line_times(CALL, [SpokenClip.model_validate(context.open(ref).output) for ref in speech])
    assert found is not None
    return found


def cues(spans: list[tuple[float, float]], shift: float = 0.0) -> list[SubtitleCue]:
    return [
        SubtitleCue(start=round(a + shift, 3), end=round(b + 0.4 + shift, 3), text=text, speaker="Luca")
        for (a, b), text in zip(spans, LINES, strict=True)
    ]


def review(
    shelf: Shelf, found: list[SubtitleCue], speech: list[ArtifactRef], call: dict[str, Any] = CALL
) -> ReviewArtifact.Output:
    ref = put_subtitles(shelf, "subs", found, call)
    return Measure().run(ReviewArtifact.Input(kind="subtitles", subject=ref, speech=speech), shelf.context())


def failed(found: ReviewArtifact.Output) -> dict[str, Check]:
    return {check.name: check for check in found.checks if check.status == "failed"}


def test_the_times_of_lines_follow_the_timeline(spans: list[tuple[float, float]]) -> None:
    assert spans[0][1] - spans[0][0] == pytest.approx(8 * 0.4)
    assert spans[1][0] > 5.0


def test_good_subtitles_pass(shelf: Shelf, speech: list[ArtifactRef], spans: Any) -> None:
    found = review(shelf, cues(spans), speech)
    assert failed(found) == {}
    assert found.score == 1.0
    assert {check.status for check in found.checks} == {"passed"}


@pytest.mark.parametrize("shift", [-1.0, 3.0])
def test_subtitles_outside_the_speech(shelf: Shelf, speech: list[ArtifactRef], spans: Any, shift: float) -> None:
    found = review(shelf, cues(spans, shift), speech)
    assert "2 of 2 subtitles stand outside" in failed(found)["inside_speech"].detail
    assert not found.passed


def test_a_line_without_a_subtitle(shelf: Shelf, speech: list[ArtifactRef], spans: Any) -> None:
    assert failed(review(shelf, cues(spans)[:1], speech)).keys() == {"inside_speech", "text"}


def test_swapped_order(shelf: Shelf, speech: list[ArtifactRef], spans: Any) -> None:
    one, two = cues(spans)
    swapped = [one.model_copy(update={"text": two.text}), two.model_copy(update={"text": one.text})]
    assert failed(review(shelf, swapped, speech)).keys() == {"text"}


def test_one_letter_too_few(shelf: Shelf, speech: list[ArtifactRef], spans: Any) -> None:
    one, two = cues(spans)
    found = failed(review(shelf, [one.model_copy(update={"text": one.text.replace("water", "wate")}), two], speech))
    assert found.keys() == {"text"}
    assert found["text"].score is not None
    assert found["text"].score > 0.9


def test_overlapping_subtitles(shelf: Shelf, speech: list[ArtifactRef], spans: Any) -> None:
    one, two = cues(spans)
    found = review(shelf, [one.model_copy(update={"end": two.start + 0.5}), two], speech)
    assert "no_overlaps" in failed(found)


def test_a_subtitle_that_flashes_past(shelf: Shelf, speech: list[ArtifactRef], spans: Any) -> None:
    one, two = cues(spans)
    found = review(shelf, [one.model_copy(update={"end": one.start + 0.3}), two], speech)
    assert failed(found).keys() == {"cue_length", "reading_speed"}
    assert found.passed, "hard to read is no reason to make it again"


def test_rows_too_long_and_too_many(shelf: Shelf, speech: list[ArtifactRef], spans: Any) -> None:
    assert "lines" in failed(review(shelf, cues(spans), speech, CALL | {"max_chars": 20}))
    other = Shelf(shelf.root / "rows")
    rows = [cue.model_copy(update={"text": cue.text.replace(" ", "\n")}) for cue in cues(spans)]
    refs = [put_speech(other, name, text) for name, text in zip("ab", LINES, strict=True)]
    assert failed(review(other, rows, refs)).keys() == {"lines"}


def test_names_before_the_lines_are_no_words_of_the_script(shelf: Shelf, speech: list[ArtifactRef], spans: Any) -> None:
    named = [cue.model_copy(update={"text": f"Luca: {cue.text}"}) for cue in cues(spans)]
    assert failed(review(shelf, named, speech, CALL | {"show_names": True})) == {}
    other = Shelf(shelf.root / "names")
    refs = [put_speech(other, name, text) for name, text in zip("ab", LINES, strict=True)]
    assert failed(review(other, named, refs)).keys() == {"text"}


@pytest.mark.parametrize("name", ["film.srt", "film.vtt"])
def test_a_file_that_says_something_else(shelf: Shelf, speech: list[ArtifactRef], spans: Any, name: str) -> None:
    ref = put_subtitles(shelf, "subs", cues(spans), CALL)
    path = shelf.paths[ref.key] / name
    size = path.stat().st_size
    path.write_text(path.read_text().replace("00:00:0", "00:00:3"))
    assert path.stat().st_size == size
    found = Measure().run(ReviewArtifact.Input(kind="subtitles", subject=ref, speech=speech), shelf.context())
    assert name in failed(found)["files_agree"].detail


def test_without_the_clips_it_is_said_what_was_not_run(shelf: Shelf, spans: Any) -> None:
    found = review(shelf, cues(spans), [])
    assert {check.name for check in found.checks if check.status == "not_run"} == {"inside_speech", "text"}


def test_the_times_of_the_mix_count_where_it_is_given(shelf: Shelf, speech: list[ArtifactRef], spans: Any) -> None:
    late = [(start + 4, end + 4) for start, end in spans]
    mix = put_mix(shelf, "mix", tone(20)[: 20 * RATE], late)
    assert failed(review(shelf, cues(spans), [*speech, mix])).keys() == {"inside_speech"}


def test_nobody_speaks(shelf: Shelf) -> None:
    call = CALL | {"shots": [{"duration_s": 5.0, "speech": []}]}
    assert failed(review(shelf, [], [], call)) == {}
