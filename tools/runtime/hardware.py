"""What this machine has, found without loading anything heavy, and the profile that follows from it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from configs.profiles import Profile
from tools.errors import InvalidInput

__all__ = ["Gpu", "Hardware", "choose_profile", "detect"]

_SMI_S = 5.0
_SMI = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]


@dataclass(frozen=True)
class Gpu:
    """A graphics card: memory in GiB."""

    name: str
    memory_gb: float
    driver: str


@dataclass(frozen=True)
class Hardware:
    """What was found.

    Attributes:
        system: as `Linux 6.1 x86_64`.
        python: version.
        cpus: that this process may use.
        memory_gb: of the machine, GiB; 0 where it cannot be told.
        gpus: NVIDIA cards.
        notes: what could not be found out, and why.
    """

    system: str
    python: str
    cpus: int
    memory_gb: float
    gpus: tuple[Gpu, ...] = ()
    notes: tuple[str, ...] = field(default=())


def detect() -> Hardware:
    """Look at this machine. Takes milliseconds without an NVIDIA card, up to 5 s with a driver that hangs."""
    gpus, notes = _nvidia()
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Hardware(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        cpus=cpus,
        memory_gb=round(_memory_bytes() / 2**30, 1),
        gpus=gpus,
        notes=notes,
    )


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


def _nvidia() -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return (), ()
    try:
        done = subprocess.run([program, *_SMI], capture_output=True, text=True, timeout=_SMI_S, check=True)
    except subprocess.TimeoutExpired:
        return (), (f"nvidia-smi did not answer within {_SMI_S:g} s",)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stdout", "") or getattr(error, "stderr", "") or str(error)
        return (), (f"nvidia-smi failed: {said.strip().splitlines()[0] if said.strip() else 'no message'}",)
    return read_nvidia_smi(done.stdout)


def read_nvidia_smi(text: str) -> tuple[tuple[Gpu, ...], tuple[str, ...]]:
    """Cards from the lines `name, MiB, driver`; a line that is none becomes a note."""
    gpus, notes = [], []
    for line in text.splitlines():
        parts = [part.strip() for part in line.rsplit(",", 2)]
        try:
            gpus.append(Gpu(parts[0], round(int(parts[1]) / 1024, 1), parts[2]))
        except (ValueError, IndexError):
            if line.strip():
                notes.append(f"nvidia-smi says {line.strip()[:80]!r}")
    return tuple(gpus), tuple(notes)


def choose_profile(hardware: Hardware, profiles: Mapping[str, Profile], wanted: str = "") -> str:
    """The name of the profile with the largest `min_vram_gb` that one card has; `wanted` is taken as it is.

    Cards are sold by a size that they fall a little short of: 3 % is forgiven.

    Raises:
        InvalidInput: no profile has the wanted name, or none fits.
    """
    if wanted:
        if wanted not in profiles:
            raise InvalidInput(f"there is no profile {wanted!r}.", hint=f"There are: {', '.join(profiles)}.")
        return wanted
    memory = max((gpu.memory_gb for gpu in hardware.gpus), default=0.0) * 1.03
    fitting = [(profile.min_vram_gb, name) for name, profile in profiles.items() if profile.min_vram_gb <= memory]
    if not fitting:
        raise InvalidInput("no profile fits this machine", where="profiles.yaml")
    return max(fitting)[1]
