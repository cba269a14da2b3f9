"""Schemas for models: definitions written in, titles gone, the strict form, and functions made of typed Python."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from tools.errors import InvalidInput
from tools.functions import Answer, estimate_tokens, function, function_of_tool, simplify, strict_schema
from tools.image.tool import GenerateImage
from tools.registry import Registry


class Inner(BaseModel):
    """Inside."""

    size: int = Field(3, ge=1, description="how   big\n it is")


class Outer(BaseModel):
    """Outside."""

    name: str = Field(min_length=1, max_length=9, description="its name")
    inner: Inner
    maybe: Inner | None = Field(None, description="another")
    many: list[Inner] = []
    mood: Literal["calm", "wild"] | None = None
    kind: str = ""


class Tree(BaseModel):
    """A tree."""

    leaves: list[Tree] = []


def test_definitions_are_written_in_and_noise_is_gone() -> None:
    simple = simplify(Outer.model_json_schema())
    text = json.dumps(simple)
    for word in ("$ref", "$defs", "title", "minLength", "maxLength", "null", "Outside"):
        assert word not in text
    assert simple["required"] == ["name", "inner"]
    assert simple["properties"]["inner"]["properties"]["size"]["description"] == "how big it is"
    assert simple["properties"]["maybe"] == {**simple["properties"]["inner"], "description": "another"}
    assert simple["properties"]["mood"] == {"enum": ["calm", "wild"], "type": "string"}
    assert "default" not in simple["properties"]["kind"]


def test_a_definition_that_contains_itself_stays_one() -> None:
    simple = simplify(Tree.model_json_schema())
    assert simple["$defs"]["Tree"]["properties"]["leaves"]["items"] == {"$ref": "#/$defs/Tree"}


def test_what_refers_outside_or_has_no_end_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not in it"):
        simplify({"type": "object", "properties": {"a": {"$ref": "https://evil.example/schema"}}})
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(100):
        deep = {"type": "object", "properties": {"a": deep}}
    with pytest.raises(InvalidInput, match="too deeply"):
        simplify(deep)
    bomb = {
        f"d{n}": {"type": "object", "properties": {k: {"$ref": f"#/$defs/d{n + 1}"} for k in "abcdefgh"}}
        for n in range(12)
    }
    bomb["d12"] = {"type": "object"}
    with pytest.raises(InvalidInput, match="too large"):
        simplify({"$defs": bomb, "$ref": "#/$defs/d0"})


def check_strict(node: Any) -> None:
    if isinstance(node, list):
        for one in node:
            check_strict(one)
    if not isinstance(node, dict):
        return
    assert "default" not in node
    if node.get("type") == "object":
        assert node["required"] == list(node["properties"])
        assert node["additionalProperties"] is False
    for value in node.values():
        check_strict(value)


def test_the_strict_form_requires_everything_and_allows_null_for_what_may_be_left_out() -> None:
    strict = strict_schema(simplify(Outer.model_json_schema()))
    check_strict(strict)
    assert strict["properties"]["kind"]["type"] == ["string", "null"]
    assert {"type": "null"} in strict["properties"]["maybe"]["anyOf"]
    assert strict["properties"]["maybe"]["description"] == "another"
    assert strict["properties"]["name"] == {"type": "string", "description": "its name"}


def test_what_strict_mode_cannot_say_is_offered_without_it() -> None:
    @function()
    def free(_: None, values: Annotated[dict[str, float], Field(description="by name")]) -> Answer:
        """Take numbers by name."""
        return Answer(str(values))

    assert "strict" not in free.schema(strict=True)["function"]


def test_nulls_of_strict_mode_are_what_was_left_out() -> None:
    @function()
    def greet(_: None, name: str, loud: bool = False) -> Answer:
        """Greet somebody.

        Args:
            name: whom,
                by first name.
            loud: or not.
        """
        return Answer(f"{name} {loud}")

    assert greet.schema(strict=True)["function"]["strict"]
    values = greet.read('{"name": "Luca", "loud": null}')
    assert greet.call(None, values).text == "Luca False"
    assert greet.canonical(values) == greet.canonical(greet.read({"loud": "no", "name": "Luca"}))
    assert greet.parameters["properties"]["name"]["description"] == "whom, by first name."
    assert greet.description == "Greet somebody."


def test_a_function_that_would_leave_a_model_guessing_is_not_made() -> None:
    def silent(_: None) -> Answer:
        return Answer("")

    def untold(_: None, what: str) -> Answer:
        """Do something."""
        return Answer(what)

    def untyped(_: None, what) -> Answer:  # type: ignore[no-untyped-def]
        """Do something.

        Args:
            what: it.
        """
        return Answer(what)

    for made, says in ((silent, "no docstring"), (untold, "no description"), (untyped, "no type")):
        with pytest.raises(InvalidInput, match=says):
            function()(made)
    with pytest.raises(InvalidInput, match="name of a function"):
        replace(function_of_tool("fine", GenerateImage, lambda _context, _values: Answer("")), name="no good")


def fields(schema: dict[str, Any], path: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, one in schema.get("properties", {}).items():
        where = f"{path}.{name}"
        found += [(where, one), *fields(one, where), *fields(one.get("items", {}), where)]
    return found


def test_every_tool_of_the_registry_and_each_of_its_fields_is_described() -> None:
    for spec in Registry.load().tools():
        made = function_of_tool(spec.name, spec.tool, lambda _context, _values: Answer(""))
        assert len(made.description) > 20
        for path, field in fields(made.parameters, spec.name):
            assert field.get("description"), f"{path} says nothing of itself"
        assert spec.function["function"]["parameters"] == made.parameters, "one schema everywhere"


def test_tokens_are_estimated_near_what_vocabularies_count() -> None:
    # Counted once with the tokenizer of all-MiniLM (WordPiece) and of GPT-2: 13 and 12 for this sentence.
    assert 10 <= estimate_tokens("Luca and Alberto run along the beach at sunset, laughing.") <= 15
    assert estimate_tokens({"a": 1}) < estimate_tokens({"a": 1, "bigger": [1, 2, 3]})
