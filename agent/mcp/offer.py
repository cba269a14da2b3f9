"""What another server offers: its hash, and its tools made safe to show to a model.

Descriptions and schemas of other servers are foreign text ("tool poisoning"; a server may also change them after a
person has approved it, the "rug pull": https://arxiv.org/abs/2504.03767). So an offer is pinned by its hash, and what
is shown of it is short, clean, and marked with whose it is. What its tools may bring about is limited elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agent.fencing import without_marks
from agent.functions.observation import clean_text
from tools.artifact import canonical_json
from tools.errors import InvalidInput
from tools.functions import simplify

__all__ = ["OfferedTool", "clean_schema", "describe", "digest", "full_name", "read_offer"]

LONGEST_DESCRIPTION = 400
LONGEST_FIELD = 160
MOST_TOOLS = 200
MOST_SCHEMA_BYTES = 16_000
MOST_SCHEMA_DEPTH = 10
MOST_FIELDS = 40
MOST_WORDS = 100
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_TOOL = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,40}")
_KEPT = (
    "type", "description", "enum", "const", "properties", "required", "items", "anyOf", "oneOf", "minimum", "maximum",
    "minItems", "maxItems", "additionalProperties",
)  # fmt: skip


@dataclass(frozen=True)
class OfferedTool:
    """A tool as a server offers it; nothing of it is trusted."""

    name: str
    description: str
    schema: dict[str, Any]


def read_offer(tools: Iterable[Any]) -> list[OfferedTool]:
    """The tools of an offer, in the order of their names.

    Raises:
        InvalidInput: there are too many, or two with one name, or a schema is no object or too large.
    """
    found: dict[str, OfferedTool] = {}
    for one in tools:
        schema = one.input_schema
        if not isinstance(schema, dict):
            raise InvalidInput("a schema of the offer is no object")
        _check_size(schema)
        if one.name in found:
            raise InvalidInput(f"the offer has two tools called {clean_text(one.name, 60)!r}")
        found[one.name] = OfferedTool(one.name, one.description or "", schema)
        if len(found) > MOST_TOOLS:
            raise InvalidInput(f"the offer has more than {MOST_TOOLS} tools")
    return [found[name] for name in sorted(found)]


def digest(offer: Sequence[OfferedTool]) -> str:
    """The hash of an offer: names, descriptions and schemas of all its tools, as canonical JSON, sha256 in hex."""
    rows = [{"name": one.name, "description": one.description, "schema": one.schema} for one in offer]
    try:
        data = canonical_json(rows)
    except (ValueError, UnicodeEncodeError):
        # Halves of characters and numbers that are none have no canonical form; they are told apart all the same.
        data = json.dumps(rows, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def full_name(server: str, tool: str) -> str:
    """The name under which a model calls it.

    Raises:
        InvalidInput: the tool's own name is none that an API takes.
    """
    if not _TOOL.fullmatch(tool):
        raise InvalidInput(f"{clean_text(tool, 60)!r} cannot be the name of a function")
    return f"{server}__{tool}"


def describe(server: str, tool: OfferedTool) -> str:
    """Its description as a model is shown it: one short line, marked with whose it is."""
    text = without_marks(" ".join(clean_text(tool.description, LONGEST_DESCRIPTION * 4).split()))
    return f"Tool of the server {server}, in its words: {clean_text(text, LONGEST_DESCRIPTION) or 'none'}"


def clean_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with known keywords alone, its texts short, definitions written in.

    Raises:
        InvalidInput: it refers outside itself, nests too deeply, or has fields without proper names.
    """
    simple = simplify(schema)
    if simple.get("type") != "object" or "$defs" in simple:
        raise InvalidInput("its schema is not that of a plain object")
    return _clean(simple, 0)


def _clean(node: dict[str, Any], depth: int) -> dict[str, Any]:
    if depth > MOST_SCHEMA_DEPTH:
        raise InvalidInput("its schema nests too deeply")
    found = {key: value for key, value in node.items() if key in _KEPT}
    if "description" in found:
        text = " ".join(clean_text(str(found["description"]), LONGEST_FIELD * 4).split())
        found["description"] = clean_text(without_marks(text), LONGEST_FIELD)
    if "enum" in found:
        words = found["enum"] if isinstance(found["enum"], list) else []
        found["enum"] = [_word(one) for one in words[:MOST_WORDS]]
    properties = found.get("properties")
    if properties is not None:
        if len(properties) > MOST_FIELDS or not all(_FIELD.fullmatch(name) for name in properties):
            raise InvalidInput("its schema has too many fields, or fields without proper names")
        found["properties"] = {name: _clean(one, depth + 1) for name, one in properties.items()}
    if "required" in found:
        listed = found["required"] if isinstance(found["required"], list) else []
        found["required"] = [name for name in listed if isinstance(name, str) and name in (properties or {})]
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _clean(found[key], depth + 1)
    for key in ("anyOf", "oneOf"):
        if isinstance(found.get(key), list):
            found[key] = [_clean(one, depth + 1) for one in found[key][:20]]
    return found


def _word(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value, 80)
    return value if value is None or isinstance(value, bool | int | float) else str(value)[:80]


def _check_size(schema: dict[str, Any]) -> None:
    try:
        size = len(json.dumps(schema))
    except (ValueError, RecursionError):
        size = MOST_SCHEMA_BYTES + 1
    if size > MOST_SCHEMA_BYTES:
        raise InvalidInput("a schema of the offer is too large or nests too deeply")
