"""Each kind of fault is what its name says, on the wire; a series of them repeats with its seed."""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from typing import Any

import pytest

from evals.peer import BAD_REPLIES, HUGE, Bad, Peer, answers, bad_replies, calls
from tests.evals.peer.asking import ask, request, tool, wants

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "shots": {"type": "array", "items": {"type": "integer"}}},
    "required": ["title", "shots"],
    "additionalProperties": False,
}
RIGHT = {"title": "The boat", "shots": [1, 2]}
ASKED: tuple[dict[str, Any], ...] = (
    {},
    {"response_format": wants(SCHEMA)},
    {"tools": [tool()]},
    {"tools": [tool("paint", size={"type": "integer"}, on={"type": "boolean"})], "tool_choice": "required"},
)


@pytest.fixture(scope="module")
def peer() -> Any:
    with Peer() as made:
        yield made


def content(body: Any) -> Any:
    return body["choices"][0]["message"]["content"]


def called(body: Any) -> list[dict[str, Any]]:
    return list(body["choices"][0]["message"].get("tool_calls") or [])


@pytest.mark.parametrize("kind", BAD_REPLIES)
def test_every_kind_is_sent_to_every_request_and_the_next_is_right(peer: Peer, kind: str) -> None:
    for changes in ASKED:
        for streamed in (False, True):
            peer.script(Bad(kind, seed=len(peer.requests)))
            try:
                ask(peer, **changes, stream=streamed)
            except (http.client.HTTPException, OSError):
                pass
            bad = peer.requests[-1].reply
            assert bad is not None, peer.requests[-1].error
            assert bad.kind == kind
    status, body = ask(peer)
    assert status == 200
    assert peer.requests[-1].reply is not None
    assert peer.requests[-1].reply.kind == "right"
    assert content(body)


def test_a_series_repeats_with_its_seed_and_has_every_kind() -> None:
    first, again, other = bad_replies(1000, 3), bad_replies(1000, 3), bad_replies(1000, 4)
    assert first == again != other
    counted = Counter(bad.kind for bad in first)
    assert set(counted) == set(BAD_REPLIES)
    assert sum(counted[kind] for kind in HUGE) == 8
    assert min(counted[kind] for kind in counted.keys() - HUGE) >= 10
    assert not {bad.kind for bad in bad_replies(200, without=frozenset({"prose"}))} & {"prose"}


def test_a_series_is_sent_alike_twice() -> None:
    kinds = frozenset({"delayed", "slow_drip"}) | HUGE
    runs = []
    for _ in range(2):
        with Peer(seed=5) as peer:
            peer.script(*bad_replies(120, 5, without=kinds))
            got: list[Any] = []
            for at in range(120):
                try:
                    got.append(ask(peer, **ASKED[at % 4]))
                except (http.client.HTTPException, OSError) as error:
                    got.append(type(error))
            runs.append(got)
    assert runs[0] == runs[1]


def test_an_unknown_kind_is_told() -> None:
    with pytest.raises(KeyError):
        Peer().fault("bad_mood")


@pytest.mark.parametrize(("seconds", "header"), [(7, "7"), ("", None), ("soon", "soon")])
def test_429_says_when_to_come_again(peer: Peer, seconds: Any, header: str | None) -> None:
    peer.fault("rate_limited", seconds=seconds)
    connection = http.client.HTTPConnection("127.0.0.1", int(peer.url.split(":")[2].split("/")[0]), timeout=30)
    connection.request("POST", "/v1/chat/completions", json.dumps(request()))
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Retry-After")) == (429, header)
    connection.close()


def test_faults_last_as_long_as_they_are_told_to(peer: Peer) -> None:
    peer.fault("server_error", times=2, status=503)
    assert [ask(peer)[0] for _ in range(3)] == [503, 503, 200]
    peer.fault("server_error", times=None, status=500, when=lambda seen: "boat" in seen.text)
    assert [ask(peer)[0] for _ in range(5)] == [500] * 5
    assert ask(peer, messages=[{"role": "user", "content": "else"}])[0] == 200
    peer.reset()
    assert ask(peer)[0] == 200


