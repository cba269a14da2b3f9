"""The one tool of a simulation, and a registry of engines for the models of a problem. No engine has any code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pydantic import Field

from configs.engines import Cost, EngineEntry, EnginesFile, StackEntry, ToolEntry
from configs.models import ModelEntry
from tools.base import ArtifactRef, Call, Tool, ToolInput, ToolOutput
from tools.errors import InvalidInput
from tools.registry import Registry
from tools.runtime.scheduling.problem import Model, Problem, Task

__all__ = ["SimTool", "calls_of", "entry_of", "registry_of"]

SILENCE_S = 30.0
_SPARING = ("slice", "tile", "smaller")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class SimTool(Tool):
    """Take time."""

    name = "simulated"

    class Input(ToolInput):
        name: str
        seconds: float = Field(ge=0.0)
        needs: list[ArtifactRef] = Field(default_factory=list)

    class Output(ToolOutput):
        name: str


def registry_of(problems: Iterable[Problem], *, one_worker: bool = True) -> Registry:
    """An engine for each set of models that calls need, and one for calls that need none.

    Args:
        problems: all that will be made with it.
        one_worker: all models live in one process; else each in one with those that it is used together with.

    Raises:
        InvalidInput: a model has a name that could not stand in models.yaml.
    """
    sets = {task.models for problem in problems for task in problem.tasks.values()} | {frozenset[str]()}
    for name in sorted(frozenset[str]().union(*sets)):
        if not _NAME.fullmatch(name):
            raise InvalidInput("a model's name is lower-case letters, digits and _", where=name)
    stack_of = dict.fromkeys(frozenset[str]().union(*sets), "device") if one_worker else _apart(sets)
    engines = {_engine(models): _entry(models, stack_of) for models in sorted(sets, key=sorted)}
    stacks = {name: StackEntry(about="the device", workers=1) for name in sorted(set(stack_of.values()))}
    stacks["core"] = StackEntry(about="the CPU")
    tool = ToolEntry(tool=f"{__name__}:SimTool", engines=engines)
    return Registry(EnginesFile(stacks=stacks, tools={SimTool.name: tool}))


def _engine(models: frozenset[str]) -> str:
    return "on_" + ("_and_".join(sorted(models)) or "cpu")


def _apart(sets: Iterable[frozenset[str]]) -> dict[str, str]:
    """A stack for each group of models of which any two are used together, directly or through others."""
    groups: list[set[str]] = []
    for models in sets:
        joined = [group for group in groups if group & models]
        groups = [group for group in groups if not group & models]
        groups += [set(models).union(*joined)] if models else []
    return {name: f"device_{min(group)}" for group in groups for name in group}


def _entry(models: frozenset[str], stack_of: Mapping[str, str]) -> EngineEntry:
    return EngineEntry(
        engine=f"{__name__}:{_engine(models).title().replace('_', '')}",
        about="takes time",
        device="gpu" if models else "cpu",
        stack=stack_of[min(models)] if models else "core",
        licence="MIT",
        models=tuple(sorted(models)),
        cost=Cost(base=0.0, per={"seconds": 1.0}),
        silence_s=SILENCE_S,
        sparing=_SPARING if models else (),
    )


def entry_of(model: Model, registry: Registry) -> ModelEntry:
    """The line of models.yaml that a model would have."""
    engines = registry.entries.tools[SimTool.name].engines.values()
    stack = next((engine.stack for engine in engines if model.name in engine.models), "core")
    return ModelEntry(
        about=model.name, weights=f"{__name__}:SimTool", stack=stack, source=model.name, weights_gb={"fp32": 1.0}
    )


def calls_of(problem: Problem) -> list[Call]:
    """The tasks as calls, in the order of insertion."""
    return [_call(task, problem) for task in problem.tasks.values()]


def _call(task: Task, problem: Problem) -> Call:
    needs = [{"call": need, "key": ""} for need in dict.fromkeys(task.needs) if need in problem.tasks]
    args = {"name": task.id, "seconds": task.seconds, "needs": needs}
    return Call(id=task.id, tool=SimTool.name, engine=_engine(task.models), args=args)
