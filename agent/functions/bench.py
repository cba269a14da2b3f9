"""The tools of the registry as functions: for programs that build a scene piece by piece, over MCP.

Each call is carried out by the studio's own executor, on a production of its own beside the conversations, so that what
was made once is found again. An argument that is the result of another call is written `{"call": "", "key": KEY}`, with
a key that an earlier answer told. Paths among the arguments are read only where `Desk.file` allows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agent.functions.desk import Desk
from tools.artifact import Artifact
from tools.base import Call, find_refs
from tools.errors import InvalidInput, ToolError
from tools.functions import Answer, Function, MadeFile, function_of_tool
from tools.functions.function import plain_values
from tools.registry import ToolSpec, values_at

__all__ = ["BENCH", "bench_functions"]

BENCH = "bench"
_KEY = re.compile(r"[0-9a-f]{40}")


def bench_functions(desk: Desk) -> list[Function[Desk]]:
    """A function for each tool of the registry, under the tool's name."""
    return [_function(spec) for spec in desk.context.toolbox.registry.tools()]


def _function(spec: ToolSpec) -> Function[Desk]:
    def call(desk: Desk, values: dict[str, Any]) -> Answer:
        return _carried_out(desk, spec, values)

    return function_of_tool(spec.name, spec.tool, call)


def _carried_out(desk: Desk, spec: ToolSpec, values: Mapping[str, Any]) -> Answer:
    from tools.runtime.executor import Executor
    from tools.runtime.storage.production import Production

    toolbox = desk.context.toolbox
    args = plain_values(values)
    for path in (*spec.files, *spec.weights):
        for name in values_at(args, path):
            if isinstance(name, str) and name:
                desk.file(name)
    production = Production.at(desk.context.settings.state_dir / BENCH, "tools that were called one by one")
    with desk.working(), production.lock():
        known: dict[str, Artifact] = {}
        for ref in find_refs(args):
            found = production.store.get(ref["key"]) if _KEY.fullmatch(str(ref["key"])) else None
            if found is None:
                told = f"there is no result with the key {str(ref['key'])[:60]!r}"
                raise InvalidInput(told, hint="Use a key that a tool answered, as {'call': '', 'key': KEY}.")
            ref["call"] = f"known.{ref['key']}"
            known[ref["call"]] = found
        seed = desk.context.settings.seed
        engine = _engine(desk, spec.name)
        task = Call(id="result", tool=spec.name, args=args, engine=engine, seed=seed)
        lane = toolbox.lane if toolbox.registry.pick(spec.name, engine).models else None
        executor = Executor(toolbox.registry, production.store, toolbox.pool, _tell(desk), desk.cancel, lane)
        result = executor.run([task], known)["result"]
    if isinstance(result, ToolError):
        raise result
    return _answer(spec, result)


def _tell(desk: Desk) -> Any:
    from dataclasses import asdict

    return lambda event: desk.tell({"node": "act", "path": "", **asdict(event)})


def _engine(desk: Desk, tool: str) -> str:
    """The first engine that is ready; where none is, the registry's own choice, whose error says what it lacks."""
    readiness = desk.context.toolbox.readiness()
    registry = desk.context.toolbox.registry
    ready = [one for one in registry.engines(tool) if not one.paid and readiness.lack(one) is None]
    preferred = (registry.profile.engines if registry.profile else {}).get(tool, [])
    ready.sort(key=lambda one: preferred.index(one.name) if one.name in preferred else len(preferred))
    return ready[0].name if ready else registry.pick(tool).name


def _answer(spec: ToolSpec, artifact: Artifact) -> Answer:
    files = tuple(MadeFile(name, str(artifact.file(name)), artifact.key) for name in artifact.record.files)
    told = f"{spec.name} by {artifact.record.engine}, {artifact.record.seconds:.1f} s; its key is {artifact.key}."
    return Answer(told, {"key": artifact.key, "engine": artifact.record.engine, "output": dict(artifact.output)}, files)
