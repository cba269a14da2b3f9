"""`studio chat`: its commands, driven as a person types them; the hands are fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from agent.chat import HELP, Chat
from agent.wiring import create_agent
from tests.agent.fakes import FakeToolbox

Say = Callable[..., str]


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    monkeypatch.setenv("STUDIO_PRODUCTIONS", str(tmp_path))
    one = Chat(thread="t", seed=None)
    session = one.command.session
    one.console = one.command.console = Console(width=100, record=True, force_terminal=False)
    session.close()
    fake = FakeToolbox(session.settings, scores={"s1.still": [0.3, 0.9]})
    session.context = replace(session.context, toolbox=fake)
    session.agent = create_agent(context=session.context)
    yield one
    session.close()


@pytest.fixture
def say(chat: Chat) -> Say:
    def said(*lines: str) -> str:
        for line in lines:
            chat._answer(line)
        return chat.console.export_text()

    return said


SCENE = "make a beach scene with Luca and Alberto"


def test_a_scene_is_made_changed_and_undone(say: Say) -> None:
    assert "I made" in say(SCENE)
    assert "night" in say("make it night", "/shots")
    assert "night" not in say("/undo", "/shots").rpartition("shot ")[2]


def test_where_there_is_nothing_to_undo_nothing_is_made(say: Say) -> None:
    say(SCENE)
    for command, told in (("/undo", "There is nothing to undo."), ("/redo", "There is nothing to redo.")):
        answer = say(command)
        assert told in answer
        assert "I made" not in answer
    assert "night" in say("make it night", "/shots")
    assert "I made" in say("/undo")
    assert "night" in say("/redo", "/shots").rpartition("shot ")[2]


def test_every_command_of_the_help_is_one(chat: Chat) -> None:
    named = {word.strip(",") for line in HELP.splitlines() for word in line.split()[:2] if word.startswith("/")}
    assert named - {"/quit"} <= set(chat._commands)
    assert set(chat._commands) - {"/help"} <= named


def test_before_anything_was_said_each_command_answers_plainly(say: Say, chat: Chat) -> None:
    for command in chat._commands:
        told = say(command)
        assert told.strip(), command
        assert "Traceback" not in told


def test_why_tells_of_the_whole_and_of_a_part(say: Say) -> None:
    say(SCENE)
    whole = say("/why")
    assert "Assumed" in whole
    assert "0.90  picture of s1 (attempt 2" in whole
    part = say("/why s1.still")
    assert part.index("0.30") < part.index("0.90")
    assert "s1.still" in say("/why nowhere")


def test_going_back_and_branching(say: Say, chat: Chat) -> None:
    say(SCENE, "make it night", "make it rain")
    listed = say("/turns")
    assert listed.index("beach scene") < listed.index("make it night") < listed.index("make it rain")
    assert "Back at: “make it night”" in say("/back")
    assert "make it rain" not in say("/turns")
    assert "Going on as “other”" in say("/branch other")
    assert chat.command.thread == "other"
    assert "night" in say("/shots")
    assert "Back at: “make a beach scene" in say("/back")
    assert "day" in say("/shots")
    assert "Back at the beginning" in say("/back")
    assert "Nothing yet." in say("/shots")


@pytest.mark.parametrize(
    "line", ["/back x", "/back -1", "/back 99", "/back 99999", "/branch", "/branch t", "/approve x"]
)
def test_what_cannot_be_done_is_told_and_changes_nothing(say: Say, chat: Chat, line: str) -> None:
    say(SCENE)
    before = chat._state
    assert say(line).strip()
    assert chat._state == before
    assert chat.command.thread == "t"


def test_approval_can_be_asked_for_from_now_on(say: Say, chat: Chat) -> None:
    say("/approve on")
    assert chat.command.session.context.options.approve
    told = say(SCENE)
    assert "nobody is there to approve it" in told, "it waits for a person, and there is none here"
    say("/approve off")
    assert not chat.command.session.context.options.approve


def test_an_unknown_command_is_no_request(say: Say, chat: Chat) -> None:
    assert "There is no command /make" in say("/make a scene")
    assert not chat._state
