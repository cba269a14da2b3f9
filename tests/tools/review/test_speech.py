"""A good line passes every check; each broken twin fails the check that is about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.review.fabricate import Shelf, babble, put_speech
from tools.base import ArtifactRef
from tools.errors import InvalidInput
from tools.review.measure import Measure
from tools.review.speech import word_tokens
from tools.review.tool import Check, ReviewArtifact
from tools.timeline import MouthCue, SpokenWord
from tools.transcription.tool import Transcribe

TEXT = "Look at the water, it is so clear!"
HI_THERE = [SpokenWord(text="Hi!", start=0.5, end=0.7), SpokenWord(text="there", start=0.7, end=0.9)]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def review(shelf: Shelf, ref: ArtifactRef, **args: Any) -> ReviewArtifact.Output:
    return Measure().run(ReviewArtifact.Input(kind="speech", subject=ref, **args), shelf.context())


def failed(found: ReviewArtifact.Output) -> dict[str, Check]:
    return {check.name: check for check in found.checks if check.status == "failed"}


@pytest.mark.parametrize("text", [TEXT, "Silenzio, Bruno!", "Hi!", "Perché no? L'acqua è là."])
def test_a_good_line_passes(shelf: Shelf, text: str) -> None:
    found = review(shelf, put_speech(shelf, "line", text), max_speech_s=6.0)
    assert failed(found) == {}
    assert found.score == 1.0
    assert [check.name for check in found.checks if check.status == "not_run"] == ["intelligibility"]


def test_what_nobody_says_is_no_word_of_the_line(shelf: Shelf) -> None:
    spoken = put_speech(shelf, "line", "<b>Hi!</b> \U0001f44b **there**", told={"words": HI_THERE})
    assert failed(review(shelf, spoken)) == {}


def test_words_that_are_not_found_are_said_slower_not_with_another_seed(shelf: Shelf) -> None:
    found = review(shelf, put_speech(shelf, "line", "Hi! you there", told={"words": HI_THERE}))
    assert failed(found)["words"].fix == {"rate": 0.9}


def test_a_silent_clip(shelf: Shelf) -> None:
    found = review(shelf, put_speech(shelf, "line", TEXT, samples=np.zeros(40_000)))
    assert failed(found).keys() == {"present"}
    assert not found.passed


def test_a_clipped_clip(shelf: Shelf) -> None:
    found = review(shelf, put_speech(shelf, "line", TEXT, samples=(babble(8) * 20).clip(-1, 1)))
    assert {"not_clipped", "loudness"} <= failed(found).keys()
    assert not found.passed


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_a_line_too_soft_or_too_loud(shelf: Shelf, gain: float) -> None:
    found = review(shelf, put_speech(shelf, "line", TEXT, samples=babble(8) * gain))
    assert "loudness" in failed(found)


@pytest.mark.parametrize(("lead", "tail", "name"), [(0.1, 1.0, "lead_silence"), (0.5, 0.2, "tail_silence")])
def test_silence_missing_at_an_end(shelf: Shelf, lead: float, tail: float, name: str) -> None:
    assert failed(review(shelf, put_speech(shelf, "line", TEXT, lead=lead, tail=tail))).keys() == {name}


def test_speech_too_long_asks_for_a_faster_rate(shelf: Shelf) -> None:
    found = review(shelf, put_speech(shelf, "line", TEXT), max_speech_s=2.8)
    assert failed(found)["fits"].fix == {"rate": pytest.approx(3.2 / 2.8 * 1.03, abs=0.01)}
    found = review(shelf2 := Shelf(shelf.root / "b"), put_speech(shelf2, "line", TEXT, rate=1.25), max_speech_s=2.0)
    assert failed(found)["fits"].fix == {}


@pytest.mark.parametrize(("seconds", "sign"), [(0.6, -1), (14.0, 1)])
def test_words_that_come_too_fast_or_too_slow(shelf: Shelf, seconds: float, sign: int) -> None:
    said = babble(40)[: round(seconds * 22_050)]
    check = failed(review(shelf, put_speech(shelf, "line", TEXT, samples=said)))["pace"]
    assert (float(check.fix["rate"]) - 1.0) * sign > 0


def test_a_record_of_another_length(shelf: Shelf) -> None:
    assert "length" in failed(review(shelf, put_speech(shelf, "line", TEXT, told={"duration_s": 9.0})))


def words(texts: list[str], start: float = 0.5, step: float = 0.4) -> list[SpokenWord]:
    return [SpokenWord(text=t, start=start + n * step, end=start + (n + 1) * step) for n, t in enumerate(texts)]


@pytest.mark.parametrize(
    ("told", "word"),
    [
        (words(TEXT.split()[::-1]), "of the words are timed in order"),
        (words(TEXT.split()[:4]), "50 % of the words"),
        (words(TEXT.split())[::-1], "not in order of time"),
        (words(TEXT.split(), start=3.0), "lie outside the speech"),
    ],
)
def test_words_swapped_missing_or_outside(shelf: Shelf, told: list[SpokenWord], word: str) -> None:
    found = review(shelf, put_speech(shelf, "line", TEXT, told={"words": told}))
    assert word in failed(found)["words"].detail
    assert not found.passed


def test_words_may_be_grouped_and_punctuated_otherwise(shelf: Shelf) -> None:
    told = words(["Look", "at the", "water", "it", "is", "so", "clear"])
    assert failed(review(shelf, put_speech(shelf, "line", TEXT, told={"words": told}))) == {}


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ([], "never opens"),
        ([MouthCue(start=1.0, shape="ai")], "stays open"),
        ([MouthCue(start=4.4, shape="ai"), MouthCue(start=4.5, shape="rest")], "1 shapes lie outside"),
        ([MouthCue(start=2.0, shape="ai"), MouthCue(start=1.0, shape="rest")], "not in order"),
    ],
)
def test_mouths_that_do_not_fit(shelf: Shelf, told: list[MouthCue], word: str) -> None:
    assert word in failed(review(shelf, put_speech(shelf, "line", TEXT, told={"mouth": told})))["mouth"].detail


def test_a_file_that_is_no_wav(shelf: Shelf) -> None:
    ref = put_speech(shelf, "line", TEXT)
    path = shelf.paths[ref.key] / "line.wav"
    path.write_bytes(b"x" * path.stat().st_size)
    assert failed(review(shelf, ref)).keys() == {"readable"}


def test_tokens_ignore_case_and_punctuation_and_keep_accents() -> None:
    assert word_tokens("L'acqua È, là… 21!") == ["l", "acqua", "è", "là", "21"]


# --- what a recogniser heard


def put_transcript(
    shelf: Shelf, about: ArtifactRef, text: str, *, tool: str = "transcribe", key: str = ""
) -> ArtifactRef:
    folder = shelf.folder(f"heard-{len(shelf.paths)}")
    (folder / "transcript.txt").write_text(text)
    output = Transcribe.Output(
        file="transcript.txt", text=text, language="en", language_probability=1.0, duration_s=2.0, segments=[],
        key=key or about.key,
    )  # fmt: skip
    return shelf.store(folder.name, tool, folder, output, {})


@pytest.mark.parametrize(
    ("heard", "passes"),
    [
        ("look at the water it is so clear", True),
        ("Look at the water! It's so clear.", True),
        ("Look at the daughter, it is so clear!", True),
        ("Look at the daughter, he is so dear!", False),
        ("", False),
        ("Thanks for watching, and see you in the next one.", False),
    ],
)
def test_a_line_must_be_understood(shelf: Shelf, heard: str, passes: bool) -> None:
    spoken = put_speech(shelf, "line", TEXT)
    found = review(shelf, spoken, heard=put_transcript(shelf, spoken, heard))
    check = next(check for check in found.checks if check.name == "intelligibility")
    assert check.status == ("passed" if passes else "failed"), check.detail
    assert found.passed == passes
    assert bool(check.fix) == (not passes)


def test_without_a_transcript_the_check_says_what_it_needs(shelf: Shelf) -> None:
    check = review(shelf, put_speech(shelf, "line", TEXT)).checks[-1]
    assert (check.name, check.status, check.score) == ("intelligibility", "not_run", None)
    assert "studio models pull whisper_turbo" in check.detail


def test_a_transcript_of_something_else_is_refused(shelf: Shelf) -> None:
    spoken = put_speech(shelf, "line", TEXT)
    with pytest.raises(InvalidInput, match="another recording"):
        review(shelf, spoken, heard=put_transcript(shelf, spoken, TEXT, key="0" * 64))
    with pytest.raises(InvalidInput, match="writes down nothing"):
        Measure().run(
            ReviewArtifact.Input(kind="speech", subject=spoken, heard=put_transcript(shelf, spoken, TEXT, tool="x")),
            shelf.context("again"),
        )
