"""The device of this machine with the models that may go there, from hardware, profile and models.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from configs.models import ModelEntry, ModelsFile, Width
from configs.profiles import Profile
from tools.model import Placing
from tools.runtime.device.hardware import Gpu, Hardware, device_budget
from tools.runtime.device.lane import Lane, predicted
from tools.runtime.device.lease import GpuLease
from tools.runtime.residency.sizes import MeasuredSizes, machine_name
from tools.runtime.scheduling.problem import Model

__all__ = ["NoFit", "device_of", "open_lane", "placing_of", "size_of"]

_HOST_SHARE = 0.6
"""Of the machine's memory: for host copies of weights on a machine with a GPU, for the models themselves without."""
_NARROWER: tuple[Literal["int8", "int4"], ...] = ("int8", "int4")


class NoFit(ValueError):
    """A model that this device cannot hold at any width that it comes in."""


def open_lane(hardware: Hardware, profile: Profile, models: ModelsFile, folder: Path) -> Lane | None:
    """The lane of the largest device, or of the CPU where there is none; None where no model can be loaded.

    Args:
        hardware: as detected.
        profile: that was chosen for it.
        models: models.yaml; what fits at no width is left out.
        folder: where measured sizes are kept.
    """
    if not models.loadable:
        return None
    gpu, budget = device_of(hardware, profile)
    host = _host_bytes(hardware)
    sizes = MeasuredSizes(folder, machine_name(gpu.name if gpu else "cpu", gpu.driver if gpu else ""))
    known: dict[str, tuple[ModelEntry, Model]] = {}
    placings: dict[str, Placing] = {}
    for name, entry in models.loadable.items():
        try:
            placings[name] = placing_of(entry, profile, gpu, budget)
        except NoFit:
            continue
        known[name] = (entry, predicted(size_of(name, entry, placings[name], models), placings[name], sizes, budget))
    return Lane(
        gpu.device if gpu else "cpu",
        budget,
        known,
        placings,
        GpuLease(gpu.lease_name, what="studio") if gpu else None,
        host_budget=host if gpu else None,
        sizes=sizes,
        size=lambda name, placing: size_of(name, models.models[name], placing, models),
    )


def device_of(hardware: Hardware, profile: Profile) -> tuple[Gpu | None, int]:
    """The device that models go to, None for the CPU, and the bytes that they may take there."""
    gpu = hardware.largest if profile.budget_gb > 0 else None
    return gpu, device_budget(profile, gpu) if gpu else _host_bytes(hardware)


def _host_bytes(hardware: Hardware) -> int:
    return int(hardware.memory_gb * _HOST_SHARE * 2**30)


def placing_of(entry: ModelEntry, profile: Profile, gpu: Gpu | None, budget: int) -> Placing:
    """How a model is loaded here: in the profile's dtype where that fits, else as wide as fits.

    Raises:
        NoFit: no width that it comes in fits, and the profile streams nothing.
    """
    device = gpu.device if gpu else "cpu"
    placing = Placing(device=device, dtype=profile.dtype if gpu else "fp32")
    ways = [placing, *(replace(placing, quantise=width) for width in _NARROWER if gpu)]
    for way in ways:
        size = entry.weights_gb.get(width_of(way))
        if size is not None and (size + entry.working_gb) * 2**30 <= budget:
            return way
    if gpu and profile.offload != "none" and entry.weights_gb.keys() & {placing.dtype, *_NARROWER}:
        return replace(placing, offload=profile.offload)
    raise NoFit(f"{entry.about}: no width of {', '.join(entry.weights_gb)} fits {budget / 2**30:.1f} GiB")


def width_of(placing: Placing) -> Width:
    """Which of a model's sizes holds."""
    return placing.dtype if placing.quantise == "none" else placing.quantise


def size_of(name: str, entry: ModelEntry, placing: Placing, models: ModelsFile) -> Model:
    """What the scheduler reckons with until the machine has measured it."""
    weights = entry.weights_gb.get(width_of(placing)) or max(entry.weights_gb.values())
    if placing.offload != "none":
        # Streamed: what is on the device at once is part of the working memory.
        return Model(name, 0, int(entry.working_gb * 2**30), 0.0, weights / models.disk_gb_s)
    return Model(
        name,
        int(weights * 2**30),
        int(entry.working_gb * 2**30),
        entry.load_s or weights / models.copy_gb_s,
        entry.cold_s or weights / models.disk_gb_s,
    )


def placings_text(placings: Mapping[str, Placing]) -> dict[str, str]:
    """For people: how each model is loaded."""
    return {
        name: width_of(p) + ("" if p.offload == "none" else f", streamed by {p.offload}")
        for name, p in placings.items()
    }
