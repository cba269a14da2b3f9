"""Runs: a process that dies, hangs, lies or says nothing is one failed scenario and nothing else."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from evals.result import ScenarioRun
from evals.run.runner import Plan, run_all, run_one
from tests.evals.scenarios.files import scenario

BROKEN = "tests.evals.scenarios.broken_stage"


def broken(twin: str, folder: Path, **changed: Any) -> ScenarioRun:
    plan = Plan(folder / "results", stage=BROKEN, environment={"EVAL_TWIN": twin})
    return run_one(scenario(folder, **changed), plan)


@pytest.mark.parametrize(
    ("twin", "outcome", "told"),
    [
        ("dies", "crashed", "SIGSEGV"),
        ("leaves", "crashed", "exit code 3"),
        ("lies", "crashed", "cannot be read"),
        ("says_nothing", "crashed", "no result"),
        ("hangs", "timed_out", "time limit"),
    ],
)
def test_however_a_process_ends_it_is_told(twin: str, outcome: str, told: str, tmp_path: Path) -> None:
    run = broken(twin, tmp_path, time_limit_s=2.0 if twin == "hangs" else 60.0)
    assert run.outcome == outcome
    assert told in run.why


def test_one_that_crashes_leaves_the_others_alone(tmp_path: Path) -> None:
    good = scenario(tmp_path, name="good_plan")
    # A name that the desk cannot have: its world cannot be laid out.
    bad = scenario(tmp_path, name="bad_plan", world={"preferences": ["gibberish that is no wish"]})
    heard: list[tuple[str, str, str]] = []
    main = threading.current_thread().name
    results = run_all([bad, good], Plan(tmp_path / "r", jobs=2), lambda s, r: heard.append((s.name, r.outcome, main)))
    assert [(one.name, one.runs[0].outcome) for one in results] == [("bad_plan", "crashed"), ("good_plan", "passed")]
    assert "is not heard as a preference" in results[0].runs[0].log
    assert "is not heard as a preference" in results[0].runs[0].why, "the reason is told where the outcome is"
    assert {name for name, _, _ in heard} == {"good_plan", "bad_plan"}


def test_a_wrong_expectation_fails_and_says_what_was_found(tmp_path: Path) -> None:
    turns = [
        {"say": "Luca on the beach", "options": {"plan_only": True}, "expect": {"storyboard": {"places": ["moon"]}}}
    ]
    run = run_one(scenario(tmp_path, turns=turns), Plan(tmp_path / "r"))
    assert run.outcome == "failed"
    assert [(one.name, one.expected, one.found) for one in run.differed] == [("storyboard.places", ["moon"], ["beach"])]


def test_an_error_that_nobody_expected_fails(tmp_path: Path) -> None:
    turns = [{"say": "Luca on the beach", "options": {"engines": ["sdxl"]}, "expect": {"seconds": {"at_least": 0.001}}}]
    run = run_one(scenario(tmp_path, turns=turns), Plan(tmp_path / "r"))
    assert run.outcome == "failed"
    assert run.differed[0].name == "error"
    assert "sdxl" in run.turns[0].error["says"] if run.turns[0].error else False


def test_offline_leaves_out_what_needs_a_model(tmp_path: Path) -> None:
    run = run_one(scenario(tmp_path, world={"model": {"kind": "random"}}), Plan(tmp_path / "r", planner="offline"))
    assert (run.outcome, run.checks) == ("not_run", [])
    assert "chat model" in run.why


def test_without_the_extra_a_model_is_not_run_and_says_how_to_get_it(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    code = "raise ModuleNotFoundError(\"No module named 'llguidance'\", name='llguidance')"
    (hidden / "llguidance.py").write_text(code, encoding="utf-8")
    plan = Plan(tmp_path / "r", environment={"PYTHONPATH": f"{Path(__file__).parents[3]}:{hidden}"})
    run = run_one(scenario(tmp_path, world={"model": {"kind": "random"}}), plan)
    assert run.outcome == "not_run", (run.why, run.log)
    assert "pip install" in run.why


def test_what_the_person_has_set_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_PRIMARY", "ollama/nobody")
    monkeypatch.setenv("STUDIO_PRODUCTIONS", str(tmp_path / "mine"))
    monkeypatch.setenv("STUDIO_MAX_ATTEMPTS", "zero")
    run = run_one(scenario(tmp_path), Plan(tmp_path / "r"))
    assert run.outcome == "passed", (run.why, run.log)
    assert not (tmp_path / "mine").exists()


def test_a_stage_is_light_to_start_from() -> None:
    """The one who runs scenarios imports neither the graph nor an engine."""
    import subprocess

    code = "import sys, evals.cli, evals.scenario; print([m for m in ('langgraph', 'skia', 'av') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_live_takes_the_persons_own_model_and_goes_nowhere_else(tmp_path: Path) -> None:
    from evals.peer import Peer

    replies = [{"piece": "Outline", "answers": {"title": "Never asked"}, "times": None}]
    expect = {"model": {"steps": {"at_least": 1}, "asked": ["Never"]}, "search": "offline"}
    live = scenario(
        tmp_path,
        world={"model": {"kind": "scripted", "replies": replies}},
        turns=[{"say": "search the web for gozzi", "options": {"plan_only": True}, "expect": expect}],
    )
    with Peer(seed=3, models=("mine",)) as peer:
        roles = {"primary": "server/mine", "vision": "", "coder": "", "network": True}
        environment = {"STUDIO_LLM_BASE_URL": peer.url}
        run = run_one(live, Plan(tmp_path / "r", planner="live", live=roles, environment=environment))
        assert peer.requests
    assert run.outcome == "passed", (run.why, run.log, run.differed)
    assert [one.name for one in run.checks] == ["model.steps", "search", "world.model"], (
        "what a person's own model was asked is not seen"
    )


def test_a_random_model_has_another_seed_in_each_repeat(tmp_path: Path) -> None:
    from evals.run.stage import Job

    random = scenario(tmp_path, world={"model": {"kind": "random", "seed": 5}})
    minds = [Job(scenario=random, folder=tmp_path, repeat=repeat).world.model for repeat in (1, 2, 3)]
    assert [one.seed for one in minds if one] == [5, 6, 7]
    plain = Job(scenario=scenario(tmp_path), folder=tmp_path, repeat=2)
    assert plain.world == plain.scenario.world
