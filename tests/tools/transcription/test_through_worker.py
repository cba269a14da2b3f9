"""The whole way: a call through executor, lane and worker, the model where a person registered it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.transcribing import choose_recogniser
from evals.checkpoints.build import built
from evals.checkpoints.whisper import LINES, RATE, make_listener, said
from tests.tools.image.sdxl.test_through_worker import Floor
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import InvalidInput, MissingPrerequisite
from tools.readiness import Readiness
from tools.sound import write_wav


def test_a_recording_is_heard_in_the_worker(tmp_path: Path) -> None:
    text, language = LINES[0]
    write_wav(tmp_path / "line.wav", said(text, language)[0], RATE)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    floor = Floor(tmp_path, whisper_small=built(make_listener, seed=1))
    try:
        engine = choose_recogniser(Readiness(floor.registry, floor.shelf, gpu=False, network=False), "")
        assert engine.name == "faster_whisper_small", "the only one whose weights are here"
        with pytest.raises(MissingPrerequisite, match="whisper_turbo"):
            choose_recogniser(Readiness(floor.registry, floor.shelf, gpu=False, network=False), "faster_whisper_turbo")
        calls = [
            Call(id=name, tool="transcribe", engine=engine.name, args={"file": str(tmp_path / file), "language": "en"})
            for name, file in (("good", "line.wav"), ("bad", "broken.wav"))
        ]
        results = floor.run(*calls)
        assert isinstance(results["good"], Artifact), results["good"]
        assert results["good"].output["text"] == text
        assert isinstance(results["bad"], InvalidInput)
        assert floor.moved("load") == ["whisper_small"]
    finally:
        floor.close()
