"""A batch of tool calls as a graph: checked before anything runs, with the order in which to run it.

Pure data and arithmetic: nothing here touches the disk (but to see that a named file is there) or a process.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools.base import Call, find_refs
from tools.errors import InvalidInput, ToolError
from tools.registry import EngineSpec, Registry
from tools.runtime.pace import Pace

__all__ = ["CallGraph", "Node", "critical_paths", "predicted_seconds"]

_LONGEST_ID = 200
_SLOWER_ON_CPU = 100.0
"""What is made for a GPU takes so many times longer without one: 416 TFLOP of a picture by SDXL, at 0.3 TFLOP/s."""


@dataclass(frozen=True)
class Node:
    """A checked call.

    Attributes:
        call: as it was asked for.
        engine: which engine carries it out; its `models` are those that this very call needs.
        args: the arguments in full, defaults written out, as JSON data.
        files: the files outside the store that it reads.
        needs: ids of calls of this graph that come first.
        cost: predicted seconds.
        priority: predicted seconds from its start to the end of the longest chain that depends on it.
        index: its place among the calls as given.
    """

    call: Call
    engine: EngineSpec
    args: dict[str, Any]
    files: tuple[str, ...]
    needs: tuple[str, ...]
    cost: float
    priority: float
    index: int


class CallGraph:
    """Checked calls by id, and who depends on whom."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.nodes = {node.call.id: node for node in nodes}
        self.dependents: dict[str, list[str]] = {name: [] for name in self.nodes}
        for name, node in self.nodes.items():
            for need in node.needs:
                self.dependents[need].append(name)

    @classmethod
    def build(
        cls,
        calls: Sequence[Call],
        known: Collection[str],
        registry: Registry,
        pace: Pace | None = None,
        here: Collection[str] = (),
    ) -> CallGraph:
        """Check every call and order them.

        Args:
            calls: in any order.
            known: ids of results from before, which references may name; a call of the same id replaces one.
            registry: the tools.
            pace: how fast engines are on this machine; None takes the times of engines.yaml.
            here: names of the models that are on this machine: calls take in those companions that they use.

        Raises:
            InvalidInput: an id is empty or twice there, a tool, engine, argument, reference or file is wrong, or the
                calls depend on one another in a circle. Nothing has run then.
        """
        seen: set[str] = set()
        for call in calls:
            if not call.id or len(call.id) > _LONGEST_ID or not call.id.isprintable():
                raise InvalidInput(f"{call.id[:40]!r} cannot be the id of a call")
            if call.id in seen:
                raise InvalidInput("two calls have this id", where=call.id)
            seen.add(call.id)
        pace = pace or Pace(None, "")
        drafts = [_check(call, index, seen, known, registry, pace, here) for index, call in enumerate(calls)]
        needs = {draft.call.id: draft.needs for draft in drafts}
        priorities = critical_paths(needs, {draft.call.id: draft.cost for draft in drafts})
        return cls(Node(**{**vars(draft), "priority": priorities[draft.call.id]}) for draft in drafts)

    def predicted_s(self, workers: int) -> float:
        """Predicted wall seconds of the whole graph on so many workers, if nothing of it is there yet."""
        return predicted_seconds(self, workers)


def _check(
    call: Call,
    index: int,
    ids: set[str],
    known: Collection[str],
    registry: Registry,
    pace: Pace,
    here: Collection[str],
) -> Node:
    asked = registry.validate(call)
    args = asked.model_dump(mode="json")
    try:
        refs = list(dict.fromkeys(ref["call"] for ref in find_refs(args)))
    except RecursionError:
        raise InvalidInput("the arguments nest too deeply", where=call.id) from None
    for ref in refs:
        if ref not in ids and ref not in known:
            raise InvalidInput(f"needs the result of {ref!r}, and there is no such call", where=call.id)
    files = registry.external_files(call.tool, args)
    for file in files:
        if "\0" in file or not Path(file).is_file():
            raise InvalidInput(f"there is no file {file!r}", where=call.id)
    engine = registry.pick(call.tool, call.engine)
    try:
        engine = replace(engine, models=registry.models_of(engine, asked, here))
    except ToolError as error:
        raise InvalidInput(str(error), where=call.id) from error
    needs = tuple(ref for ref in refs if ref in ids)
    without_gpu = engine.device == "gpu" and registry.profile is not None and registry.profile.budget_gb <= 0
    cost = pace.predict(engine, args, slower=_SLOWER_ON_CPU if without_gpu else 1.0)
    return Node(call, engine, args, tuple(files), needs, cost, 0.0, index)


def critical_paths(needs: Mapping[str, Collection[str]], costs: Mapping[str, float]) -> dict[str, float]:
    """For each call: predicted seconds from its start to the end of the longest chain of calls that need it.

    Raises:
        InvalidInput: the calls form a circle, which is named.
    """
    dependents: dict[str, list[str]] = {name: [] for name in needs}
    waiting = {name: len(set(first)) for name, first in needs.items()}
    for name, first in needs.items():
        for need in set(first):
            dependents[need].append(name)
    order = [name for name, count in waiting.items() if count == 0]
    for name in order:
        for later in dependents[name]:
            waiting[later] -= 1
            if waiting[later] == 0:
                order.append(later)
    if len(order) < len(needs):
        raise InvalidInput(f"these calls wait for one another: {' -> '.join(_circle(needs, set(order)))}")
    longest: dict[str, float] = {}
    for name in reversed(order):
        longest[name] = costs[name] + max((longest[later] for later in dependents[name]), default=0.0)
    return longest


def _circle(needs: Mapping[str, Collection[str]], finished: set[str]) -> list[str]:
    """One circle among the calls that never become ready: each of them needs another such call."""
    name = next(name for name in needs if name not in finished)
    path: list[str] = []
    while name not in path:
        path.append(name)
        name = next(need for need in needs[name] if need not in finished)
    return [*path[path.index(name) :], name]


def predicted_seconds(graph: CallGraph, workers: int) -> float:
    """Wall seconds of list scheduling by `priority` on so many equal workers."""
    import heapq

    waiting = {name: len(node.needs) for name, node in graph.nodes.items()}
    ready = [(-node.priority, node.index, name) for name, node in graph.nodes.items() if not node.needs]
    heapq.heapify(ready)
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < workers:
            name = heapq.heappop(ready)[2]
            heapq.heappush(running, (now + graph.nodes[name].cost, name))
        now, done = heapq.heappop(running)
        for later in graph.dependents[done]:
            waiting[later] -= 1
            if waiting[later] == 0:
                node = graph.nodes[later]
                heapq.heappush(ready, (-node.priority, node.index, later))
    return now
