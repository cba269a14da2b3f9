"""A chat model that shares the device with the generators takes its turn."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from agent.chat_models.chat import Chat
from agent.chat_models.errors import ChatUnavailable
from agent.chat_models.on_device import resident_of
from agent.chat_models.wire import Wire
from agent.turns import Spending, Turn
from configs.chat_models import Endpoint, Provider
from configs.models import load_models
from configs.services import load_services
from configs.settings import Settings
from evals.peer import Peer, says
from tests.tools.runtime.tiny_models import Card
from tools.errors import Cancelled, InvalidInput, OutOfMemory
from tools.model import Placing
from tools.runtime.device.holding import holding
from tools.runtime.device.lane import Lane
from tools.runtime.scheduling.problem import Model
from tools.runtime.workers.pool import WorkerPool

ALLOW = ("tests.", "tools.")


def endpoint(url: str, model: str = "m") -> Endpoint:
    return Endpoint("local", model, url, "", Provider(about="x", url=url, structured="json_schema"))


@pytest.mark.parametrize(
    ("url", "model", "name"),
    [
        ("http://127.0.0.1:8000/v1", "Qwen/Qwen2.5-14B-Instruct-AWQ", "qwen_vllm"),
        ("http://localhost:11434/v1", "qwen2.5:14b", "qwen_ollama"),
        ("http://127.0.0.1:11434/v1", "another:7b", ""),
        ("http://127.0.0.1:1234/v1", "m", ""),
        ("https://api.openai.com/v1", "gpt-4o-mini", ""),
    ],
)
def test_a_server_of_services_yaml_is_known_by_its_address_and_model(url: str, model: str, name: str) -> None:
    assert resident_of(endpoint(url, model), load_models(), load_services()) == name


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[tuple[Lane, WorkerPool, Card]]:
    """A device on which either of two models fits."""
    from configs.models import ModelEntry

    card = Card(str(tmp_path / "card"))
    known = {}
    for name in ("llm", "sdxl"):
        source = json.dumps({"name": name, "card": card.path, "bytes": 60})
        entry = ModelEntry.model_validate(
            {
                "about": "x",
                "purpose": "language",
                "weights": "tests.tools.runtime.tiny_models:TinyWeights",
                "stack": "models",
                "source": source,
                "weights_gb": {"fp16": 1},
                "licence": "x",
            }
        )
        known[name] = (entry, Model(name, 60, 1.0))
    made = Lane("cpu", 100, known, dict.fromkeys(known, Placing()), None)
    with WorkerPool(1, allow=ALLOW) as pool:
        yield made, pool, card
        made.close()


def test_the_model_is_there_while_it_is_asked_and_others_wait(lane: tuple[Lane, WorkerPool, Card]) -> None:
    device, pool, card = lane
    with holding(device, pool, "sdxl", threading.Event()):
        assert device.resident == {"sdxl"}
    with holding(device, pool, "llm", threading.Event()):
        assert device.resident == {"llm"}
        impatient = threading.Event()
        threading.Timer(0.3, impatient.set).start()
        with pytest.raises(Cancelled), holding(device, pool, "sdxl", impatient):
            pytest.fail("two had the device at once")
    assert device.resident == {"llm"}, "it stays until others need the room"
    with holding(device, pool, "llm", threading.Event()):
        pass
    assert len([line for line in card.lines() if line["what"] == "read" and line["model"] == "llm"]) == 1


def test_an_unknown_model_is_named(lane: tuple[Lane, WorkerPool, Card]) -> None:
    device, pool, _ = lane
    with pytest.raises(InvalidInput, match="no model 'other'"), holding(device, pool, "other", threading.Event()):
        pass


def test_a_model_that_cannot_be_brought_is_a_chat_model_that_is_not_there() -> None:
    @contextmanager
    def no_room(_cancel: threading.Event) -> Iterator[None]:
        raise OutOfMemory("there is no room for llm on cuda:0.")
        yield

    with Peer() as peer:
        turn = Turn("t", Spending(5, 1_000, 10.0))
        chat = Chat(Wire(endpoint(peer.url, peer.models[0]), 5.0, no_room), Settings(), turn)
        with pytest.raises(ChatUnavailable, match="no room for llm"):
            chat.text([HumanMessage("hello")], label="x")
        assert not peer.requests


def test_it_is_held_for_the_answer_and_given_back_after_it() -> None:
    held: list[str] = []

    @contextmanager
    def hold(_cancel: threading.Event) -> Iterator[None]:
        held.append("taken")
        yield
        held.append("given back")

    with Peer() as peer:
        peer.script(lambda _seen: (held.append("asked"), says("hi"))[1])
        chat = Chat(Wire(endpoint(peer.url, peer.models[0]), 5.0, hold), Settings(), Turn("t", Spending(5, 999, 9.0)))
        assert chat.text([HumanMessage("hello")], label="x") == "hi"
    assert held == ["taken", "asked", "given back"]