def test_what_a_fault_bends_is_the_scripted_answer_and_that_comes_next(peer: Peer) -> None:
    peer.fault("fenced").script(answers(RIGHT), schema="Story")
    asked = {"response_format": wants(SCHEMA)}
    assert json.dumps(RIGHT) in content(ask(peer, **asked)[1])
    assert content(ask(peer, **asked)[1]) == json.dumps(RIGHT)


@pytest.mark.parametrize("kind", ["fenced", "wrapped", "prose", "nearly_json", "truncated", "deep", "repeated"])
def test_such_content_is_not_the_json_that_was_asked_for(peer: Peer, kind: str) -> None:
    readable = 0
    for seed in range(25):
        peer.script(Bad(kind, seed)).script(answers(RIGHT))
        text = content(ask(peer, response_format=wants(SCHEMA))[1])
        ask(peer)
        try:
            readable += json.loads(text) == RIGHT
        except (ValueError, RecursionError):
            pass
    # Some of what is nearly JSON is JSON after all: other blanks.
    assert readable <= (12 if kind == "nearly_json" else 0)


def test_ids_that_are_doubled_are_doubled(peer: Peer) -> None:
    peer.fault("duplicate_ids")
    ids = [call["id"] for call in called(ask(peer, tools=[tool()], tool_choice="required")[1])]
    assert len(ids) > len(set(ids))
    peer.fault("no_id")
    assert all("id" not in call for call in called(ask(peer, tools=[tool()], tool_choice="required")[1])[:1])


def test_arguments_that_are_malformed_or_of_other_types_do_not_fit(peer: Peer) -> None:
    for seed in range(30):
        right = calls(("search", {"query": "harbours"}))
        peer.script(Bad("malformed_arguments", seed)).script(right)
        text = called(ask(peer, tools=[tool()])[1])[0]["function"]["arguments"]
        ask(peer, tools=[tool()])
        try:
            read = json.loads(text)
        except ValueError:
            continue
        assert not isinstance(read, dict)
    peer.fault("wrong_argument_types").script(calls(("search", {"query": "harbours"})))
    read = json.loads(called(ask(peer, tools=[tool()])[1])[0]["function"]["arguments"])
    assert not isinstance(read["query"], str)
    peer.reset().fault("unknown_tool")
    assert called(ask(peer, tools=[tool()])[1])[0]["function"]["name"] != "search"


def test_what_ignores_the_choice_ignores_it_both_ways(peer: Peer) -> None:
    peer.reset().fault("ignores_tool_choice")
    assert not called(ask(peer, tools=[tool()], tool_choice="required")[1])
    peer.fault("ignores_tool_choice")
    assert called(ask(peer, tools=[tool()], tool_choice="none")[1])


def test_a_cut_answer_ends_early_and_says_so_only_by_its_length(peer: Peer) -> None:
    for streamed in (False, True):
        peer.fault("cut_body", share=0.5)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            ask(peer, stream=streamed)


def test_a_delay_is_waited_and_does_not_hold_up_the_end() -> None:
    with Peer() as peer:
        peer.fault("delayed", seconds=0.3)
        start = time.perf_counter()
        assert ask(peer)[0] == 200
        assert time.perf_counter() - start >= 0.3
        peer.fault("delayed", seconds=600)
        connection = http.client.HTTPConnection("127.0.0.1", int(peer.url.split(":")[2].split("/")[0]), timeout=30)
        connection.request("POST", "/v1/chat/completions", json.dumps(request()))
        start = time.perf_counter()
    assert time.perf_counter() - start < 30
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse()


def test_huge_is_huge(peer: Peer) -> None:
    peer.fault("huge_content")
    assert len(content(ask(peer)[1])) >= 9_000_000
    peer.fault("huge_arguments", size=2_000_000)
    assert len(called(ask(peer, tools=[tool()])[1])[0]["function"]["arguments"]) > 2_000_000


@pytest.mark.parametrize(
    ("dialect", "code"), [("openai", "context_length_exceeded"), ("vllm", 400), ("llama.cpp", 400)]
)
def test_overflow_has_the_words_of_each_server(peer: Peer, dialect: str, code: Any) -> None:
    peer.fault("context_overflow", dialect=dialect)
    status, body = ask(peer)
    assert (status, body["error"]["code"]) == (400, code)
