"""The engines of a world: those of engines.yaml, some not installed, some stood in for, some that fail when told to.

An engine with faults is the real engine, in its own worker process, and something that happens in it: the class
`evals.world.engines:faulty__tools_image_draft__DraftImage` is made when it is asked for. What is to happen stands in
`faults.json` of the scenario's folder (`STUDIO_EVAL_WORLD`); how often it has happened is counted in files there, so
that a worker that died of it does not die of it again.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.own import OWN_PACKAGE
from evals.world.ears import ears_entry

if TYPE_CHECKING:
    from configs.engines import StackEntry
    from evals.world.model import Fault, World
    from tools.base import Call, Engine
    from tools.registry import Registry

__all__ = ["FAULTS", "WORLD_VARIABLE", "call_digest", "note_calls", "world_engines", "write_faults"]

WORLD_VARIABLE = "STUDIO_EVAL_WORLD"
FAULTS = "faults.json"
CALLS = "calls"
ALLOWED = ("tools.", f"{OWN_PACKAGE}.", "evals.world.")
"""Prefixes of the modules that engines of a world may come from."""
HANGS_AFTER_S = 8.0
"""Seconds without a sign of life after which an engine that can hang here counts as hung; importing it takes two."""
_HANG_S = 40.0


def world_engines(registry: Registry, world: World) -> Registry:
    """The registry of a world.

    Args:
        registry: the studio's own, of the world's profile.
    """
    tools: dict[str, Any] = {}
    for tool, entry in registry.entries.tools.items():
        embedded = next((one for one in entry.engines.values() if one.embedded), None)
        engines: dict[str, Any] = {}
        for name, engine in entry.engines.items():
            here = engine
            if f"{tool}/{name}" in world.absent:
                here = engine.model_copy(update={"stack": "core", "libraries": (f"{name.replace('_', '-')}-engine",)})
            if f"{tool}/{name}" in world.stand_ins and embedded is not None:
                stands = {"embedded": engine.embedded, "levers": engine.levers, "from_still": engine.from_still}
                here = embedded.model_copy(update={**stands, "about": engine.about, "licence": engine.licence})
            faults = [one for one in world.faults if one.tool == tool and one.engine in ("*", name)]
            if faults:
                hangs = any(one.kind == "hang" for one in faults)
                path = here.engine.replace(".", "_").replace(":", "__")
                here = here.model_copy(
                    update={
                        "engine": f"evals.world.engines:faulty__{path}",
                        "silence_s": HANGS_AFTER_S if hangs else here.silence_s,
                    }
                )
            engines[name] = here
        if tool == "transcribe" and world.ears:
            engines["ears"] = ears_entry()
        tools[tool] = entry.model_copy(update={"engines": engines})
    stacks = {name: _shared(name, stack, registry, world) for name, stack in registry.entries.stacks.items()}
    registry.entries = registry.entries.model_copy(update={"tools": tools, "stacks": stacks})
    registry.allow = ALLOWED
    return registry


def _shared(name: str, stack: StackEntry, registry: Registry, world: World) -> StackEntry:
    """A stack whose models lie here as tiny checkpoints is run by the studio's own interpreter: no environment is made
    for a scenario, and whether the libraries are there is looked at all the same."""
    here = any(model in registry.models.models and registry.models.models[model].stack == name
               for model in world.weights)  # fmt: skip
    return stack.model_copy(update={"requires": ()}) if here else stack


def write_faults(folder: Path, faults: tuple[Fault, ...]) -> None:
    """Put down what is to go wrong, where workers find it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CALLS).mkdir(exist_ok=True)
    (folder / FAULTS).write_text(json.dumps([one.model_dump() for one in faults]), encoding="utf-8")


# -- which call it is ---------------------------------------------------------------------------------------------


