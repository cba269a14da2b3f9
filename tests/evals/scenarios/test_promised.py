"""What a file says of its world must come about: each claim that did not is a check that fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.expect.promised import promised
from evals.result import TurnRecord
from tests.evals.scenarios.files import play, scenario

SAY = {"say": "Luca on the beach", "expect": {"made": True}}
FAULT = {"kind": "black", "tool": "generate_image", "call": "s1.still"}
ASKED = [{"model": "eval-primary", "piece": "Outline", "tools": [], "status": 200}]


def missed(
    folder: Path, record: dict[str, Any], happened: tuple[int, ...] = (), live: bool = False, **file: Any
) -> list[str]:
    turn = TurnRecord(number=1, said="Luca", **record)
    (folder / "world").mkdir()
    lines = "".join(json.dumps({"fault": one}) + "\n" for one in happened)
    (folder / "world" / "happened.jsonl").write_text(lines, encoding="utf-8")
    found = promised(scenario(folder, **{"turns": [SAY], **file}), [turn], folder, live=live)
    assert found
    return [check.name for check in found if not check.passed]


def _replies(**reply: Any) -> dict[str, Any]:
    return {"world": {"model": {"replies": [{"says": "x", **reply}]}}}


MEANWHILE = {
    "command": "studio jobs run",
    "meanwhile": {"at": {"prints": "x"}, "command": "studio jobs cancel 1"},
    "expect": {"exit": 0},
}
APPROVED = {"turns": [{**SAY, "options": {"approve": True}, "answers": ["yes", "yes"]}]}


@pytest.mark.parametrize(
    ("record", "file", "name"),
    [
        ({}, {"world": {"faults": [FAULT, FAULT]}, "happened": (0,)}, "world.faults.1"),
        ({"kills": 0}, {"turns": [{**SAY, "kill_at": {"call": "s9.still"}}]}, "kill_at"),
        ({"cancelled": False}, {"turns": [{**SAY, "cancel_at": {"node": "search"}}]}, "cancel_at"),
        ({"asked_person": [{}]}, APPROVED, "answers"),
        ({}, {"turns": [MEANWHILE]}, "meanwhile"),
        ({"meanwhile": [{"exit": 1, "stderr": "no such job"}]}, {"turns": [MEANWHILE]}, "meanwhile.exit"),
        ({}, {"world": {"servers": {"tides": {"tools": [{"name": "tide", "about": "x"}]}}}}, "world.servers.tides"),
        ({"asked_model": ASKED}, _replies(piece="Outlin"), "world.model.replies.0"),
        ({"asked_model": ASKED}, _replies(tool="search_knowledge"), "world.model.replies.0"),
        ({"asked_model": ASKED}, _replies(model="vision"), "world.model.replies.0"),
    ],
    ids=lambda one: str(one)[:40],
)
def test_what_never_came_is_a_check_that_failed(
    record: dict[str, Any], file: dict[str, Any], name: str, tmp_path: Path
) -> None:
    assert missed(tmp_path, record, **file) == [name]


@pytest.mark.parametrize(
    ("record", "file"),
    [
        ({}, {"world": {"faults": [FAULT]}, "happened": (0,)}),
        ({"kills": 1}, {"turns": [{**SAY, "kill_at": {"call": "s1.still"}}]}),
        ({"cancelled": True}, {"turns": [{**SAY, "cancel_at": {"node": "judge"}}]}),
        ({"asked_person": [{}, {}]}, APPROVED),
        ({"asked_model": ASKED}, _replies(piece="Outline", model="primary")),
    ],
    ids=lambda one: str(one)[:40],
)
def test_what_came_is_one_that_held(record: dict[str, Any], file: dict[str, Any], tmp_path: Path) -> None:
    assert missed(tmp_path, record, **file) == []


def test_a_fault_that_fits_no_call_fails_a_run_that_is_right_otherwise(tmp_path: Path) -> None:
    plan = {"say": "Luca on the beach", "options": {"plan_only": True}, "expect": {"storyboard": {"places": ["beach"]}}}
    run = play(tmp_path, world={"faults": [FAULT]}, turns=[plan])
    assert run.outcome == "failed"
    assert [one.name for one in run.differed] == ["world.faults.0"]


def test_a_live_model_that_gave_nothing_has_passed_nothing(tmp_path: Path) -> None:
    note = {"kind": "note", "source": "ollama/none", "text": "gave nothing usable"}
    world = {"model": {"replies": [{"piece": "Outline", "says": "x"}]}}
    for name, record, failed in (
        ("dead", {"thoughts": [note], "steps": 1}, ["world.model"]),
        ("counted", {"thoughts": [note], "steps": 1, "tokens": 90}, []),
        ("uncounted", {"thoughts": [{**note, "kind": "piece"}], "steps": 1}, []),
    ):
        (tmp_path / name).mkdir()
        assert missed(tmp_path / name, record, live=True, world=world) == failed
