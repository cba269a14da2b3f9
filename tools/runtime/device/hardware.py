"""What this machine has, found without loading anything heavy, and the profile that follows from it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from configs.profiles import Profile
from tools.errors import InvalidInput

__all__ = ["Gpu", "Hardware", "choose_profile", "detect", "device_budget"]

_ASK_S = 5.0
_NVML = [sys.executable, "-m", "tools.runtime.device.nvml"]
_DRIVER_SIGNS = ("/dev/nvidiactl", "/dev/dxg", "/proc/driver/nvidia/version")
"""Where one of these is, a driver is installed (dxg: in WSL); without one nobody is asked."""
_SOLD_AS = 1.03
"""Cards are sold by a size that they fall a little short of."""
_METAL_SHARE = 0.67
"""Of a Mac's memory, what Metal recommends as the largest working set (`recommendedMaxWorkingSetSize`) on machines up
to 36 GB; larger ones are given 0.75, which we do not count on."""

Kind = Literal["cuda", "mps"]


@dataclass(frozen=True)
class Gpu:
    """A device that models run on.

    Attributes:
        name: as the driver calls it.
        memory_gb: GiB in all; on a Mac the part of the shared memory that Metal gives.
        driver: version.
        kind: how torch calls it.
        index: among its kind.
        uuid: the same in every process and after a reboot; empty where there is none.
        free_gb: GiB that nobody used when we looked.
        capability: of CUDA, as "8.9"; empty elsewhere.
    """

    name: str
    memory_gb: float
    driver: str
    kind: Kind = "cuda"
    index: int = 0
    uuid: str = ""
    free_gb: float = 0.0
    capability: str = ""

    @property
    def device(self) -> str:
        """As torch names it: `cuda:0`, `mps`."""
        return self.kind if self.kind == "mps" else f"{self.kind}:{self.index}"

    @property
    def lease_name(self) -> str:
        """The same for every process of this machine, whatever `CUDA_VISIBLE_DEVICES` says there."""
        return self.uuid or f"{self.kind}-{self.index}"


@dataclass(frozen=True)
class Hardware:
    """What was found.

    Attributes:
        system: as `Linux 6.1 x86_64`.
        python: version.
        cpus: that this process may use.
        memory_gb: of the machine, GiB; 0 where it cannot be told.
        gpus: what models can run on.
        notes: what could not be found out, and why.
    """

    system: str
    python: str
    cpus: int
    memory_gb: float
    gpus: tuple[Gpu, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def largest(self) -> Gpu | None:
        """The device with the most memory; None without any."""
        return max(self.gpus, key=lambda gpu: gpu.memory_gb, default=None)


def detect() -> Hardware:
    """Look at this machine. Takes milliseconds without an NVIDIA driver, up to 5 s with one that hangs."""
    memory = _memory_bytes()
    gpus, notes = _nvidia()
    return Hardware(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gb=round(memory / 2**30, 1),
        gpus=gpus or _metal(platform.system(), platform.machine(), platform.mac_ver()[0], memory),
        notes=notes,
    )


def _memory_bytes() -> int:
    import psutil

    try:
        return int(psutil.virtual_memory().total)
    except (OSError, RuntimeError):
        return 0


def _nvidia() -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    if not any(Path(sign).exists() for sign in _DRIVER_SIGNS):
        return (), ()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    try:
        done = subprocess.run(_NVML, capture_output=True, text=True, timeout=_ASK_S, check=False, env=environment)
    except subprocess.TimeoutExpired:
        return (), (f"the NVIDIA driver did not answer within {_ASK_S:g} s",)
    except OSError as error:
        return (), (f"the NVIDIA driver could not be asked: {error}",)
    return read_nvml(done.stdout)


def read_nvml(text: str) -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    """Cards from what `tools.runtime.device.nvml` prints; what cannot be read becomes a note."""
    try:
        found = json.loads(text)
        if "error" in found:
            return (), (f"the NVIDIA driver says: {found['error']}",)
        return tuple(_card(card, str(found["driver"])) for card in found["gpus"]), ()
    except (ValueError, KeyError, TypeError):
        return (), (f"the NVIDIA driver's answer cannot be read: {text.strip()[:80]!r}",)


def _card(card: Mapping[str, Any], driver: str) -> Gpu:
    return Gpu(
        name=str(card["name"]),
        memory_gb=round(int(card["memory"]) / 2**30, 1),
        driver=driver,
        index=int(card["index"]),
        uuid=str(card["uuid"]),
        free_gb=round(int(card["free"]) / 2**30, 1),
        capability=str(card["capability"]),
    )


def _metal(system: str, machine: str, version: str, memory: int) -> tuple[Gpu, ...]:
    """The GPU of a Mac with Apple's own processor; it shares the machine's memory."""
    if (system, machine) != ("Darwin", "arm64"):
        return ()
    size = round(memory * _METAL_SHARE / 2**30, 1)
    return (Gpu("Apple GPU", size, f"macOS {version}", kind="mps", free_gb=size),)


def choose_profile(hardware: Hardware, profiles: Mapping[str, Profile], wanted: str = "") -> str:
    """The name of the profile with the largest `min_vram_gb` that one device has; `wanted` is taken as it is.

    Raises:
        InvalidInput: no profile has the wanted name, or none fits.
    """
    if wanted:
        if wanted not in profiles:
            raise InvalidInput(f"there is no profile {wanted!r}.", hint=f"There are: {', '.join(profiles)}.")
        return wanted
    memory = (hardware.largest.memory_gb if hardware.largest else 0.0) * _SOLD_AS
    fitting = [(profile.min_vram_gb, name) for name, profile in profiles.items() if profile.min_vram_gb <= memory]
    if not fitting:
        raise InvalidInput("no profile fits this machine", where="profiles.yaml")
    return max(fitting)[1]


def device_budget(profile: Profile, gpu: Gpu | None) -> int:
    """Bytes of device memory that weights and working memory may take together.

    The profile's budget, and never more than the device has less the profile's margin (a desktop, a browser and the
    driver's own context live there too).
    """
    if gpu is None or profile.budget_gb <= 0:
        return 0
    return int(max(0.0, min(profile.budget_gb, gpu.memory_gb - profile.margin_gb)) * 2**30)
