"""The fast scenarios, as part of the test suite. All of them: `studio eval`."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.run.runner import Plan, run_one
from evals.scenario import Scenario, load_scenarios

FAST = load_scenarios(patterns=["fast"])


@pytest.mark.parametrize("scenario", FAST, ids=lambda one: one.name)
def test_it_passes(scenario: Scenario, tmp_path: Path) -> None:
    run = run_one(scenario, Plan(tmp_path))
    told = [
        f"turn {one.turn} {one.name}: expected {one.expected}, found {one.found} {one.note}" for one in run.differed
    ]
    assert run.outcome == "passed", (run.why, told, run.log)
    assert run.checks


def test_there_are_some_and_not_too_many() -> None:
    assert 5 <= len(FAST) <= 12
