"""Joining copies packets exactly, lays sound and subtitles beside them, and refuses what does not fit."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.tools.review.fabricate import Shelf, put_mix, put_segment, put_subtitles, tone
from tools.base import ArtifactRef
from tools.errors import BadOutput, Cancelled, InvalidInput, StorageFailed
from tools.transcription.subtitles_tool import SubtitleCue
from tools.video.join import JoinVideo
from tools.video.probe import probe, read_cues
from tools.video.tool import EditVideo


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def join(shelf: Shelf, name: str = "film", **args: Any) -> tuple[EditVideo.Output, Path]:
    context = shelf.context(name)
    output = JoinVideo().run(EditVideo.Input(title="Due ragazzi, è sera", **args), context)
    return output, context.out / output.file


def packets(path: Path) -> list[tuple[int, int, bytes]]:
    with av.open(str(path)) as media:
        rate = media.streams.video[0].average_rate
        return [
            (int(p.pts * p.time_base * rate), int(p.dts * p.time_base * rate), bytes(p))
            for p in media.demux(video=0)
            if p.pts is not None
        ]


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as media:
        return [frame.to_ndarray(format="gray") for frame in media.decode(video=0)]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_packets_are_copied_and_shifted_by_whole_frames(shelf: Shelf, b_frames: int) -> None:
    refs = [
        put_segment(shelf, f"s{n}", count, shade=60 + 40 * n, b_frames=b_frames) for n, count in enumerate((31, 24, 7))
    ]
    output, film = join(shelf, shots=refs)
    expected = []
    start = 0
    for ref, count in zip(refs, (31, 24, 7), strict=True):
        expected += [(pts + start, dts + start, data) for pts, dts, data in packets(shelf.paths[ref.key] / "shot.mp4")]
        start += count
    assert packets(film) == expected
    assert (output.frames, output.fps, output.duration_s) == (62, 24, 62 / 24)
    assert (output.width, output.height, output.has_sound, output.has_subtitles) == (320, 180, False, False)


def test_every_joined_frame_decodes_to_the_same_picture(shelf: Shelf) -> None:
    refs = [put_segment(shelf, f"s{n}", 24, shade=60 + 40 * n, b_frames=2) for n in range(2)]
    _, film = join(shelf, shots=refs)
    before = [picture for ref in refs for picture in pictures(shelf.paths[ref.key] / "shot.mp4")]
    after = pictures(film)
    assert len(after) == 48
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.fixture
def whole(shelf: Shelf) -> dict[str, Any]:
    cues = [
        SubtitleCue(start=0.5, end=1.2, text="Silenzio, {Bruno}\\N!", speaker="luca"),
        SubtitleCue(start=1.6, end=2.9, text="Piacere,\nGirolamo — è così", speaker="alberto"),
    ]
    return {
        "shots": [put_segment(shelf, "s1", 48), put_segment(shelf, "s2", 24, shade=120)],
        "sound": put_mix(shelf, "mix", tone(3.0)),
        "subtitles": put_subtitles(shelf, "subs", cues),
        "language": "it",
    }


def test_a_whole_film_has_three_tracks_of_one_length(shelf: Shelf, whole: dict[str, Any]) -> None:
    output, film = join(shelf, **whole)
    info = probe(film, decode=True)
    assert info.streams == ("video", "audio", "subtitle")
    assert info.title == "Due ragazzi, è sera"
    assert info.video is not None
    assert info.audio is not None
    assert (info.video.frames, info.video.decoded, info.errors) == (72, 72, 0)
    assert (info.video.fps, info.video.duration_s) == (24, 3.0)
    assert (info.audio.codec, info.audio.sample_rate, info.audio.channels) == ("aac", 48_000, 2)
    assert info.audio.duration_s == pytest.approx(3.0, abs=1e-4)
    assert (output.has_sound, output.has_subtitles) == (True, True)


def test_subtitles_keep_every_letter_and_millisecond(shelf: Shelf, whole: dict[str, Any]) -> None:
    _, film = join(shelf, **whole)
    subtitles = probe(film).subtitles
    assert subtitles is not None
    assert (subtitles.codec, subtitles.language) == ("mov_text", "ita")
    assert [text for _, _, text in subtitles.cues] == ["Silenzio, {Bruno}\\N!", "Piacere,\nGirolamo — è così"]
    assert [(s, e) for s, e, _ in subtitles.cues] == [pytest.approx((0.5, 1.2)), pytest.approx((1.6, 2.9))]


def test_the_index_comes_first_and_the_bytes_are_the_same_twice(shelf: Shelf, whole: dict[str, Any]) -> None:
    first, second = (join(shelf, f"film{n}", **whole)[1].read_bytes() for n in range(2))
    assert first == second
    assert 0 < first.find(b"moov") < first.find(b"mdat")


def test_sound_is_not_late(shelf: Shelf) -> None:
    """A click one second into the mix is heard within 2 ms of one second into the film."""
    click = np.zeros(2 * 48_000)
    click[48_000:48_020] = 0.9
    _, film = join(shelf, shots=[put_segment(shelf, "s1", 48)], sound=put_mix(shelf, "mix", click))
    pieces: list[np.ndarray] = []
    starts: list[float] = []

    def hear(frame: av.AudioFrame) -> None:
        starts.append(float(frame.pts * frame.time_base))
        pieces.append(frame.to_ndarray()[0])

    probe(film, decode=True, on_sound=hear)
    heard = np.concatenate(pieces)
    assert starts[0] + np.abs(heard).argmax() / 48_000 == pytest.approx(1.0, abs=0.002)


def test_cues_never_overlap_and_none_outlives_the_film(shelf: Shelf) -> None:
    cues = [
        SubtitleCue(start=0.1, end=0.9, text="one", speaker="a"),
        SubtitleCue(start=0.5, end=3.0, text="two", speaker="a"),
        SubtitleCue(start=4.0, end=5.0, text="after the end", speaker="a"),
    ]
    _, film = join(shelf, shots=[put_segment(shelf, "s1", 24)], subtitles=put_subtitles(shelf, "subs", cues))
    subtitles = probe(film).subtitles
    assert subtitles is not None
    assert [text for _, _, text in subtitles.cues] == ["one", "two"]
    assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(subtitles.cues))
    assert subtitles.cues[-1][1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"width": 160, "height": 90}, "width 160 and 320"),
        ({"fps": 30}, "frames a second 30 and 24"),
        ({"extra": {"profile": "high", "preset": "veryfast"}}, "codec"),
        ({"extra": {"x264-params": "ref=4:keyint=12"}}, r"codec settings \(SPS/PPS\) differ"),
    ],
)
def test_segments_that_differ_are_refused_by_name(shelf: Shelf, other: dict[str, Any], named: str) -> None:
    refs = [put_segment(shelf, "s1"), put_segment(shelf, "s2"), put_segment(shelf, "s3", **other)]
    with pytest.raises(InvalidInput, match=rf"shots\[2\].*{named}"):
        join(shelf, shots=refs)


def test_other_codecs_are_refused(shelf: Shelf) -> None:
    with pytest.raises(InvalidInput, match=r"shots\[0\]"):
        join(shelf, shots=[put_segment(shelf, "s1", codec="mpeg4")])


def test_a_segment_with_fewer_frames_than_recorded_is_refused(shelf: Shelf) -> None:
    with pytest.raises(InvalidInput, match=r"shots\[0\].*36 frames and its record says 40"):
        join(shelf, shots=[put_segment(shelf, "s1", told_frames=40)])


def test_a_segment_that_is_no_film_is_refused(shelf: Shelf) -> None:
    ref = put_segment(shelf, "s1")
    path = shelf.paths[ref.key] / "shot.mp4"
    path.write_bytes(b"#EXTM3U\n/etc/passwd\n".ljust(path.stat().st_size, b"x"))
    with pytest.raises(InvalidInput, match=r"shots\[0\]: shot.mp4 cannot be read as MP4"):
        join(shelf, shots=[ref])


@pytest.mark.parametrize("seconds", [1.9, 2.1])
def test_sound_of_another_length_is_refused(shelf: Shelf, seconds: float) -> None:
    with pytest.raises(InvalidInput, match="sound: lasts"):
        join(shelf, shots=[put_segment(shelf, "s1", 48)], sound=put_mix(shelf, "mix", tone(seconds)))


@pytest.mark.parametrize("seconds", [1.98, 2.03])
def test_sound_within_a_frame_is_made_to_fit(shelf: Shelf, seconds: float) -> None:
    _, film = join(shelf, shots=[put_segment(shelf, "s1", 48)], sound=put_mix(shelf, "mix", tone(seconds)))
    audio = probe(film).audio
    assert audio is not None
    assert audio.duration_s == pytest.approx(2.0, abs=1e-4)


def test_it_stops_when_cancelled(shelf: Shelf) -> None:
    context = shelf.context()
    context.is_cancelled = lambda: True
    with pytest.raises(Cancelled):
        JoinVideo().run(EditVideo.Input(title="x", shots=[put_segment(shelf, "s1")]), context)


def test_a_full_disk_is_named(shelf: Shelf) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    context = shelf.context()
    (context.out / "film.mp4").symlink_to(full)
    with pytest.raises(StorageFailed, match="No space left on device"):
        JoinVideo().run(EditVideo.Input(title="x", shots=[put_segment(shelf, "s1")]), context)


def test_subtitles_without_cues_make_no_track(shelf: Shelf) -> None:
    output, film = join(shelf, shots=[put_segment(shelf, "s1")], subtitles=put_subtitles(shelf, "subs", []))
    assert not output.has_subtitles
    assert probe(film).streams == ("video",)


def test_probe_counts_what_a_torn_film_lacks(shelf: Shelf, whole: dict[str, Any], tmp_path: Path) -> None:
    _, film = join(shelf, **whole)
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(film.read_bytes()[: film.stat().st_size * 6 // 10])
    info = probe(torn, decode=True)
    assert info.video is not None
    assert info.video.frames == 72
    assert info.video.decoded is not None
    assert info.video.decoded < 72


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, b"RIFF____WAVEfmt "])
def test_probe_refuses_what_is_no_film(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(data)
    with pytest.raises(BadOutput, match=r"film\.mp4 cannot be read as MP4"):
        probe(path)


def test_read_cues_refuses_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadOutput, match=r"none\.srt"):
        read_cues(tmp_path / "none.srt")


def test_references_are_opened_by_key(shelf: Shelf) -> None:
    with pytest.raises(KeyError):
        join(shelf, shots=[ArtifactRef(call="s1", key="unknown")])
