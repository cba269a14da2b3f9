"""What makes a result, as the key under which it is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tools.artifact import Artifact, artifact_key
from tools.runtime.device.lane import Lane
from tools.runtime.graph import Node
from tools.runtime.storage.store import Provenance

__all__ = ["provenance_of"]


def provenance_of(
    node: Node, version: str, inputs: Mapping[str, str], result: Callable[[str], Artifact], lane: Lane | None
) -> Provenance:
    """The provenance of a node's result: its key is blind to the ids of calls, it sees the content they gave.

    Args:
        node: whose results it needs are all there.
        version: of its engine, with its data.
        inputs: hashes of the external files by path.
        result: by id of a call: what it gave.
        lane: the device; the width of the models there, and their files, are part of what makes a result.
    """
    filled = _with_refs(node.args, lambda name: {"call": name, "key": result(name).key})
    content = _with_refs(node.args, lambda name: {"digest": result(name).digest})
    call, engine = node.call, node.engine
    models: dict[str, str] = {}
    if engine.models and lane is not None:
        version += "".join(f"+{lane.identity(name)}" for name in engine.models)
        models = {name: lane.origin(name) for name in engine.models}
    key = artifact_key(
        tool=call.tool, engine=engine.name, version=version, args=content, seed=call.seed, inputs=dict(inputs)
    )
    return Provenance(key, call.tool, engine.name, version, filled, call.seed, dict(inputs), models=models)


def _with_refs(data: Any, replace: Callable[[str], Any]) -> Any:
    """`data` with every reference replaced; see `tools.base.find_refs` for what a reference is."""
    if isinstance(data, dict):
        if set(data) == {"call", "key"}:
            return replace(data["call"])
        return {name: _with_refs(value, replace) for name, value in data.items()}
    if isinstance(data, list):
        return [_with_refs(value, replace) for value in data]
    return data
