"""A shot in motion: length, key frame, lips, captions, the same bytes twice, and it stops when told."""

from __future__ import annotations

import hashlib
import math
import struct
import time
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from tools.base import ArtifactRef, EngineContext
from tools.errors import BadOutput, Cancelled, InvalidInput
from tools.storyboard import CastMember, Line, Placement, Shot
from tools.timeline import SpokenClip
from tools.video.animatic import AnimaticShot, loudness_of
from tools.video.encoding import open_encoder, time_scale
from tools.video.tool import AnimateShot

CAST = [CastMember(id=i, name=i.title(), known=True) for i in ("luca", "alberto")]
SIZE = (320, 180)
TEXT = "We can do this!"


def shot(**changes: Any) -> Shot:
    people = [
        Placement(character="luca", x=0.35, facing="right"),
        Placement(character="alberto", x=0.65, facing="left"),
    ]
    return Shot.model_validate({"id": "s1", "framing": "medium", "duration_s": 1.0, "placements": people, **changes})


def tone(path: Path, seconds: float, loud: tuple[float, float], rate: int = 8000) -> None:
    samples = [
        int(12000 * math.sin(i * 0.3)) if loud[0] <= i / rate < loud[1] else 0 for i in range(int(seconds * rate))
    ]
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def clip(tmp_path: Path) -> Any:
    tone(tmp_path / "line.wav", 2.5, (0.5, 1.5))
    spoken = {
        "file": "line.wav", "character": "luca", "text": TEXT, "sample_rate": 8000, "duration_s": 2.5,
        "speech_start": 0.5, "speech_end": 1.5, "lufs": -16.0, "peak_db": -3.0, "voice": "luca",
        "words": [
            {"text": w, "start": 0.5 + i * 0.25, "end": 0.75 + i * 0.25}
            for i, w in enumerate(TEXT.split())],
        "mouth": [{"start": s, "shape": m} for s, m in ((0.0, "rest"), (0.5, "ai"), (1.0, "o"), (1.5, "rest"))],
    }  # fmt: skip
    SpokenClip.model_validate(spoken)
    return SimpleNamespace(output=spoken, file=lambda name: tmp_path / name)


def animate(out: Path, the_shot: Shot, speech: list[Any] = [], **more: Any) -> AnimateShot.Output:  # noqa: B006
    out.mkdir(parents=True, exist_ok=True)
    refs = [ArtifactRef(call=f"c{i}", key=f"k{i}") for i in range(len(speech))]
    by_key = {f"k{i}": artifact for i, artifact in enumerate(speech)}
    hooks = {name: more.pop(name) for name in ("report", "is_cancelled") if name in more}
    args = AnimateShot.Input(shot=the_shot, cast=CAST, width=SIZE[0], height=SIZE[1], fps=12, speech=refs, **more)
    engine = AnimaticShot()
    engine.load()
    return engine.run(args, EngineContext(out=out, seed=5, open_artifact=lambda key: by_key[key], **hooks))


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_the_film_has_the_length_and_the_stream_it_says(tmp_path: Path) -> None:
    output = animate(tmp_path, shot())
    assert (output.frames, output.duration_s, output.fps) == (12, 1.0, 12)
    with av.open(str(tmp_path / output.file)) as film:
        assert [s.type for s in film.streams] == ["video"]
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.time_base is not None
        assert stream.time_base.denominator == time_scale(12)
        assert not stream.codec_context.has_b_frames
        packets = [p for p in film.demux(stream) if p.pts is not None]
        assert [p.pts for p in packets] == [p.dts for p in packets] == [512 * i for i in range(12)]
        assert packets[0].is_keyframe
    assert len(frames_of(tmp_path / output.file)) == 12


def test_speech_stretches_the_shot_and_moves_lips_and_shows_captions(tmp_path: Path) -> None:
    spoken = clip(tmp_path)
    line = [Line(character="luca", text="We can do this!")]
    silent = animate(tmp_path / "silent", shot(dialogue=line, duration_s=2.5))
    talking = animate(tmp_path / "talking", shot(dialogue=line, duration_s=2.5), [spoken])
    subtitled = animate(tmp_path / "subs", shot(dialogue=line, duration_s=2.5), [spoken], burn_subtitles=True)
    assert talking.frames == silent.frames == subtitled.frames == 30
    a, b, c = (frames_of(tmp_path / n / "shot.mp4") for n in ("silent", "talking", "subs"))
    moved = [float(np.abs(x.astype(int) - y).mean()) for x, y in zip(a, b, strict=True)]
    assert max(moved[6:18]) > 0.3
    foot = [float(np.abs(x[150:175].astype(int) - y[150:175]).mean()) for x, y in zip(b, c, strict=True)]
    assert max(foot[7:18]) > 3
    assert foot[0] < 1
    assert animate(tmp_path / "short", shot(dialogue=line, duration_s=0.5), [spoken]).duration_s >= 2.5


def test_the_same_call_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        animate(tmp_path / name, shot(camera="push", weather="rain"))
    a, b = ((tmp_path / name / "shot.mp4").read_bytes() for name in ("a", "b"))
    assert hashlib.sha256(a).digest() == hashlib.sha256(b).digest()


def test_the_picture_survives_the_encoder(tmp_path: Path) -> None:
    picture = np.zeros((64, 96, 4), dtype=np.uint8)
    picture[..., :3] = (180, 90, 40)
    picture[..., 3] = 255
    with open_encoder(tmp_path / "x.mp4", 96, 64, 24) as film:
        for _ in range(3):
            film.encode(picture)
    shown = frames_of(tmp_path / "x.mp4")[1].reshape(-1, 3).mean(axis=0)
    assert np.abs(shown - (40, 90, 180)).max() < 5


def test_progress_is_told_for_every_frame_and_a_cancel_stops_at_once(tmp_path: Path) -> None:
    seen: list[float] = []
    animate(tmp_path / "a", shot(), report=lambda fraction, _text: seen.append(fraction))
    assert len(seen) >= 13
    assert seen == sorted(seen)
    asked_at: list[float] = []

    def cancelled() -> bool:
        if len(seen) > 17 and not asked_at:
            asked_at.append(time.monotonic())
        return bool(asked_at)

    with pytest.raises(Cancelled):
        animate(tmp_path / "b", shot(), report=lambda f, _t: seen.append(f), is_cancelled=cancelled)


def test_odd_sizes_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="even"):
        open_encoder(tmp_path / "x.mp4", 321, 180, 24)
    args = AnimateShot.Input(shot=shot(), cast=CAST, width=321, height=180)
    with pytest.raises(InvalidInput, match="even"):
        AnimaticShot().run(args, EngineContext(out=tmp_path, seed=1, open_artifact=lambda _: None))  # type: ignore[arg-type, return-value]


def test_loudness_follows_the_sound(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", 2.0, (0.5, 1.5))
    levels = loudness_of(tmp_path / "a.wav", 50)
    assert len(levels) == 100
    assert max(levels[:22]) == 0.0
    assert min(levels[28:72]) > 0.9
    assert max(levels[78:]) == 0.0
    (tmp_path / "b.wav").write_bytes(b"no sound")
    with pytest.raises(BadOutput):
        loudness_of(tmp_path / "b.wav", 50)
