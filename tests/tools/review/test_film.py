"""Films and shots: whole ones pass; torn, black, frozen, short, silent or unasked-for ones are found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tools.review.fabricate import (
    Shelf,
    moving_pictures,
    put_mix,
    put_segment,
    put_speech,
    put_subtitles,
    tone,
)
from tools.base import ArtifactRef
from tools.review.measure import Measure
from tools.review.tool import Check, ReviewArtifact
from tools.storyboard import Line, Placement, Shot
from tools.transcription.subtitles_tool import SubtitleCue
from tools.video.join import JoinVideo
from tools.video.tool import EditVideo


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def review(shelf: Shelf, kind: Any, ref: ArtifactRef, **args: Any) -> ReviewArtifact.Output:
    return Measure().run(ReviewArtifact.Input(kind=kind, subject=ref, **args), shelf.context(f"review-{ref.call}"))


def failed(found: ReviewArtifact.Output) -> dict[str, Check]:
    return {check.name: check for check in found.checks if check.status == "failed"}


def put_film(shelf: Shelf, call: str = "film", **args: Any) -> ArtifactRef:
    context = shelf.context(f"join-{call}")
    given = EditVideo.Input(title="A film", **args)
    return shelf.store(call, "edit_video", context.out, JoinVideo().run(given, context), {})


def whole_film(shelf: Shelf, **changes: Any) -> ArtifactRef:
    cues = [SubtitleCue(start=0.5, end=1.5, text="Ciao!", speaker="luca")]
    parts: dict[str, Any] = {
        "shots": [put_segment(shelf, "s1", 48), put_segment(shelf, "s2", 48, shade=120)],
        "sound": put_mix(shelf, "mix", tone(4.0)),
        "subtitles": put_subtitles(shelf, "subs", cues),
    }
    return put_film(shelf, **(parts | changes))


EXPECT: dict[str, Any] = {
    "expect_duration_s": 4.0,
    "expect_streams": ["video", "audio", "subtitles"],
    "expect_size": (320, 180),
}


def test_a_whole_film_passes(shelf: Shelf) -> None:
    found = review(shelf, "film", whole_film(shelf), **EXPECT)
    assert failed(found) == {}
    assert found.score == 1.0
    assert {check.name for check in found.checks} == {
        "readable", "streams", "decodable", "size", "rate", "frames", "not_black", "not_frozen", "sound_length",
        "sound_present", "meaning",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"expect_duration_s": 6.0}, {"frames"}),
        ({"expect_size": (1280, 720)}, {"size"}),
        ({"expect_streams": ["video"]}, {"streams"}),
    ],
)
def test_a_film_other_than_asked(shelf: Shelf, changes: dict[str, Any], names: set[str]) -> None:
    assert failed(review(shelf, "film", whole_film(shelf), **(EXPECT | changes))).keys() == names


@pytest.mark.parametrize("missing", ["sound", "subtitles"])
def test_a_film_that_lacks_a_track(shelf: Shelf, missing: str) -> None:
    found = failed(review(shelf, "film", whole_film(shelf, **{missing: None}), **EXPECT))
    assert "is missing" in found["streams"].detail


@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 0.97])
def test_a_truncated_film(shelf: Shelf, part: float) -> None:
    """The index promises frames that are not there, or there is no index at all."""
    ref = whole_film(shelf)
    folder = shelf.paths[ref.key]
    data = (folder / "film.mp4").read_bytes()
    torn = data[: int(len(data) * part)]
    (folder / "film.mp4").write_bytes(torn.ljust(len(data), b"\0"))
    found = review(shelf, "film", ref, **EXPECT)
    assert failed(found).keys() & {"readable", "decodable"}
    assert not found.passed


def test_a_damaged_film(shelf: Shelf) -> None:
    ref = whole_film(shelf)
    path = shelf.paths[ref.key] / "film.mp4"
    data = bytearray(path.read_bytes())
    middle = data.find(b"mdat") + (len(data) - data.find(b"mdat")) // 3
    data[middle : middle + 400] = b"\xff" * 400
    path.write_bytes(data)
    assert "decodable" in failed(review(shelf, "film", ref, **EXPECT))


def test_a_silent_film_that_should_sound(shelf: Shelf) -> None:
    ref = whole_film(shelf, sound=put_mix(shelf, "silence", tone(4.0) * 0))
    assert failed(review(shelf, "film", ref, **EXPECT)).keys() == {"sound_present"}


def test_a_film_whose_sound_ends_early(shelf: Shelf) -> None:
    """Made with a sound track of half the length, as another engine might."""
    import av

    folder = shelf.folder("film")
    with av.open(str(folder / "film.mp4"), "w", format="mp4") as media:
        picture = media.add_stream("libx264", rate=24)
        picture.width, picture.height, picture.pix_fmt = 320, 180, "yuv420p"
        sound = media.add_stream("aac", rate=48_000, layout="stereo")
        for number, pixels in enumerate(moving_pictures(96, 320, 180)):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number
            media.mux(picture.encode(frame))
        block = av.AudioFrame.from_ndarray(np.stack([tone(2.0)] * 2).astype(np.float32), format="fltp", layout="stereo")
        block.sample_rate, block.pts = 48_000, 0
        media.mux(sound.encode(block))
        for stream in (picture, sound):
            media.mux(stream.encode(None))
    output = EditVideo.Output(
        file="film.mp4",
        width=320,
        height=180,
        fps=24,
        frames=96,
        duration_s=4.0,
        has_sound=True,
        has_subtitles=False,
    )
    ref = shelf.store("film", "edit_video", folder, output, {})
    assert failed(review(shelf, "film", ref)).keys() == {"sound_length"}


def swelling(seconds: float, shift_s: float = 0.0) -> np.ndarray:
    """A tone whose loudness wanders and never repeats."""
    at = np.arange(round(seconds * 48_000)) / 48_000 - shift_s
    return tone(seconds) * (0.15 + np.sin(at * 5) ** 2 * np.cos(at * 1.7) ** 2)


@pytest.mark.parametrize(("shift", "fails"), [(0.0, False), (0.02, False), (0.2, True), (-0.2, True), (1.3, True)])
def test_sound_that_is_shifted_against_its_mix(shelf: Shelf, shift: float, fails: bool) -> None:
    mix = put_mix(shelf, "mix2", swelling(4.0), [(0.5, 1.4)])
    film = whole_film(shelf, sound=put_mix(shelf, "shifted", swelling(4.0, shift)))
    found = review(shelf, "film", film, speech=[mix], **EXPECT)
    assert failed(found).keys() == ({"in_sync"} if fails else set())
    if abs(shift) == 0.2:
        assert f"0.20 s {'late' if shift > 0 else 'early'}" in failed(found)["in_sync"].detail


def test_subtitles_of_the_film_where_nobody_speaks(shelf: Shelf) -> None:
    mix = put_mix(shelf, "mix2", swelling(4.0), [(2.5, 3.5)])
    film = whole_film(shelf, sound=mix)
    found = failed(review(shelf, "film", film, speech=[mix], **EXPECT))
    assert found.keys() == {"subtitle_track"}
    assert "as at 0.50 s" in found["subtitle_track"].detail


def test_an_even_hum_cannot_be_held_against_its_mix(shelf: Shelf) -> None:
    mix = put_mix(shelf, "mix2", tone(4.0), [(0.5, 1.4)])
    found = review(shelf, "film", whole_film(shelf, sound=mix), speech=[mix], **EXPECT)
    assert {check.name for check in found.checks if check.status == "not_run"} == {"in_sync", "meaning"}


# Shots ---------------------------------------------------------------------------------------------------------


def flat(shade: int, frames: int = 96) -> Iterator[np.ndarray]:
    return (np.full((180, 320, 3), shade, np.uint8) for _ in range(frames))


def frozen(frames: int = 96) -> Iterator[np.ndarray]:
    picture = next(moving_pictures(1, 320, 180))
    return (picture for _ in range(frames))


def breathing(frames: int = 96) -> Iterator[np.ndarray]:
    """One point in a hundred swells by ten levels, slowly."""
    picture = next(moving_pictures(1, 320, 180))
    for number in range(frames):
        swollen = picture.copy()
        swollen[100:118, 160:192] = 120 + round(10 * np.sin(number / 12))
        yield swollen


def test_a_moving_shot_passes(shelf: Shelf) -> None:
    assert failed(review(shelf, "shot", put_segment(shelf, "s1", 48), expect_size=(320, 180))) == {}


def test_a_slight_motion_is_motion(shelf: Shelf) -> None:
    assert failed(review(shelf, "shot", put_segment(shelf, "s1", pictures=breathing()))) == {}


def test_a_black_shot(shelf: Shelf) -> None:
    found = failed(review(shelf, "shot", put_segment(shelf, "s1", pictures=flat(0))))
    assert {"not_black", "not_frozen"} <= found.keys()


@pytest.mark.parametrize("extra", [{}, {"x264-params": "keyint=12"}])
def test_a_frozen_shot_even_with_key_frames(shelf: Shelf, extra: dict[str, str]) -> None:
    found = failed(review(shelf, "shot", put_segment(shelf, "s1", pictures=frozen(), extra=extra)))
    assert found.keys() == {"not_frozen"}
    assert "nothing moves for 4.0 s" in found["not_frozen"].detail


def test_a_shot_that_freezes_half_way(shelf: Shelf) -> None:
    def pictures() -> Iterator[np.ndarray]:
        last = None
        for last in moving_pictures(24, 320, 180):
            yield last
        for _ in range(72):
            assert last is not None
            yield last

    assert "not_frozen" in failed(review(shelf, "shot", put_segment(shelf, "s1", pictures=pictures())))


def test_an_empty_shot_may_be_still_and_one_with_somebody_in_it_may_not(shelf: Shelf) -> None:
    ref = put_segment(shelf, "s1", pictures=frozen())
    empty = Shot(id="s1", duration_s=4.0)
    assert failed(review(shelf, "shot", ref, shot=empty)) == {}
    again = Shelf(shelf.root / "somebody")
    ref = put_segment(again, "s1", pictures=frozen())
    somebody = Shot(id="s1", duration_s=4.0, placements=[Placement(character="luca")])
    assert failed(review(again, "shot", ref, shot=somebody)).keys() == {"not_frozen"}


def test_a_frozen_film(shelf: Shelf) -> None:
    film = put_film(
        shelf, shots=[put_segment(shelf, "s1", pictures=frozen()), put_segment(shelf, "s2", pictures=frozen())]
    )
    assert failed(review(shelf, "film", film)).keys() == {"not_frozen"}


def test_a_still_shot_in_a_film_may_be_meant(shelf: Shelf) -> None:
    film = put_film(shelf, shots=[put_segment(shelf, "s1", 48), put_segment(shelf, "s2", pictures=frozen())])
    assert failed(review(shelf, "film", film)) == {}


def test_a_shot_as_long_as_its_speech_asks(shelf: Shelf) -> None:
    speech = put_speech(shelf, "line", "one two three four five six seven eight nine ten")
    shot = Shot(id="s1", duration_s=2.0, dialogue=[Line(character="luca", text="one")])
    exact = review(shelf, "shot", put_segment(shelf, "s1", 132), shot=shot, speech=[speech])
    assert failed(exact) == {}
    short = review(shelf, "shot", put_segment(shelf, "s2", 48), shot=shot, speech=[speech])
    assert "48 frames, 132 expected" in failed(short)["frames"].detail


def test_a_shot_of_another_rate(shelf: Shelf) -> None:
    ref = put_segment(shelf, "s1", 48, fps=30)
    folder = shelf.paths[ref.key]
    from tools.artifact import Artifact
    from tools.video.tool import AnimateShot

    output = AnimateShot.Output.model_validate(Artifact.open(folder).output)
    (folder / "artifact.json").unlink()
    told = shelf.store("told", "animate_shot", folder, output, {"fps": 24})
    assert "rate" in failed(review(shelf, "shot", told))
