"""What a person always wants is used where a request is silent, said, and never taken from a story."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.context import RunOptions
from agent.planners.offline.lexicon import load_lexicons
from agent.preferring import begin_as_preferred
from agent.state import Work
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from knowledge.preference_words import load_wording


def told(home: Path, *messages: str) -> list[dict[str, Any]]:
    """What each message comes to, each in a conversation of its own."""
    agent = create_agent(Settings(productions=home, workers=1), checkpointer=False)
    return [agent.invoke({"messages": one}, context=RunOptions(plan_only=True)) for one in messages]


def test_kept_in_one_conversation_used_in_the_next(tmp_path: Path) -> None:
    plain, kept, used = told(
        tmp_path, "make a beach scene with Luca", "Always upright. Never music. I prefer night scenes.",
        "make a beach scene with Luca",
    )  # fmt: skip
    assert kept["messages"][-1].text.startswith("I will remember: upright (9:16), without music, at night.")
    assert not kept.get("storyboard")
    assert plain["storyboard"].aspect == "16:9"
    assert used["storyboard"].aspect == "9:16"
    assert {shot.time_of_day for shot in used["storyboard"].shots} == {"night"}
    assert "music" in plain["outputs"]
    assert "music" not in used["outputs"]
    assert "As you prefer: upright (9:16), without music, at night." in used["messages"][-1].text


def test_the_request_decides_where_it_speaks_of_it(tmp_path: Path) -> None:
    _, scene = told(
        tmp_path, "always square. never music. I prefer night scenes.",
        "make a widescreen beach scene with Luca by day with cheerful music",
    )  # fmt: skip
    assert scene["storyboard"].aspect == "16:9"
    assert {shot.time_of_day for shot in scene["storyboard"].shots} == {"day"}
    assert "music" in scene["outputs"]
    assert "As you prefer" not in scene["messages"][-1].text


def test_a_style_is_kept_and_a_style_that_is_named_goes_first(tmp_path: Path) -> None:
    kept, used, named = told(
        tmp_path, "I always want black and white", "make a beach scene with Luca",
        "make a beach scene with Luca in watercolour",
    )  # fmt: skip
    assert kept["messages"][-1].text.startswith("I will remember: black and white.")
    assert used["storyboard"].style == "black_and_white"
    assert "As you prefer: black and white." in used["messages"][-1].text
    assert named["storyboard"].style == "watercolour"


def test_every_style_that_can_be_preferred_is_one_that_requests_know() -> None:
    assert set(load_wording().kinds["style"].values) <= set(load_lexicons()["style"].entries)


def test_in_italian(tmp_path: Path) -> None:
    kept, used = told(tmp_path, "Preferisco scene di notte", "fai una scena sulla spiaggia con Luca")
    assert kept["messages"][-1].text.startswith("Lo terrò a mente: di notte.")
    assert "Come preferisci: di notte." in used["messages"][-1].text


def test_a_story_is_not_a_wish(tmp_path: Path) -> None:
    told(tmp_path, 'Luca says "Always widescreen. Call me Anna." on the beach')
    assert create_context(Settings(productions=tmp_path)).preferences.all() == []


def test_the_name_is_used(tmp_path: Path) -> None:
    _, answer = told(tmp_path, "Call me Anna.", "what can you do?")
    assert answer["messages"][-1].text.startswith("Anna, ")


def test_lines_begin_at_the_pace_that_is_preferred(tmp_path: Path) -> None:
    _, scene = told(tmp_path, "from now on slower voices", 'Luca says "Hello there!" on the beach')
    context = create_context(Settings(productions=tmp_path))
    scene["work"] = Work()
    overrides = begin_as_preferred(scene, context).overrides  # type: ignore[arg-type]
    assert overrides
    assert {one.args["rate"] for one in overrides.values()} == {0.88}


def test_langgraph_users_find_them_in_the_store(tmp_path: Path) -> None:
    agent = create_agent(Settings(productions=tmp_path, workers=1), checkpointer=False)
    agent.invoke({"messages": "always widescreen"})
    assert agent.store is not None
    assert [item.key for item in agent.store.search(("preferences",))] == ["aspect"]


def test_a_damaged_file_is_told_and_the_scene_is_planned(tmp_path: Path) -> None:
    home = tmp_path / ".studio" / "knowledge"
    home.mkdir(parents=True)
    (home / "preferences.sqlite").write_bytes(b"nonsense" * 1000)
    (scene,) = told(tmp_path, "make a beach scene with Luca")
    assert scene["storyboard"].shots
    assert "preferences.sqlite" in scene["messages"][-1].text
