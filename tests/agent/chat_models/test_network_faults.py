"""R7 at the model's side: whatever the network does, nobody waits beyond the time limit and two seconds."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agent.chat_models import wire
from agent.chat_models.chat import Chat
from agent.chat_models.errors import ChatFailed, ChatUnavailable
from agent.turns import Spending, Turn
from configs.chat_models import Endpoint, Provider
from configs.settings import Settings
from evals.peer import Peer, Reply, says

LIMIT_S = 1.0
GRACE_S = 2.0
MESSAGES = [HumanMessage("Luca on the beach")]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer(seed=9) as one:
        # What is imported at the first request is no wait for a network.
        one.script(says("A title"))
        chat(one.url, one, limit=60.0).text(MESSAGES, label="title")
        yield one


def chat(url: str, peer: Peer, *, limit: float = LIMIT_S, steps: int = 40) -> Chat:
    provider = Provider(about="peer", url=url, structured="strict")
    made = wire.Wire(Endpoint("peer", peer.models[0], url, "key", provider), limit)
    return Chat(made, Settings(), Turn("t", Spending(steps, 100_000, 60.0)))


def timed(url: str, peer: Peer, **more: Any) -> tuple[ChatFailed, float]:
    asked = chat(url, peer, **more)
    begun = time.monotonic()
    with pytest.raises(ChatFailed) as caught:
        asked.text(MESSAGES, label="title")
    return caught.value, time.monotonic() - begun


def redirects(peer: Peer) -> Reply:
    return says("").but(status=307, body=b"", headers={"Location": f"{peer.url}/chat/completions"})


FAULTS: dict[str, Callable[[Peer], Reply]] = {
    "hang": lambda _: says("late").but(delay=20.0),
    "drip": lambda _: says("slow").but(drip=0.3, body=b" " * 4_000),
    "drip of a stream": lambda _: says("slow " * 200).but(drip=0.3, stream=True),
    "cut": lambda _: says("half " * 100).but(cut=0.5),
    "cut at once": lambda _: says("none").but(cut=0.0),
    "redirect to itself": redirects,
    "no HTTP": lambda _: says("").but(body=bytes(range(256)) * 9),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_nobody_waits_for_a_bad_server(peer: Peer, fault: str) -> None:
    peer.reset().script(FAULTS[fault](peer), times=None)
    failure, seconds = timed(peer.url, peer)
    assert seconds <= LIMIT_S + GRACE_S
    assert "key" not in str(failure).replace("monkey", "")
    # A loop of redirects is not followed even once: the key would go along.
    assert len(peer.requests) <= wire.ATTEMPTS


def test_a_limit_a_read_would_be_waited_out(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: without the deadline over all of it, a drip is read for as long as it goes on."""
    monkeypatch.setattr(wire, "LOOK_EVERY_S", 6.0)
    peer.reset().script(FAULTS["drip"](peer), times=None)
    _, seconds = timed(peer.url, peer)
    assert seconds > LIMIT_S + GRACE_S


def test_a_name_that_is_not_there_and_one_that_is_not_answered(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def missing(*_args: Any, **_more: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def hanging(*_args: Any, **_more: Any) -> Any:
        release.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    for resolver in (missing, hanging):
        monkeypatch.setattr(socket, "getaddrinfo", resolver)
        failure, seconds = timed("http://models.example/v1", peer)
        assert isinstance(failure, ChatUnavailable)
        assert seconds <= LIMIT_S + GRACE_S
    release.set()


def test_a_machine_that_takes_no_connections(peer: Peer) -> None:
    with closing(socket.socket()) as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        failure, seconds = timed(f"http://127.0.0.1:{full.getsockname()[1]}/v1", peer)
        for one in waiting:
            one.close()
    assert isinstance(failure, ChatUnavailable)
    assert seconds <= LIMIT_S + GRACE_S


def test_a_turn_waits_for_a_silent_server_once(peer: Peer) -> None:
    peer.reset().script(FAULTS["hang"](peer), times=None)
    asked = chat(peer.url, peer)
    begun = time.monotonic()
    for _ in range(5):
        with pytest.raises(ChatUnavailable):
            asked.text(MESSAGES, label="title")
    assert time.monotonic() - begun <= LIMIT_S + GRACE_S
