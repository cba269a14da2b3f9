"""A workflow file as ComfyUI exports it for its API, and values put into the inputs of its nodes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from configs.comfyui import NodeInput, Workflow
from tools.errors import InvalidInput, MissingPrerequisite

__all__ = ["Graph", "filled", "read_graph", "targets_of"]

MAX_BYTES = 8 << 20
MAX_NODES = 4000

Graph = dict[str, dict[str, Any]]
"""By node id: `class_type`, `inputs` (a value, or `[node id, output number]` for a link), and ComfyUI's own notes."""


def read_graph(path: Path, known: Workflow) -> Graph:
    """Read a workflow and see that every input that comfyui.yaml names is there.

    Raises:
        MissingPrerequisite: there is no such file.
        InvalidInput: it is no workflow in API format, or lacks an input that is named; says which.
    """
    if not path.is_file():
        raise MissingPrerequisite(
            f"there is no workflow {path}.", command="in ComfyUI: Workflow > Export (API), then name it in comfyui.yaml"
        )
    if path.stat().st_size > MAX_BYTES:
        raise InvalidInput(f"is larger than {MAX_BYTES >> 20} MB", where=str(path))
    try:
        data = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"is no JSON: {str(error)[:120]}", where=str(path)) from error
    if isinstance(data, dict) and isinstance(data.get("nodes"), list) and "links" in data:
        raise InvalidInput(
            "is a workflow as ComfyUI saves it for its own page", where=str(path),
            hint="Export it for the API: Workflow > Export (API).",
        )  # fmt: skip
    if not isinstance(data, dict) or not 0 < len(data) <= MAX_NODES or not all(map(_is_node, data.values())):
        raise InvalidInput("is no workflow in ComfyUI's API format", where=str(path))
    for field, target in targets_of(known):
        _check_target(data, field, NodeInput.of(target), path)
    if known.output and known.output not in data:
        raise InvalidInput(f"output: there is no node {known.output!r}", where=str(path))
    return data


def _is_node(node: Any) -> bool:
    return isinstance(node, dict) and isinstance(node.get("class_type"), str) and isinstance(node.get("inputs"), dict)


def _check_target(graph: Graph, field: str, at: NodeInput, path: Path) -> None:
    node = graph.get(at.node)
    if node is None:
        raise InvalidInput(f"{field}: there is no node {at.node!r}", where=str(path), hint=f"It has {_names(graph)}.")
    if at.input not in node["inputs"]:
        raise InvalidInput(
            f"{field}: node {at.node} ({node['class_type']}) has no input {at.input!r}", where=str(path),
            hint=f"It has {_names(node['inputs'])}.",
        )  # fmt: skip
    value = node["inputs"][at.input]
    if isinstance(value, list):
        raise InvalidInput(
            f"{field}: {at.input} of node {at.node} comes from node {value[0] if value else '?'}", where=str(path),
            hint="Name the input of that node, or take the link away in ComfyUI.",
        )  # fmt: skip


def _names(found: Mapping[str, Any]) -> str:
    listed = ", ".join(list(found)[:12])
    return listed + (" ..." if len(found) > 12 else "") if found else "none"


def targets_of(known: Workflow) -> Iterator[tuple[str, str]]:
    """Field and `node.input` of everything that comfyui.yaml names in a workflow."""
    for field in (
        "prompt", "negative", "seed", "steps", "guidance", "width", "height", "start", "strength", "reference",
    ):  # fmt: skip
        if getattr(known, field):
            yield field, getattr(known, field)
    for kind, target in known.controls.items():
        yield f"controls.{kind}", target
    for number, slot in enumerate(known.people):
        for field in ("prompt", "mask", "reference"):
            if getattr(slot, field):
                yield f"people.{number}.{field}", getattr(slot, field)


def filled(graph: Graph, values: Mapping[str, Any]) -> Graph:
    """The workflow with values in it, by `node.input`; the given one stays as it is."""
    done = copy.deepcopy(graph)
    for target, value in values.items():
        at = NodeInput.of(target)
        done[at.node]["inputs"][at.input] = value
    return done
