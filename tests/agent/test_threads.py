"""Going back in a conversation, going on under another name, and how much of it is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.context import AgentContext
from agent.options import RunOptions
from agent.threads import branch, go_back, list_turns
from agent.wiring import Agent, create_agent, create_context
from configs.settings import Settings
from tests.agent.fakes import FakeToolbox
from tools.errors import InvalidInput

REQUESTS = ["make a beach scene with Luca and Alberto", "make it night", "add Giulia"]


@pytest.fixture
def context(tmp_path: Path) -> AgentContext:
    settings = Settings(productions=tmp_path)
    made = create_context(settings, options=RunOptions(plan_only=True))
    return replace(made, toolbox=FakeToolbox(settings))


@pytest.fixture
def agent(context: AgentContext) -> Agent:
    return create_agent(context=context)


def say(agent: Agent, text: str, thread: str = "t") -> dict[str, Any]:
    return agent.invoke({"messages": text}, {"configurable": {"thread_id": thread}})


def state(agent: Agent, thread: str = "t") -> dict[str, Any]:
    return agent.get_state({"configurable": {"thread_id": thread}}).values


def talk(agent: Agent) -> list[dict[str, Any]]:
    return [say(agent, text) for text in REQUESTS]


def test_turns_are_listed_the_latest_first(agent: Agent) -> None:
    talk(agent)
    turns = list_turns(agent, "t")
    assert [one.request for one in turns] == REQUESTS[::-1]
    assert [one.number for one in turns] == [1, 2, 3]
    assert all(one.title and one.shots for one in turns)
    assert list_turns(agent, "another") == []


@pytest.mark.parametrize("steps", [1, 2])
def test_going_back_brings_storyboard_and_messages_back(agent: Agent, steps: int) -> None:
    told = talk(agent)
    turn = go_back(agent, "t", steps)
    assert turn is not None
    assert turn.request == REQUESTS[2 - steps]
    now = state(agent)
    assert now["storyboard"] == told[2 - steps]["storyboard"]
    assert [one.id for one in now["messages"]] == [one.id for one in told[2 - steps]["messages"]]
    assert [one.request for one in list_turns(agent, "t")] == REQUESTS[: 3 - steps][::-1]


def test_what_was_gone_back_from_is_not_come_upon_again(agent: Agent) -> None:
    talk(agent)
    go_back(agent, "t", 2)
    say(agent, "make it rain")
    assert [one.request for one in list_turns(agent, "t")] == ["make it rain", REQUESTS[0]]
    assert {shot.time_of_day for shot in state(agent)["storyboard"].shots} == {"day"}
    go_back(agent, "t")
    assert [one.request for one in list_turns(agent, "t")] == [REQUESTS[0]]


def test_one_can_go_back_to_before_the_first_turn(agent: Agent) -> None:
    talk(agent)
    assert go_back(agent, "t", 3) is None
    assert not state(agent)["messages"]
    assert state(agent)["storyboard"] is None
    assert list_turns(agent, "t") == []
    answer = say(agent, "Giulia in the forest")
    assert [member.id for member in answer["storyboard"].cast] == ["giulia"]
    assert len(list_turns(agent, "t")) == 1


@pytest.mark.parametrize("steps", [0, 4, 99])
def test_further_than_the_beginning_is_refused_and_changes_nothing(agent: Agent, steps: int) -> None:
    talk(agent)
    before = state(agent)
    with pytest.raises(InvalidInput, match="goes back 3 turns"):
        go_back(agent, "t", steps)
    assert state(agent) == before


def test_a_branch_goes_its_own_way(agent: Agent) -> None:
    told = talk(agent)
    branch(agent, "t", "other", turns=1)
    assert state(agent, "other")["storyboard"] == told[1]["storyboard"]
    say(agent, "make it rain", "other")
    assert {shot.weather for shot in state(agent, "other")["storyboard"].shots} == {"rain"}
    assert state(agent)["storyboard"] == told[2]["storyboard"]
    undone = say(agent, "undo", "other")
    assert undone["storyboard"] == told[1]["storyboard"], "the branch has the past of the one it came from"


def test_a_branch_goes_back_as_far_as_the_one_it_came_from(agent: Agent) -> None:
    told = talk(agent)
    branch(agent, "t", "other")
    assert [one.request for one in list_turns(agent, "other")] == REQUESTS[::-1]
    turn = go_back(agent, "other", 2)
    assert turn is not None
    assert turn.request == REQUESTS[0]
    assert state(agent, "other")["storyboard"] == told[0]["storyboard"]
    assert state(agent)["storyboard"] == told[2]["storyboard"]


def test_a_branch_needs_a_name_of_its_own_and_something_said(agent: Agent) -> None:
    with pytest.raises(InvalidInput, match="nothing to branch from"):
        branch(agent, "t", "other")
    talk(agent)
    for name in ("t", ""):
        with pytest.raises(InvalidInput):
            branch(agent, "t", name)
    branch(agent, "t", "other")
    with pytest.raises(InvalidInput, match="already"):
        branch(agent, "t", "other")


def test_the_ends_of_many_turns_are_kept_though_their_steps_are_not(agent: Agent) -> None:
    say(agent, REQUESTS[0])
    for number in range(18):
        say(agent, "make it night" if number % 2 else "make it day")
    assert len(list_turns(agent, "t")) == 19
    steps = len(list(agent.get_state_history({"configurable": {"thread_id": "t"}})))
    assert steps < 19 * 4, "of the older turns the last step alone"
    turn = go_back(agent, "t", 18)
    assert turn is not None
    assert turn.request == REQUESTS[0]
    assert say(agent, "add Giulia")["storyboard"]
