"""Scenarios with ears and weights find out what is broken on purpose; without the libraries they are not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.run.runner import Plan, run_one
from evals.scenario import Scenario, load_scenarios

pytest.importorskip("onnx")
STAGE = "tests.evals.world.broken_stage"
BROKEN = [
    ("deaf", "line_is_heard", "metrics.speech_wer"),
    ("faceless", "likeness_is_measured", "metrics.identity_similarity"),
    ("placed_nowhere", "likeness_is_measured", "trajectory.must"),
]


def named(name: str) -> Scenario:
    return next(one for one in load_scenarios() if one.name == name)


@pytest.mark.parametrize(("twin", "name", "check"), BROKEN, ids=[one[0] for one in BROKEN])
def test_what_is_broken_is_found_out(twin: str, name: str, check: str, tmp_path: Path) -> None:
    if name == "line_is_heard":
        pytest.importorskip("pocketsphinx")
    run = run_one(named(name), Plan(tmp_path, stage=STAGE, environment={"EVAL_TWIN": twin}))
    assert run.outcome == "failed", (run.outcome, run.why, run.log)
    assert check in [one.name for one in run.differed], [one.name for one in run.differed]


def test_unbroken_a_face_that_is_another_is_found(tmp_path: Path) -> None:
    run = run_one(named("likeness_is_measured"), Plan(tmp_path))
    assert run.outcome == "passed", (run.why, run.log)


def test_without_the_libraries_it_is_not_run_and_says_which(tmp_path: Path) -> None:
    run = run_one(named("lora_is_worn"), Plan(tmp_path, stage=STAGE, environment={"EVAL_TWIN": "not_installed"}))
    assert run.outcome == "not_run", (run.outcome, run.why)
    assert "torch" in run.why
    assert "animation-studio[models]" in run.why
