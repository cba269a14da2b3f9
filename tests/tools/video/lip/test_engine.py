"""A shot whose lips move: only the speaker's mouth, only while it speaks, as long as before, the same twice."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from evals.checkpoints.build import built
from evals.checkpoints.wav2lip import make_wav2lip_weights
from tests.tools.video.parallax.stills import animate, frames_of, shot, spoken, still
from tools.base import ArtifactRef, EngineContext
from tools.errors import BadOutput, Cancelled, InvalidInput
from tools.model import Placing
from tools.storyboard import Line, Placement
from tools.video.lip.engine import Wav2LipSync
from tools.video.lip.weights import Wav2LipWeights
from tools.video.lip_tool import LipSync
from tools.video.tool import AnimateShot

SIZE = (480, 270)
TALK = shot(
    framing="medium",
    duration_s=2.5,
    dialogue=[Line(character="luca", text="We can do this!")],
    placements=[Placement(character="luca", x=0.35), Placement(character="alberto", x=0.65)],
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A still, its moving shot, and a clip of luca's speech from about 0.5 to 1.5 s."""
    folder = tmp_path_factory.mktemp("lips")
    picture, clip = still(folder / "still", TALK, SIZE), spoken(folder / "clip")
    output = animate(folder / "shot", TALK, picture, (clip,), size=SIZE)
    moving = SimpleNamespace(output=output.model_dump(mode="json"), file=lambda name: folder / "shot" / name)
    return {"clip": moving, "picture": picture, "line0": clip, "folder": folder}


@pytest.fixture(scope="module")
def network() -> Any:
    return Wav2LipWeights().load(str(built(make_wav2lip_weights)), Placing())


def sync(out: Path, made: dict[str, Any], network: Any, **hooks: Any) -> AnimateShot.Output:
    out.mkdir(parents=True)
    lines = [name for name in made if name.startswith("line")]
    args = LipSync.Input(
        shot="s1",
        duration_s=TALK.duration_s,
        clip=ArtifactRef(call="s1.clip", key="clip"),
        picture=ArtifactRef(call="s1.still", key="picture"),
        speech=[ArtifactRef(call=name, key=name) for name in lines],
    )
    engine = Wav2LipSync()
    engine.check()
    engine.load()
    ctx = EngineContext(out=out, seed=1, open_artifact=made.__getitem__, models={"wav2lip": network}, **hooks)
    return engine.run(args, ctx)


def face_of(made: dict[str, Any], name: str) -> tuple[slice, slice]:
    x0, y0, x1, y1 = (round(value) for value in made["picture"].output["on_stage"][name]["face"])
    return slice(max(0, y0 - 12), y1 + 24), slice(max(0, x0 - 14), x1 + 14)


