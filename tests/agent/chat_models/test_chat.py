"""A chat model within a turn, held against the contract peer: right answers, wrong ones, limits, the record."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from pydantic import Field

from agent.chat_models.base import Piece
from agent.chat_models.chat import Chat
from agent.chat_models.errors import (
    BadReply,
    BudgetSpent,
    ChatFailed,
    ChatRefused,
    ChatRejected,
    ChatShut,
    ChatUnavailable,
    ContextOverflow,
)
from agent.chat_models.wire import Wire
from agent.turns import Spending, Turn, read_thoughts
from configs.chat_models import Endpoint, Provider
from configs.settings import Settings
from evals.peer import Peer, Reply, answers, bad_replies, calls, refuses, says
from tools.errors import Cancelled

SECRET = "sk-canary-0123456789abcdef"
MESSAGES = [SystemMessage("You plan films."), HumanMessage("Luca on the beach")]
FUNCTION = {
    "type": "function",
    "function": {
        "name": "search",
        "description": "Look something up.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
    },
}


class Mood(Piece):
    """A small piece."""

    mood: Literal["calm", "tense"] = Field(description="of the scene")
    seconds: float = Field(ge=1, le=60)
    note: str | None = Field(max_length=40)


GOOD = {"mood": "calm", "seconds": 9.0, "note": None}


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer(seed=3, api_key=SECRET) as one:
        yield one


def turn(**limits: Any) -> Turn:
    return Turn("t", Spending(**{"steps": 40, "tokens": 100_000, "seconds": 60.0, **limits}))


def chat(peer: Peer, of: Turn | None = None, *, timeout: float = 10.0, key: str = SECRET, **entry: Any) -> Chat:
    provider = Provider(about="peer", url=peer.url, **{"structured": "strict", **entry})
    wire = Wire(Endpoint("peer", peer.models[0], peer.url, key, provider), timeout)
    return Chat(wire, Settings(), of or turn())


def test_a_piece_is_asked_for_by_its_schema_and_comes_back_typed(peer: Peer) -> None:
    peer.script(answers(GOOD), schema="Mood")
    one = turn()
    assert chat(peer, one).piece(Mood, MESSAGES, label="mood") == Mood(**GOOD)
    assert peer.requests[0].schema["properties"]["mood"]["enum"] == ["calm", "tense"]
    assert one.spending.used_steps == 1
    assert one.spending.used_tokens > 0


@pytest.mark.parametrize("structured", ["json_schema", "strict", "json_object", "none"])
def test_whatever_a_server_can_be_held_to_random_answers_are_valid(peer: Peer, structured: str) -> None:
    if structured in ("json_object", "none"):
        peer.script(answers(GOOD), times=None)
    peer.rules = "vllm" if structured == "json_schema" else "openai"
    for _ in range(5):
        assert isinstance(chat(peer, structured=structured).piece(Mood, MESSAGES, label="mood"), Mood)
    assert not peer.refused
    held = structured in ("json_schema", "strict")
    assert bool(peer.requests[0].schema_name) == held
    assert ("maxLength" in peer.requests[0].text) != held, "told in words where it must be"


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"mood": "calm", "seconds": 9, "note": null}\n```',
        'Of course! Here it is: {"mood": "calm", "seconds": 9, "note": null} Enjoy.',
        '{"mood": "calm", "seconds": "9", "note": null, "more": [1, 2]}',
        'a { b } c {"mood": "calm", "seconds": 9, "note": null}',
    ],
)
def test_an_answer_with_something_around_it_is_understood(peer: Peer, text: str) -> None:
    peer.script(says(text))
    assert chat(peer).piece(Mood, MESSAGES, label="mood").mood == "calm"
    assert len(peer.requests) == 1


BAD_TEXTS = [
    "",
    "I would say calm.",
    '{"mood": "grim", "seconds": 9, "note": null}',
    '{"mood": "calm", "seconds": 900, "note": null}',
    '{"mood": "calm", "seconds": NaN, "note": null}',
    '{"mood": "calm"',
    '{"a":' * 3_000 + "1" + "}" * 3_000,
    "{" * 50_000,
    '{"mood": "calm", "seconds": 9, "note": "' + "x" * 300_000 + '"}',
]


@pytest.mark.parametrize("text", BAD_TEXTS, ids=range(len(BAD_TEXTS)))
def test_a_bad_answer_is_sent_back_once_with_what_is_wrong(peer: Peer, text: str) -> None:
    peer.script(says(text), answers(GOOD))
    one = turn()
    assert chat(peer, one).piece(Mood, MESSAGES, label="mood").mood == "calm"
    first, again = peer.requests
    assert "This is not valid" in again.text
    assert len(again.text) < len(first.text) + 4_000, "a huge answer is not sent back whole"
    assert [thought.kind for thought in one.thoughts] == ["note"]


@pytest.mark.parametrize("text", BAD_TEXTS[1:4])
def test_a_second_bad_answer_is_the_end_of_it(peer: Peer, text: str) -> None:
    peer.script(says(text), times=None)
    with pytest.raises(BadReply, match="no valid mood"):
        chat(peer).piece(Mood, MESSAGES, label="mood")
    assert len(peer.requests) == 2


def test_a_check_of_the_caller_is_part_of_what_is_valid(peer: Peer) -> None:
    peer.script(answers({**GOOD, "seconds": 50}), answers(GOOD))

    def short(mood: Mood) -> None:
        if mood.seconds > 20:
            raise ValueError("seconds: at most 20 were asked for")

    assert chat(peer).piece(Mood, MESSAGES, label="mood", check=short).seconds == 9
    assert "at most 20 were asked for" in peer.requests[1].text


def test_a_busy_server_is_waited_for_and_one_that_asks_too_much_patience_is_not(peer: Peer) -> None:
    peer.fault("rate_limited", seconds=1).script(answers(GOOD))
    begun = time.monotonic()
    assert chat(peer).piece(Mood, MESSAGES, label="mood").mood == "calm"
    assert time.monotonic() - begun >= 1.0
    peer.reset().fault("rate_limited", seconds=3600, times=None)
    with pytest.raises(ChatUnavailable, match="busy"):
        chat(peer).piece(Mood, MESSAGES, label="mood")
    assert len(peer.requests) == 1


def test_a_server_that_failed_is_asked_again_and_then_left_alone_for_the_turn(peer: Peer) -> None:
    peer.fault("server_error", times=None)
    one = turn()
    with pytest.raises(ChatUnavailable):
        chat(peer, one).piece(Mood, MESSAGES, label="mood")
    asked = len(peer.requests)
    assert asked == 3
    with pytest.raises(ChatUnavailable, match="before in this turn"):
        chat(peer, one).text(MESSAGES, label="title")
    assert len(peer.requests) == asked
    peer.reset().script(says("A title"))
    assert chat(peer).text(MESSAGES, label="title") == "A title", "the next turn tries anew"


def test_nobody_there_is_told_without_a_key() -> None:
    with Peer() as gone:
        url = gone.url
    provider = Provider(about="gone", url=url, structured="json_schema")
    lost = Chat(Wire(Endpoint("peer", "m", url, SECRET, provider), 5.0), Settings(), turn())
    with pytest.raises(ChatUnavailable, match="cannot be reached") as raised:
        lost.text(MESSAGES, label="title")
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(("key", "what"), [("sk-wrong-canary-99999", "wrong"), ("", "missing")])
def test_a_wrong_key_is_told_with_the_variable_it_is_taken_from_and_not_shown(peer: Peer, key: str, what: str) -> None:
    provider = Provider(about="peer", url=peer.url, key="STUDIO_LLM_API_KEY")
    one = Chat(Wire(Endpoint("peer", peer.models[0], peer.url, key, provider), 10.0), Settings(), turn())
    with pytest.raises(ChatRejected, match=f"key is {what}. To mend it: export STUDIO_LLM_API_KEY=") as raised:
        one.text(MESSAGES, label="title")
    assert "canary" not in str(raised.value)


def test_where_no_key_is_sent_it_is_told_where_one_is_named(peer: Peer) -> None:
    with pytest.raises(ChatRejected, match="No key is sent to peer"):
        chat(peer, key="").text(MESSAGES, label="title")


@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_a_silent_or_dripping_server_does_not_outlast_its_time(peer: Peer, how: str) -> None:
    reply = answers(GOOD)
    peer.script(reply.but(delay=30.0) if how == "silent" else reply.but(drip=0.3, body=b" " * 4_000), times=None)
    begun = time.monotonic()
    with pytest.raises(ChatFailed):
        chat(peer, timeout=1.0).piece(Mood, MESSAGES, label="mood")
    assert time.monotonic() - begun < 8.0


def test_a_person_who_stops_does_not_wait_for_the_server(peer: Peer) -> None:
    peer.script(answers(GOOD).but(delay=30.0))
    one = turn()
    threading.Timer(0.3, one.spending.cancel.set).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        chat(peer, one, timeout=60.0).piece(Mood, MESSAGES, label="mood")
    assert time.monotonic() - begun < 5.0


def test_a_request_that_is_too_long_is_shortened_once(peer: Peer) -> None:
    peer.context = 3_000
    long = [MESSAGES[0], HumanMessage("old " * 4_000), AIMessage("yes"), HumanMessage("begin " + "x" * 3_000 + " end")]
    peer.script(answers(GOOD), times=None)
    assert chat(peer).piece(Mood, long, label="mood").mood == "calm"
    sent = peer.requests[-1].text
    assert "begin" in sent
    assert "end" in sent
    assert "old old" not in sent
    peer.context = 10
    with pytest.raises(ContextOverflow):
        chat(peer).piece(Mood, long, label="mood")


def test_a_refusal_is_told_from_a_failure(peer: Peer) -> None:
    peer.script(refuses("I cannot."))
    with pytest.raises(ChatRefused, match="I cannot"):
        chat(peer).piece(Mood, MESSAGES, label="mood")


@pytest.mark.parametrize("limit", ["steps", "tokens", "seconds"])
def test_a_turn_spends_no_more_than_its_budget(peer: Peer, limit: str) -> None:
    peer.script(says("word " * 50), times=None)
    one = turn(**{limit: {"steps": 3, "tokens": 120, "seconds": 0.001}[limit]})
    asked = chat(peer, one)
    for _ in range(10):
        with suppress(BudgetSpent, ChatUnavailable):
            asked.text(MESSAGES, label="title")
    assert len(peer.requests) <= 3
    with pytest.raises((BudgetSpent, ChatUnavailable)):
        asked.text(MESSAGES, label="title")


@pytest.mark.parametrize("told", ["Infinity", "-5", "NaN", "1e300", "99999999999999"])
def test_a_count_of_tokens_that_is_none_is_not_booked(peer: Peer, told: str) -> None:
    """An infinite one would use up the turn, a negative one would lengthen it."""
    choice = '{"index": 0, "message": {"role": "assistant", "content": "A title, in words"}, "finish_reason": "stop"}'
    usage = f'{{"prompt_tokens": {told}, "completion_tokens": {told}, "total_tokens": {told}}}'
    body = f'{{"id": "1", "object": "chat.completion", "model": "m", "choices": [{choice}], "usage": {usage}}}'
    peer.script(says("").but(body=body.encode()))
    one = turn()
    with suppress(BadReply):
        assert chat(peer, one).text(MESSAGES, label="title") == "A title, in words"
    assert 0 <= one.spending.used_tokens < 100


@pytest.mark.parametrize("told", ["Unsupported value: 'temperature' does not support 0.5 with this model."])
def test_a_parameter_that_a_server_refuses_is_left_out_from_then_on(peer: Peer, told: str) -> None:
    body = f'{{"error": {{"message": "{told}", "type": "invalid_request_error", "param": null, "code": null}}}}'
    refusal = says("").but(status=400, body=body.encode(), content_type="application/json")
    peer.script(lambda seen: refusal if "temperature" in seen.body else None, times=None)
    peer.script(answers(GOOD), times=None)
    model = chat(peer)
    for _ in range(2):
        assert model.piece(Mood, MESSAGES, label="mood").mood == "calm"
    assert ["temperature" in seen.body for seen in peer.requests] == [True, False, False]


@pytest.mark.parametrize("status", [400, 500])
def test_a_server_that_cannot_take_schemas_is_asked_in_words(peer: Peer, status: int) -> None:
    body = b'{"error": {"message": "response_format json_schema is not supported", "type": "x", "param": null}}'
    refusal = says("").but(status=status, body=body, content_type="application/json")
    peer.script(lambda seen: refusal if "response_format" in seen.body else None, times=None)
    peer.script(answers(GOOD), times=None)
    model = chat(peer)
    assert model.piece(Mood, MESSAGES, label="mood").mood == "calm"
    asked = len(peer.requests)
    assert model.piece(Mood, MESSAGES, label="mood").mood == "calm"
    assert len(peer.requests) == asked + 1, "and remembered"


def test_functions_are_offered_and_calls_come_back_as_they_are(peer: Peer) -> None:
    peer.script(calls(("search", {"query": "harbours"}), ("nothing", "{broken")))
    step = chat(peer).step(MESSAGES, [FUNCTION], label="step 1")
    assert [(one.name, one.arguments) for one in step.calls] == [
        ("search", '{"query": "harbours"}'),
        ("nothing", "{broken"),
    ]
    assert "search" in peer.requests[0].tools


def test_control_characters_do_not_come_through(peer: Peer) -> None:
    peer.script(says("A \x1b[31mred\x1b[0m \u202etitle\x07"), answers({**GOOD, "note": "\x1b]0;x\x07ok"}))
    assert chat(peer).text(MESSAGES, label="title") == "A red title"
    assert "\x1b" not in str(chat(peer).piece(Mood, MESSAGES, label="mood").note)


def test_a_hundred_bad_replies_end_in_a_piece_or_a_reason(peer: Peer) -> None:
    """Each kind of bad reply many times over; whatever comes is a piece that validates or a `ChatFailed`."""
    ended: dict[str, int] = {}
    told: list[str] = []
    for bad in bad_replies(120, seed=5):
        peer.reset().script(bad, times=None)
        one = turn(seconds=0.6)
        try:
            piece = chat(peer, one, timeout=0.6).piece(Mood, MESSAGES, label="mood")
            Mood.model_validate(piece.model_dump())
            ended["piece"] = ended.get("piece", 0) + 1
        except ChatFailed as failure:
            ended[type(failure).__name__] = ended.get(type(failure).__name__, 0) + 1
            told.append(str(failure))
        assert one.spending.used_steps <= 3
        assert SECRET not in " ".join(thought.text for thought in one.thoughts)
    assert not [text for text in told if SECRET in text or len(text) > 1_500]
    assert ended.keys() >= {"piece", "BadReply", "ChatUnavailable", "ChatRefused"}, ended


def test_thoughts_are_on_disk_as_they_come(tmp_path: Path) -> None:
    one = turn()
    one.path = tmp_path / "thoughts" / "t.jsonl"
    told: list[Any] = []
    one.tell = told.append
    one.think("thought", "first \x1b[31m" + "y" * 9_000, source="peer/m")
    one.think("piece", "calm", label="mood", source="offline")
    with one.path.open("a") as file:
        file.write('{"kind": "thought", "te')
    kept = list(read_thoughts(one.path))
    assert kept == one.thoughts
    assert len(kept[0].text) < 4_100
    assert "\x1b" not in one.path.read_text()
    assert [event["node"] for event in told] == ["thought", "thought"]


def test_a_full_disk_ends_the_record_and_not_the_turn(tmp_path: Path) -> None:
    one = turn()
    (tmp_path / "file").write_text("")
    one.path = tmp_path / "file" / "t.jsonl"
    one.think("note", "x")
    assert len(one.thoughts) == 1


def test_a_server_that_turns_us_away_is_not_asked_again_in_this_turn(peer: Peer) -> None:
    one = turn()
    for _ in range(3):
        with pytest.raises(ChatShut) as caught:
            chat(peer, one, key="sk-wrong-0123456789abcdef").piece(Mood, MESSAGES, label="mood")
    assert len(peer.requests) == 1
    assert "turned us away before" in str(caught.value)
    assert "Error code" not in one.thoughts[0].text, "the client's own wrapping is left out"
    with suppress(ChatFailed):
        chat(peer, turn(), key="sk-wrong-0123456789abcdef").piece(Mood, MESSAGES, label="mood")
    assert len(peer.requests) == 2, "the next turn asks again"


def test_what_is_wrong_with_one_request_does_not_close_the_server(peer: Peer) -> None:
    peer.script(Reply(status=403, body=b'{"error": {"message": "flagged"}}'), answers(GOOD))
    one = turn()
    with pytest.raises(ChatRejected):
        chat(peer, one).piece(Mood, MESSAGES, label="mood")
    assert chat(peer, one).piece(Mood, MESSAGES, label="mood").mood == "calm"


def test_a_thought_tells_what_its_requests_took(peer: Peer) -> None:
    peer.script(says("no"), answers(GOOD))
    one = turn()
    chat(peer, one).piece(Mood, MESSAGES, label="mood")
    one.think("piece", "mood", source="peer/tiny-random", label="mood")
    one.think("piece", "by rules", source="offline", label="mood")
    assert sum(thought.tokens for thought in one.thoughts) == one.spending.used_tokens > 0
    assert [bool(thought.tokens) for thought in one.thoughts] == [True, True, False]
