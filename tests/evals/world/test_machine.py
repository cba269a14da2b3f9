"""A world's machine: its account is that of the card it is said to have, and no call passes for a GPU's."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.models import ModelEntry, load_models
from configs.profiles import load_profiles
from evals.world.machine import Machine, hardware_of, published_sizes
from evals.world.model import World
from evals.world.opened import settings_of
from evals.world.toolbox import WorldToolbox
from tools.models.shelf import KnownFile, ModelRecord, Shelf
from tools.runtime.device.hardware import Hardware
from tools.runtime.device.opening import open_lane

HERE = Hardware("test", "3.11", cpus=2, memory_gb=8.0)
RECORD = ModelRecord(kind="path", path="/tiny", files={".": KnownFile(bytes=1000, sha256="0" * 64)})


def test_a_card_of_a_world_is_a_cpu_with_the_account_of_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_LEASES", str(tmp_path))
    hardware = hardware_of(Machine(card_gb=16), HERE)
    lane = open_lane(hardware, load_profiles().profiles["16gb"], load_models(), tmp_path)
    assert lane is not None
    assert lane.device == "cpu"
    assert lane.budget == int(15.5 * 2**30)
    assert lane.placing("sdxl_base").dtype == "fp16"
    assert hardware_of(Machine(), HERE).gpus == ()
    assert hardware_of(Machine(memory_gb=32), HERE).memory_gb == 32


def test_published_sizes_are_those_of_the_list_whatever_lies_there(tmp_path: Path) -> None:
    listed = load_models()
    shelf = Shelf(tmp_path, listed)
    shelf.keep("sdxl_base", RECORD)
    shelf.keep("mine", RECORD)
    placed = shelf.placed()
    assert placed.models["sdxl_base"].weights_gb["fp16"] < 0.001
    found = published_sizes(placed, listed).models["sdxl_base"]
    assert (found.weights_gb, found.working_gb) == (
        listed.models["sdxl_base"].weights_gb, listed.models["sdxl_base"].working_gb
    )  # fmt: skip
    assert found.source == placed.models["sdxl_base"].source == "/tiny"
    more = placed.model_copy(update={"models": {**placed.models, "mine": ModelEntry(about="x")}})
    assert published_sizes(more, listed).models["mine"].about == "x"


@pytest.mark.parametrize(("sizes", "fits"), [("files", True), ("published", False)])
def test_the_toolbox_of_a_world_has_its_machine(tmp_path: Path, sizes: str, fits: bool) -> None:
    machine = {"card_gb": 16, "sizes": sizes}
    world = World.model_validate({"profile": "16gb", "machine": machine})
    settings = settings_of(world, tmp_path)
    toolbox = WorldToolbox(settings, world, tmp_path / "world")
    for name in ("sdxl_base", "ltx_video_distilled"):
        Shelf(settings.models_home, load_models()).keep(name, RECORD)
    lane = toolbox.lane
    assert toolbox.has_gpu
    assert lane is not None
    together = sum(lane.ledger.model(name).weights for name in ("sdxl_base", "ltx_video_distilled"))
    assert (together < 2**20) == fits
    assert toolbox.lane is lane


def test_a_profile_without_a_card_has_none() -> None:
    with pytest.raises(ValueError, match="the profile 'cpu' uses no card"):
        World.model_validate({"machine": {"card_gb": 16}})
