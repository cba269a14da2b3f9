"""What is thought, in the terminal: calm, short, and nothing at all where rules alone have planned."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from agent.context import RunOptions
from agent.thought_lines import ThoughtLines, line_of
from agent.wiring import create_agent, create_context
from configs.settings import Settings


def event(kind: str, text: str, source: str = "peer/m", label: str = "", **data: Any) -> dict[str, Any]:
    return {"node": "thought", "kind": kind, "text": text, "source": source, "label": label, "data": data}


@pytest.mark.parametrize(
    ("thought", "line"),
    [
        (event("request", "make a beach scene", "user"), ""),
        (event("note", "strategy plain: as asked", "rules", "strategy", strategy="plain"), ""),
        (event("note", "strategy x", "rules", "strategy", strategy="tree_of_thoughts"), "strategy: tree of thoughts"),
        (event("piece", "outline by peer/m", label="outline"), "outline by peer/m"),
        (event("piece", "as it was answered before", label="outline"), "outline by peer/m"),
        (event("piece", "by rules: nothing came", "offline", "outline"), ""),
        (event("thought", "I look\n it up."), "I look it up."),
        (event("action", "list_places {}", label="list_places"), "list_places"),
        (event("observation", "places: beach", "tool", "list_places"), ""),
        (event("note", "not valid, asked to mend it: x", label="mood"), ""),
        (event("note", "left out: a line in s2", "policy", "storyboard"), "left out: a line in s2"),
    ],
)  # fmt: skip
def test_a_line_says_what_goes_on_or_nothing(thought: dict[str, Any], line: str) -> None:
    assert line_of(thought) == line


def test_lines_are_cut_at_words_and_not_said_twice() -> None:
    out = io.StringIO()
    lines = ThoughtLines(Console(file=out, width=60))
    for _ in range(2):
        lines.update(event("thought", "word " * 40))
    assert out.getvalue().strip().count("\n") == 0
    assert out.getvalue().rstrip().endswith("word…")
    assert len(out.getvalue().rstrip()) <= 60


def test_a_plan_by_rules_shows_no_thoughts(tmp_path: Path) -> None:
    context = create_context(Settings(productions=tmp_path), options=RunOptions(plan_only=True))
    agent: Any = create_agent(context=context, checkpointer=False)
    told = list(agent.stream({"messages": "make a beach scene with Luca"}, stream_mode="custom", context=context))
    thoughts: list[Any] = [one for one in told if isinstance(one, dict) and one.get("node") == "thought"]
    assert thoughts, "they are kept, for `studio trace --thoughts`"
    assert [line_of(one) for one in thoughts if line_of(one)] == []
