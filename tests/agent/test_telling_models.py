"""What the doctor says of chat models."""

from __future__ import annotations

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
