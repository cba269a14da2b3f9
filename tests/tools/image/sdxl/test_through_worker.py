"""The whole way: executor, lane and worker process, the model brought to the device `cpu` by the registered path."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs.models import load_models
from tests.tools.image.sdxl.conftest import asked
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import Cancelled, InvalidInput
from tools.image.tool import GenerateImage
from tools.layout.png import read_png
from tools.model import Placing
from tools.registry import Registry
from tools.runtime.device.lane import Lane
from tools.runtime.events import CallEvent, DeviceEvent
from tools.runtime.executor import Executor
from tools.runtime.scheduling.problem import Model
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

SIZE = 64 * 2**20


class Floor:
    """A registry as it ships, with the tiny checkpoint in the place of SDXL."""

    def __init__(self, source: str, folder: Path) -> None:
        self.registry, self.folder = Registry.load(), folder
        self.pool = WorkerPool(1, self.registry.stacks)
        self.told: list[DeviceEvent] = []
        entry = load_models().models["sdxl_base"].model_copy(update={"source": source})
        models = {"sdxl_base": (entry, Model("sdxl_base", SIZE, SIZE, load_s=1.0))}
        self.lane = Lane("cpu", 4 * SIZE, models, {"sdxl_base": Placing()}, None)

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
    made = Floor(str(base), tmp_path)
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
    assert [event.action for event in floor.told].count("load") == 1, "the weights are read once for both"
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
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    floor = Floor(str(folder), tmp_path)
    try:
        result = floor.run(call("s1.still"))["s1.still"]
    finally:
        floor.close()
    assert isinstance(result, InvalidInput)
    assert "broken-sdxl" in str(result)
