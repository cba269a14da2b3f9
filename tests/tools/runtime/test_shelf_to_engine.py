"""From `studio models path` to a picture: shelf, registry, lane, worker and engine, on a machine without a GPU.

The models are tiny; everything else is what ships, put together as the agent's toolbox does it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.engines import ENGINES_YAML
from configs.models import load_models
from configs.profiles import load_profiles
from tests.tools.runtime.conftest import ALLOW
from tools.artifact import Artifact
from tools.base import Call
from tools.errors import Cancelled, InvalidInput, MissingPrerequisite, ToolError
from tools.models.shelf import Shelf
from tools.registry import Registry
from tools.runtime.device.hardware import Hardware
from tools.runtime.device.lane import Lane
from tools.runtime.device.opening import open_lane
from tools.runtime.events import CallEvent, DeviceEvent
from tools.runtime.executor import Executor
from tools.runtime.storage.manifest import AttemptRecord
from tools.runtime.storage.store import ArtifactStore
from tools.runtime.workers.pool import WorkerPool

for library in ("torch", "diffusers", "compel"):
    pytest.importorskip(library)

PLAIN = Hardware("test", "3.11", cpus=2, memory_gb=16.0)
"""No GPU, and 9.6 GiB for models: the real SDXL would not fit in fp32."""


class Studio:
    """What the agent's toolbox puts together, over a folder of models; `again` is the studio started anew."""

    def __init__(self, folder: Path, engines: Path = ENGINES_YAML, hardware: Hardware = PLAIN) -> None:
        self.folder, self.engines, self.hardware = folder, engines, hardware
        self.profile = load_profiles().profiles["cpu"]
        self.registry = Registry.load(engines, self.profile, ALLOW)
        self.shelf = Shelf(folder / "models", load_models())
        self.pool = WorkerPool(1, self.registry.stacks, ALLOW, models_home=self.shelf.folder)
        self._lane: Lane | None = None
        self.calls: list[CallEvent] = []
        self.device: list[DeviceEvent] = []

    @property
    def lane(self) -> Lane:
        if self._lane is None:
            self._lane = open_lane(self.hardware, self.profile, self.shelf.placed(), self.folder / "state")
        assert self._lane is not None
        return self._lane

    def run(
        self,
        *calls: Call,
        on_event: Callable[[CallEvent], None] = lambda _event: None,
        cancel: threading.Event | None = None,
    ) -> dict[str, Artifact | ToolError]:
        self.calls, self.device = [], []

        def told(event: CallEvent) -> None:
            self.calls.append(event)
            on_event(event)

        store = ArtifactStore(self.folder / "store")
        executor = Executor(self.registry, store, self.pool, told, cancel, self.lane, self.device.append)
        return executor.run(list(calls))

    def made(self, call: Call, **how: Any) -> Artifact:
        result = self.run(call, **how)[call.id]
        assert isinstance(result, Artifact), result
        return result

    def actions(self, *kinds: str) -> list[str]:
        return [event.action for event in self.device if event.action in kinds]

    def again(self) -> Studio:
        self.close()
        return Studio(self.folder, self.engines, self.hardware)

    def close(self) -> None:
        self.pool.close()
        if self._lane is not None:
            self._lane.close()


def still(name: str = "s1.still", seed: int = 7, size: int = 64, **rendering: Any) -> Call:
    """A still of 64 x 64 pixels by SDXL in two steps."""
    shot = {"id": "s1", "framing": "full", "placements": [{"character": "luca", "x": 0.5, "depth": 0.1}]}
    args = {
        "shot": shot, "cast": [{"id": "luca", "name": "Luca", "known": True}], "width": size, "height": size,
        "maps": [], "rendering": {"steps": 2, **rendering},
    }  # fmt: skip
    return Call(id=name, tool="generate_image", engine="sdxl", seed=seed, args=args)