def test_only_the_speakers_mouth_moves_and_only_while_it_speaks(
    tmp_path: Path, made: dict[str, Any], network: Any
) -> None:
    output = sync(tmp_path / "a", made, network)
    before, after = frames_of(made["clip"].file("shot.mp4")), frames_of(tmp_path / "a" / output.file)
    assert (output.frames, output.fps, output.notes) == (30, 12, [])
    assert len(after) == len(before) == 30
    assert after[0].shape == before[0].shape
    moved = [np.abs(a.astype(int) - b).max(axis=2) for a, b in zip(before, after, strict=True)]
    rows, columns = face_of(made, "luca")
    speaking = [number for number in range(30) if moved[number][rows, columns].max() > 60]
    timed = range(6, 24)
    assert len(speaking) >= 10
    assert set(speaking) <= set(timed)
    for number in speaking:
        outside = moved[number].copy()
        outside[rows, columns] = 0
        assert outside.max() < 45, "encoded again, and nothing more"
    upper = slice(rows.start, rows.start + (rows.stop - rows.start) // 3)
    assert max(float(moved[number][upper, columns].mean()) for number in speaking) < 6, "eyes and brow stay"


def test_other_words_give_other_lips_and_the_same_the_same(tmp_path: Path, made: dict[str, Any], network: Any) -> None:
    import wave

    folder = tmp_path / "other"
    other = spoken(folder)
    with wave.open(str(folder / "line.wav"), "rb") as sound:
        settings, samples = sound.getparams(), np.frombuffer(sound.readframes(20000), np.int16)
    shaped = (samples * np.sin(np.arange(len(samples)) / 900) ** 2).astype(np.int16)
    with wave.open(str(folder / "line.wav"), "wb") as sound:
        sound.setparams(settings)
        sound.writeframes(shaped.tobytes())
    files = []
    for name, line in (("a", made["line0"]), ("b", made["line0"]), ("c", other)):
        sync(tmp_path / name, {**made, "line0": line}, network)
        files.append(hashlib.sha256((tmp_path / name / "shot.mp4").read_bytes()).hexdigest())
    assert files[0] == files[1] != files[2]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"facing_back": True}, "is seen from behind"),
        ({"face": [900, 10, 960, 80]}, "outside the frame"),
        (None, "is not in the picture"),
    ],
)
def test_where_no_lips_are_seen_the_shot_stays_as_it_is(
    tmp_path: Path, made: dict[str, Any], network: Any, change: dict[str, Any] | None, told: str
) -> None:
    output = dict(made["picture"].output)
    stage = {name: dict(where) for name, where in output["on_stage"].items()}
    if change is None:
        del stage["luca"]
    else:
        stage["luca"].update(change)
    picture = SimpleNamespace(output={**output, "on_stage": stage}, file=made["picture"].file)
    result = sync(tmp_path / "a", {**made, "picture": picture}, network)
    assert (tmp_path / "a" / "shot.mp4").read_bytes() == made["clip"].file("shot.mp4").read_bytes()
    assert len(result.notes) == 1
    assert "luca" in result.notes[0]
    assert told in result.notes[0]


def test_a_picture_in_which_nobody_is_recognised_stays_as_it_is(
    tmp_path: Path, made: dict[str, Any], network: Any
) -> None:
    elsewhere = shot(framing="wide", location="forest", placements=[], duration_s=2.5)
    folder = tmp_path / "other"
    output = animate(folder / "shot", elsewhere, still(folder / "still", elsewhere, SIZE), (), size=SIZE)
    moving = SimpleNamespace(output=output.model_dump(mode="json"), file=lambda name: folder / "shot" / name)
    result = sync(tmp_path / "a", {**made, "clip": moving}, network)
    assert "is not recognised" in result.notes[0]


def test_speech_of_another_shot_is_refused(tmp_path: Path, made: dict[str, Any], network: Any) -> None:
    long = SimpleNamespace(output={**made["line0"].output, "speech_end": 2.4}, file=made["line0"].file)
    with pytest.raises(InvalidInput, match="30 frames, and with this speech"):
        sync(tmp_path / "a", {**made, "line0": long}, network)


def test_a_torn_shot_is_named(tmp_path: Path, made: dict[str, Any], network: Any) -> None:
    whole = made["clip"].file("shot.mp4").read_bytes()
    for number, data in enumerate((b"", whole[:300], b"RIFF" + whole[4:])):
        (tmp_path / f"{number}.mp4").write_bytes(data)
        torn = SimpleNamespace(output={**made["clip"].output, "file": f"{number}.mp4"}, file=lambda n: tmp_path / n)
        with pytest.raises(InvalidInput, match=rf"{number}\.mp4 (cannot be read|has no picture)"):
            sync(tmp_path / f"out{number}", {**made, "clip": torn}, network)


def test_sound_that_cannot_be_read_is_named(tmp_path: Path, made: dict[str, Any], network: Any) -> None:
    (tmp_path / "line.wav").write_bytes(b"no sound at all")
    broken = SimpleNamespace(output=made["line0"].output, file=lambda name: tmp_path / name)
    with pytest.raises(BadOutput, match=r"line\.wav"):
        sync(tmp_path / "a", {**made, "line0": broken}, network)


def test_a_cancel_stops_within_one_step(tmp_path: Path, made: dict[str, Any], network: Any) -> None:
    seen: list[float] = []
    with pytest.raises(Cancelled):
        sync(tmp_path / "a", made, network, report=lambda f, _: seen.append(f), is_cancelled=lambda: len(seen) > 9)
    assert len(seen) == 10
    assert seen == sorted(seen)
