"""Pieces on the wire: the schema that a server is held to, and how an answer is read.

What a server promises of a schema is never relied upon: servers ignore bounds, and some ignore the schema itself. An
answer counts when it validates here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from langchain_core.messages import BaseMessage, SystemMessage
from pydantic import ValidationError

from agent.chat_models.base import Piece
from agent.requests import without_controls

__all__ = ["NotThePiece", "in_words", "read_piece", "schema_of", "without_lengths"]

PieceT = TypeVar("PieceT", bound=Piece)

LONGEST_ANSWER = 200_000
DEEPEST_ANSWER = 40
_DROPPED = {"title", "default", "examples"}
_FENCE = re.compile(r"```(?:json|JSON)?\s*\n?(.*?)```", re.DOTALL)


class NotThePiece(ValueError):
    """An answer is not the piece that was asked for; the text says what is wrong, for the model to mend."""


def schema_of(piece: type[Piece]) -> dict[str, Any]:
    """The JSON schema of a piece as servers like it: no references, every field required, nothing beside them.

    OpenAI's strict mode wants exactly this; llama.cpp and vLLM build their grammars from it faster. Fields that may be
    left out must be nullable.

    Raises:
        ValueError: the piece contains itself; such a schema cannot be written out.
    """
    whole = piece.model_json_schema()
    flat: dict[str, Any] = _flat(whole, whole.get("$defs", {}), ())
    return flat


def _flat(node: Any, defs: dict[str, Any], inside: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_flat(one, defs, inside) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = str(node["$ref"]).rsplit("/", 1)[-1]
        if name in inside:
            raise ValueError(f"the piece contains itself by way of {name}")
        beside = {key: value for key, value in node.items() if key != "$ref"}
        return _flat({**defs[name], **beside}, defs, (*inside, name))
    out: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            out[key] = {name: _flat(one, defs, inside) for name, one in value.items()}
        elif key == "const":
            out["enum"] = [value]
        elif key not in _DROPPED and key != "$defs":
            out[key] = _flat(value, defs, inside) if isinstance(value, dict | list) else value
    if out.get("type") == "object" and "properties" in out:
        out["required"] = list(out["properties"])
        out["additionalProperties"] = False
    return out


def without_lengths(node: Any) -> Any:
    """A schema without lengths of texts, which OpenAI's strict mode refuses; others are kept short by them."""
    if isinstance(node, list):
        return [without_lengths(one) for one in node]
    if isinstance(node, dict):
        named = {key: value for key, value in node.items() if key == "properties"}
        kept = {k: without_lengths(v) for k, v in node.items() if k not in ("minLength", "maxLength", *named)}
        return {**kept, **{key: {n: without_lengths(v) for n, v in value.items()} for key, value in named.items()}}
    return node


def in_words(messages: Sequence[BaseMessage], schema: dict[str, Any]) -> list[BaseMessage]:
    """The messages with the schema told in words, for servers that cannot be held to one."""
    told = f"Answer with one JSON object alone, without any other words, of this JSON schema:\n{json.dumps(schema)}"
    first, *rest = messages
    if isinstance(first, SystemMessage):
        return [SystemMessage(f"{first.text}\n\n{told}"), *rest]
    return [SystemMessage(told), first, *rest]


def read_piece(piece: type[PieceT], text: str) -> PieceT:
    """The piece in an answer: bare JSON, JSON in a code fence, or JSON with words around it.

    Raises:
        NotThePiece: there is none, or it does not validate.
    """
    if len(text) > LONGEST_ANSWER:
        raise NotThePiece(f"The answer is {len(text):,} characters long; {LONGEST_ANSWER:,} are allowed.")
    if not text.strip():
        raise NotThePiece("The answer is empty.")
    problem = "There is no JSON object in the answer."
    for data in _objects(text):
        try:
            return piece.model_validate(_clean(data, 0))
        except ValidationError as error:
            problem = _told(error)
        except RecursionError:
            problem = "The JSON nests too deeply."
    raise NotThePiece(problem)


def _objects(text: str) -> list[dict[str, Any]]:
    """Every JSON object in a text that may be the answer, the likeliest first."""
    found: list[dict[str, Any]] = []
    for candidate in (text, *_FENCE.findall(text)):
        data = _parsed(candidate.strip())
        if isinstance(data, dict):
            found.append(data)
    if not found:
        decoder = json.JSONDecoder(parse_constant=_no_constant)
        start, tries = text.find("{"), 0
        # An opening brace in prose may begin nothing; a hostile text holds a hundred thousand of them.
        while start >= 0 and tries < 20:
            tries += 1
            try:
                data, end = decoder.raw_decode(text, start)
            except (ValueError, RecursionError):
                end = start + 1
            else:
                if isinstance(data, dict):
                    found.append(data)
            start = text.find("{", end)
    return found


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _clean(data: Any, depth: int) -> Any:
    """The data without control characters and halves of characters, which reach terminals and file names otherwise."""
    if depth > DEEPEST_ANSWER:
        raise RecursionError
    if isinstance(data, str):
        return without_controls(data)
    if isinstance(data, list):
        return [_clean(one, depth + 1) for one in data]
    if isinstance(data, dict):
        return {without_controls(key): _clean(one, depth + 1) for key, one in data.items()}
    return data


def _told(error: ValidationError) -> str:
    """What is wrong, one line a field, for the model."""
    lines = []
    for one in error.errors(include_url=False, include_input=False, include_context=False)[:8]:
        where = ".".join(str(part) for part in one["loc"]) or "the answer"
        lines.append(f"{where}: {one['msg'].removeprefix('Value error, ')}")
    return "\n".join(lines)
