"""The peer is what the real clients expect: the openai SDK and langchain-openai."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from evals.peer import Peer, answers, calls, refuses, says
from tests.evals.peer.asking import data_url, picture, tool

openai = pytest.importorskip("openai")
MODEL = "tiny-random"
USER = [{"role": "user", "content": "A boat."}]


class Shot(BaseModel):
    """One shot."""

    who: str
    size: Literal["wide", "close"]
    seconds: Annotated[float, Field(ge=1, le=9)]
    line: str | None


class Scene(BaseModel):
    """A scene."""

    title: str
    shots: Annotated[list[Shot], Field(min_length=1, max_length=4)]


class Loose(BaseModel):
    """With a default, which strict schemas may not have."""

    title: str = "The boat"


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer(api_key="secret") as made:
        yield made


@pytest.fixture(scope="module")
def client(peer: Peer) -> Any:
    return openai.OpenAI(base_url=peer.url, api_key="secret", max_retries=0)


def chat(peer: Peer, **more: Any) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(base_url=peer.url, api_key="secret", model=MODEL, max_retries=0, **more)


def test_the_sdk_lists_models(client: Any) -> None:
    assert [model.id for model in client.models.list()] == [MODEL]
    assert client.models.retrieve(MODEL).id == MODEL


def test_the_sdk_reads_a_completion(client: Any, peer: Peer) -> None:
    peer.script(says("Buongiorno, è già mattina."))
    done = client.chat.completions.create(model=MODEL, messages=USER)
    assert done.choices[0].message.content == "Buongiorno, è già mattina."
    assert done.choices[0].finish_reason == "stop"
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens > 0
    assert "secret" not in repr(peer.requests[-1])


def test_the_sdk_parses_strict_structured_outputs(client: Any, peer: Peer) -> None:
    for _ in range(10):
        done = client.chat.completions.parse(model=MODEL, messages=USER, response_format=Scene)
        assert isinstance(done.choices[0].message.parsed, Scene)
    assert peer.requests[-1].schema_name == "Scene"
    assert peer.requests[-1].body["response_format"]["json_schema"]["strict"] is True
    peer.script(refuses("No."))
    refused = client.chat.completions.parse(model=MODEL, messages=USER, response_format=Scene)
    assert (refused.choices[0].message.parsed, refused.choices[0].message.refusal) == (None, "No.")


def test_the_sdk_is_told_what_strict_schemas_may_not_have(client: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="'default' is not permitted"):
        client.chat.completions.parse(model=MODEL, messages=USER, response_format=Loose)


def test_the_sdk_reads_a_stream(client: Any, peer: Peer) -> None:
    text = "a long sentence about boats, " * 20
    peer.script(says(text))
    stream = client.chat.completions.create(
        model=MODEL, messages=USER, stream=True, stream_options={"include_usage": True}
    )
    pieces = list(stream)
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices) == text
    assert len(pieces) > 10
    assert pieces[-1].usage.total_tokens > 0
    assert [piece.choices[0].finish_reason for piece in pieces if piece.choices][-1] == "stop"


def test_the_sdk_reads_streamed_tool_calls(client: Any, peer: Peer) -> None:
    query = "harbours " * 30
    peer.script(calls(("search", {"query": query}), ("search", {"query": "boats"})))
    with client.chat.completions.stream(model=MODEL, messages=USER, tools=[tool()]) as stream:
        for _ in stream:
            pass
        made = stream.get_final_completion().choices[0].message.tool_calls
    assert [json.loads(call.function.arguments)["query"] for call in made] == [query, "boats"]
    assert len({call.id for call in made}) == 2


@pytest.mark.parametrize(
    ("kind", "how", "error"),
    [
        ("rate_limited", {"seconds": 1}, "RateLimitError"),
        ("out_of_quota", {}, "RateLimitError"),
        ("server_error", {"status": 503}, "InternalServerError"),
        ("not_allowed", {"status": 401}, "AuthenticationError"),
        ("context_overflow", {}, "BadRequestError"),
        ("cut_body", {"share": 0.5}, "APIConnectionError"),
        ("delayed", {"seconds": 5}, "APITimeoutError"),
        ("malformed_body", {}, None),
    ],
)
def test_the_sdk_sees_faults_as_its_own_errors(
    client: Any, peer: Peer, kind: str, how: dict[str, Any], error: str | None
) -> None:
    peer.fault(kind, **how)
    with pytest.raises(getattr(openai, error) if error else Exception):
        client.chat.completions.create(model=MODEL, messages=USER, timeout=1.5 if kind == "delayed" else 30).choices[0]


def test_the_sdk_comes_again_after_429_and_500(peer: Peer) -> None:
    patient = openai.OpenAI(base_url=peer.url, api_key="secret", max_retries=2)
    before = len(peer.requests)
    peer.fault("server_error", status=500).fault("rate_limited", seconds=0)
    assert patient.chat.completions.create(model=MODEL, messages=USER).choices
    assert [seen.status for seen in peer.requests[before:]] == [429, 500, 200]


def test_a_wrong_key_and_a_wrong_model_are_refused(peer: Peer, client: Any) -> None:
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=peer.url, api_key="wrong", max_retries=0).chat.completions.create(
            model=MODEL, messages=USER
        )
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="gpt-9", messages=USER)


def test_langchain_gets_structured_output(peer: Peer) -> None:
    asking = chat(peer).with_structured_output(Scene, method="json_schema")
    for _ in range(5):
        assert isinstance(asking.invoke("A scene."), Scene)
    peer.script(answers({"title": "t", "shots": []}))
    with pytest.raises(ValueError):
        asking.invoke("A scene.")


def test_langchain_binds_tools_and_its_history_passes_the_strict_check(peer: Peer) -> None:
    from langchain_core.messages import HumanMessage, ToolMessage

    asking = chat(peer).bind_tools([tool()], tool_choice="required")
    history: list[Any] = [HumanMessage("Find harbours.")]
    for _ in range(4):
        answer = asking.invoke(history)
        assert answer.tool_calls
        assert not answer.invalid_tool_calls
        history.append(answer)
        history += [ToolMessage("found", tool_call_id=call["id"]) for call in answer.tool_calls]
    with pytest.raises(openai.BadRequestError, match="did not have response messages"):
        asking.invoke([*history[:-1], HumanMessage("go on")])


def test_langchain_streams_text_and_calls(peer: Peer) -> None:
    peer.script(says("one two three four five six seven eight nine"))
    assert "".join(str(piece.content) for piece in chat(peer).stream("count")).endswith("eight nine")
    peer.script(calls(("search", {"query": "boats"})))
    pieces = list(chat(peer).bind_tools([tool()]).stream("find"))
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    assert [(call["name"], call["args"]) for call in whole.tool_calls] == [("search", {"query": "boats"})]


def test_langchain_keeps_malformed_arguments_apart(peer: Peer) -> None:
    peer.script(calls(("search", "{query")))
    answer = chat(peer).bind_tools([tool()]).invoke("find")
    assert not answer.tool_calls
    assert answer.invalid_tool_calls[0]["name"] == "search"


def test_langchain_sends_pictures(peer: Peer) -> None:
    from langchain_core.messages import HumanMessage

    data = picture("jpeg", 32, 24)
    parts: list[Any] = [
        {"type": "text", "text": "Who is it?"},
        {"type": "image_url", "image_url": {"url": data_url(data, "jpeg")}},
    ]
    chat(peer).invoke([HumanMessage(content=parts)])
    assert peer.requests[-1].pictures[0].data == data


async def _both(peer: Peer) -> list[Any]:
    import asyncio

    return await asyncio.gather(*(chat(peer).ainvoke(f"Shot {at}") for at in range(12)))


def test_many_ask_at_once(peer: Peer) -> None:
    import asyncio

    done = asyncio.run(_both(peer))
    assert len({answer.content for answer in done}) == 12
