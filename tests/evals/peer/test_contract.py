"""The peer refuses what real servers refuse, and nothing else."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from evals.peer import Limits, Peer, says
from tests.evals.peer.asking import ask, data_url, picture, request, tool, wants

OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def shown(url: Any, **more: Any) -> list[dict[str, Any]]:
    part = {"type": "image_url", "image_url": {"url": url, **more}}
    return [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, part]}]


def called(*ids: str, arguments: str = '{"query": "x"}') -> dict[str, Any]:
    made = [{"id": one, "type": "function", "function": {"name": "search", "arguments": arguments}} for one in ids]
    return {"role": "assistant", "content": None, "tool_calls": made}


def told(one: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": one, "content": "nothing found"}


USER = {"role": "user", "content": "go on"}
GOOD: dict[str, dict[str, Any]] = {
    "plain": {},
    "system and developer": {"messages": [{"role": "system", "content": "Be short."}, USER]},
    "tool answered": {"messages": [USER, called("a"), told("a")], "tools": [tool()]},
    "two answered": {"messages": [USER, called("a", "b"), told("b"), told("a"), USER], "tools": [tool()]},
    "same id in two turns": {"messages": [USER, called("a"), told("a"), called("a"), told("a")], "tools": [tool()]},
    "form": {"response_format": wants(OBJECT, strict=True)},
    "loose form": {"response_format": wants({"type": "object", "properties": {"a": {"type": "string"}}})},
    "json mode": {"messages": [{"role": "user", "content": "as JSON"}], "response_format": {"type": "json_object"}},
    "forced tool": {"tools": [tool()], "tool_choice": {"type": "function", "function": {"name": "search"}}},
    "numbers": {"temperature": 0.7, "top_p": 1, "max_tokens": 100, "seed": 7, "stop": ["\n"]},
    "assistant refused": {"messages": [USER, {"role": "assistant", "content": None, "refusal": "No."}, USER]},
}  # fmt: skip
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no messages": ({"messages": []}, "empty array"),
    "messages as text": ({"messages": "hello"}, "expected an array"),
    "message as text": ({"messages": ["hello"]}, "expected an object"),
    "unknown role": ({"messages": [{"role": "wizard", "content": "x"}]}, "'wizard'"),
    "no content": ({"messages": [{"role": "user"}]}, "got null"),
    "content as number": ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
    "no parts": ({"messages": [{"role": "user", "content": []}]}, "empty array"),
    "unknown part": ({"messages": [{"role": "user", "content": [{"type": "smell"}]}]}, "'smell'"),
    "picture from the system": ({"messages": [{**shown("x")[0], "role": "system"}]}, "'image_url'"),
    "text part without text": ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "content[0].text"),
    "unknown field": ({"messages": [{**USER, "mood": "good"}]}, "mood"),
    "half a letter": ({"messages": [{"role": "user", "content": "\ud800"}]}, "Unicode"),
    "tool out of nowhere": ({"messages": [USER, told("a")]}, "preceeding message"),
    "tool without id": ({"messages": [USER, called("a"), {"role": "tool", "content": "x"}]}, "tool_call_id"),
    "tool of another call": ({"messages": [USER, called("a"), told("b")]}, "'b' not found"),
    "told twice": ({"messages": [USER, called("a"), told("a"), told("a")]}, "Duplicate tool result"),
    "unanswered": ({"messages": [USER, called("a")]}, "did not have response messages: a"),
    "half answered": ({"messages": [USER, called("a", "b"), told("a"), USER]}, "response messages: b"),
    "assistant too early": ({"messages": [USER, called("a"), called("b"), told("b")]}, "response messages: a"),
    "doubled ids": ({"messages": [USER, called("a", "a"), told("a")]}, "Duplicate value"),
    "empty id": ({"messages": [USER, called("")]}, ".id"),
    "no calls in calls": ({"messages": [USER, {**called(), "content": "x"}]}, "empty array"),
    "arguments no JSON": ({"messages": [USER, called("a", arguments="{"), told("a")]}, "not valid JSON"),
    "arguments a list": ({"messages": [USER, called("a", arguments="[]"), told("a")]}, "not an object"),
    "user calls tools": ({"messages": [{**called("a"), "role": "user", "content": "x"}]}, "tool_calls"),
    "hot": ({"temperature": 3}, "temperature"),
    "temperature as text": ({"temperature": "0"}, "temperature"),
    "no tokens": ({"max_tokens": 0}, "max_tokens"),
    "tokens as decimal": ({"max_tokens": 1.5}, "max_tokens"),
    "two maxima": ({"max_tokens": 5, "max_completion_tokens": 5}, "same time"),
    "stream as text": ({"stream": "yes"}, "stream"),
    "stream options alone": ({"stream_options": {"include_usage": True}}, "stream_options"),
    "many stops": ({"stop": list("abcde")}, "stop"),
    "unknown argument": ({"creativity": 11}, "creativity"),
    "several answers": ({"n": 3}, "'n'"),
    "choice without tools": ({"tool_choice": "auto"}, "only allowed when 'tools'"),
    "no tools in tools": ({"tools": []}, "empty array"),
    "tool name": ({"tools": [tool("search the web")]}, "pattern"),
    "long tool name": ({"tools": [tool("a" * 65)]}, "pattern"),
    "tool twice": ({"tools": [tool(), tool()]}, "unique"),
    "too many tools": ({"tools": [tool(f"t{n}") for n in range(129)]}, "too long"),
    "unknown choice": ({"tools": [tool()], "tool_choice": "perhaps"}, "perhaps"),
    "choice of no tool": (
        {"tools": [tool()], "tool_choice": {"type": "function", "function": {"name": "paint"}}}, "paint",
    ),
    "parameters a list": (
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]}, "type: \"object\"",
    ),
    "form unknown": ({"response_format": {"type": "yaml"}}, "yaml"),
    "form without schema": ({"response_format": {"type": "json_schema"}}, "json_schema"),
    "form name": ({"response_format": wants(OBJECT, "A story!")}, "pattern"),
    "long form name": ({"response_format": wants(OBJECT, "a" * 65)}, "pattern"),
    "json mode in silence": ({"response_format": {"type": "json_object"}}, "must contain the word 'json'"),
    "schema nobody samples": ({"response_format": wants({"type": "object", "not": {}})}, "Invalid schema"),
    "pictures elsewhere": ({"messages": shown("https://example.org/a.png")}, "data: URLs"),
    "pictures of this machine": ({"messages": shown("file:///etc/passwd")}, "data: URLs"),
    "no base64": ({"messages": shown("data:image/png;base64,@@@@")}, "base64"),
    "no picture": ({"messages": shown(data_url(b"hello"))}, "unsupported image"),
    "other type": ({"messages": shown(data_url(picture("png"), "jpeg"))}, "unsupported image"),
    "cut picture": ({"messages": shown(data_url(picture("png")[:-20]))}, "unsupported image"),
    "webp": ({"messages": shown(data_url(b"RIFF....WEBP", "webp"))}, "unsupported image"),
    "picture's detail": ({"messages": shown(data_url(picture()), detail="extreme")}, "extreme"),
}  # fmt: skip


@pytest.fixture(scope="module")
def peer() -> Any:
    with Peer() as made:
        yield made


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_is_answered(peer: Peer, name: str) -> None:
    status, body = ask(peer, **GOOD[name])
    assert status == 200, body
    assert body["choices"][0]["message"]["role"] == "assistant"


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_refused_in_words(peer: Peer, name: str) -> None:
    changes, words = BAD[name]
    status, body = ask(peer, **changes)
    assert status == 400, body
    assert body["error"].keys() >= {"message", "type", "param", "code"}
    assert words in body["error"]["message"]
    assert peer.requests[-1] in peer.refused


def test_only_known_models_answer(peer: Peer) -> None:
    assert ask(peer, model="gpt-9")[0] == 404
    assert ask(peer, model=None)[0] == 400


def test_a_body_must_be_strict_json(peer: Peer) -> None:
    good = json.dumps(request()).encode()
    assert ask(peer, good)[0] == 200
    for wrong in (good[:-1], b"", b"[]", good.replace(b"}", b', "temperature": NaN}', 1), b"\xff", b"[" * 100_000):
        assert ask(peer, wrong)[0] == 400, wrong[:80]


def test_a_key_is_asked_for_where_one_is_set() -> None:
    with Peer(api_key="right") as peer:
        assert ask(peer)[0] == 401


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_pictures_are_decoded_and_kept(peer: Peer, kind: str) -> None:
    data = picture(kind, 32, 24)
    assert ask(peer, messages=shown(data_url(data, kind)))[0] == 200
    kept = peer.requests[-1].pictures[0]
    assert (kept.media_type, kept.data, kept.width, kept.height) == (f"image/{kind}", data, 32, 24)


def test_pictures_have_limits() -> None:
    messages = shown(data_url(picture("png", 64, 48)))
    for limits, fits in ((Limits(), True), (Limits(image_side=63), False), (Limits(image_bytes=50), False)):
        with Peer(limits=limits) as peer:
            assert (ask(peer, messages=messages)[0] == 200) is fits
    with Peer(limits=Limits(images=1)) as peer:
        assert ask(peer, messages=messages * 2)[0] == 400


STRICT: dict[str, tuple[dict[str, Any], str]] = {
    "open object": ({"additionalProperties": True}, "'additionalProperties' is required"),
    "nothing required": ({"required": []}, "Missing 'a'"),
    "required too much": ({"required": ["a", "b"]}, "extra key 'b'"),
    "default": ({"properties": {"a": {"type": "string", "default": "x"}}}, "'default' is not permitted"),
    "length": ({"properties": {"a": {"type": "string", "minLength": 1}}}, "'minLength' is not permitted"),
    "unique": (
        {"properties": {"a": {"type": "array", "items": {"type": "string"}, "uniqueItems": True}}}, "uniqueItems",
    ),
    "one of": ({"properties": {"a": {"oneOf": [{"type": "string"}]}}}, "'oneOf' is not permitted"),
    "no type": ({"properties": {"a": {"description": "what"}}}, "must have a 'type' key"),
    "no items": ({"properties": {"a": {"type": "array"}}}, "missing items"),
    "inner object": ({"properties": {"a": {"type": "object", "properties": {}}}}, "('properties', 'a')"),
    "ref with words": (
        {"properties": {"a": {"$ref": "#/$defs/A", "description": "x"}}, "$defs": {"A": {"type": "string"}}}, "$ref",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STRICT)
def test_strict_schemas_are_held_to_openais_rules_where_openai_is_spoken(peer: Peer, name: str) -> None:
    changes, words = STRICT[name]
    schema = {**copy.deepcopy(OBJECT), **changes}
    status, body = ask(peer, response_format=wants(schema, strict=True))
    assert status == 400
    assert words in body["error"]["message"]
    parameters = {"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}
    assert ask(peer, tools=[parameters])[0] == 400


@pytest.mark.parametrize("name", sorted(STRICT.keys() - {"unique", "required too much"}))
def test_the_same_schemas_pass_where_they_are_not_strict(name: str) -> None:
    schema = {**copy.deepcopy(OBJECT), **STRICT[name][0]}
    with Peer() as peer:
        status, body = ask(peer, response_format=wants(schema, strict=False))
        assert status == 200, body
    with Peer(dialect="vllm") as peer:
        assert ask(peer, response_format=wants(schema, strict=True))[0] == 200
    with Peer(strict_schemas=False) as peer:
        assert ask(peer, response_format=wants(schema, strict=True))[0] == 200


def test_a_strict_schema_has_no_more_than_ten_levels() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(12):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"], "additionalProperties": False}
    with Peer() as peer:
        assert "levels of nesting" in ask(peer, response_format=wants(schema, strict=True))[1]["error"]["message"]
        assert ask(peer, response_format=wants(schema))[0] == 200


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("openai", "context length is 100 tokens"),
        ("vllm", "you requested"),
        ("llama.cpp", "exceeds the available context"),
    ],
)
def test_a_prompt_beyond_the_window_is_refused_in_the_servers_words(dialect: str, words: str) -> None:
    with Peer(dialect=dialect, context=100) as peer:
        assert ask(peer)[0] == 200
        status, body = ask(peer, messages=[{"role": "user", "content": "far too long " * 50}])
        assert status == 400
        assert words in body["error"]["message"]


def test_ollama_cuts_in_silence() -> None:
    with Peer(dialect="ollama", context=100).script(says("yes")) as peer:
        assert ask(peer, messages=[{"role": "user", "content": "far too long " * 50}])[0] == 200
