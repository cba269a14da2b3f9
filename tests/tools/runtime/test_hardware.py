from __future__ import annotations

import stat
from pathlib import Path

import pytest

from configs.profiles import Profile, load_profiles
from tools.errors import InvalidInput
from tools.runtime.hardware import Gpu, Hardware, choose_profile, detect, read_nvidia_smi

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


def test_the_lines_of_nvidia_smi() -> None:
    gpus, notes = read_nvidia_smi("NVIDIA RTX 5080, 16303, 570.1\nA, B card, 8192, 1\nrubbish\n\n")
    assert gpus == (Gpu("NVIDIA RTX 5080", 15.9, "570.1"), Gpu("A, B card", 8.0, "1"))
    assert notes == ("nvidia-smi says 'rubbish'",)


@pytest.mark.parametrize(
    ("script", "cards", "note"),
    [
        ("echo 'X, 16303, 5'", 1, ""),
        ("echo 'Failed to initialize NVML'; exit 9", 0, "nvidia-smi failed: Failed to initialize NVML"),
        ("exit 1", 0, "nvidia-smi failed:"),
        ("sleep 30", 0, "did not answer"),
    ],
)
def test_a_driver_that_misbehaves_is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, cards: int, note: str
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n".replace("sleep", "exec sleep"))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("tools.runtime.hardware._SMI_S", 0.3)
    found = detect()
    assert len(found.gpus) == cards
    assert note in " ".join(found.notes)
    assert bool(found.notes) == bool(note)