def call_digest(tool: str, args: Mapping[str, Any], seed: int) -> str:
    """By which a worker knows the call: its arguments without the keys of earlier results, and its seed."""
    import hashlib

    text = json.dumps([tool, _without_keys(args), seed], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def note_calls(folder: Path, registry: Registry, calls: list[Call]) -> None:
    """Write down the ids of calls that are about to be made."""
    from tools.errors import ToolError

    for call in calls:
        try:
            args = registry.validate(call).model_dump(mode="json")
        except ToolError:
            continue
        (folder / CALLS / call_digest(call.tool, args, call.seed)).write_text(call.id, encoding="utf-8")


def _without_keys(data: Any) -> Any:
    if isinstance(data, Mapping):
        if set(data) == {"call", "key"}:
            return {"call": data["call"]}
        return {name: _without_keys(value) for name, value in data.items()}
    return [_without_keys(one) for one in data] if isinstance(data, list | tuple) else data


# -- in the worker ------------------------------------------------------------------------------------------------


def __getattr__(name: str) -> type[Engine[Any, Any]]:
    """The class of a real engine, with the world's faults around its `run`."""
    if not name.startswith("faulty__"):
        raise AttributeError(name)
    import importlib

    from tools.errors import InvalidInput

    module, _, attribute = name.removeprefix("faulty__").rpartition("__")
    path = _module_of(module)
    if path is None:
        raise InvalidInput(f"{name}: there is no such engine")
    real: type[Engine[Any, Any]] = getattr(importlib.import_module(path), attribute)

    def run(self: Any, args: Any, ctx: Any) -> Any:
        fault = _due(real, args, ctx.seed)
        if fault is not None:
            _happens(fault)
        output = real.run(self, args, ctx)
        if fault is not None and fault["kind"] in _SPOILT:
            from evals.world.spoiling import spoil

            spoil(fault["kind"], ctx.out, output)
        return output

    return type(name, (real,), {"run": run, "__module__": __name__})


def _module_of(flat: str) -> str | None:
    """`tools_image_draft` -> `tools.image.draft`: the module of that name that there is."""
    from configs.engines import load_engines

    for tool in load_engines().tools.values():
        for engine in tool.engines.values():
            module = engine.engine.partition(":")[0]
            if module.replace(".", "_") == flat:
                return module
    return None


_SPOILT = {"black", "blurred", "silent", "clipped"}


def _due(real: type[Engine[Any, Any]], args: Any, seed: int) -> dict[str, Any] | None:
    """The fault that is to happen in this call, counted."""
    from fnmatch import fnmatchcase

    folder = Path(os.environ[WORLD_VARIABLE])
    tool = real.tool.name
    noted = folder / CALLS / call_digest(tool, args.model_dump(mode="json"), seed)
    call = noted.read_text(encoding="utf-8") if noted.exists() else ""
    for number, fault in enumerate(json.loads((folder / FAULTS).read_text(encoding="utf-8"))):
        if fault["tool"] != tool or not fnmatchcase(call, fault["call"]):
            continue
        at = _count(folder / f"fault{number}.count") - fault["after"]
        if at >= 1 and (fault["times"] is None or at <= fault["times"]):
            with (folder / "happened.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"fault": number, "kind": fault["kind"], "call": call}) + "\n")
            found: dict[str, Any] = fault
            return found
    return None


def _count(path: Path) -> int:
    """One more; the count so far with it. Appending a byte is atomic between processes."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(handle, b".")
        return os.fstat(handle).st_size
    finally:
        os.close(handle)


def _happens(fault: Mapping[str, Any]) -> None:
    from tools.errors import BadOutput

    match fault["kind"]:
        case "out_of_memory":
            raise MemoryError("the world's memory is full")
        case "error":
            raise RuntimeError("the world's engine broke")
        case "bad_output":
            raise BadOutput("the engine answered with nothing that can be used")
        case "disk_full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out")
        case "crash":
            os.kill(os.getpid(), 9)
        case "hang":
            time.sleep(_HANG_S)
        case "slow":
            time.sleep(float(fault["seconds"]))
