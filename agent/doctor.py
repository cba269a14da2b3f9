"""What `studio doctor` prints: what this machine has, what of it is used and why, and what mends what is lacking."""

from __future__ import annotations

import json
import shutil
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

from agent.eyesight import tell_eyes
from agent.own_folder import tell_own
from agent.printing import open_console, tell
from agent.telling_models import tell_chat_models
from configs.settings import Settings
from tools.base import Engine
from tools.errors import MissingPrerequisite

if TYPE_CHECKING:
    from configs.profiles import Profile
    from tools.readiness import Readiness
    from tools.registry import EngineSpec, Registry
    from tools.runtime.device.hardware import Gpu, Hardware

__all__ = ["examine", "show_doctor"]

LIBRARIES = (
    "langgraph", "langchain-core", "skia-python", "av", "numpy", "scipy", "espeakng-loader", "rapidfuzz",
    "psutil", "nvidia-ml-py", "prometheus-client",
)  # fmt: skip
_WIDE = 30


def show_doctor(*, as_json: bool, profile: str = "", ask: bool = False) -> int:
    """Print what this machine has and lacks; 0 when the embedded engines all work, else 1.

    Args:
        profile: to reckon with instead of the one that fits or is set.
        ask: chat models on other machines are asked whether they answer, too.

    Raises:
        InvalidInput: there is no such profile.
    """
    report = examine(Settings(profile=profile) if profile else Settings(), said=bool(profile), ask=ask)
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return 0 if report["ok"] else 1
    console = open_console()
    for section, rows in report.items():
        if isinstance(rows, dict) and rows:
            tell(console, section, "bold")
            wide = max(_WIDE - 3, *map(len, rows))
            for name, told in rows.items():
                style = "red" if told.startswith(("lacks", "broken")) else "yellow" if told.startswith("no: ") else ""
                tell(console, f"  {name:{wide}} {told}", style, whole=True)
    return 0 if report["ok"] else 1


def examine(settings: Settings, *, said: bool = False, ask: bool = False) -> dict[str, Any]:
    """The report: sections of names and what is told of them; `ok` where all that is embedded works.

    Args:
        settings: of this run.
        said: whether its profile was named on the command line.
        ask: whether chat models on other machines are asked.
    """
    from configs.profiles import load_profiles
    from tools.registry import Registry
    from tools.runtime.device.hardware import choose_profile, detect

    found = detect()
    profiles = load_profiles().profiles
    name = choose_profile(found, profiles, settings.profile)
    registry = Registry.load(profile=profiles[name])
    engines, engines_ok = _engines(registry, found, settings)
    libraries, libraries_ok = _libraries()
    own, own_ok = tell_own()
    return {
        "ok": engines_ok and libraries_ok and own_ok,
        "machine": _machine(settings, found, name),
        "devices": {gpu.device: _gpu(gpu) for gpu in found.gpus} or {"cpu": f"{found.cpus} cores; no GPU was found"},
        "profile": _profile(name, profiles[name], found, settings, said),
        "models": _models(registry, profiles[name], found, settings),
        "models on this machine": _shelf(registry, settings),
        "engines": engines,
        "eyes": tell_eyes(_readiness(registry, profiles[name], found, settings), settings),
        "libraries": libraries,
        "a folder of your own": own,
        "planner": tell_chat_models(settings, ask=ask),
    }


def _readiness(registry: Registry, profile: Profile, found: Hardware, settings: Settings) -> Readiness:
    """What each engine lacks on this machine, as a turn would find it."""
    from tools.models.shelf import Shelf
    from tools.readiness import Readiness

    shelf = Shelf(settings.models_home, registry.models)
    gpu = bool(found.gpus) and profile.budget_gb > 0
    return Readiness(registry, shelf, gpu=gpu, network=settings.network, roles={"vision": settings.vision})


def _machine(settings: Settings, found: Hardware, profile: str) -> dict[str, str]:
    productions = settings.productions.absolute()
    disk = shutil.disk_usage(next(path for path in [productions, *productions.parents] if path.exists()))
    machine = {
        "system": found.system,
        "python": found.python,
        "cpu cores": str(found.cpus),
        "memory": f"{found.memory_gb:g} GiB",
        "gpu": ", ".join(f"{gpu.name}, {gpu.memory_gb:g} GiB, driver {gpu.driver}" for gpu in found.gpus) or "none",
        "profile": profile,
        "productions": str(productions),
    }
    machine.update({f"note {number}": note for number, note in enumerate(found.notes, 1)})
    machine["disk free"] = f"{disk.free / 1e9:.1f} GB"
    return machine


def _gpu(gpu: Gpu) -> str:
    told = [gpu.name, f"{gpu.memory_gb:g} GiB, {gpu.free_gb:g} GiB free", f"driver {gpu.driver}"]
    if gpu.capability:
        told.append(f"compute capability {gpu.capability}")
    return ", ".join(told)


