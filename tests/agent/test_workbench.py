"""The workbench: calls of one's own on what the agent made, and the ways to look back at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import Settings, create_agent
from agent.context import AgentContext
from agent.wiring import create_context
from agent.workbench import draw_run, open_production, read_run, run_calls, summarise, tell_why, thoughts_of
from tools.base import Call
from tools.errors import InvalidInput, ToolError


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AgentContext, dict[str, Any]]]:
    settings = Settings(productions=tmp_path_factory.mktemp("bench") / "productions", planner="offline", workers=1)
    context = create_context(settings)
    agent = create_agent(context=context)
    ask = {"messages": "only a picture of Luca at the harbour"}
    yield context, agent.invoke(ask, {"configurable": {"thread_id": "one"}})
    context.toolbox.close()


def test_own_calls_take_in_what_the_agent_made(made: tuple[AgentContext, dict[str, Any]]) -> None:
    context, result = made
    music = Call(id="my_tune", tool="compose_music", args={"mood": "calm", "duration_s": 1.0})
    before = open_production(result["production"]).manifest()
    artifacts = run_calls(context, result, [music])
    assert Path(result["production"], "extra", "my_tune", artifacts["my_tune"].output["file"]).is_file()
    after = open_production(result["production"]).manifest()
    assert [one.call for one in after.attempts] == [*(one.call for one in before.attempts), "my_tune"]
    assert after.of_call("my_tune")[0].key == artifacts["my_tune"].key
    again = run_calls(context, result, [music])
    assert again["my_tune"].key == artifacts["my_tune"].key, "nothing is made twice"
    assert len(open_production(result["production"]).manifest().attempts) == len(after.attempts)


def test_a_call_that_fails_is_raised_and_the_others_are_kept(made: tuple[AgentContext, dict[str, Any]]) -> None:
    context, result = made
    good = Call(id="good", tool="compose_music", args={"mood": "calm", "duration_s": 1.5})
    picture = {"sound": {"call": "s1.still", "key": ""}, "first": 0, "last": 0}
    bad = Call(id="bad", tool="mix_sound", args={"fps": 24, "shots": [{"duration_s": 1}], "music": [picture]})
    with pytest.raises(ToolError):
        run_calls(context, result, [good, bad])
    assert open_production(result["production"]).manifest().of_call("good")[0].best
    with pytest.raises(ToolError, match="no tool 'dance'"):
        run_calls(context, result, [Call(id="x", tool="dance", args={})])


def test_calls_of_the_turn_keep_their_names(made: tuple[AgentContext, dict[str, Any]]) -> None:
    context, result = made
    with pytest.raises(ValueError, match=r"the turn has made s1\.still"):
        run_calls(context, result, [Call(id="s1.still", tool="compose_music", args={})])
    with pytest.raises(ValueError, match="no production"):
        run_calls(context, {**result, "production": ""}, [])


def test_looking_back(made: tuple[AgentContext, dict[str, Any]]) -> None:
    context, result = made
    manifest = open_production(result["production"]).manifest()
    still = manifest.of_call("s1.still")[0]
    assert (still.tool, still.engine, still.best) == ("generate_image", "draft", True)
    thoughts = thoughts_of(context.settings, result["production"])
    assert thoughts[0].kind == "request"
    assert thoughts_of(context.settings)[0] == thoughts[0]
    why = tell_why(result, thoughts)  # type: ignore[arg-type]
    assert any("s1" in line or "picture" in line for line in why)
    run = read_run(result["production"])
    assert summarise(run).calls
    assert draw_run(run).startswith("<svg")
    for look in (lambda: open_production("nowhere"), lambda: read_run("nowhere")):
        with pytest.raises(InvalidInput):
            look()
    with pytest.raises(InvalidInput):
        thoughts_of(context.settings, "nowhere")
