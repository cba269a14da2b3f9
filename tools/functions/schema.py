"""JSON schemas as small models read them best: flat, short, without what only machines need.

`simplify` takes the schema of a pydantic model (https://docs.pydantic.dev/latest/concepts/json_schema/) and writes its
`$defs` in where they are used, drops titles and lengths of texts, and turns `X or null` with a default into an optional
`X`. `strict_schema` is the form of OpenAI's strict mode (https://platform.openai.com/docs/guides/structured-outputs):
every property required, what may be left out nullable, no other properties.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tools.errors import InvalidInput

__all__ = ["MAX_DEPTH", "estimate_tokens", "function_schema", "simplify", "strict_schema"]

MAX_DEPTH = 24
"""A schema that nests more deeply is refused."""
_MOST_NODES = 20_000
_NOT_TOLD = ("title", "$schema", "$id", "examples", "minLength", "maxLength")
"""Keywords that a model does not need. Lengths of texts are checked here; grammars made of them grow beyond what some
servers take (llama.cpp repeats a rule once for each letter)."""
_NOT_STRICT = ("default", "format", "uniqueItems", "minProperties", "maxProperties")
"""Keywords that OpenAI's strict mode does not take, or that say nothing to it."""


def function_schema(name: str, description: str, parameters: dict[str, Any], *, strict: bool = False) -> dict[str, Any]:
    """A function in OpenAI's format.

    Args:
        name: of the function.
        description: what it does, in a sentence or two.
        parameters: a simplified schema of an object.
        strict: in the form of strict mode.

    Raises:
        InvalidInput: strict mode cannot say these parameters.
    """
    told: dict[str, Any] = {"name": name, "description": description, "parameters": parameters}
    if strict:
        told |= {"parameters": strict_schema(parameters), "strict": True}
    return {"type": "function", "function": told}


def estimate_tokens(data: Any) -> int:
    """About how many tokens JSON data takes in a prompt.

    A word of up to eight letters counts one, longer ones one for each six more, each mark and each two digits one: on
    schemas it lies within a fifth of the byte-pair vocabularies of common chat models, and needs none of them.
    """
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    total = 0
    for piece in re.findall(r"[^\W\d_]+|\d+|[^\w\s]+|_", text):
        if piece[0].isalpha():
            total += 1 + max(0, len(piece) - 8 + 5) // 6
        elif piece[0].isdigit():
            total += (len(piece) + 1) // 2
        else:
            total += (len(piece) + 2) // 3
    return total