def _profile(name: str, profile: Profile, found: Hardware, settings: Settings, said: bool) -> dict[str, str]:
    """Which it is, why, and what follows from it."""
    from tools.runtime.device.hardware import device_budget

    gpu = found.largest
    if said:
        why = "named by --profile"
    elif settings.profile:
        why = "set by STUDIO_PROFILE or configs/agent.yaml"
    elif gpu is None:
        why = "no GPU was found"
    elif profile.min_vram_gb == 0:
        why = f"{gpu.memory_gb:g} GiB are less than any larger profile needs"
    else:
        why = f"the largest whose {profile.min_vram_gb:g} GiB the {gpu.name} has"
    rows = {"name": f"{name}: {profile.about}", "because": why}
    if profile.budget_gb == 0:
        return rows
    if gpu is None:
        return {**rows, "budget": f"no: it reckons with a GPU of {profile.min_vram_gb:g} GiB, and none was found"}
    budget = device_budget(profile, gpu) / 2**30
    rows["budget"] = f"{budget:.1f} GiB of {gpu.device} for weights and working memory together"
    rows["margin"] = f"{profile.margin_gb:g} GiB are left to the desktop and the driver"
    if gpu.free_gb < budget:
        used = gpu.memory_gb - gpu.free_gb
        rows["free"] = f"no: other programs use {used:.1f} GiB of {gpu.device}; {gpu.free_gb:g} GiB are free"
    narrower = {
        "none": "",
        "int8": ", in 8 bits where that does not fit",
        "int4": ", in 4 bits where that does not fit",
    }
    offload = "" if profile.offload == "none" else f", streamed by {profile.offload} where nothing fits"
    rows["weights"] = f"{profile.dtype}{narrower[profile.quantise]}{offload}"
    return rows


def _models(registry: Registry, profile: Profile, found: Hardware, settings: Settings) -> dict[str, str]:
    """Every model that an engine loads: how it is loaded here, what it takes, and whether that fits."""
    from tools.models.shelf import Shelf
    from tools.runtime.device.lane import predicted as with_measures
    from tools.runtime.device.opening import NoFit, device_of, placing_of, size_of, width_of
    from tools.runtime.residency.sizes import MeasuredSizes, machine_name

    gpu, budget = device_of(found, profile)
    sizes = MeasuredSizes(settings.state_dir, machine_name(gpu.name if gpu else "cpu", gpu.driver if gpu else ""))
    rows = {}
    # Of what lies here the sizes are better known.
    models = Shelf(settings.models_home, registry.models).placed()
    for name, entry in models.loadable.items():
        try:
            placing = placing_of(entry, profile, gpu, budget)
        except NoFit as error:
            rows[name] = f"no: {error}"
            continue
        predicted = size_of(name, entry, placing, models)
        size = with_measures(predicted, placing, sizes, budget)
        how = f"in {width_of(placing)}" if placing.offload == "none" else f"streamed by {placing.offload}"
        measured = "measured here" if size != predicted else "predicted"
        taken = f"{size.weights / 2**30:.1f} GiB and {size.working / 2**30:.1f} GiB to work"
        rows[name] = f"fits {placing.device} {how}: {taken}, {measured}"
    return rows


def _shelf(registry: Registry, settings: Settings) -> dict[str, str]:
    """Where each model lies that was pulled or registered, and whether it is there still; and how many are not here."""
    from tools.models.shelf import Shelf
    from tools.readiness import SERVICE_WEIGHTS

    shelf = Shelf(settings.models_home, registry.models)
    rows = {}
    for name, record in shelf.records().items():
        lost = [file for file in record.files if not record.path_of(file).exists()]
        if lost:
            again = "pull" if record.kind == "pulled" else "path"
            what = record.path if len(lost) == len(record.files) else str(record.path_of(lost[0]))
            more = "" if again == "pull" else " PATH"
            rows[name] = f"lacks: {what} is gone. To mend it: studio models {again} {name}{more}"
        else:
            how = f"revision {record.revision[:12]}" if record.kind == "pulled" else "registered by path"
            rows[name] = f"{record.family or 'here'}, {record.bytes / 1e9:.2f} GB, {how}: {record.path}"
    absent = [
        name for name, entry in registry.models.loadable.items()
        if name not in rows and not entry.weights.startswith(SERVICE_WEIGHTS)
    ]  # fmt: skip
    if absent:
        rows["not here"] = f"{', '.join(absent)} (studio models)"
    return rows


def _engines(registry: Registry, found: Hardware, settings: Settings) -> tuple[dict[str, str], bool]:
    """Every engine: whether it is ready, or what it lacks and what mends that; and whether the embedded ones are."""
    rows, ok = {}, True
    for tool in registry.tools():
        for spec in registry.engines(tool.name):
            name = f"{tool.name}/{spec.name}"
            try:
                _check(registry, spec, settings)
                rows[name] = _needs(spec, found)
            except MissingPrerequisite as error:
                rows[name] = f"lacks: {error}"
                ok = ok and not spec.embedded
            except Exception as error:  # an engine that cannot even be imported is a finding, not a crash
                rows[name] = f"broken: {type(error).__name__}: {error}"
                ok = False
    return rows, ok


def _check(registry: Registry, spec: EngineSpec, settings: Settings) -> None:
    if registry.stacks[spec.stack].python or registry.stacks[spec.stack].requires:
        from tools.runtime.workers.pool import WorkerPool

        # Its libraries are those of another interpreter.
        with WorkerPool(1, registry.stacks, models_home=settings.models_home) as pool:
            error = pool.check(spec)
        if error is not None:
            raise error
        return
    module, _, name = spec.path.partition(":")
    engine: type[Engine[Any, Any]] = getattr(import_module(module), name)
    engine().check()


def _needs(spec: EngineSpec, found: Hardware) -> str:
    if spec.device == "gpu" and not found.gpus:
        return "lacks: a GPU; none was found"
    return f"ready, with {', '.join(spec.models)}" if spec.models else "ready"


def _libraries() -> tuple[dict[str, str], bool]:
    rows, ok = {}, True
    for name in LIBRARIES:
        try:
            rows[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            rows[name], ok = f'lacks: pip install "{name}"', False
    return rows, ok
