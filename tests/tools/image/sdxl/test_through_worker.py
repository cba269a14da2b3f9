"""The whole way: executor, lane and worker process, the model brought to the device `cpu` by the registered path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.models import load_models
from evals.checkpoints.build import built
from evals.checkpoints.sdxl import make_controlnet
from tests.tools.image.sdxl.conftest import Studio, asked
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import Cancelled, InvalidInput
from tools.image.tool import GenerateImage
from tools.layout.png import read_png
from tools.model import Placing
from tools.models.shelf import Shelf
from tools.registry import Registry
from tools.runtime.device.lane import Lane
from tools.runtime.events import CallEvent, DeviceEvent
from tools.runtime.executor import Executor
from tools.runtime.scheduling.problem import Model
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

SIZE = 64 * 2**20


class Floor:
    """A registry as it ships, with a shelf of tiny models in the place of the published ones."""

    def __init__(self, folder: Path, **registered: Path) -> None:
        self.registry, self.folder = Registry.load(), folder
        self.shelf = Shelf(folder / "models", load_models())
        for name, path in registered.items():
            self.shelf.register(name, path)
        self.pool = WorkerPool(1, self.registry.stacks, models_home=self.shelf.folder)
        self.told: list[DeviceEvent] = []
        placed = self.shelf.placed().models
        models = {name: (placed[name], Model(name, SIZE, SIZE, load_s=1.0)) for name in registered}
        self.lane = Lane("cpu", 4 * SIZE, models, dict.fromkeys(models, Placing()), None)

    def moved(self, action: str) -> list[str]:
        return [event.model for event in self.told if event.action == action]

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


@pytest.fixture
def floor(base: Path, tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path, sdxl_base=base)
    yield made
    made.close()


def call(name: str, **rendering: Any) -> Call:
    args = asked(rendering=rendering).model_dump(mode="json", exclude_none=True)
    return Call(id=name, tool="generate_image", engine="sdxl", seed=7, args=args)


def test_a_still_is_made_in_the_worker_and_stays_the_same(floor: Floor, plain_picture: np.ndarray) -> None:
    results = floor.run(call("s1.still"), call("s2.still", steps=3))
    still = results["s1.still"]
    assert isinstance(still, Artifact), still
    assert isinstance(results["s2.still"], Artifact)
    output = GenerateImage.Output.model_validate(still.output)
    assert np.array_equal(read_png(still.file(output.image)).astype(int), plain_picture)
    assert still.record.engine == "sdxl"
    assert floor.moved("load") == ["sdxl_base"], "the weights are read once for both"
    again = floor.run(call("s1.still"))
    assert again["s1.still"].key == still.key
    repaired = call("s3.still", start={"call": "s1.still", "key": ""}, strength=0.5)
    third = floor.run(call("s1.still"), repaired)["s3.still"]
    assert isinstance(third, Artifact), third
    assert third.digest != still.digest


def test_a_stop_is_heard_and_the_next_call_works(floor: Floor) -> None:
    cancel, told = threading.Event(), []

    def listen(event: CallEvent) -> None:
        told.append(event.text)
        if event.text.startswith("step"):
            cancel.set()

    long = floor.run(call("long", steps=200, preset="master"), cancel=cancel, on_event=listen)["long"]
    assert isinstance(long, Cancelled)
    assert cancel.is_set()
    assert "step 200 of 200" not in told
    assert isinstance(floor.run(call("next"))["next"], Artifact)


def test_a_broken_checkpoint_fails_its_call_with_the_file_named(tmp_path: Path, base: Path) -> None:
    import shutil

    folder = tmp_path / "broken-sdxl"
    shutil.copytree(base, folder)
    floor = Floor(tmp_path, sdxl_base=folder)
    # After it was registered: a worker looks again before it reads.
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    try:
        result = floor.run(call("s1.still"))["s1.still"]
    finally:
        floor.close()
    assert isinstance(result, InvalidInput)
    assert "broken-sdxl" in str(result)


def test_companions_on_the_shelf_are_brought_for_the_calls_that_use_them(
    tmp_path: Path, base: Path, studio: Studio
) -> None:
    """The worker finds the shelf of the studio, not that of whoever started it."""
    net = built(make_controlnet)
    floor = Floor(tmp_path, sdxl_base=base, controlnet_depth=net)
    try:
        bare = floor.run(call("bare", controls=[]))["bare"]
        assert floor.moved("load") == ["sdxl_base"]
        held = floor.run(call("held"))["held"]
        assert floor.moved("load") == ["sdxl_base", "controlnet_depth"]
    finally:
        floor.close()
    assert isinstance(bare, Artifact), bare
    assert isinstance(held, Artifact), held
    assert "+controlnet_depth@fp32" in held.record.version
    assert "controlnet" not in bare.record.version
    pictures = [read_png(one.file(one.output["image"])).astype(int) for one in (bare, held)]
    asked_for = {"controls": [{"kind": "depth", "model": str(net), "strength": 0.8}]}
    assert np.array_equal(pictures[1], studio.draw(asked(rendering=asked_for)))
    assert np.array_equal(pictures[0], studio.draw(asked()))
    assert not np.array_equal(pictures[0], pictures[1])


def test_a_worker_that_knows_no_shelf_draws_without_them(tmp_path: Path, base: Path) -> None:
    """The broken twin: nobody told the worker where the models lie."""
    floor = Floor(tmp_path, sdxl_base=base, controlnet_depth=built(make_controlnet))
    floor.pool.close()
    floor.pool = WorkerPool(1, floor.registry.stacks)
    try:
        held = floor.run(call("held"))["held"]
    finally:
        floor.close()
    assert isinstance(held, Artifact), held
    assert any("No ControlNet" in note for note in held.output["notes"])
