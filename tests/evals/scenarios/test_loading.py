"""Scenario files that are wrong say so when they are read: file, line, field, and what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs.yaml_file import YamlProblem
from evals.scenario import SCENARIOS_DIR, load_scenario, load_scenarios, scenario_files
from tests.evals.scenarios.files import write

SAY = {"say": "Luca", "expect": {"made": True}}
TYPED = {"command": "studio jobs", "expect": {"exit": 0}}
ASKED = {"mcp": {"show": "tools"}, "expect": {"data": {"name": {"contains": "why"}}}}
TOOL = {"name": "tide", "about": "Tells the tide."}
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"tags": []}, "tags", "at least 1"),
    ({"turns": []}, "turns", "at least 1"),
    ({"turns": [{"say": "Luca"}]}, "", "expects nothing"),
    ({"turns": [{"say": "Luca", "back": 1}]}, "turns.0", "a turn does one of"),
    ({"turns": [{**SAY, "answers": ["yes"]}]}, "turns.0", "nobody asks"),
    ({"turns": [{**SAY, "kill_at": {"nth": 2}}]}, "turns.0.kill_at", "either call or node"),
    ({"turns": [{"say": "x", "expect": {"mood": "calm"}}]}, "turns.0.expect.mood", "Extra inputs"),
    ({"turns": [{"say": "x", "expect": {"intent": {"kindd": 1}}}]}, "turns.0.expect.intent", "Intent has no field"),
    ({"turns": [{"say": "x", "expect": {"storyboard": {"place": 1}}}]}, "turns.0.expect.storyboard", "no fact 'place'"),
    ({"turns": [{"say": "x", "expect": {"seconds": {"below": 1}}}]}, "turns.0.expect.seconds", "no operator 'below'"),
    ({"turns": [SAY], "expect": {"metrics": {"nonsense": 1}}}, "expect.metrics", "no metric 'nonsense'"),
    ({"turns": [SAY], "expect": {"error": {"kind": "Oops"}}}, "expect.error.kind", "no error 'Oops'"),
    ({"turns": [{"say": "x", "expect": {"trajectory": {"must": ["draw_picture"]}}}]}, "turns.0.expect.trajectory.must",
     "draw_picture"),
    # Commands, MCP clients, damage: what is no command, what nothing would look at, what leads elsewhere.
    ({"turns": [{**TYPED, "command": "rm -rf x"}]}, "turns.0.command", "begins with `studio`"),
    ({"turns": [{**TYPED, "command": "studio jobs add 'Luca"}]}, "turns.0.command", "no command line"),
    ({"turns": [{**TYPED, "command": []}]}, "turns.0.command", "begins with `studio`"),
    ({"turns": [{**TYPED, "say": "Luca"}]}, "turns.0", "a turn does one of"),
    ({"turns": [{**TYPED, "options": {"plan_only": True}}]}, "turns.0", "options: belongs to a conversation"),
    ({"turns": [{**TYPED, "thread": "other"}]}, "turns.0", "thread: belongs to a conversation"),
    ({"turns": [{**SAY, "stdin": "x"}]}, "turns.0", "stdin: belongs to a command"),
    ({"turns": [{**SAY, "within_s": 3}]}, "turns.0", "within_s: belongs to a command or mcp"),
    ({"turns": [{**SAY, "kill_at": {"prints": "x"}}]}, "turns.0", "prints and file belong to a command"),
    ({"turns": [{**TYPED, "kill_at": {"call": "s1.still"}}]}, "turns.0", "kill_at: of a command or mcp, say prints"),
    ({"turns": [{**TYPED, "kill_at": {"prints": "x*"}}]}, "turns.0.kill_at.prints", "found in every text"),
    ({"turns": [{**TYPED, "kill_at": {"prints": "["}}]}, "turns.0.kill_at.prints", "no regular expression"),
    ({"turns": [{**TYPED, "kill_at": {"file": "../x"}}]}, "turns.0.kill_at", "in the scenario's folder"),
    ({"turns": [{**TYPED, "meanwhile": {"at": {"node": "act"}, "command": "studio jobs"}}]}, "turns.0.meanwhile",
     "say prints or file"),
    ({"turns": [{**TYPED, "expect": {"intent": {"kind": "scene"}}}]}, "turns.0", "nothing is seen from inside"),
    ({"turns": [{**TYPED, "expect": {"model": {"tokens": {"at_most": 9}}}}], "world": {"model": {}}}, "turns.0",
     "expect.model.tokens: what a process of its own spends"),
    ({"turns": [{**TYPED, "expect": {"message": "x"}}]}, "turns.0", "of a command, say output"),
    ({"turns": [{**TYPED, "expect": {"error": {"kind": "InvalidInput"}}}]}, "turns.0", "of a command, say output"),
    ({"turns": [{**TYPED, "expect": {"progress": {"length": 1}}}]}, "turns.0", "only an MCP client is told it"),
    ({"turns": [{**TYPED, "expect": {"data": {}}}]}, "turns.0.expect", "data: says nothing"),
    ({"turns": [{**SAY, "expect": {"output": "x"}}]}, "turns.0", "output: only a command prints"),
    ({"turns": [{**SAY, "expect": {"data": {"a": 1}}}]}, "turns.0", "data: of a command or mcp alone"),
    ({"turns": [TYPED, SAY], "expect": {"stderr": "x"}}, "", "expect.stderr: the last turn is no command"),
    ({"turns": [TYPED], "expect": {"tool_calls": 1}}, "", "expect.tool_calls: no turn talks with the agent"),
    ({"turns": [TYPED], "expect": {"contents": ["text"]}}, "", "expect.contents: the last turn is no MCP client's"),
    ({"turns": [{**ASKED, "mcp": {}}]}, "turns.0.mcp", "say one of: call, show, read"),
    ({"turns": [{**ASKED, "mcp": {"show": "tools", "arguments": {"a": 1}}}]}, "turns.0.mcp", "only a call has them"),
    ({"turns": [{**ASKED, "kill_at": {"prints": "x"}}]}, "turns.0", "nothing kills an MCP server here"),
    ({"turns": [{**ASKED, "cancel_at": {"file": "x"}}]}, "turns.0", "of mcp, say prints"),
    ({"turns": [{**ASKED, "expect": {"exit": 0}}]}, "turns.0", "of mcp, say error"),
    ({"turns": [{"damage": {"file": "/etc/passwd"}}, TYPED]}, "turns.0.damage.file", "in the scenario's folder"),
    ({"turns": [{"damage": {"file": "x", "how": "burn"}}, TYPED]}, "turns.0.damage.how", "Input should be"),
    ({"turns": [{"damage": {"file": "x"}, "thread": "a"}, TYPED]}, "turns.0", "nothing to do with files"),
    ({"turns": [{"damage": {"file": "x"}, "expect": {"made": True}}]}, "turns.0", "only what is stored is seen"),
    ({"world": {"servers": {"Tides": {"tools": [TOOL]}}}}, "world.servers.Tides", "pattern"),
    ({"world": {"servers": {"tides": {"tools": []}}}}, "world.servers.tides.tools", "at least 1"),
    ({"world": {"servers": {"tides": {"tools": [TOOL], "use": ["moon"]}}}}, "world.servers.tides", "no 'moon'"),
    ({"world": {"servers": {"tides": {"tools": [{**TOOL, "was": "x"}], "pinned": False}}}}, "world.servers.tides",
     "nobody has pinned it"),
    ({"world": {"profile": "16gb", "machine": {"card_gb": 16, "sizes": "published"}}, "turns": [TYPED]}, "",
     "does not see world.machine.sizes"),
    # What could not fail says so:
    ({"turns": [{"say": "x", "expect": {"storyboard": {}}}]}, "turns.0.expect", "storyboard: says nothing"),
    ({"turns": [{"say": "x", "expect": {"storyboard": None}}]}, "turns.0.expect", "storyboard: says nothing"),
    ({"turns": [{"say": "x", "expect": {"scores": {}}}]}, "turns.0.expect", "scores: says nothing"),
    ({"turns": [{"say": "x", "expect": {"artifacts": []}}]}, "turns.0.expect", "artifacts: says nothing"),
    ({"turns": [{"say": "x", "expect": {"message": None}}]}, "turns.0.expect", "message: says nothing"),
    ({"turns": [{"say": "x", "expect": {"shots": {"s1": {}}}}]}, "turns.0.expect", "shots.s1: says nothing"),
    ({"turns": [{"say": "x", "expect": {"lines": [{}]}}]}, "turns.0.expect.lines.0", "says nothing of the line"),
    ({"turns": [{"say": "x", "expect": {"trajectory": {}}}]}, "turns.0.expect", "trajectory: says nothing"),
    ({"turns": [{"say": "x", "expect": {"trajectory": {"must_not": []}}}]}, "expect.trajectory", "must_not: says"),
    ({"turns": [{"say": "x", "expect": {"trajectory": {"must_not": ["s1.stil"]}}}]}, "must_not.0", "no call is"),
    ({"turns": [{"say": "x", "expect": {"model": {"refused": 0}}}]}, "", "the world has no chat model"),
    ({"turns": [SAY], "expect": {"secrets_absent": ["canary"]}}, "", "could not leak"),
    ({"turns": [{**SAY, "options": {"outputs": ["picture"]}}]}, "turns.0.options.outputs.0", "Input should be"),
    ({"turns": [{**SAY, "options": {"engines": ["sdlx"]}}]}, "turns.0.options.engines", "Did you mean sdxl?"),
    ({"turns": [SAY, {**SAY, "options": {"engines": ["generate_image=score"]}}]}, "turns.1.options.engines", "Known:"),
    ({"turns": [{**SAY, "options": {"preset": "hihg"}}]}, "turns.0.options.preset", "Input should be"),
    ({"world": {"settings": {"qualty": 1}}}, "world.settings", "no setting 'qualty'"),
    ({"world": {"settings": {"seed": -1}}}, "world.settings", "seed"),
    ({"world": {"settings": {"productions": "/"}}}, "world.settings", "set by the world itself"),
    ({"world": {"profile": "toaster"}}, "world.profile", "no profile 'toaster'"),
    ({"world": {"absent": ["compose_music/kazoo"]}}, "world.absent", "no compose_music/kazoo"),
    ({"world": {"stand_ins": ["score"]}}, "world.stand_ins.0", "pattern"),
    ({"world": {"faults": [{"kind": "melt", "tool": "generate_image"}]}}, "world.faults.0.kind", "Input should be"),
    ({"world": {"faults": [{"kind": "crash", "tool": "paint"}]}}, "world.faults", "no tool 'paint'"),
    ({"world": {"faults": [{"kind": "silent", "tool": "generate_image"}]}}, "world.faults", "makes no sound"),
    ({"world": {"files": {"../x": {"text": "a"}}}}, "world.files", "pattern"),
    ({"world": {"files": {"x": {"text": "a", "tone": 1}}}}, "world.files.x", "say one of"),
    ({"world": {"own": {"../x": "a"}}}, "world.own", "pattern"),
    ({"world": {"weights": ["gpt"]}}, "world.weights", "no tiny checkpoint of 'gpt'"),
    ({"world": {"machine": {"card_gb": 1000}, "profile": "16gb"}}, "world.machine.card_gb", "less than"),
    ({"world": {"machine": {"card_gb": 16}}}, "world", "uses no card"),
    ({"world": {"ears": ["42"]}}, "world.ears", "no word"),
    ({"world": {"web": {"pages": [{"url": "https://a.example"}]}}}, "world.web.pages.0.url", "pattern"),
    ({"world": {"model": {"replies": [{"piece": "Outline"}]}}}, "world.model.replies.0", "say one of"),
    ({"world": {"model": {"replies": [{"fault": "sulks"}]}}}, "world.model.replies.0", "no fault 'sulks'"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "field", "told"), WRONG, ids=[f"{one[1]}: {one[2]}" for one in WRONG])
def test_what_is_wrong_is_told_with_its_place(changed: dict[str, Any], field: str, told: str, tmp_path: Path) -> None:
    path = write(tmp_path, **changed)
    with pytest.raises(YamlProblem) as problem:
        load_scenario(path)
    assert field in problem.value.message
    assert told in problem.value.message
    assert problem.value.where.startswith(f"{path}:")


def test_a_scenario_is_named_as_its_file(tmp_path: Path) -> None:
    path = write(tmp_path).rename(tmp_path / "other.yaml")
    with pytest.raises(YamlProblem, match="must be that of the file"):
        load_scenario(path)


def test_a_name_stands_once_and_a_broken_file_does_not_hide(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path / "again")
    with pytest.raises(YamlProblem, match="another scenario of this name"):
        load_scenarios(tmp_path)
    (tmp_path / "again" / "plain_plan.yaml").write_text("name: [", encoding="utf-8")
    with pytest.raises(YamlProblem):
        load_scenarios(tmp_path, ["plain_plan"])


def test_names_tags_and_folders_choose(tmp_path: Path) -> None:
    write(tmp_path / "one", name="first_plan", tags=["italian"])
    write(tmp_path / "two", name="second_plan", tags=["english", "film"])
    assert [one.name for one in load_scenarios(tmp_path)] == ["first_plan", "second_plan"]
    for pattern, names in (
        ("second*", ["second_plan"]),
        ("italian", ["first_plan"]),
        ("two", ["second_plan"]),
        ("x", []),
    ):
        assert [one.name for one in load_scenarios(tmp_path, [pattern])] == names


def test_all_scenarios_of_the_studio_can_be_read() -> None:
    assert len(load_scenarios()) == len(scenario_files(SCENARIOS_DIR)) > 0