@pytest.fixture(scope="session")
def weights() -> Path:
    from evals.checkpoints.build import built
    from evals.checkpoints.sdxl import make_base

    return built(make_base, seed=1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    """A folder with a person's checkpoint in `mine`, registered for the studio."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(weights, folder / "mine")
    Shelf(folder / "models", load_models()).register("sdxl_base", folder / "mine")
    return folder


@pytest.fixture(scope="module")
def studio(home: Path) -> Iterator[Studio]:
    """Shared, for its worker takes seconds to import torch; each test has a seed of its own."""
    made = Studio(home)
    yield made
    made.close()


def change_unet(folder: Path, seed: int) -> None:
    """Put another UNet in the place of the one that is there, as somebody who fetched a newer one does."""
    from evals.checkpoints.sdxl import make_unet

    make_unet(seed).save_pretrained(folder / "unet")


def test_what_the_command_registers_draws_a_still(tmp_path: Path, weights: Path) -> None:
    environment = {**os.environ, "STUDIO_MODELS_FOLDER": str(tmp_path / "models")}
    command = [sys.executable, "-m", "agent", "models", "path", "sdxl_base", str(weights)]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert str(weights) in told.stdout.replace("\n", "")
    studio = Studio(tmp_path)
    try:
        artifact = studio.made(still())
        plan = next(event for event in studio.device if event.action == "plan")
        assert "many times slower" in plan.text
        record = AttemptRecord.of("s1.still", artifact)
        assert record.engine == "sdxl"
        assert record.models["sdxl_base"].startswith("fp32, files ")
        assert artifact.file("still.png").stat().st_size > 1000

        later = studio.made(still(seed=8))
        assert later.digest != artifact.digest
        assert not studio.actions("load"), "the weights stay between runs"

        studio = studio.again()
        assert studio.made(still()).key == artifact.key
        assert {event.status for event in studio.calls} == {"queued", "cached"}
        assert not studio.actions("load", "run"), "nothing is made twice, nor loaded to find that out"
    finally:
        studio.close()


def test_other_weights_make_another_picture_and_the_first_ones_the_first(studio: Studio, home: Path) -> None:
    first = studio.made(still())
    shutil.copytree(home / "mine", home / "before")
    change_unet(home / "mine", seed=2)
    second = studio.made(still())
    assert second.key != first.key
    assert second.digest != first.digest
    assert studio.actions("evict", "unload", "load") == ["evict", "unload", "load"], "read anew by the same worker"
    shutil.rmtree(home / "mine")
    shutil.copytree(home / "before", home / "mine")
    third = studio.made(still())
    assert third.key == first.key
    assert not studio.actions("load")


def test_without_a_look_at_the_files_old_weights_pass_for_new_ones(
    studio: Studio, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: what is resident is used whatever lies on the disk."""
    first = studio.made(still(seed=9))
    monkeypatch.setattr(Lane, "is_outdated", lambda _lane, _name: False)
    change_unet(home / "mine", seed=3)
    second = studio.made(still(seed=9))
    assert second.key != first.key
    assert second.digest == first.digest


def test_weights_that_are_not_there_are_named_with_the_command_that_gets_them(tmp_path: Path, weights: Path) -> None:
    generous = replace(PLAIN, memory_gb=128.0)
    studio = Studio(tmp_path, hardware=generous)
    try:
        missing = studio.run(still())["s1.still"]
        assert isinstance(missing, MissingPrerequisite)
        assert missing.command == "studio models pull sdxl_base"
        assert not list((tmp_path / "store").glob("??/*"))
    finally:
        studio.close()
    shutil.copytree(weights, tmp_path / "mine")
    studio.shelf.register("sdxl_base", tmp_path / "mine")
    shutil.rmtree(tmp_path / "mine")
    studio = studio.again()
    try:
        gone = studio.run(still())["s1.still"]
        assert isinstance(gone, MissingPrerequisite)
        assert str(tmp_path / "mine") in gone.message
        assert gone.command == "studio models pull sdxl_base"
    finally:
        studio.close()


def test_a_model_that_is_too_large_for_the_machine_is_said_before_anything_runs(tmp_path: Path) -> None:
    known = load_models().models["sdxl_base"]
    least = known.weights_gb["bf16"] + known.working_gb
    studio = Studio(tmp_path, hardware=replace(PLAIN, memory_gb=8.0))
    try:
        with pytest.raises(
            InvalidInput, match=rf"sdxl_base: it needs {least:.1f} GiB at least, and models may take 4\.8"
        ):
            studio.run(still())
    finally:
        studio.close()


def test_a_worker_that_is_killed_within_a_step_is_replaced_and_the_picture_is_the_same(studio: Studio) -> None:
    before = studio.made(still(seed=1))
    killed: list[int] = []

    def kill(event: CallEvent) -> None:
        if event.text.startswith("step") and not killed:
            killed.extend(studio.pool.pids())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    call = still(seed=2, steps=16)
    rough = studio.made(call, on_event=kill)
    assert killed
    assert "again" in studio.actions("again")
    assert studio.actions("lost", "load") == ["lost", "load"]
    assert not any((studio.folder / "store" / ".tmp").glob("*/*")), "the killed attempt left nothing"
    shutil.rmtree(rough.path)
    assert studio.made(call).digest == rough.digest
    assert studio.made(still(seed=1)).key == before.key


def test_a_stop_is_heard_within_a_step_and_keeps_the_model(studio: Studio) -> None:
    cancel = threading.Event()

    def stop(event: CallEvent) -> None:
        if event.text.startswith("step"):
            cancel.set()

    result = studio.run(still(steps=200), on_event=stop, cancel=cancel)["s1.still"]
    assert isinstance(result, Cancelled)
    assert not any("step 200" in event.text for event in studio.calls)
    assert isinstance(studio.made(still()), Artifact)


@pytest.fixture(scope="module")
def hungry(home: Path) -> Iterator[Studio]:
    """A studio whose SDXL runs out of memory; see `tests.tools.runtime.hungry`."""
    engines = yaml.safe_load(ENGINES_YAML.read_text())
    engines["tools"] = {"generate_image": engines["tools"]["generate_image"]}
    engines["tools"]["generate_image"]["engines"]["sdxl"]["engine"] = "tests.tools.runtime.hungry:HungrySdxl"
    path = home / "engines.yaml"
    path.write_text(yaml.safe_dump(engines))
    shutil.copy(ENGINES_YAML.with_name("models.yaml"), home)
    made = Studio(home, path)
    yield made
    made.close()


def test_out_of_memory_takes_the_mildest_step_and_gives_the_same_picture(hungry: Studio) -> None:
    artifact = hungry.made(still(prompt="sliced"))
    steps = [event.text for event in hungry.device if event.action == "step_down"]
    assert [step.partition(":")[0] for step in steps] == ["sliced attention"]
    assert artifact.record.degraded == ()
    assert hungry.actions("load") == ["load"], "nothing is read anew for it"


def test_a_smaller_picture_is_another_result_and_says_so(hungry: Studio) -> None:
    artifact = hungry.made(still(prompt="smaller"))
    steps = [event.text.partition(":")[0] for event in hungry.device if event.action == "step_down"]
    assert steps[:2] == ["sliced attention", "tiled decoder"]
    assert steps[-1] == "smaller working set"
    assert not any("offload" in step for step in steps), "nothing is streamed to the CPU"
    assert any("smaller working set" in one for one in artifact.record.degraded)
    assert hungry.made(still(prompt="smaller")).key == artifact.key
