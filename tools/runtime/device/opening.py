"""The device of this machine with the models that may go there, from hardware, profile and models.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from tools.runtime.scheduling.problem import Model, peak_bytes

__all__ = ["NoFit", "Together", "device_of", "open_lane", "placing_of", "side_by_side", "size_of"]

_HOST_SHARE = 0.6
"""Of the machine's memory: for host copies of weights on a machine with a GPU, for the models themselves without."""
_NARROWER: tuple[Literal["int8", "int4"], ...] = ("int8", "int4")


_COMPANIONS_AT_ONCE = 2
"""A pose and a depth ControlNet, say. Calls that use more are refused where these do not fit besides."""

Together = tuple[Sequence[str], Sequence[str]]
"""The models of an engine, and its companions."""


class NoFit(ValueError):
    """A model that this device cannot hold at any width that it comes in."""


def open_lane(
    hardware: Hardware, profile: Profile, models: ModelsFile, folder: Path, together: Sequence[Together] = ()
) -> Lane | None:
    """The lane of the largest device, or of the CPU where there is none; None where no model can be loaded.

    Args:
        hardware: as detected.
        profile: that was chosen for it.
        models: models.yaml; what fits at no width is left out.
        folder: where measured sizes are kept.
        together: models that calls need at once; where they do not fit side by side as wide as each fits alone, some
            are narrower (see `side_by_side`).
    """
    if not models.loadable:
        return None
    gpu, budget = device_of(hardware, profile)
    host = _host_bytes(hardware)
    sizes = MeasuredSizes(folder, machine_name(gpu.name if gpu else "cpu", gpu.driver if gpu else ""))
    known: dict[str, tuple[ModelEntry, Model]] = {}
    placings: dict[str, Placing] = {}
    absent: dict[str, str] = {}
    for name, entry in models.loadable.items():
        try:
            placings[name] = placing_of(entry, profile, gpu, budget)
        except NoFit as error:
            absent[name] = f"{name}: {error}"
            continue
    for own, companions in together:
        placings.update(side_by_side(own, companions, placings, models, profile, budget) if gpu else {})
    for name, placing in placings.items():
        entry = models.models[name]
        known[name] = (entry, predicted(size_of(name, entry, placing, models), placing, sizes, budget))
    return Lane(
        gpu.device if gpu else "cpu",
        budget,
        known,
        placings,
        GpuLease(gpu.lease_name, what="studio") if gpu else None,
        host_budget=host if gpu else None,
        sizes=sizes,
        size=lambda name, placing: size_of(name, models.models[name], placing, models),
        absent=absent,
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
    # The CPU computes in bf16 as well, if slowly; fp16 it hardly knows.
    narrower = [replace(placing, quantise=width) for width in _NARROWER] if gpu else [replace(placing, dtype="bf16")]
    ways = [placing, *narrower]
    for way in ways:
        size = entry.weights_gb.get(width_of(way))
        if size is not None and (size + entry.working_gb) * 2**30 <= budget:
            return way
    if gpu and profile.offload != "none" and entry.weights_gb.keys() & {placing.dtype, *_NARROWER}:
        return replace(placing, offload=profile.offload)
    able = [entry.weights_gb[width] for width in map(width_of, ways) if width in entry.weights_gb]
    if not able:
        raise NoFit(f"it comes in {', '.join(entry.weights_gb)}, and {device} wants {', '.join(map(width_of, ways))}")
    least = min(able) + entry.working_gb
    raise NoFit(f"it needs {least:.1f} GiB at least, and models may take {budget / 2**30:.1f} GiB of {device}")


def side_by_side(
    own: Sequence[str],
    companions: Sequence[str],
    placings: Mapping[str, Placing],
    models: ModelsFile,
    profile: Profile,
    budget: int,
) -> dict[str, Placing]:
    """How models are loaded that a call needs at once: as they are where they fit so, else some of them narrower.

    All companions become narrower first, then the call's own models from the last to the first; what still does not fit
    is streamed where the profile streams. Narrow weights change a picture a little; to leave out a companion, or to
    refuse the call, would change it more.

    Args:
        own: what every call needs; the models that are nowhere are not asked for.
        companions: what some need besides, the likeliest first; room is made for the first `_COMPANIONS_AT_ONCE` that
            are on this machine.

    Returns:
        The placings that change, by name.
    """
    if not set(own) <= placings.keys():
        return {}
    changed = {name: placings[name] for name in (*own, *companions) if name in placings}
    at_once = [*own, *[one for one in companions if one in changed and models.models[one].source][:_COMPANIONS_AT_ONCE]]

    def fits() -> bool:
        sizes = {name: size_of(name, models.models[name], changed[name], models) for name in at_once}
        return peak_bytes(at_once, at_once, sizes) <= budget

    groups = [[one for one in companions if one in changed], *([one] for one in reversed(own))]
    for width in _NARROWER:
        for group in groups:
            narrower = {
                name: replace(changed[name], quantise=width)
                for name in group if width in models.models[name].weights_gb and changed[name].offload == "none"
                and changed[name].quantise != "int4"
            }  # fmt: skip
            changed.update({} if fits() else narrower)
    if not fits() and profile.offload != "none":
        changed.update({name: replace(changed[name], offload=profile.offload) for name in changed})
    return {name: placing for name, placing in changed.items() if placing != placings[name]}


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
