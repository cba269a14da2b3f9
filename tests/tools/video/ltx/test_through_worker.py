"""The whole way: a still by the draft engine, a clip by LTX-Video in the worker with the device, a film of them."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from configs.models import load_models
from tests.tools.video.filmed import CAST, frames_of
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import Cancelled, ToolError
from tools.model import Placing
from tools.models.shelf import Shelf
from tools.registry import Registry
from tools.runtime.device.lane import Lane
from tools.runtime.events import CallEvent, DeviceEvent
from tools.runtime.executor import Executor
from tools.runtime.scheduling.problem import Model
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool
from tools.video.tool import AnimateShot, EditVideo

SIZE = 64 * 2**20
SHOT = {"id": "s1", "framing": "full", "duration_s": 0.5, "placements": [{"character": "luca"}]}
PICTURE = {"cast": CAST, "width": 96, "height": 64}
REF = {"call": "s1.still", "key": ""}
STILL = Call(id="s1.still", tool="generate_image", engine="draft", args={"shot": SHOT, "maps": [], **PICTURE})


class Floor:
    """A registry as it ships, with the tiny checkpoints registered by path in the place of the published ones."""

    def __init__(self, folder: Path, **registered: Path) -> None:
        self.registry, self.folder = Registry.load(), folder
        shelf = Shelf(folder / "models", load_models())
        for name, path in registered.items():
            shelf.register(name, path)
        self.pool = WorkerPool(2, self.registry.stacks, models_home=shelf.folder)
        self.told: list[DeviceEvent] = []
        placed = shelf.placed().models
        models = {name: (placed[name], Model(name, SIZE, SIZE, load_s=1.0)) for name in registered}
        self.lane = Lane("cpu", 8 * SIZE, models, dict.fromkeys(models, Placing()), None)

    def run(
        self, *calls: Call, cancel: threading.Event | None = None, on_event: Callable[[CallEvent], None] | None = None
    ) -> dict[str, Any]:
        executor = Executor(
            self.registry, ArtifactStore(self.folder / "store"), self.pool, lane=self.lane,
            on_device=self.told.append, cancel=cancel,
        )  # fmt: skip
        if on_event is not None:
            executor.on_event = on_event
        return executor.run(list(calls))

    def close(self) -> None:
        self.pool.close()
        self.lane.close()


@pytest.fixture(scope="module")
def floor(ltx_folder: Path, text_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    made = Floor(tmp_path_factory.mktemp("floor"), ltx_video=ltx_folder, ltx_text_encoder=text_folder)
    yield made
    made.close()


def clip(name: str, shot: dict[str, Any] = SHOT, steps: int = 2, **more: Any) -> Call:
    args = {"shot": shot, "filming": {"steps": steps}, **PICTURE, **more}
    return Call(id=name, tool="animate_shot", engine="ltx", seed=7, args=args)


def test_a_still_is_set_in_motion_and_joined_to_a_film(floor: Floor) -> None:
    refs = [{"call": name, "key": ""} for name in ("s1.clip", "s2.clip", "s3.clip")]
    drawn = Call(id="s3.clip", tool="animate_shot", engine="animatic", args={"shot": SHOT, **PICTURE})
    film = Call(id="film", tool="edit_video", args={"title": "A beach", "shots": refs})
    results = floor.run(STILL, clip("s1.clip", picture=REF), clip("s2.clip"), drawn, film)
    assert all(isinstance(one, Artifact) for one in results.values()), results
    output = AnimateShot.Output.model_validate(results["s1.clip"].output)
    assert (output.frames, output.width, output.height) == (12, 96, 64)
    assert results["s1.clip"].record.engine == "ltx"
    assert results["s1.clip"].digest != results["s2.clip"].digest
    joined = EditVideo.Output.model_validate(results["film"].output)
    assert joined.frames == 36, "clips of a model and of the animatic are joined without encoding them again"
    assert len(frames_of(results["film"].file(joined.file))) == 36
    loads = [event.model for event in floor.told if event.action == "load"]
    assert sorted(loads) == ["ltx_text_encoder", "ltx_video"], "each is read once for both clips"
    again = floor.run(STILL, clip("s1.clip", picture=REF))
    assert again["s1.clip"].key == results["s1.clip"].key


def test_a_stop_is_heard_and_the_next_call_works(floor: Floor) -> None:
    cancel, told = threading.Event(), list[str]()

    def listen(event: CallEvent) -> None:
        told.append(event.text)
        if event.text.startswith("step"):
            cancel.set()

    assert isinstance(floor.run(clip("long", steps=200), cancel=cancel, on_event=listen)["long"], Cancelled)
    assert cancel.is_set()
    assert "step 200 of 200" not in told
    assert isinstance(floor.run(clip("next", steps=3))["next"], Artifact)


def test_a_broken_checkpoint_fails_its_call_with_the_file_named(
    tmp_path: Path, ltx_folder: Path, text_folder: Path
) -> None:
    folder = tmp_path / "broken-ltx"
    shutil.copytree(ltx_folder, folder)
    floor = Floor(tmp_path, ltx_video=folder, ltx_text_encoder=text_folder)
    try:
        # Sound when it was registered, and damaged since.
        (folder / "transformer" / "diffusion_pytorch_model.safetensors").write_bytes(b"")
        result = floor.run(clip("s1.clip"))["s1.clip"]
    finally:
        floor.close()
    assert isinstance(result, ToolError)
    assert "broken-ltx" in str(result)
