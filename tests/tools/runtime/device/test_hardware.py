from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from configs.profiles import Profile, load_profiles
from tools.errors import InvalidInput
from tools.runtime.device.hardware import Gpu, Hardware, _metal, choose_profile, detect, device_budget, read_nvml
from tools.runtime.device.nvml import query

PROFILES = {
    "cpu": Profile(about="none", budget_gb=0),
    "8gb": Profile(about="small", budget_gb=7, min_vram_gb=8),
    "16gb": Profile(about="large", budget_gb=15.5, min_vram_gb=16),
}


def machine(*sizes: float) -> Hardware:
    return Hardware("Linux", "3.11", 2, 16.0, tuple(Gpu("card", size, "1") for size in sizes))


def test_this_machine_is_described() -> None:
    found = detect()
    assert found.cpus >= 1
    assert found.memory_gb > 0.1
    assert found.system.count(" ") >= 2
    assert choose_profile(found, load_profiles().profiles) in load_profiles().profiles


@pytest.mark.parametrize(
    ("cards", "name"), [((), "cpu"), ((4.0,), "cpu"), ((7.8,), "8gb"), ((15.6,), "16gb"), ((8.0, 24.0), "16gb")]
)
def test_the_largest_profile_that_fits_is_chosen(cards: tuple[float, ...], name: str) -> None:
    assert choose_profile(machine(*cards), PROFILES) == name


def test_a_wanted_profile_is_taken_or_refused_by_name() -> None:
    assert choose_profile(machine(), PROFILES, "16gb") == "16gb"
    with pytest.raises(InvalidInput, match="there is no profile '32gb'"):
        choose_profile(machine(), PROFILES, "32gb")


CARD = {
    "index": 1,
    "uuid": "GPU-1",
    "name": "NVIDIA RTX 5080",
    "memory": 16303 * 2**20,
    "free": 15 * 2**30,
    "capability": "12.0",
}


def test_the_driver_is_read() -> None:
    gpus, notes = read_nvml(json.dumps({"driver": "570.1", "gpus": [CARD]}))
    assert gpus == (Gpu("NVIDIA RTX 5080", 15.9, "570.1", "cuda", 1, "GPU-1", 15.0, "12.0"),)
    assert gpus[0].device == "cuda:1"
    assert not notes


def test_what_the_driver_is_asked() -> None:
    class Nvml:
        """The calls of pynvml that we make, as its documentation gives their results; some give bytes, some text."""

        def __init__(self) -> None:
            self.open = 0

        def nvmlInit(self) -> None:
            self.open += 1

        def nvmlShutdown(self) -> None:
            self.open -= 1

        def nvmlDeviceGetCount(self) -> int:
            return 1

        def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
            return index

        def nvmlDeviceGetMemoryInfo(self, card: int) -> SimpleNamespace:
            return SimpleNamespace(total=16 * 2**30, free=2**30, used=15 * 2**30)

        def nvmlDeviceGetCudaComputeCapability(self, card: int) -> tuple[int, int]:
            return 8, 9

        def nvmlDeviceGetUUID(self, card: int) -> bytes:
            return b"GPU-x"

        def nvmlDeviceGetName(self, card: int) -> str:
            return "card"

        def nvmlSystemGetDriverVersion(self) -> bytes:
            return b"570"

    nvml = Nvml()
    gpus, _ = read_nvml(json.dumps(query(nvml)))
    assert gpus == (Gpu("card", 16.0, "570", "cuda", 0, "GPU-x", 1.0, "8.9"),)
    assert nvml.open == 0


@pytest.mark.parametrize(
    ("script", "cards", "note"),
    [
        (f"echo '{json.dumps({'driver': '5', 'gpus': [CARD]})}'", 1, ""),
        ('echo \'{"error": "Driver/library version mismatch"}\'; exit 1', 0, "Driver/library version mismatch"),
        ("echo '{\"driver\": 5'", 0, "cannot be read"),
        ("exit 1", 0, "cannot be read"),
        ("exec sleep 30", 0, "did not answer"),
    ],
)
def test_a_driver_that_misbehaves_is_a_note(
    monkeypatch: pytest.MonkeyPatch, script: str, cards: int, note: str
) -> None:
    monkeypatch.setattr("tools.runtime.device.hardware._NVML", ["sh", "-c", script])
    monkeypatch.setattr("tools.runtime.device.hardware._DRIVER_SIGNS", ("/",))
    monkeypatch.setattr("tools.runtime.device.hardware._ASK_S", 0.3)
    found = detect()
    assert len(found.gpus) == cards
    assert note in " ".join(found.notes)
    assert bool(found.notes) == bool(note)


def test_nobody_is_asked_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.runtime.device.hardware._DRIVER_SIGNS", ("/no/such/device",))
    monkeypatch.setattr("tools.runtime.device.hardware._NVML", ["sh", "-c", "exit 3"])
    assert detect().notes == ()


def test_a_mac_gives_part_of_its_memory() -> None:
    gpu = _metal("Darwin", "arm64", "15.1", 64 * 2**30)[0]
    assert (gpu.device, gpu.memory_gb) == ("mps", 42.9)
    assert choose_profile(Hardware("Darwin", "3.11", 8, 64.0, (gpu,)), load_profiles().profiles) == "24gb"
    assert _metal("Darwin", "x86_64", "13", 2**34) == ()


@pytest.mark.parametrize(("memory", "budget"), [(15.9, 15.4), (16.0, 15.5), (40.0, 15.5), (0.2, 0.0)])
def test_the_budget_leaves_the_margin(memory: float, budget: float) -> None:
    profile = load_profiles().profiles["16gb"]
    assert device_budget(profile, Gpu("card", memory, "1")) == pytest.approx(budget * 2**30)
    assert device_budget(profile, None) == 0
    assert device_budget(PROFILES["cpu"], Gpu("card", memory, "1")) == 0


def test_every_profile_fits_the_cards_it_is_chosen_for() -> None:
    for profile in load_profiles().profiles.values():
        if profile.budget_gb:
            assert profile.budget_gb + profile.margin_gb <= profile.min_vram_gb * 1.0001
