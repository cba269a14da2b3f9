"""Worlds: what goes wrong really does, in the worker; the web, the files and the knowledge are there; nothing leaks."""

from __future__ import annotations

import json
import os
import wave
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evals.deeds import Moment
from evals.run.recorder import Recorder
from evals.world import engines as world_engines_module
from evals.world.engines import WORLD_VARIABLE, call_digest, write_faults
from evals.world.model import Fault
from evals.world.spoiling import spoil
from tools.base import Call, EngineContext
from tools.errors import BadOutput
from tools.image.draft import DraftImage
from tools.image.tool import GenerateImage

ARGS = {
    "shot": {"id": "s1", "placements": [{"character": "luca"}]},
    "cast": [{"id": "luca", "name": "Luca Paguro", "known": True}],
    "width": 64,
    "height": 64,
    "maps": [],
}


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(WORLD_VARIABLE, str(tmp_path))
    return tmp_path


def draw(folder: Path, name: str, call: str = "s1.still", seed: int = 1) -> GenerateImage.Output:
    """One call of the draft engine as a worker of a world has it."""
    engine = world_engines_module.faulty__tools_image_draft__DraftImage()
    args = GenerateImage.Input.model_validate(ARGS)
    (folder / "calls" / call_digest("generate_image", args.model_dump(mode="json"), seed)).write_text(call)
    out = folder / name
    out.mkdir()
    ctx = EngineContext(out=out, seed=seed, open_artifact=lambda _key: None)  # type: ignore[arg-type,return-value]
    return engine.run(args, ctx)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("kind", "error"),
    [("out_of_memory", MemoryError), ("error", RuntimeError), ("bad_output", BadOutput), ("disk_full", OSError)],
)
def test_a_fault_happens_so_often_after_so_many(kind: str, error: type[Exception], broken: Path) -> None:
    fault = Fault.model_validate({"kind": kind, "tool": "generate_image", "call": "s1.*", "after": 1, "times": 2})
    write_faults(broken, (fault,))
    draw(broken, "first")
    for name in ("second", "third"):
        with pytest.raises(error):
            draw(broken, name)
    draw(broken, "fourth")
    happened = (broken / "happened.jsonl").read_text().splitlines()
    assert [json.loads(line)["call"] for line in happened] == ["s1.still", "s1.still"]


def test_other_calls_go_well(broken: Path) -> None:
    write_faults(broken, (Fault(kind="error", tool="generate_image", call="s2.still", times=None),))
    draw(broken, "first")
    write_faults(broken, (Fault(kind="error", tool="compose_music", times=None),))
    draw(broken, "second")


def test_the_engine_of_a_world_is_the_real_one() -> None:
    made = world_engines_module.faulty__tools_image_draft__DraftImage
    assert issubclass(made, DraftImage)
    assert (made.name, made.version, made.tool) == (DraftImage.name, DraftImage.version, DraftImage.tool)


def test_a_black_picture_is_black_and_a_blurred_one_is_not_sharp(broken: Path) -> None:
    import av
    import numpy as np

    def pixels(name: str, image: str) -> np.ndarray:
        with av.open(str(broken / name / image)) as file:
            return next(file.decode(video=0)).to_ndarray(format="rgb24").astype(float)

    write_faults(broken, ())
    plain = pixels("plain", draw(broken, "plain").image)
    write_faults(broken, (Fault(kind="black", tool="generate_image"), Fault(kind="blurred", tool="generate_image")))
    (broken / "fault0.count").unlink(missing_ok=True)
    assert pixels("black", draw(broken, "black").image).max() == 0
    blurred = pixels("blurred", draw(broken, "blurred").image)
    assert np.abs(np.diff(blurred, axis=1)).mean() < np.abs(np.diff(plain, axis=1)).mean() / 2


@pytest.mark.parametrize("kind", ["silent", "clipped"])
def test_a_spoilt_sound_is(kind: str, tmp_path: Path) -> None:
    from types import SimpleNamespace

    import numpy as np

    path = tmp_path / "a.wav"
    samples = (3000 * np.sin(np.arange(4000) / 20)).astype("<i2")
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(samples.tobytes())
    spoil(kind, tmp_path, SimpleNamespace(file="a.wav"))
    with wave.open(str(path), "rb") as sound:
        spoilt = np.frombuffer(sound.readframes(9999), dtype="<i2")
    assert len(spoilt) == len(samples)
    assert (np.abs(spoilt).max() == 0) if kind == "silent" else ((np.abs(spoilt.astype(int)) >= 32767).mean() > 0.5)


keys = st.text("abcdef0123456789", max_size=8)


@given(st.recursive(st.integers() | st.text(max_size=4), lambda one: st.lists(one, max_size=3)), keys, keys)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_call_is_known_whatever_the_keys_of_what_it_takes_in(extra: object, before: str, after: str) -> None:
    def args(key: str) -> dict[str, object]:
        return {"shots": [{"speech": [{"call": "s1.line1", "key": key}], "more": extra}]}

    assert call_digest("mix_sound", args(before), 1) == call_digest("mix_sound", args(after), 1)
    assert call_digest("mix_sound", args(before), 1) != call_digest("mix_sound", args(before), 2)


def test_what_a_killed_process_saw_is_known_and_it_is_killed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _signal: killed.append(pid))
    path = tmp_path / "turn1.events.jsonl"
    moment = Moment(call="s1.still", status="done")

    def play(recorder: Recorder) -> None:
        recorder.batch([Call(id="s1.still", tool="generate_image", args={"width": 3})])
        for status in ("queued", "running", "done"):
            recorder.hear({"node": "act", "call_id": "s1.still", "tool": "generate_image", "engine": "draft",
                           "status": status, "text": "", "seconds": 1.0, "key": "k", "device": ""})  # fmt: skip
        recorder.node("act")

    play(Recorder(path, kill_at=moment))
    assert killed == [os.getpid()]
    again = Recorder(path, kill_at=moment)
    assert (again.kills, [call.status for call in again.calls]) == (1, ["done"])
    play(again)
    assert killed == [os.getpid()], "once"
    assert [(call.id, call.attempt, call.status) for call in again.calls] == [
        ("s1.still", 1, "done"),
        ("s1.still", 2, "done"),
    ]
    assert again.nodes == ["act", "act"]


def test_the_nth_moment_cancels(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "e.jsonl", cancel_at=Moment(node="act", nth=2))
    recorder.node("act")
    assert not recorder.cancel.is_set()
    recorder.node("judge")
    recorder.node("act")
    assert recorder.cancel.is_set()


def test_random_events_are_read_back_as_they_were_seen(tmp_path: Path) -> None:
    rng, path = Random(6), tmp_path / "e.jsonl"
    recorder = Recorder(path)
    for number in range(200):
        match rng.randrange(3):
            case 0:
                recorder.batch([Call(id=f"c{rng.randrange(9)}", tool="generate_image", args={"n": number})])
            case 1:
                recorder.hear({"node": "act", "call_id": f"c{rng.randrange(9)}", "tool": "t", "engine": "e",
                               "status": rng.choice(["done", "failed", "cached"]), "text": "x", "seconds": 0.5,
                               "key": "", "device": ""})  # fmt: skip
            case _:
                recorder.node(rng.choice(["act", "judge"]))
    read = Recorder(path)
    assert (read.calls, read.nodes, read.again) == (recorder.calls, recorder.nodes, recorder.again)
