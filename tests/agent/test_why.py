"""`/why`: what was understood, who decided what, and how it was judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.options import RunOptions
from agent.turns import Thought
from agent.why import tell_why
from agent.wiring import create_agent, create_context
from configs.settings import Settings
from tests.agent.fakes import FakeToolbox
from tools.errors import InvalidInput


def finished(tmp_path: Path, text: str = "make a beach scene with Luca and Alberto", **scores: list[float]) -> Any:
    settings = Settings(productions=tmp_path)
    fake = FakeToolbox(settings, scores={name.replace("_", "."): tries for name, tries in scores.items()})
    context = replace(create_context(settings, options=RunOptions()), toolbox=fake)
    return create_agent(context=context).invoke({"messages": text}, {"configurable": {"thread_id": "t"}})


def test_assumptions_deciders_and_scores_are_told(tmp_path: Path) -> None:
    state = finished(tmp_path, s1_still=[0.3, 0.9])
    thoughts = [
        Thought(kind="piece", text="calm", source="ollama/qwen", label="intent.mood"),
        Thought(kind="piece", text="...", source="offline", label="script"),
        Thought(kind="thought", text="no piece", source="ollama/qwen"),
    ]
    lines = tell_why(state, thoughts)
    text = "\n".join(lines)
    assert all(assumption in text for assumption in state["assumptions"])
    assert "  ollama/qwen: intent.mood" in lines
    assert "  the studio's own rules: script" in lines
    assert any(line.startswith("  0.90  picture of s1") and "attempt 2" in line for line in lines)


def test_one_part_is_told_with_every_attempt(tmp_path: Path) -> None:
    state = finished(tmp_path, s1_still=[0.3, 0.9])
    lines = [line for line in tell_why(state, part="s1.still") if not line.startswith("      ")]
    assert [line.split()[0] for line in lines] == ["0.30", "0.90"]
    whole_shot = tell_why(state, part="s1")
    assert len(whole_shot) > len(lines)


@pytest.mark.parametrize("part", ["s99", "../../etc", "\x1b[31m"])
def test_an_unknown_part_is_told_with_those_there_are(tmp_path: Path, part: str) -> None:
    with pytest.raises(InvalidInput, match=r"s1\.still") as raised:
        tell_why(finished(tmp_path), part=part)
    assert "\x1b" not in str(raised.value)


def test_italian_is_answered_in_italian_and_nothing_with_nothing(tmp_path: Path) -> None:
    state = finished(tmp_path, "fai una scena sulla spiaggia con Luca e Alberto")
    assert tell_why(state)[0].startswith("Ho capito")
    assert tell_why({}) == ["Nothing has been asked yet."]  # type: ignore[typeddict-item]
