"""The one tool of a simulation, and a registry of engines for the models of a problem. No engine has any code."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pydantic import Field

from configs.engines import Cost, EngineEntry, EnginesFile, StackEntry, ToolEntry
from configs.models import ModelEntry
from tools.base import ArtifactRef, Call, Tool, ToolInput, ToolOutput
from tools.errors import InvalidInput
from tools.registry import Registry
from tools.runtime.scheduling.problem import Model, Problem, Task

__all__ = ["SimTool", "calls_of", "entry_of", "registry_of"]

STACK = "device"
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


def registry_of(problems: Iterable[Problem]) -> Registry:
    """An engine for each set of models that calls need, and one for calls that need none.

    Raises:
        InvalidInput: a model has a name that could not stand in models.yaml.
    """
    sets = {task.models for problem in problems for task in problem.tasks.values()} | {frozenset[str]()}
    for name in sorted(frozenset[str]().union(*sets)):
        if not _NAME.fullmatch(name):
            raise InvalidInput("a model's name is lower-case letters, digits and _", where=name)
    engines = {_engine(models): _entry(models) for models in sorted(sets, key=sorted)}
    stacks = {"core": StackEntry(about="the CPU"), STACK: StackEntry(about="the device", workers=1)}
    tool = ToolEntry(tool=f"{__name__}:SimTool", engines=engines)
    return Registry(EnginesFile(stacks=stacks, tools={SimTool.name: tool}))


def _engine(models: frozenset[str]) -> str:
    return "on_" + ("_and_".join(sorted(models)) or "cpu")


def _entry(models: frozenset[str]) -> EngineEntry:
    return EngineEntry(
        engine=f"{__name__}:{_engine(models).title().replace('_', '')}",
        about="takes time",
        device="gpu" if models else "cpu",
        stack=STACK if models else "core",
        licence="MIT",
        models=tuple(sorted(models)),
        cost=Cost(base=0.0, per={"seconds": 1.0}),
        silence_s=SILENCE_S,
        sparing=_SPARING if models else (),
    )


def entry_of(model: Model) -> ModelEntry:
    """The line of models.yaml that a model would have."""
    return ModelEntry(
        about=model.name, weights=f"{__name__}:SimTool", stack=STACK, source=model.name, weights_gb={"fp32": 1.0}
    )


def calls_of(problem: Problem) -> list[Call]:
    """The tasks as calls, in the order of insertion."""
    return [_call(task, problem) for task in problem.tasks.values()]


def _call(task: Task, problem: Problem) -> Call:
    needs = [{"call": need, "key": ""} for need in dict.fromkeys(task.needs) if need in problem.tasks]
    args = {"name": task.id, "seconds": task.seconds, "needs": needs}
    return Call(id=task.id, tool=SimTool.name, engine=_engine(task.models), args=args)
