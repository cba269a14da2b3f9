"""What is broken on purpose is found out by the scenarios that are about it; unbroken, the same scenarios pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.run.runner import Plan, run_one
from evals.scenario import Scenario, load_scenarios

BROKEN = [
    # twin, scenario, the check that finds it out
    ("node", "added_document_is_used", "notes"),
    ("tool", "beach_two_friends", "artifacts[stills/s1.png].on_stage"),
    ("judge", "judge_below_then_passing", "attempts.s1.still"),
    ("planner", "italian_plan", "storyboard.times"),
    ("store", "killed_and_resumed", "trajectory.cached"),
    ("reply", "italian_plan", "message"),
]


def named(name: str) -> Scenario:
    found = {one.name: one for one in load_scenarios()}
    return found[name]


@pytest.mark.parametrize(("twin", "name", "check"), BROKEN, ids=[one[0] for one in BROKEN])
def test_what_is_broken_is_found_out(twin: str, name: str, check: str, tmp_path: Path) -> None:
    stage = "tests.evals.scenarios.broken_stage"
    run = run_one(named(name), Plan(tmp_path, stage=stage, environment={"EVAL_TWIN": twin}))
    assert run.outcome == "failed", (run.outcome, run.why, run.log)
    assert check in [one.name for one in run.differed], [one.name for one in run.differed]


@pytest.mark.parametrize("name", sorted({name for _, name, _ in BROKEN if "fast" not in named(name).tags}))
def test_unbroken_they_pass(name: str, tmp_path: Path) -> None:
    """Those that test_scenarios.py does not run anyway."""
    run = run_one(named(name), Plan(tmp_path))
    assert run.outcome == "passed", (run.why, run.log)
