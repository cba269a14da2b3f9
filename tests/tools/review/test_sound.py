"""Music and mixes: good ones pass; silence, clicks, holes, wrong length and lost lines are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.review.fabricate import RATE, Shelf, put_mix, put_music, tone
from tools.base import ArtifactRef
from tools.review.fixes import propose
from tools.review.measure import Measure
from tools.review.tool import Check, ReviewArtifact

LEVEL = 10 ** ((-16 + 0.0) / 20)
"""A 997 Hz sine of this amplitude in both channels measures -16 LUFS."""


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def review(shelf: Shelf, kind: Any, ref: ArtifactRef, **args: Any) -> ReviewArtifact.Output:
    return Measure().run(ReviewArtifact.Input(kind=kind, subject=ref, **args), shelf.context())


def failed(found: ReviewArtifact.Output) -> dict[str, Check]:
    return {check.name: check for check in found.checks if check.status == "failed"}


def hum(seconds: float, level: float = LEVEL) -> np.ndarray:
    return tone(seconds, hertz=997, level=level)


def test_good_music_passes(shelf: Shelf) -> None:
    assert failed(review(shelf, "music", put_music(shelf, "m", hum(4), 4.0), expect_duration_s=4.0)) == {}


@pytest.mark.parametrize(
    ("samples", "names"),
    [
        (np.zeros(4 * RATE), {"present", "loudness", "no_dropouts"}),
        (hum(4, 0.0005), {"loudness"}),
        ((hum(4) * 40).clip(-1, 1), {"not_clipped", "loudness"}),
        (np.concatenate([hum(1), np.zeros(2 * RATE), hum(1)]), {"no_dropouts"}),
        (hum(3), {"length"}),
    ],
)
def test_broken_music(shelf: Shelf, samples: np.ndarray, names: set[str]) -> None:
    found = review(shelf, "music", put_music(shelf, "m", samples, 4.0), expect_duration_s=4.0)
    assert names <= failed(found).keys()


CALL = {
    "fps": 24,
    "shots": [{"duration_s": 4.0, "speech": []}],
    "music": [{"sound": {"call": "m", "key": ""}, "first": 0, "last": 0}],
    "ambience": [],
    "target_lufs": -16.0,
}


def test_a_good_mix_passes(shelf: Shelf) -> None:
    found = review(shelf, "sound", put_mix(shelf, "mix", hum(4), [(0.5, 1.5)], CALL), expect_duration_s=4.0)
    assert failed(found) == {}
    assert {"speech_heard", "no_dropouts"} <= {check.name for check in found.checks}


@pytest.mark.parametrize("gain", [0.5, 2.0])
def test_a_mix_of_the_wrong_loudness_gets_a_new_target_that_mends_it(shelf: Shelf, gain: float) -> None:
    found = review(shelf, "sound", put_mix(shelf, "mix", hum(4) * gain, [], CALL))
    fix = propose("sound", CALL, found.checks, 1)
    assert fix is not None
    moved = fix.args["target_lufs"] + 16.0
    mended = hum(4) * gain * 10 ** (moved / 20)
    again = Shelf(shelf.root / "again")
    assert failed(review(again, "sound", put_mix(again, "mix", mended, [], CALL))) == {}


def test_a_line_that_is_not_heard(shelf: Shelf) -> None:
    sound = hum(4, LEVEL * 1.1)
    sound[RATE : 2 * RATE] *= 0.002
    found = review(shelf, "sound", put_mix(shelf, "mix", sound, [(0.2, 0.8), (1.0, 2.0)], CALL))
    assert "line 2 is not heard" in failed(found)["speech_heard"].detail


def test_lines_that_are_not_to_be_heard_are_not_missed(shelf: Shelf) -> None:
    sound = hum(4, LEVEL * 1.1)
    sound[RATE : 2 * RATE] *= 0.002
    found = review(shelf, "sound", put_mix(shelf, "mix", sound, [(1.0, 2.0)], CALL | {"voices": False}))
    assert "speech_heard" not in {check.name for check in found.checks}


def test_silence_between_lines_is_no_fault_where_no_bed_was_asked_for(shelf: Shelf) -> None:
    sound = np.concatenate([hum(1), np.zeros(2 * RATE), hum(1)])
    found = review(shelf, "sound", put_mix(shelf, "mix", sound, [(0.0, 1.0)], CALL | {"music": []}))
    assert failed(found) == {}


def test_a_mix_that_ends_before_its_last_line(shelf: Shelf) -> None:
    found = review(shelf, "sound", put_mix(shelf, "mix", hum(2), [(1.5, 3.0)], CALL), expect_duration_s=4.0)
    assert {"length", "speech_heard"} <= failed(found).keys()


def test_a_torn_mix(shelf: Shelf) -> None:
    ref = put_mix(shelf, "mix", hum(4), [], CALL)
    path = shelf.paths[ref.key] / "mix.wav"
    path.write_bytes(b"\0" * path.stat().st_size)
    assert failed(review(shelf, "sound", ref)).keys() == {"readable"}


@pytest.mark.parametrize(
    ("gain_db", "call", "fails"),
    [(-8.0, CALL | {"music": []}, False), (0.0, CALL | {"music": []}, True), (-8.0, CALL, True)],
    ids=["quiet place", "loud place", "the control: with music it is too quiet"],
)
def test_a_film_of_nothing_but_a_place_is_quiet(
    shelf: Shelf, gain_db: float, call: dict[str, Any], fails: bool
) -> None:
    found = review(shelf, "sound", put_mix(shelf, "mix", hum(4) * 10 ** (gain_db / 20), [], call))
    assert ("loudness" in failed(found)) is fails
