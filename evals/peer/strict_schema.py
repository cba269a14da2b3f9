"""What OpenAI's structured outputs ask of a schema with `strict: true`.

Source: https://platform.openai.com/docs/guides/structured-outputs (supported schemas): the root is an object and no
anyOf; every object has `additionalProperties: false` and requires all its properties; up to 5,000 properties, 10
levels, 1,000 enum values, 120,000 letters in names and values. `default`, `oneOf`, `allOf`, `not`, `if`, ... are not
permitted, nor bounds on the length of texts. vLLM, Ollama and llama.cpp ask none of this; they take what their grammars
know.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["complaint"]

NOT_PERMITTED = (
    "allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "default", "minLength",
    "maxLength", "patternProperties", "unevaluatedProperties", "propertyNames", "minProperties", "maxProperties",
    "unevaluatedItems", "contains", "minContains", "maxContains", "uniqueItems", "prefixItems", "discriminator",
    "examples",
)  # fmt: skip
FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
MOST_PROPERTIES, MOST_LEVELS, MOST_ENUMS, MOST_LETTERS = 5_000, 10, 1_000, 120_000
Path = tuple[str, ...]


def complaint(schema: Any) -> str | None:
    """What OpenAI would say against this schema, or None. The words are its own."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        kind = schema.get("type") if isinstance(schema, dict) else None
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
    if "anyOf" in schema:
        return "In context=(), 'anyOf' is not permitted at the root."
    return next(_complaints(schema, (), 0), None) or _too_much(schema)


def _complaints(schema: Any, at: Path, level: int) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"In context={at}, schema must be an object."
        return
    where = f"In context={at}"
    if level > MOST_LEVELS:
        yield f"{level} levels of nesting exceeds limit of {MOST_LEVELS}."
    for key in NOT_PERMITTED:
        if key in schema:
            yield f"{where}, '{key}' is not permitted."
    if "$ref" in schema:
        others = set(schema) - {"$ref"}
        if others:
            yield f"{where}, $ref cannot have keywords {others}."
        return
    if not {"type", "anyOf", "enum", "const"} & schema.keys():
        yield f"{where}, schema must have a 'type' key."
    if schema.get("format", "date") not in FORMATS:
        yield f"{where}, '{schema['format']}' is not a valid format."
    if schema.get("type") == "object":
        yield from _object(schema, at)
    if schema.get("type") == "array" and "items" not in schema:
        yield f"{where}, array schema missing items."
    yield from _parts(schema, at, level)


def _object(schema: dict[str, Any], at: Path) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield f"In context={at}, 'additionalProperties' is required to be supplied and to be false."
    required = schema.get("required")
    for name in schema.get("properties") or {}:
        if not isinstance(required, list) or name not in required:
            yield (
                f"In context={at}, 'required' is required to be supplied and to be an array including every key in "
                f"properties. Missing '{name}'."
            )
    for name in required if isinstance(required, list) else ():
        if name not in (schema.get("properties") or {}):
            yield f"In context={at}, 'required' is not a subset of properties: extra key '{name}'."


def _parts(schema: dict[str, Any], at: Path, level: int) -> Iterator[str]:
    for key in ("properties", "$defs", "definitions"):
        deeper = level + 1 if key == "properties" else 0
        for name, part in (schema.get(key) or {}).items():
            yield from _complaints(part, (*at, key, name), deeper)
    if "items" in schema:
        yield from _complaints(schema["items"], (*at, "items"), level + 1)
    for index, part in enumerate(schema.get("anyOf") or ()):
        yield from _complaints(part, (*at, "anyOf", str(index)), level)


def _too_much(schema: Any) -> str | None:
    properties = enums = letters = 0
    rest = [schema]
    while rest:
        part = rest.pop()
        if isinstance(part, list):
            rest += part
        elif isinstance(part, dict):
            found, listed = part.get("properties"), part.get("enum")
            named: dict[str, Any] = found if isinstance(found, dict) else {}
            values: list[Any] = listed if isinstance(listed, list) else []
            properties, enums = properties + len(named), enums + len(values)
            letters += sum(map(len, named)) + sum(len(str(value)) for value in values)
            rest += part.values()
    if properties > MOST_PROPERTIES:
        return f"{properties} object properties exceeds limit of {MOST_PROPERTIES}."
    if enums > MOST_ENUMS:
        return f"{enums} enum values exceeds limit of {MOST_ENUMS}."
    return f"{letters} characters in names exceeds limit of {MOST_LETTERS}." if letters > MOST_LETTERS else None
