"""Turns of commands and of MCP clients, played: what they leave is seen, and what goes wrong is found out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from evals.result import ScenarioRun
from tests.evals.scenarios.files import play

TOOL = {"name": "next_tide", "about": "Tells when the tide turns.", "takes": {"harbour": "string"}, "answers": "17:42"}


def differed(run: ScenarioRun) -> dict[str, Any]:
    return {f"{one.turn} {one.name}": one.found for one in run.differed}


def test_a_command_is_typed_where_the_files_lie_and_what_it_prints_is_seen(tmp_path: Path) -> None:
    run = play(
        tmp_path,
        world={"files": {"note.md": {"text": "# Tides\n\nThe tide turns at noon."}}, "settings": {"seed": 9}},
        turns=[
            {"command": "studio knowledge add note.md", "expect": {"output": {"contains": "note.md: added"}}},
            {"command": ["studio", "knowledge", "list", "--json"], "expect": {"data": {".": {"length": 1}}}},
            {"command": "studio knowledge remove {told:0.id}", "expect": {"output": {"contains": "note.md"}}},
            # Each of these must be found out:
            {"command": "studio jobs show nothing", "expect": {"stderr": {"contains": "no job"}}},
            {"command": "studio mcp list", "expect": {"output": {"contains": "tides"}, "stderr": {"contains": "x"}}},
            {"command": "studio mcp list", "meanwhile": {"at": {"prints": "never"}, "command": "studio jobs"},
             "cancel_at": {"prints": "never"}, "expect": {"exit": 0}},
        ],
    )  # fmt: skip
    assert run.outcome == "failed"
    assert set(differed(run)) == {"4 exit", "5 output", "5 stderr", "6 cancel_at", "6 meanwhile"}
    assert run.turns[3].exit == 1
    assert run.turns[0].command == "studio knowledge add note.md"


def test_a_command_that_takes_too_long_is_ended_and_told(tmp_path: Path) -> None:
    run = play(tmp_path, turns=[{"command": "studio jobs run --stay", "within_s": 4, "expect": {"exit": 0}}])
    assert run.outcome == "failed"
    assert set(differed(run)) == {"1 exit", "1 error"}
    assert differed(run)["1 error"]["kind"] == "TimedOut"


def test_commands_and_servers_end_with_their_scenario(tmp_path: Path) -> None:
    turns = [
        {"mcp": {"show": "tools"}, "expect": {"data": {"name": {"contains": "why"}}}},
        {"command": "studio jobs run --stay", "within_s": 500, "expect": {"exit": 0}},
    ]
    run = play(tmp_path, time_limit_s=20, turns=turns)
    assert run.outcome == "timed_out"
    assert [turn.number for turn in run.turns] == [1], "the server was there, and the command was at work"
    for _ in range(200):
        if not _of(tmp_path):
            break
        time.sleep(0.1)
    assert not _of(tmp_path)


def _of(folder: Path) -> list[str]:
    """Command lines of processes that this folder stands in."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in line:
            found.append(line.decode(errors="replace"))
    return found


def test_a_client_asks_and_each_wrong_expectation_is_found_out(tmp_path: Path) -> None:
    turns = [
        {"mcp": {"show": "tools"}, "expect": {"data": {"name": {"contains": "plan_scene"}}}},
        {"mcp": {"call": "list_cast"}, "expect": {"message": {"contains": "luca"}, "contents": ["text"]}},
        {"mcp": {"call": "plan_scene", "arguments": {"reqest": "x"}},
         "expect": {"error": {"kind": "BadArguments", "says": {"contains": "did you mean 'request'"}}}},
        {"mcp": {"read": "studio://production/nothing/film.mp4"}, "expect": {"error": {"kind": "McpError"}}},
        # Each of these must be found out:
        {"mcp": {"call": "plan_scene", "arguments": {}}, "expect": {"contents": ["image"]}},
        {"mcp": {"call": "list_cast"}, "expect": {"error": {"kind": "InvalidInput"}, "data": {"data.cats": 3}}},
        {"mcp": {"call": "list_cast"}, "cancel_at": {"prints": "drawn"}, "expect": {"progress": {"length": 3}}},
    ]  # fmt: skip
    run = play(tmp_path, turns=turns)
    assert set(differed(run)) == {
        "5 contents", "5 error", "6 error", "6 data.data.cats", "7 progress", "7 cancel_at",
    }  # fmt: skip


def test_a_server_that_does_not_begin_is_a_turn_that_failed(tmp_path: Path) -> None:
    asked = {"mcp": {"show": "tools"}, "expect": {"error": {"kind": "McpError"}}}
    typed = {"command": "studio jobs", "expect": {"exit": 0}}
    run = play(tmp_path, world={"environment": {"PYTHONHOME": "/nowhere"}}, turns=[asked, typed])
    assert run.outcome == "failed"
    assert set(differed(run)) == {"1 error", "2 exit"}
    assert differed(run)["1 error"]["kind"] == "ServerFailed"


def test_damage_is_done_and_where_there_is_nothing_it_is_told(tmp_path: Path) -> None:
    turns = [
        {"damage": {"file": "desk/a.txt", "how": "cut"}, "expect": {"stored": {"desk/a.txt": {"matches": "^12$"}}}},
        {"damage": {"file": "desk/a.txt", "how": "remove"}, "expect": {"stored": {"desk/a.txt": False}}},
        {"damage": {"file": "desk/*.txt"}, "expect": {"stored": {"desk/b.txt": True}}},
    ]
    run = play(tmp_path, world={"files": {"a.txt": {"text": "1234"}}}, turns=turns)
    assert set(differed(run)) == {"3 stored.desk/b.txt", "3 error"}


@pytest.mark.parametrize(("was", "used"), [(None, True), ("Told when the tide turned.", False)])
def test_a_server_of_others_is_real_and_its_pin_holds(was: str | None, used: bool, tmp_path: Path) -> None:
    said = "This is what was pinned" if used else "has changed since it was pinned"
    turns = [
        {"command": "studio mcp inspect tides",
         "expect": {"exit": 0 if used else 1, "output": {"contains": ["next_tide", said]}}},
    ]  # fmt: skip
    run = play(tmp_path, world={"servers": {"tides": {"tools": [{**TOOL, "was": was}]}}}, turns=turns)
    assert run.outcome == "passed", (differed(run), run.log)


def test_a_server_that_nobody_asked_is_found_out(tmp_path: Path) -> None:
    world = {"servers": {"tides": {"tools": [TOOL]}}}
    run = play(
        tmp_path, world=world, turns=[{"command": "studio mcp list", "expect": {"output": {"contains": "tides"}}}]
    )
    assert set(differed(run)) == {"0 world.servers.tides"}
