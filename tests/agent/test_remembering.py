"""Long conversations: a bounded number of messages, and a summary of the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agent.context import AgentContext
from agent.nodes.think import plan_request
from agent.options import RunOptions
from agent.remembering import KEPT, LONGEST_CONVERSATION, LONGEST_SUMMARY, fold_history
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from tests.agent.fakes import FakeToolbox


@pytest.fixture
def context(tmp_path: Path) -> AgentContext:
    settings = Settings(productions=tmp_path)
    made = create_context(settings, options=RunOptions(plan_only=True))
    return replace(made, toolbox=FakeToolbox(settings))


def conversation(count: int, length: int = 10) -> Any:
    kinds = (HumanMessage, AIMessage)
    return {"messages": [kinds[n % 2](f"message {n} " + "x" * length, id=f"m{n}") for n in range(count)]}


def test_a_short_conversation_is_left_alone(context: AgentContext) -> None:
    assert fold_history(conversation(LONGEST_CONVERSATION), context) == {}


def test_a_long_one_keeps_its_latest_messages_and_a_summary(context: AgentContext) -> None:
    delta = fold_history(conversation(LONGEST_CONVERSATION + 1), context)
    assert [one.id for one in delta["messages"]] == [f"m{n}" for n in range(LONGEST_CONVERSATION + 1 - KEPT)]
    assert "message 0" in delta["summary"]
    assert "message 20" in delta["summary"]
    assert "message 1 " not in delta["summary"], "what the studio said is no request"


def test_the_summary_stays_bounded_and_keeps_the_first_and_the_latest(context: AgentContext) -> None:
    state = conversation(300, 500)
    state["summary"] = "“the very first wish”\n" + "\n".join("“filler”" for _ in range(300))
    summary = fold_history(state, context)["summary"]
    assert len(summary) <= LONGEST_SUMMARY
    assert summary.startswith("“the very first wish”")
    assert "message 278" in summary


def test_fifty_turns_leave_a_thread_of_bounded_size_that_still_answers(context: AgentContext) -> None:
    agent = create_agent(context=context)
    config: Any = {"configurable": {"thread_id": "long"}}
    agent.invoke({"messages": "make a beach scene with Luca and Alberto"}, config)
    for number in range(49):
        state = agent.invoke({"messages": "make it night" if number % 2 else "make it day"}, config)
    assert len(state["messages"]) <= LONGEST_CONVERSATION + 2
    assert "beach scene with Luca and Alberto" in state["summary"]
    assert plan_request(state).history[0] == ("summary", state["summary"])  # type: ignore[arg-type]
    assert {shot.time_of_day for shot in state["storyboard"].shots} == {"day"}
    assert [one.kind for one in context.turn(state).thoughts].count("note") <= 1  # type: ignore[arg-type]
