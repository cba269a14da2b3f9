"""What the doctor says of chat models."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.telling_models import tell_chat_models
from configs.chat_models import Endpoint
from configs.settings import Settings
from evals.peer.server import Peer


def test_a_model_that_answers_and_one_that_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer() as peer:
        monkeypatch.setenv("STUDIO_LLM_BASE_URL", peer.url)
        settings = Settings(productions=tmp_path, primary="server/tiny-random", vision="server/other")
        told = tell_chat_models(settings)
    assert told["primary"] == "server/tiny-random, it answers"
    assert told["coder"] == "the primary"
    assert told["vision"].endswith("does not know this model; it has tiny-random.")
    gone = tell_chat_models(settings)
    assert f"does not answer at {peer.url}" in gone["primary"]
    assert gone["now"] == "the rules alone, while the primary cannot be asked"


def test_a_name_without_a_tag_is_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(models=("llama3.1:latest",)) as peer:
        monkeypatch.setenv("STUDIO_LLM_BASE_URL", peer.url)
        told = tell_chat_models(Settings(productions=tmp_path, primary="server/llama3.1"))
    assert told["primary"] == "server/llama3.1, it answers"


def test_a_wrong_key_is_told_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(api_key="sk-right-0123456789") as peer:
        monkeypatch.setenv("STUDIO_LLM_BASE_URL", peer.url)
        monkeypatch.setenv("STUDIO_LLM_API_KEY", "sk-wrong-0123456789")
        told = tell_chat_models(Settings(productions=tmp_path, primary="server/tiny-random"))
    assert told["primary"] == (
        "no: server/tiny-random wants another key (401). To mend it: export STUDIO_LLM_API_KEY=..."
    )
    assert "0123456789" not in str(told)


def test_other_machines_are_asked_only_when_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_LLM_BASE_URL", "http://models.invalid/v1")
    asked: list[str] = []

    def answer(endpoint: Endpoint) -> str:
        asked.append(endpoint.url)
        return "answered"

    monkeypatch.setattr("agent.telling_models._answer", answer)
    settings = Settings(productions=tmp_path, primary="server/tiny-random", network=True)
    assert "not asked" in tell_chat_models(settings)["primary"]
    assert asked == []
    assert tell_chat_models(settings, ask=True)["primary"] == "answered"


def test_no_model_is_no_fault(tmp_path: Path) -> None:
    told = tell_chat_models(Settings(productions=tmp_path, primary=""))
    assert told == {"now": "offline: rules, no model", "primary": "none", "vision": "none", "coder": "none"}
    lacking = tell_chat_models(Settings(productions=tmp_path, primary="", planner="chat_model"))
    assert lacking["now"].startswith("lacks")
    assert "STUDIO_PRIMARY" in lacking["now"]


def test_no_key_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-123456")
    settings = Settings(productions=tmp_path, primary="openai/gpt-4o-mini", network=True)
    assert "canary" not in str(tell_chat_models(settings))


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], str]]:
    """What the doctor says of a server that answers with these bytes, the last of them again and again, slowly."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as door:

        def told(answer: bytes) -> str:
            def serve() -> None:
                with contextlib.suppress(OSError):
                    caller, _ = door.accept()
                    with caller:
                        caller.recv(4096)
                        caller.sendall(answer)
                        while not over.wait(0.3):
                            caller.sendall(answer[-1:])

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            monkeypatch.setenv("STUDIO_LLM_BASE_URL", f"http://127.0.0.1:{door.getsockname()[1]}/v1")
            found = tell_chat_models(Settings(productions=tmp_path, primary="server/tiny-random"))["primary"]
            over.set()
            thread.join(5)
            return found

        yield told


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n ", b"HTTP/1.1 200 OK\r\nX-Slow: a"]
)
def test_a_server_that_drips_is_not_waited_for(answer: bytes, serving: Callable[[bytes], str]) -> None:
    begun = time.monotonic()
    assert "does not answer" in serving(answer)
    assert time.monotonic() - begun < 15


def test_a_server_that_fails_is_not_said_to_answer(serving: Callable[[bytes], str]) -> None:
    told = serving(b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nno")
    assert told == "no: the server of server/tiny-random failed (500); look at what it prints"


@pytest.mark.parametrize(
    "url", ["http://[::1/v1", "http://127.0.0.1:99999/v1", "http://127.0.0.1:http/v1", "http://a:0"]
)
def test_an_address_that_is_none_is_told_without_what_stands_in_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_LLM_BASE_URL", url.replace("//", "//me:canary-123@"))
    told = tell_chat_models(Settings(productions=tmp_path, primary="server/tiny-random", network=True))["primary"]
    assert told.startswith("no: the address of server/tiny-random")
    assert "canary" not in told
