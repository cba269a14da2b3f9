"""The device of a machine, from hardware, profile and models.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.models import ModelEntry, ModelsFile, load_models
from configs.profiles import load_profiles
from tools.runtime.device.hardware import Gpu, Hardware
from tools.runtime.device.opening import NoFit, open_lane, placing_of, size_of
from tools.runtime.residency.sizes import MeasuredSizes, machine_name

PROFILES = load_profiles().profiles
WEIGHTS = "tests.tools.runtime.tiny_models:TinyWeights"
JUDGE = ModelEntry(
    about="judge", weights=WEIGHTS, stack="card", weights_gb={"bf16": 15.4, "fp16": 15.4, "int8": 8.0}, working_gb=1.5
)
SDXL = ModelEntry(about="sdxl", weights=WEIGHTS, stack="card", weights_gb={"fp16": 6.6, "bf16": 6.6}, working_gb=4.0)
FILE = ModelsFile(copy_gb_s=20, disk_gb_s=1, models={"judge": JUDGE, "sdxl": SDXL})


def card(gigabytes: float) -> Gpu:
    return Gpu("card", gigabytes, "570", uuid="GPU-test-0", free_gb=gigabytes, capability="8.9")


def machine(gpu: Gpu | None) -> Hardware:
    return Hardware("Linux", "3.11", 8, 64.0, (gpu,) if gpu else ())


@pytest.mark.parametrize(
    ("profile", "memory", "width"), [("48gb", 48.0, "bf16"), ("24gb", 24.0, "bf16"), ("16gb", 15.9, "int8")]
)
def test_a_model_is_as_wide_as_fits(profile: str, memory: float, width: str) -> None:
    budget = int(PROFILES[profile].budget_gb * 2**30)
    placing = placing_of(JUDGE, PROFILES[profile], card(memory), budget)
    assert placing.width == width
    size = size_of("judge", JUDGE, placing, FILE)
    assert size.weights == int(JUDGE.weights_gb[width] * 2**30)  # type: ignore[index]
    assert size.load_s == pytest.approx(JUDGE.weights_gb[width] / 20)  # type: ignore[index]
    assert size.weights + size.working <= budget


def test_what_fits_at_no_width_is_streamed_where_the_profile_streams_and_refused_elsewhere() -> None:
    budget = int(7.2 * 2**30)
    streamed = placing_of(SDXL, PROFILES["8gb"], card(8.0), budget)
    assert streamed.offload == "group"
    assert size_of("sdxl", SDXL, streamed, FILE).weights == 0
    with pytest.raises(NoFit, match=r"needs 10\.6 GiB at least, and models may take 7\.2 GiB of cuda:0"):
        placing_of(SDXL, PROFILES["16gb"], card(15.9), budget)


def test_the_lane_of_a_machine_with_a_card(tmp_path: Path) -> None:
    lane = open_lane(machine(card(15.9)), PROFILES["16gb"], FILE, tmp_path)
    assert lane is not None
    assert lane.device == "cuda:0"
    assert lane.budget == int(15.4 * 2**30)
    assert set(lane.entries) == {"judge", "sdxl"}
    assert lane.base("judge").quantise == "int8"
    assert lane.base("sdxl").dtype == "fp16"


def test_without_a_card_models_run_on_the_cpu_in_full_width_or_half(tmp_path: Path) -> None:
    tiny = ModelEntry(about="tiny", weights=WEIGHTS, stack="card", weights_gb={"fp32": 0.1})
    narrow = ModelEntry(about="narrow", weights=WEIGHTS, stack="card", weights_gb={"fp16": 0.1, "int8": 0.1})
    large = ModelEntry(about="large", weights=WEIGHTS, stack="card", weights_gb={"fp32": 90.0, "bf16": 45.0})
    known = {"tiny": tiny, "sdxl": SDXL, "narrow": narrow, "large": large}
    lane = open_lane(machine(None), PROFILES["cpu"], ModelsFile(models=known), tmp_path)
    assert lane is not None
    assert lane.device == "cpu"
    assert {name: lane.base(name).width for name in lane.entries} == {"tiny": "fp32", "sdxl": "bf16"}
    assert set(lane.absent) == {"narrow", "large"}
    assert "needs 45.0 GiB at least, and models may take 38.4 GiB of cpu" in lane.absent["large"]
    assert lane.absent["narrow"] == "narrow: it comes in fp16, int8, and cpu wants fp32, bf16"
    assert open_lane(machine(None), PROFILES["cpu"], ModelsFile(), tmp_path) is None


def test_what_this_machine_measured_counts_more_than_what_was_expected(tmp_path: Path) -> None:
    sizes = MeasuredSizes(tmp_path, machine_name("card", "570"))
    sizes.record("sdxl@fp16", weights=7 * 2**30, load_s=0.9)
    sizes.save()
    lane = open_lane(machine(card(15.9)), PROFILES["16gb"], FILE, tmp_path)
    assert lane is not None
    assert lane.ledger.model("sdxl").weights == 7 * 2**30
    assert lane.ledger.model("sdxl").load_s == pytest.approx(0.9)


@pytest.mark.parametrize(("weights", "working"), [(7 * 2**30, 40 * 2**30), (40 * 2**30, None), (2**60, 2**60)])
def test_no_measure_shuts_a_model_out(tmp_path: Path, weights: int, working: int | None) -> None:
    """A call once took all there was, or the file is from a larger card: it is loaded, and the ladder does the rest."""
    sizes = MeasuredSizes(tmp_path, machine_name("card", "570"))
    sizes.record("sdxl@fp16", weights=weights, working=working)
    sizes.save()
    lane = open_lane(machine(card(15.9)), PROFILES["16gb"], FILE, tmp_path)
    assert lane is not None
    model = lane.ledger.model("sdxl")
    assert 6 * 2**30 < model.weights <= 7 * 2**30
    assert model.weights + model.working <= lane.budget


@pytest.mark.parametrize("profile", ["8gb", "16gb", "24gb", "48gb"])
def test_every_model_comes_in_a_width_that_cards_ask_for(profile: str) -> None:
    known = load_profiles().profiles[profile]
    card = Gpu("card", known.min_vram_gb, "1")
    refused = {}
    for name, entry in load_models().loadable.items():
        try:
            placing_of(entry, known, card, 2**60)
        except NoFit as error:
            refused[name] = str(error)
    assert not refused
    only = ModelEntry(about="x", weights="tools.x:X", weights_gb={"fp32": 0.2})
    with pytest.raises(NoFit, match="it comes in fp32"):
        placing_of(only, known, card, 2**60)
