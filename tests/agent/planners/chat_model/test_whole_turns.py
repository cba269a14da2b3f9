"""Whole turns through the real graph with a chat model: plans for many requests, films for a few."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.context import AgentContext, RunOptions
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from evals.peer.server import Peer
from tests.agent.fakes import FakeToolbox
from tests.agent.planners.chat_model.scripts import JEALOUSY, script_all
from tests.agent.planners.offline.test_read import rows
from tools.errors import InvalidInput
from tools.storyboard import Storyboard, load_storyboard

CONFIG: Any = {"configurable": {"thread_id": "t"}}
SCENES = [row for param in rows() if not (row := param.values[0]).get("board") and "kind" not in row]
FULL = bool(os.environ.get("STUDIO_FULL"))
SOME = SCENES if FULL else random.Random(5).sample(SCENES, 20)


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    with Peer(seed=11) as up:
        monkeypatch.setenv("STUDIO_LLM_BASE_URL", up.url)
        yield up


def hands(tmp_path: Path) -> AgentContext:
    """The studio with a chat model, and hands that make nothing."""
    settings = Settings(productions=tmp_path, primary="server/tiny-random", model_timeout_s=30)
    return replace(create_context(settings), toolbox=FakeToolbox(settings))


def said(agent: Any, text: str, context: AgentContext) -> dict[str, Any]:
    """The state after a message."""
    return agent.invoke({"messages": text}, CONFIG, context=context)  # type: ignore[no-any-return]


@pytest.mark.parametrize("row", SOME, ids=lambda row: repr(row["ask"][:40]))
def test_any_request_ends_in_a_film(row: dict[str, Any], peer: Peer, tmp_path: Path) -> None:
    context = hands(tmp_path)
    state = said(create_agent(context=context), row["ask"], context)
    if state["intent"].kind == "scene":
        Storyboard.model_validate(state["storyboard"].model_dump())
        assert state["made"]
        assert not state["work"].failures
    assert state["messages"][-1].text.strip()
    assert peer.refused == []


def test_a_conversation_goes_on_after_a_server_that_broke(peer: Peer, tmp_path: Path) -> None:
    context = hands(tmp_path)
    agent = create_agent(context=context)
    peer.fault("server_error", times=None)
    first = said(agent, "Luca and Alberto argue at the harbour", context)
    assert first["made"]
    assert first["messages"][-1].text.count("tiny-random") == 1
    peer.reset()
    second = said(agent, "rename Luca to Bruno", context)
    assert second["intent"].kind == "edit"
    third = said(agent, "make it night", context)
    assert {shot.time_of_day for shot in third["storyboard"].shots} == {"night"}


@pytest.mark.parametrize("text", ["a funny scene about jealousy at the harbour, 6 seconds"])
def test_a_real_film_of_a_story(text: str, peer: Peer, tmp_path: Path) -> None:
    """The draft engines really draw, speak and cut it."""
    script_all(peer, JEALOUSY, "Outline", "Script", "Revision", "ShotPrompts")
    settings = Settings(productions=tmp_path, primary="server/tiny-random", workers=1)
    context = create_context(settings, options=RunOptions(out=tmp_path / "film"))
    state = said(create_agent(context=context), text, context)
    assert (tmp_path / "film" / "film.mp4").stat().st_size > 1_000
    board = load_storyboard(tmp_path / "film" / "storyboard.yaml")
    assert board == state["storyboard"]
    assert board.duration_s == pytest.approx(6.0)
    assert any(shot.prompt for shot in board.shots)


@pytest.mark.parametrize(
    ("primary", "lacks"), [("openai/gpt-4o-mini", "OPENAI_API_KEY"), ("nowhere/x", "provider/model")]
)
def test_a_model_that_cannot_be_asked_is_told_and_the_rules_plan(
    primary: str, lacks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings = Settings(productions=tmp_path, primary=primary)
    context = replace(create_context(settings), toolbox=FakeToolbox(settings))
    agent = create_agent(context=context)
    state = said(agent, "make a beach scene with Luca and Alberto", context)
    assert state["made"]
    assert lacks in state["messages"][-1].text
    told = said(agent, "what do you know about the history of Vespas?", context)
    assert lacks in told["messages"][-1].text
    long = [("human" if n % 2 == 0 else "ai", f"message {n}") for n in range(60)]
    state = agent.invoke({"messages": [*long, ("human", "make it night")]}, CONFIG, context=context)  # type: ignore[call-overload]
    assert state["summary"]
    assert {shot.time_of_day for shot in state["storyboard"].shots} == {"night"}


def test_where_a_chat_model_must_plan_one_that_cannot_be_asked_ends_the_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings = Settings(productions=tmp_path, primary="openai/gpt-4o-mini", planner="chat_model")
    context = replace(create_context(settings), toolbox=FakeToolbox(settings))
    with pytest.raises(InvalidInput, match="OPENAI_API_KEY"):
        said(create_agent(context=context), "make a beach scene with Luca and Alberto", context)


@pytest.mark.usefixtures("peer")
def test_a_coder_that_cannot_be_asked_costs_its_pieces_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings = Settings(productions=tmp_path, primary="server/tiny-random", coder="openai/gpt-4o-mini")
    context = replace(create_context(settings), toolbox=FakeToolbox(settings))
    state = said(create_agent(context=context), "Luca and Alberto argue at the harbour", context)
    assert state["made"]
    assert "openai/gpt-4o-mini" in state["messages"][-1].text