def simplify(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object with its definitions written in, without titles.

    A definition that contains itself stays a `$ref` into `$defs`, because nothing else can say it.

    Raises:
        InvalidInput: it nests too deeply, is too large, or refers to what is not in it.
    """
    simplifier = _Simplifier(schema.get("$defs") or schema.get("definitions") or {})
    simple = simplifier.node({key: value for key, value in schema.items() if key not in ("$defs", "definitions")}, ())
    simple.pop("description", None)
    if simplifier.recursive:
        defs = {name: simplifier.node(simplifier.defs[name], (name,)) for name in sorted(simplifier.recursive)}
        simple["$defs"] = defs
    simple.setdefault("type", "object")
    if simple["type"] == "object":
        simple.setdefault("properties", {})
    if schema.get("additionalProperties") is False:
        simple["additionalProperties"] = False
    return simple


class _Simplifier:
    def __init__(self, defs: dict[str, Any]) -> None:
        self.defs = defs
        self.recursive: set[str] = set()
        self._nodes = 0

    def node(self, node: Any, above: tuple[str, ...], depth: int = 0) -> dict[str, Any]:
        """One schema, simplified; `above` are the definitions that it stands in."""
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > _MOST_NODES:
            raise InvalidInput("the schema nests too deeply or is too large")
        if node is True or node is None:
            return {}
        if not isinstance(node, dict):
            raise InvalidInput("a part of the schema is no object")
        if "$ref" in node:
            return self._referred(node, above, depth)
        found = {key: value for key, value in node.items() if key not in _NOT_TOLD}
        if isinstance(found.get("description"), str):
            found["description"] = " ".join(found["description"].split())
        if len(found.get("allOf") or ()) == 1:
            only = found.pop("allOf")[0]
            found = {**self.node(only, above, depth + 1), **found}
            return found
        for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
            if isinstance(found.get(key), list):
                found[key] = [self.node(one, above, depth + 1) for one in found[key]]
        for key in ("items", "additionalProperties"):
            if isinstance(found.get(key), dict):
                found[key] = self.node(found[key], above, depth + 1)
        if isinstance(found.get("properties"), dict):
            found["properties"] = {
                str(name): self.node(value, above, depth + 1) for name, value in found["properties"].items()
            }
        if found.get("additionalProperties") is False:
            # Said once, of the whole: a field that is not named is refused at every depth.
            found.pop("additionalProperties")
        return _optional(found)

    def _referred(self, node: dict[str, Any], above: tuple[str, ...], depth: int) -> dict[str, Any]:
        name = str(node["$ref"]).removeprefix("#/$defs/").removeprefix("#/definitions/")
        if name not in self.defs:
            raise InvalidInput(f"the schema refers to {str(node['$ref'])[:80]!r}, which is not in it")
        beside = {key: value for key, value in node.items() if key not in ("$ref", "title")}
        if name in above:
            self.recursive.add(name)
            return {"$ref": f"#/$defs/{name}", **beside}
        found = self.node(self.defs[name], (*above, name), depth + 1)
        if isinstance(beside.get("description"), str):
            beside["description"] = " ".join(beside["description"].split())
        return _optional({**found, **beside})


def _optional(node: dict[str, Any]) -> dict[str, Any]:
    """`X or null` whose default is null is an optional `X`: leaving it out says the same, in fewer words."""
    kinds = node.get("anyOf")
    if isinstance(kinds, list) and len(kinds) == 2 and {"type": "null"} in kinds and node.get("default", 0) is None:
        other: dict[str, Any] = next((kind for kind in kinds if kind != {"type": "null"}), {})
        beside = {key: value for key, value in node.items() if key not in ("anyOf", "default")}
        return {**other, **beside}
    if node.get("default", 0) in (None, "", [], {}):
        return {key: value for key, value in node.items() if key != "default"}
    return node


def strict_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A simplified schema in the form of OpenAI's strict mode.

    Raises:
        InvalidInput: it has objects with free keys, or lists of fixed mixed types, which strict mode cannot say.
    """
    return _strict(schema, 0)


def _strict(node: dict[str, Any], depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise InvalidInput("the schema nests too deeply")
    if "prefixItems" in node:
        raise InvalidInput("strict mode has no lists of fixed mixed types")
    found = {key: value for key, value in node.items() if key not in _NOT_STRICT}
    if "oneOf" in found:
        found["anyOf"] = found.pop("oneOf")
    for key in ("anyOf", "allOf"):
        if key in found:
            found[key] = [_strict(one, depth + 1) for one in found[key]]
    if "$defs" in found:
        found["$defs"] = {name: _strict(one, depth + 1) for name, one in found["$defs"].items()}
    if isinstance(found.get("items"), dict):
        found["items"] = _strict(found["items"], depth + 1)
    if found.get("type") == "object":
        properties = found.get("properties") or {}
        if not properties and found.get("additionalProperties"):
            raise InvalidInput("strict mode has no objects with free keys")
        needed = set(found.get("required") or ())
        found["properties"] = {
            name: one if name in needed else _nullable(one)
            for name, one in ((name, _strict(value, depth + 1)) for name, value in properties.items())
        }
        found["required"] = list(properties)
        found["additionalProperties"] = False
    return found


def _nullable(node: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in node:
        kinds = node["anyOf"]
        return node if {"type": "null"} in kinds else {**node, "anyOf": [*kinds, {"type": "null"}]}
    told = {key: node[key] for key in ("description",) if key in node}
    rest = {key: value for key, value in node.items() if key not in told}
    if set(rest) == {"type"} and isinstance(rest["type"], str):
        return {"type": [rest["type"], "null"], **told}
    return {"anyOf": [rest, {"type": "null"}], **told}
