"""The whole way through the runtime: a still, set in motion, its lips moved in a worker, joined with the animatic."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import pytest

from configs.models import load_models
from evals.checkpoints.build import built
from evals.checkpoints.wav2lip import make_wav2lip_weights
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import MissingPrerequisite
from tools.model import Placing
from tools.models.shelf import Shelf
from tools.registry import Registry
from tools.runtime.device.lane import Lane
from tools.runtime.executor import Executor
from tools.runtime.scheduling.problem import Model
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

CAST = [{"id": name, "name": name.title(), "known": True} for name in ("luca", "alberto")]
SHOT = {
    "id": "s1", "framing": "medium", "camera": "push", "duration_s": 1.0,
    "placements": [{"character": "luca", "x": 0.4}],
    "dialogue": [{"character": "luca", "text": "Silenzio, Bruno!"}],
}  # fmt: skip
PICTURE = {"shot": SHOT, "cast": CAST, "width": 320, "height": 180}


def ref(name: str) -> dict[str, str]:
    return {"call": name, "key": ""}


CALLS = [
    Call(id="still", tool="generate_image", engine="draft", args=PICTURE),
    Call(id="line", tool="synthesize_speech", engine="espeak", args={"character": "luca", "text": "Silenzio, Bruno!"}),
    Call(
        id="clip", tool="animate_shot", engine="parallax",
        args={**PICTURE, "fps": 12, "picture": ref("still"), "speech": [ref("line")]},
    ),
    Call(id="drawn", tool="animate_shot", engine="animatic", args={**PICTURE, "fps": 12}),
    Call(
        id="lips", tool="lip_sync", engine="wav2lip",
        args={"shot": "s1", "duration_s": 1.0, "clip": ref("clip"), "picture": ref("still"), "speech": [ref("line")]},
    ),
    Call(id="film", tool="edit_video", args={"title": "x", "shots": [ref("clip"), ref("lips"), ref("drawn")]}),
]  # fmt: skip


def test_a_still_becomes_a_film_with_lips(tmp_path: Path) -> None:
    registry = Registry.load()
    shelf = Shelf(tmp_path / "models", load_models())
    shelf.register("wav2lip", built(make_wav2lip_weights))
    placed = {"wav2lip": (shelf.placed().models["wav2lip"], Model("wav2lip", 2**20, 2**20, load_s=0.1))}
    # The tests' own interpreter has what the stack's environment would hold.
    stacks = {**registry.stacks, "wav2lip": registry.stacks["wav2lip"].model_copy(update={"requires": ()})}
    pool = WorkerPool(2, stacks, models_home=shelf.folder)
    lane = Lane("cpu", 2**28, placed, {"wav2lip": Placing()}, None)
    try:
        executor = Executor(registry, ArtifactStore(tmp_path / "store"), pool, lane=lane)
        made = executor.run(CALLS)
    finally:
        pool.close()
        lane.close()
    done = {name: result for name, result in made.items() if isinstance(result, Artifact)}
    assert set(done) == set(made), made
    clip, lips, film = (done[name] for name in ("clip", "lips", "film"))
    assert clip.output["frames"] == lips.output["frames"]
    assert lips.output["notes"] == []
    assert clip.file("shot.mp4").read_bytes() != lips.file("shot.mp4").read_bytes()
    with av.open(str(film.file(film.output["file"]))) as media:
        assert sum(1 for _ in media.decode(video=0)) == 2 * clip.output["frames"] + 12


def test_without_its_environment_the_command_is_named(tmp_path: Path) -> None:
    registry = Registry.load()
    spec = next(engine for engine in registry.engines("lip_sync") if engine.name == "wav2lip")
    with WorkerPool(1, registry.stacks, models_home=tmp_path) as pool:
        error = pool.check(replace(spec))
    assert isinstance(error, MissingPrerequisite)
    assert "studio stacks install wav2lip" in str(error)


@pytest.mark.parametrize("blocked", ["skia", "langgraph"])
def test_the_lips_need_nothing_that_their_environment_lacks(blocked: str) -> None:
    names = ("engine", "weights", "mouths", "faces", "footage", "mel", "network", "convert")
    imports = "\n".join(f"import tools.video.lip.{name}" for name in names)
    code = f"import sys\nsys.modules[{blocked!r}] = None\n{imports}\nimport tools.sound, tools.video.encoding"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
